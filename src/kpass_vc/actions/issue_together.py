"""Issue what was ordered at the same time: many orders in one transaction, each with an outcome of its own.

Orders that differ in nothing but the learner are looked through together, signed as a series and
stored by a few statements. Whatever is out of the ordinary about an order, it is issued by itself
(`issue`), whose rules are the rules; and so is every order of a kind in which anything went wrong.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, TypeAlias

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from kpass_vc.actions.define import source_of
from kpass_vc.actions.issue import (
    Channel,
    EvidenceOrder,
    Issued,
    IssueOrder,
    authority_for,
    find_definition,
    holder_parts,
    issue,
    kept_key,
    last_day_of,
    require_another_holder,
    require_reviewed,
    require_sound,
    shown_issuer,
)
from kpass_vc.actions.learners import know_learner
from kpass_vc.actions.notify import notify
from kpass_vc.actions.parts import demanded
from kpass_vc.actions.publish_status import next_indexes
from kpass_vc.actions.sign import signings_of_many
from kpass_vc.authz import Actor, Permission
from kpass_vc.compose.credential import Award as AwardParts
from kpass_vc.compose.credential import Issuer, Piece, StatusEntry, compose, kind_of, slots
from kpass_vc.crypto.sealing import folded
from kpass_vc.environment import Environment
from kpass_vc.errors import KpassError, NotFound
from kpass_vc.formats import FORMATS
from kpass_vc.formats.format import Signing
from kpass_vc.formats.series import Series
from kpass_vc.jsonld.terms import Unusual
from kpass_vc.language import Language
from kpass_vc.lint import lint
from kpass_vc.model.dates import end_of_day
from kpass_vc.model.definition import Definition
from kpass_vc.model.document import JsonObject, check_text
from kpass_vc.records import award as awards
from kpass_vc.records import definition as definitions
from kpass_vc.records import organization as organizations
from kpass_vc.records.audit import AuditEntry
from kpass_vc.records.award import Award, IdempotencyKey, Representation
from kpass_vc.records.base import store
from kpass_vc.records.definition import Found
from kpass_vc.records.learner import Learner
from kpass_vc.records.organization import Organization
from kpass_vc.records.status_list import StatusList

Row: TypeAlias = dict[str, Any]
"""A row that is stored, by its columns."""


@dataclass(frozen=True)
class Asked:
    """One order, and who gives it."""

    actor: Actor
    order: IssueOrder
    idempotency_key: str | None = None
    channel: Channel = "api"
    index: tuple[StatusList, int] | None = None
    """A place in a status list of the issuer's that is kept for it."""


@dataclass(frozen=True)
class Made:
    """An award that was just issued, or that the same Idempotency-Key had made: what a reply says of it."""

    award: Mapping[str, Any]
    """Its columns."""
    forms: Sequence[Mapping[str, Any]]
    """The columns of its representations."""
    definition_url: str
    status_list_url: str
    purpose: str

    @property
    def id(self) -> str:
        """The award's id."""
        return str(self.award["id"])


Outcome: TypeAlias = Made | KpassError


class _ByItself(Exception):
    """The orders of a kind are to be issued each by itself."""


def issue_together(env: Environment, session: Session, asked: Sequence[Asked]) -> list[Outcome]:
    """The outcome of each order, in their order; what one has wrong disturbs no other."""
    made = issue_as_series(env, session, asked)
    return [
        made[number] if number in made else _issue_alone(env, session, each)
        for number, each in enumerate(asked)
    ]


def issue_as_series(env: Environment, session: Session, asked: Sequence[Asked]) -> dict[int, Made]:
    """The awards of those orders, by their numbers, that are in no way out of the ordinary; none where that is off."""
    made: dict[int, Made] = {}
    for numbers in _alike(asked) if env.is_fast else ():
        try:
            with session.begin_nested():
                found = _issue_alike(env, session, {number: asked[number] for number in numbers})
        except (_ByItself, KpassError, SQLAlchemyError):
            continue
        made |= found
    return made


