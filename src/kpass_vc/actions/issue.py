"""Issue a credential: one award, in every language and format at once.

Everything happens in the caller's transaction: nothing leaves the house until
the award, its representations, its status index and its audit entry are stored.
"""

import hashlib
import hmac
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kpass_vc.actions.audit import audit
from kpass_vc.actions.define import source_of
from kpass_vc.actions.delegate import require_authority
from kpass_vc.actions.learners import ContactOrder, know_learner
from kpass_vc.actions.notify import notify
from kpass_vc.actions.parts import Handed, Part, earliest_end, find_parts, presented_parts
from kpass_vc.actions.publish_status import next_index
from kpass_vc.actions.sign import secure
from kpass_vc.authz import Actor, Permission
from kpass_vc.compose.credential import Award as AwardParts
from kpass_vc.compose.credential import Holder as HolderParts
from kpass_vc.compose.credential import Issuer, Piece, StatusEntry, compose
from kpass_vc.dids import check_did
from kpass_vc.environment import Environment
from kpass_vc.errors import (
    Conflict,
    FieldError,
    Forbidden,
    IdempotencyMismatch,
    InvalidInput,
    Malformed,
    NotFound,
)
from kpass_vc.formats import FORMATS, ISSUED
from kpass_vc.language import Language
from kpass_vc.lint import lint
from kpass_vc.model.dates import STOCKHOLM, Day, end_of_day, plus_duration, start_of_day
from kpass_vc.model.definition import Definition
from kpass_vc.model.document import JsonObject, check_text
from kpass_vc.model.field_errors import broken
from kpass_vc.model.parts import Uri
from kpass_vc.model.personal_numbers import personal_number_fields
from kpass_vc.model.text import name, one_line, written
from kpass_vc.records import award as awards
from kpass_vc.records import definition as definitions
from kpass_vc.records import organization as organizations
from kpass_vc.records import review as reviews
from kpass_vc.records.award import Award, IdempotencyKey, Representation
from kpass_vc.records.definition import DefinitionVersion, Found
from kpass_vc.records.delegation import Delegation
from kpass_vc.records.organization import Organization
from kpass_vc.records.status_list import StatusList

_Line = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^\S([^\r\n\t]*\S)?$")]
_Name = Annotated[_Line, AfterValidator(name)]
_Reference = Annotated[_Line, AfterValidator(one_line)]
_Text = Annotated[str, Field(min_length=1, max_length=4000), AfterValidator(written)]
Parts = Annotated[list[Annotated[str, Field(max_length=2000)]], Field(max_length=100)]
Presented = Annotated[list[JsonObject], Field(max_length=30)]
_EARLIEST: Final = date(1950, 1, 1)
_KEY: Final = 255
MOST_ENDORSEMENTS: Final = 5
"""As many as a verifier looks at."""
Channel = Literal["api", "batch", "cli", "console"]
"""How an order came in."""


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=True)


class HolderOrder(_Message):
    """Whom the credential is about."""

    id: Annotated[str | None, Field(pattern=r"^did:[a-z0-9]+:\S+$", max_length=2000)] = None
    """The holder's DID, when known."""
    name: _Name | None = None
    email: Annotated[
        str | None, Field(pattern=r"^[^\s@<>\"]+@[^\s@<>\"]+\.[^\s@<>\"]+$", max_length=254)
    ] = None
    """Stands in the credential as a salted hash, and is not kept."""
    reference: Annotated[_Reference | None, Field(alias="reference")] = None
    """The issuer's own reference of the learner: kept as a keyed hash, to know the learner again; never shown."""
    contact: ContactOrder | None = None
    """Where the learner's link is sent. Kept sealed, and in no credential."""
    protected_identity: Annotated[bool, Field(alias="protectedIdentity")] = False
    """A protected identity: neither name nor e-mail may stand in the credential, nor is an address kept."""

    @model_validator(mode="after")
    def _named_or_protected(self) -> Self:
        if self.protected_identity and (self.name or self.email or self.contact):
            raise broken("protected_identity")
        if not self.protected_identity and self.name is None:
            raise broken("required", at="/name")
        return self