def made_of(session: Session, issued: Issued) -> Made:
    """What a reply says of an award."""
    award = issued.award
    found = definitions.by_id(session, award.definition_version_id)
    status_list = session.get_one(StatusList, award.status_list_id)
    return Made(
        award={column.key: getattr(award, column.key) for column in Award.__table__.columns},
        forms=[
            {column.key: getattr(row, column.key) for column in Representation.__table__.columns}
            for row in issued.representations
        ],
        definition_url=str(found[0].document_url) if found else "",
        status_list_url=status_list.url,
        purpose=status_list.purpose,
    )


def _issue_alone(env: Environment, session: Session, each: Asked) -> Outcome:
    try:
        with session.begin_nested():
            return made_of(
                session,
                issue(
                    env,
                    session,
                    each.actor,
                    each.order,
                    each.idempotency_key,
                    channel=each.channel,
                    index=each.index,
                ),
            )
    except KpassError as error:
        return error


def _alike(asked: Sequence[Asked]) -> Iterator[list[int]]:
    """The numbers of the orders that may be issued as a series, by what they have in common.

    Of those with the same Idempotency-Key, reference or learner the first is to come first: none of them is
    among these.
    """
    kinds: dict[tuple[object, ...], list[int]] = {}
    used = Counter(mark for each in asked for mark in _marks(each))
    for number, each in enumerate(asked):
        order = each.order
        if any(used[mark] > 1 for mark in _marks(each)):
            continue
        if order.parts or order.presented or order.endorsements:
            continue
        if any(piece.url for piece in order.evidence):
            continue
        kind = (each.actor, order.definition, tuple(order.languages), each.channel)
        kinds.setdefault(kind, []).append(number)
    return iter(kinds.values())


def _marks(each: Asked) -> list[tuple[object, ...]]:
    """What makes the outcome of an order hang on those before it that have the same."""
    whose = (each.actor.organization_id, each.actor.is_test)
    learner = each.order.holder.reference
    found = (
        ("key", each.idempotency_key),
        ("reference", each.order.external_reference),
        # whose address it changes: each notice goes to the one that was given with its order
        ("learner", None if learner is None else folded(learner)),
    )
    return [(*whose, kind, text) for kind, text in found if text is not None]


@dataclass(frozen=True)
class _Common:
    """What the orders of a kind have in common."""

    env: Environment
    actor: Actor
    issuer: Organization
    found: Found
    source: Definition
    now: datetime
    issuer_id: str
    slug: str
    version_id: str
    document_url: str
    digest: str
    under_id: str | None
    under_url: str | None
    signings: Mapping[str, Signing]
    shown: Mapping[Language, Issuer]
    editions: Mapping[Language, bytes]
    channel: Channel


@dataclass(frozen=True)
class _Sound:
    """One order that was looked through."""

    asked: Asked
    last_day: date | None
    key: tuple[str, str] | None
    learner: Learner | None = None


def _issue_alike(env: Environment, session: Session, group: Mapping[int, Asked]) -> dict[int, Made]:
    """The awards of orders of one kind, as far as nothing is out of the ordinary about them; all stored."""
    common = _common(env, session, next(iter(group.values())))
    sound = dict(_looked_through(common, session, group))
    lacking = [number for number, each in sound.items() if each.asked.index is None]
    places = next_indexes(env, session, common.issuer, common.source.status_purpose, len(lacking))
    given = dict(zip(lacking, places, strict=True))
    made: dict[int, Made] = {}
    for number, each in sound.items():
        status_list, index = each.asked.index or given[number]
        learner = know_learner(
            env,
            session,
            organization_id=common.issuer_id,
            reference=each.asked.order.holder.reference,
            contact=each.asked.order.holder.contact,
            is_test=common.actor.is_test,
        )
        sound[number] = each = replace(each, learner=learner)  # noqa: PLW2901 - now it is known
        try:
            made[number] = _make(common, each, status_list, index)
        except (Unusual, KpassError):
            continue  # by itself it is told what is wrong, or issued as any other
    if not made:
        raise _ByItself  # nothing is to be left of an authorisation that was accepted on the way
    _store(common, session, {number: (sound[number], made[number]) for number in made})
    return made