class EvidenceOrder(_Message):
    """One piece of evidence; at least one of name, narrative and url."""

    name: _Name | None = None
    narrative: _Text | None = None
    genre: _Name | None = None
    url: Annotated[Uri | None, Field(pattern=r"^https://", max_length=2000)] = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.name is None and self.narrative is None and self.url is None:
            raise broken("evidence_empty")
        return self


class IssueOrder(_Message):
    """What an issuer says when it issues."""

    definition: Annotated[str, Field(min_length=3, max_length=500)]
    """The definition: its address, that of one version, or `owner/CODE` with or without `/version`."""
    holder: HolderOrder
    assessed_on: Annotated[Day, Field(alias="assessedOn")]
    """The day of the assessment, Swedish time."""
    result: Literal["passed"] = "passed"
    """Only what was passed is awarded."""
    languages: Annotated[list[Literal["sv", "en"]], Field(min_length=1, max_length=2)] = [
        "sv",
        "en",
    ]
    external_reference: Annotated[_Reference | None, Field(alias="externalReference")] = None
    """The issuer's own reference; one that is in use for an award that is not revoked is refused."""
    evidence: Annotated[list[EvidenceOrder], Field(max_length=10)] = []
    parts: Parts = []
    """Ids of credentials of the learner that the definition demands, beside those the issuer knows of itself."""
    presented: Presented = []
    """Credentials of the learner that the definition demands, from any issuer, as they are; each is verified."""
    endorsements: bool = False
    """Whether the signed approvals of the definition's reviewers are to stand in the credential."""
    valid_until: Annotated[Day | None, Field(alias="validUntil")] = None
    """An earlier last day than the definition gives."""

    @model_validator(mode="after")
    def _languages_differ(self) -> Self:
        if len(set(self.languages)) != len(self.languages):
            raise broken("unique", at="/languages")
        return self


@dataclass(frozen=True)
class Replaced:
    """What a correction stands on."""

    award: Award
    """The one that it corrects."""
    found: Found
    """The version of the definition which that one was issued under."""
    presented: Sequence[Part]
    """The parts that were handed in as credentials, verified."""


@dataclass(frozen=True)
class Issued:
    """An award and its representations."""

    award: Award
    representations: tuple[Representation, ...]
    is_new: bool


def issue(
    env: Environment,
    session: Session,
    actor: Actor,
    order: IssueOrder,
    idempotency_key: str | None = None,
    *,
    channel: Channel = "api",
    index: tuple[StatusList, int] | None = None,
    replaces: Replaced | None = None,
) -> Issued:
    """The new award; with an Idempotency-Key that was used, the award that it made.

    `index` is a place in a status list of the issuer's that is kept for it, and `replaces` what it corrects:
    then it is under that one's version, whatever has become of the version and of its review since, for a
    correction awards nothing anew; the owner must still let the issuer issue it. NotFound, Conflict, Forbidden
    or InvalidInput say why not, and then nothing was stored.
    """
    actor.require(Permission.CREDENTIALS_ISSUE)
    old = replaces.award if replaces else None
    is_test = actor.is_test or (old is not None and old.is_test)
    holder_id, name = order.holder.id, order.holder.name
    handed = Handed(holder_id, name, order.parts, order.presented, is_test=is_test)
    presented = replaces.presented if replaces else presented_parts(env, handed)
    issuer = organizations.by_id(session, actor.own_organization())
    if issuer is None:
        raise NotFound("organization")
    award_id = env.new_id()
    if idempotency_key is not None:
        earlier = _claim(env, session, issuer, order, idempotency_key, award_id, is_test=is_test)
        if earlier is not None:
            return earlier
    require_sound(env, order)
    found = replaces.found if replaces else find_definition(env, session, issuer, order.definition)
    version, _, owner = found
    source = source_of(version)
    if replaces is None:
        require_reviewed(env, version, owner)
    under = authority_for(env, session, actor, found, issuer)
    last_day = check_order(env, session, issuer, found, order, is_test=is_test)
    learner = know_learner(
        env,
        session,
        organization_id=issuer.id,
        reference=order.holder.reference,
        contact=order.holder.contact,
        is_test=is_test,
    )
    same = old if old and not old.was_anothers else None
    learner_id = learner.id if learner else same.learner_id if same else None
    made_of = find_parts(env, session, found, issuer.id, learner_id, handed, presented)
    ends = earliest_end(source, made_of)
    if ends is not None and (last_day is None or ends < end_of_day(last_day)):
        last_day = ends.astimezone(STOCKHOLM).date()
    status_list, place = index or next_index(env, session, issuer, source.status_purpose)
    status = StatusEntry(status_list.url, source.status_purpose, place)
    now = env.now()
    holder = holder_parts(env, order.holder)
    award = Award(
        id=award_id,
        organization_id=issuer.id,
        definition_version_id=version.id,
        state="active",
        holder_id=holder.id,
        holder_name=holder.name,
        external_reference=order.external_reference,
        assessed_on=order.assessed_on,
        issued_at=now,
        valid_until=end_of_day(last_day) if last_day else None,
        status_list_id=status_list.id,
        status_index=place,
        learner_id=learner_id,
        delegation_id=under.id if under else None,
        replaces_id=old.id if old else None,
        channel=channel,
        is_test=is_test,
    )
    _record(session, issuer, order, award)
    approvals = _approvals(session, version) if order.endorsements else []
    representations: list[Representation] = []
    for language in order.languages:
        parts = AwardParts(
            credential_id=env.addresses.credential(issuer.slug, env.new_id()),
            holder=holder,
            assessed_on=order.assessed_on,
            valid_from=now,
            valid_until=last_day,
            evidence=[
                *(Piece(**piece.model_dump()) for piece in order.evidence),
                *(
                    Piece(part.name, None, None, part.id(language), is_part=True)
                    for part in made_of
                ),
            ],
            status=status,
            definition_url=str(version.document_url),
            definition_digest=str(version.digest_sri),
            authorization_url=under.url if under else None,
            replaces=_credential_id_of(session, old, language),
            endorsements=approvals,
            is_test=is_test,
        )
        representations += _edition(env, session, award, parts, language, issuer)
    session.add_all(representations)
    session.flush()
    audit(
        env,
        session,
        actor,
        "credential.issued",
        award.id,
        organization_id=issuer.id,
        definition=f"{owner.slug}/{source.code}/{source.version}",
    )
    notify(env, session, award, "corrected" if same else "issued")
    return Issued(award, tuple(representations), is_new=True)


def check_order(
    env: Environment,
    session: Session,
    issuer: Organization,
    found: Found,
    order: IssueOrder,
    *,
    is_test: bool,
    in_use: Collection[str] | None = None,
) -> date | None:
    """The last day of validity, if there is one; InvalidInput or Conflict for what is wrong. Stores nothing.

    `in_use` are references that may be in use, if that is known already: others are not looked up.
    """
    require_sound(env, order)
    require_another_holder(order.holder, issuer, found[2])
    if in_use is None or order.external_reference in in_use:
        _require_free_reference(session, issuer, order, is_test=is_test)
    return last_day_of(env, source_of(found[0]), order)


def find_definition(
    env: Environment, session: Session, issuer: Organization, reference: str
) -> Found:
    """The published version that a reference names.

    NotFound if there is none, or a draft of somebody else; Conflict if it is a draft, superseded or retired.
    """
    short = reference.removeprefix(f"{env.addresses.base}/o/").removesuffix("/definition.json")
    parts = [part for part in short.split("/") if part != "definitions"]
    is_address = "://" in reference
    found = definitions.by_document_url(session, reference) if is_address else None
    match parts if found is None else []:
        case [slug, code]:
            found = definitions.published_of_line(session, slug=slug, code=code)
            found = found or _any_of_line(session, slug, code)
        case [slug, code, version]:
            found = definitions.by_address(session, slug=slug, code=code, version=version)
        case _:
            pass
    if found is None or (found[0].state == "draft" and found[2].id != issuer.id):
        raise NotFound("definition", definition=reference)
    if found[0].state != "published":
        raise Conflict(
            "definition_not_published",
            definition=reference,
            state=found[0].state,
            field="/definition",
        )
    return found


def _any_of_line(session: Session, slug: str, code: str) -> Found | None:
    owner = organizations.by_slug(session, slug)
    line = definitions.line(session, organization_id=owner.id, code=code) if owner else None
    if owner is None or line is None:
        return None
    existing = definitions.versions(session, definition_id=line.id)
    return (existing[-1], line, owner) if existing else None