def _common(env: Environment, session: Session, first: Asked) -> _Common:
    """What is the same for all; whatever is wrong with it, each order is told by itself."""
    actor = first.actor
    actor.require(Permission.CREDENTIALS_ISSUE)
    issuer = organizations.by_id(session, actor.own_organization())
    if issuer is None:
        raise NotFound("organization")
    found = find_definition(env, session, issuer, first.order.definition)
    source = source_of(found[0])
    require_reviewed(env, found[0], found[2])
    every, some, _ = demanded(source)
    under = authority_for(env, session, actor, found, issuer)
    if every or some or (under is not None and under.quota is not None):
        raise _ByItself
    editions: dict[Language, bytes] = {}
    for language in first.order.languages:
        edition = definitions.achievement(
            session, definition_version_id=found[0].id, language=language
        )
        if edition is None:
            raise _ByItself
        editions[language] = edition.body
    now = env.now()
    return _Common(
        env=env,
        actor=actor,
        issuer=issuer,
        found=found,
        source=source,
        now=now,
        issuer_id=issuer.id,
        slug=issuer.slug,
        version_id=found[0].id,
        document_url=str(found[0].document_url),
        digest=str(found[0].digest_sri),
        under_id=under.id if under else None,
        under_url=under.url if under else None,
        signings=signings_of_many(env, session, issuer, issuer.did, now),
        shown={language: shown_issuer(issuer, language) for language in editions},
        editions=editions,
        channel=first.channel,
    )


def _looked_through(
    common: _Common, session: Session, group: Mapping[int, Asked]
) -> Iterator[tuple[int, _Sound]]:
    """The orders with nothing wrong, whose references and keys are free."""
    env, issuer = common.env, common.issuer
    is_test = common.actor.is_test
    kept: dict[int, tuple[str, str]] = {}
    last_days: dict[int, date | None] = {}
    for number, each in group.items():
        try:
            require_sound(env, each.order)
            require_another_holder(each.order.holder, issuer, common.found[2])
            last_days[number] = last_day_of(env, common.source, each.order)
            if each.idempotency_key is not None:
                kept[number] = kept_key(each.order, each.idempotency_key, is_test=is_test)
        except KpassError:
            last_days.pop(number, None)
    taken = awards.keys_used(
        session, organization_id=issuer.id, keys={key for key, _ in kept.values()}
    )
    references = (each.order.external_reference for each in group.values())
    in_use = awards.references_in_use(
        session,
        organization_id=issuer.id,
        references={reference for reference in references if reference is not None},
        is_test=is_test,
    )
    for number, last_day in last_days.items():
        each = group[number]
        key = kept.get(number)
        if (key is not None and key[0] in taken) or each.order.external_reference in in_use:
            continue
        yield number, _Sound(each, last_day, key)