def _claim(
    env: Environment,
    session: Session,
    issuer: Organization,
    order: IssueOrder,
    key: str,
    award_id: str,
    *,
    is_test: bool,
) -> Issued | None:
    """None if the key is ours now; the earlier award if it was used for the same order."""
    kept, digest = kept_key(order, key, is_test=is_test)
    row = IdempotencyKey(
        organization_id=issuer.id,
        key=kept,
        request_sha256=digest,
        award_id=award_id,
        created_at=env.now(),
    )
    if awards.claim_key(session, row):
        return None
    used = awards.used_key(session, organization_id=issuer.id, key=kept)
    if used is None or used.request_sha256 != digest:
        raise IdempotencyMismatch(key=key)
    award = awards.by_id(session, organization_id=issuer.id, award_id=used.award_id)
    if award is None:
        raise NotFound("credential", credential=used.award_id)
    return Issued(award, tuple(awards.representations(session, award_id=award.id)), is_new=False)


def kept_key(order: IssueOrder, key: str, *, is_test: bool) -> tuple[str, str]:
    """What is kept of an Idempotency-Key, and of the order that came with it; InvalidInput if it is none."""
    if not 0 < len(key) <= _KEY or not key.isascii() or not key.isprintable():
        raise InvalidInput(FieldError("Idempotency-Key", "idempotency_key"))
    kept = hashlib.sha256(f"{'test ' if is_test else ''}{key}".encode()).hexdigest()
    body = json.dumps(order.model_dump(mode="json"), sort_keys=True)
    # Keyed with the Idempotency-Key, which is not kept in clear: whoever reads the database must
    # guess it too before trying e-mail addresses. If it is easily guessed, the digest tells no
    # more than the salted hash of the e-mail that stands in the credential.
    digest = hmac.digest(key.encode(), body.encode("utf-8", "surrogatepass"), "sha256").hex()
    return kept, digest


def require_sound(env: Environment, order: IssueOrder) -> None:
    """What a field cannot tell by itself."""
    given = order.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    found = [FieldError(field, "personal_number") for field in personal_number_fields(given)]
    today = env.now().astimezone(STOCKHOLM).date()
    if not _EARLIEST <= order.assessed_on <= today:
        found.append(FieldError("/assessedOn", "assessed_on", today=today.isoformat()))
    if order.holder.id is not None:
        try:
            check_did(order.holder.id)
        except Malformed:
            found.append(FieldError("/holder/id", "did"))
    if found:
        raise InvalidInput(*found)
    for text, field in (
        (order.holder.name, "/holder/name"),
        (order.external_reference, "/externalReference"),
    ):
        check_text(text or "", field)


def authority_for(
    env: Environment,
    session: Session,
    actor: Actor,
    found: Found,
    issuer: Organization,
) -> Delegation | None:
    """What the issuer issues under: nothing for its own definition; Forbidden if the owner does not let it."""
    version, line, owner = found
    if issuer.id == owner.id and issuer.slug in version.authorised_issuers:
        return None
    if issuer.id == owner.id:
        raise Forbidden(
            "not_authorised_issuer", definition=str(version.document_url), issuer=issuer.slug
        )
    return require_authority(
        env, session, actor, owner, issuer, line.code, str(version.document_url)
    )


def require_reviewed(env: Environment, version: DefinitionVersion, owner: Organization) -> None:
    """Conflict if the definition should have been looked through again so long ago that its owner's grace is over."""
    if version.review_due is None:
        return
    last = version.review_due + timedelta(days=owner.review_grace_days)
    if env.now().astimezone(STOCKHOLM).date() > last:
        raise Conflict(
            "review_overdue",
            definition=str(version.document_url),
            due=version.review_due.isoformat(),
            last=last.isoformat(),
            field="/definition",
        )


def _approvals(session: Session, version: DefinitionVersion) -> list[JsonObject]:
    """The signed approvals of a version; Conflict if nobody has approved it."""
    rows = reviews.of_version(session, definition_version_id=version.id)
    found = [json.loads(row.endorsement) for row in rows if row.endorsement is not None]
    if not found:
        raise Conflict("no_endorsements", field="/endorsements")
    return found[:MOST_ENDORSEMENTS]


def _credential_id_of(session: Session, award: Award | None, language: Language) -> str | None:
    """The id of an award's credential in a language, else in any."""
    rows = awards.representations(session, award_id=award.id) if award else []
    found = {row.language: row.credential_id for row in rows}
    return found.get(language) or next(iter(found.values()), None)


def require_another_holder(holder: HolderOrder, issuer: Organization, owner: Organization) -> None:
    """A credential is about somebody else than the one who issues it, or who vouches for what it means."""
    if holder.id in {issuer.did, owner.did}:
        raise InvalidInput(FieldError("/holder/id", "holder_is_party"))


def _record(session: Session, issuer: Organization, order: IssueOrder, award: Award) -> None:
    """Store the award; Conflict if another transaction has just stored one with its reference."""
    try:
        with session.begin_nested():
            session.add(award)
            session.flush()
    except IntegrityError:
        _require_free_reference(session, issuer, order, is_test=award.is_test)
        raise


def _require_free_reference(
    session: Session, issuer: Organization, order: IssueOrder, *, is_test: bool
) -> None:
    if order.external_reference is None:
        return
    used = awards.by_reference(
        session,
        organization_id=issuer.id,
        external_reference=order.external_reference,
        is_test=is_test,
    )
    if used is not None:
        raise Conflict(
            "reference_in_use",
            reference=order.external_reference,
            credential=used.id,
            field="/externalReference",
        )


def last_day_of(env: Environment, source: Definition, order: IssueOrder) -> date | None:
    """The last day of validity, counted from the assessment; the order may only shorten it."""
    duration = source.validity.duration if source.validity else None
    last = plus_duration(order.assessed_on, duration) if duration else None
    if order.valid_until is not None:
        if last is not None and order.valid_until > last:
            raise InvalidInput(
                FieldError("/validUntil", "valid_until_too_late", last=last.isoformat())
            )
        last = order.valid_until
    if last is not None and end_of_day(last) <= env.now():
        field = "/validUntil" if order.valid_until else "/assessedOn"
        raise InvalidInput(FieldError(field, "already_expired", last=last.isoformat()))
    if last is not None and end_of_day(last) < start_of_day(order.assessed_on):
        raise InvalidInput(FieldError("/validUntil", "dates_order"))
    return last


def holder_parts(env: Environment, order: HolderOrder) -> HolderParts:
    """The learner as the credential shows them: under a new id unless a DID is known."""
    return HolderParts(
        id=order.id or f"urn:uuid:{env.new_id()}",
        name=order.name,
        email=order.email,
        email_salt=env.entropy(16).hex() if order.email else "",
    )


def shown_issuer(issuer: Organization, language: Language) -> Issuer:
    """An organisation as what it issues shows it, in a language."""
    return Issuer(
        did=issuer.did,
        name=issuer.name(language),
        url=issuer.url,
        email=issuer.email,
        image=issuer.image,
        country=issuer.country,
    )


def _edition(
    env: Environment,
    session: Session,
    award: Award,
    parts: AwardParts,
    language: Language,
    issuer: Organization,
) -> list[Representation]:
    """One language in every format: the same id and the same status entry in all of them."""
    published = definitions.achievement(
        session, definition_version_id=award.definition_version_id, language=language
    )
    if published is None:
        raise NotFound("definition", definition=parts.definition_url)
    shown = shown_issuer(issuer, language)
    credential = compose(
        parts, shown, json.loads(published.body), vocabulary=env.vocabulary, language=language
    )
    lint(credential, env.contexts)
    return [
        _representation(env, session, award, language, name, credential, issuer, parts.valid_from)
        for name in ISSUED
    ]


def _representation(
    env: Environment,
    session: Session,
    award: Award,
    language: Language,
    format_name: str,
    credential: dict[str, object],
    issuer: Organization,
    now: datetime,
) -> Representation:
    form = FORMATS[format_name]
    secured = secure(env, session, issuer, form, credential, now)
    return Representation(
        award_id=award.id,
        language=language,
        format=form.name,
        credential_id=str(credential["id"]),
        media_type=form.media_type,
        body=secured.body,
        sha256=hashlib.sha256(secured.body).hexdigest(),
        verification_method=secured.verification_method,
    )