def _make(common: _Common, each: _Sound, status_list: StatusList, index: int) -> Made:
    """The award of one order, signed and not stored; Unusual if it is no series."""
    env, order = common.env, each.asked.order
    holder = holder_parts(env, order.holder)
    evidence = [Piece(piece.name, piece.narrative, piece.genre) for piece in order.evidence]
    for text in (holder.id, *(text for piece in order.evidence for text in _texts(piece))):
        check_text(text, "")
    status = StatusEntry(status_list.url, status_list.purpose, index)
    award_id = env.new_id()
    forms: list[Row] = []
    for language in order.languages:
        parts = AwardParts(
            credential_id=env.addresses.credential(common.slug, env.new_id()),
            holder=holder,
            assessed_on=order.assessed_on,
            valid_from=common.now,
            valid_until=each.last_day,
            evidence=evidence,
            status=status,
            definition_url=common.document_url,
            definition_digest=common.digest,
            authorization_url=common.under_url,
            is_test=common.actor.is_test,
        )
        forms += _forms(common, award_id, parts, language)
    row: Row = {
        "id": award_id,
        "organization_id": common.issuer_id,
        "definition_version_id": common.version_id,
        "state": "active",
        "reason": None,
        "holder_id": holder.id,
        "holder_name": holder.name,
        "external_reference": order.external_reference,
        "assessed_on": order.assessed_on,
        "issued_at": common.now,
        "valid_until": _end(each.last_day) if each.last_day else None,
        "status_list_id": status_list.id,
        "status_index": index,
        "status_changed_at": None,
        "link_generation": 0,
        "learner_id": each.learner.id if each.learner else None,
        "delegation_id": common.under_id,
        "replaces_id": None,
        "is_test": common.actor.is_test,
        "channel": common.channel,
        "erased_at": None,
        "claimed_at": None,
    }
    return Made(row, forms, common.document_url, status.list_url, status.purpose)


def _texts(piece: EvidenceOrder) -> Iterator[str]:
    return (text for text in (piece.name, piece.narrative, piece.genre) if text is not None)


def _end(last_day: date) -> datetime:
    return end_of_day(last_day).astimezone(UTC)


def _forms(common: _Common, award_id: str, parts: AwardParts, language: Language) -> Iterator[Row]:
    """The representations of one language; Unusual if it is no series."""
    kind = kind_of(parts)
    if kind is None:
        raise Unusual
    env, shown, found = common.env, common.shown[language], slots(parts)
    values = [text for _, text in found]

    def compiled() -> Series:
        edition: JsonObject = json.loads(common.editions[language])
        credential = compose(parts, shown, edition, vocabulary=env.vocabulary, language=language)
        lint(credential, env.contexts)
        places = [place for place, _ in found]
        # not the texts of who comes first: something odd in them is not to make the others slow
        examples = [[f"urn:example:{one}:{slot}" for slot in range(len(places))] for one in "ab"]
        return Series(credential, places, env.contexts, examples)

    key = (common.version_id, language, shown, env.vocabulary, kind)
    series = env.series.get(key, compiled)
    if series is None:
        raise Unusual
    for name, body in series.secure(values, common.signings).items():
        yield {
            "award_id": award_id,
            "language": language,
            "format": name,
            "credential_id": parts.credential_id,
            "media_type": FORMATS[name].media_type,
            "body": body,
            "sha256": hashlib.sha256(body).hexdigest(),
            "verification_method": common.signings[name].verification_method,
        }


def _store(common: _Common, session: Session, made: Mapping[int, tuple[_Sound, Made]]) -> None:
    """Store the awards and all that goes with them, and put notices on their way."""
    env, issuer, (_, line, owner) = common.env, common.issuer, common.found
    session.flush()
    keys: list[Row] = [
        {
            "organization_id": issuer.id,
            "key": each.key[0],
            "request_sha256": each.key[1],
            "award_id": found.id,
            "created_at": common.now,
        }
        for each, found in made.values()
        if each.key is not None
    ]
    store(session, IdempotencyKey, keys)
    store(session, Award, [dict(found.award) for _, found in made.values()])
    store(session, Representation, _every(found.forms for _, found in made.values()))
    named = f"{owner.slug}/{line.code}/{common.source.version}"
    entries: list[Row] = [
        {
            "at": common.now,
            "organization_id": issuer.id,
            "actor": common.actor.name,
            "action": "credential.issued",
            "subject": found.id,
            "details": {"definition": named},
        }
        for _, found in made.values()
    ]
    store(session, AuditEntry, entries)
    for each, found in made.values():
        if each.learner is not None and each.learner.sealed_contact is not None:
            notify(env, session, Award(**found.award), "issued")


def _every(parts: Iterable[Sequence[Mapping[str, Any]]]) -> list[Mapping[str, Any]]:
    return [row for part in parts for row in part]
