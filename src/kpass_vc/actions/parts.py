"""The parts that a stack is made of, and what a definition demands before it: the learner's valid credentials.

A learner is known again by the issuer's own reference or by a DID. Of another issuer's
credential the issuer hands in the credential itself, or its id, for the same DID; of one that
is only named alike nothing is concluded, but for what the issuer hands in and so vouches for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from kpass_vc.actions.define import source_of
from kpass_vc.actions.verify import verify
from kpass_vc.environment import Environment
from kpass_vc.errors import FieldError, InvalidInput
from kpass_vc.model.dates import parse_date_time
from kpass_vc.model.definition import Definition
from kpass_vc.model.document import JsonObject, compact
from kpass_vc.records import award as awards
from kpass_vc.records import definition as definitions
from kpass_vc.records.award import Award
from kpass_vc.records.definition import Found
from kpass_vc.verification.case import entries, member, text


@dataclass(frozen=True)
class Part:
    """One valid credential of the learner."""

    line: str
    """The IRI of its definition."""
    code: str
    ids: Mapping[str, str]
    """The ids of its credentials by language; under "" one that was handed in."""
    name: str
    valid_until: datetime | None

    def id(self, language: str) -> str:
        """The id of its credential in a language, else in any."""
        return self.ids.get(language) or next(iter(self.ids.values()))


@dataclass(frozen=True)
class Handed:
    """What is told of the learner in an order."""

    did: str | None
    name: str | None
    ids: Sequence[str]
    credentials: Sequence[JsonObject]
    is_test: bool
    """Whether the order is a test: that is made of tests, and what is real of nothing that is one."""


def presented_parts(env: Environment, handed: Handed) -> list[Part]:
    """The parts that were handed in as credentials: each must verify, and be about the same learner.

    May fetch what belongs to them, so it is done before anything is read or written.
    """
    found: list[Part] = []
    for number, document in enumerate(handed.credentials):
        field = f"/presented/{number}"
        report = verify(env, compact(document))
        if not report.verified or report.presented is None:
            bad = next(each for each in report.findings if each.outcome != "passed")
            sentences = {"sv": bad.sentence("sv"), "en": bad.sentence("en")}
            raise InvalidInput(FieldError(field, "row_refused", **sentences))
        found.append(_presented(report.presented.document, handed, field))
    return found


def demanded(source: Definition) -> tuple[tuple[str, ...], tuple[str, ...], int]:
    """The codes that must all be there, those of which some must, and how many of them."""
    stackability, prerequisites = source.stackability, source.prerequisites
    every = [*(prerequisites.required_definitions if prerequisites else ())]
    every += stackability.requires_all_of if stackability else ()
    choice = stackability.requires_count_from if stackability else None
    return (
        tuple(dict.fromkeys(every)),
        choice.definitions if choice else (),
        (choice.count if choice else 0),
    )


def find_parts(
    env: Environment,
    session: Session,
    found: Found,
    organization_id: str,
    learner_id: str | None,
    handed: Handed,
    presented: Sequence[Part],
) -> list[Part]:
    """The learner's parts that the definition demands; InvalidInput names those that are missing."""
    version, _, owner = found
    every, some, count = demanded(source_of(version))
    if not every and not some:
        return []
    now = env.now()
    known = list(presented)
    known += [
        part
        for award in awards.of_holder(
            session,
            organization_id=organization_id,
            learner_id=learner_id,
            did=handed.did,
            is_test=handed.is_test,
        )
        if (part := _of_award(env, session, award, now)) is not None
    ]
    for number, credential_id in enumerate(handed.ids):
        known.append(_named(env, session, credential_id, handed, f"/parts/{number}"))
    lines = {
        env.addresses.definition_line(owner.slug, code)
        if not owner.is_elsewhere
        else env.addresses.definition_at(version.document_url or "").line.rpartition("/")[0]
        + f"/{code}": code
        for code in (*every, *some)
    }
    have = {lines[part.line]: part for part in reversed(known) if part.line in lines}
    missing = [code for code in every if code not in have]
    if missing:
        raise InvalidInput(FieldError("/definition", "parts_missing", codes=", ".join(missing)))
    chosen = [code for code in some if code in have]
    if len(chosen) < count:
        lacking = ", ".join(code for code in some if code not in have)
        words = {"count": count, "has": len(chosen), "codes": lacking}
        raise InvalidInput(FieldError("/definition", "parts_too_few", **words))
    return [have[code] for code in dict.fromkeys((*every, *chosen))]


def earliest_end(source: Definition, parts: Sequence[Part]) -> datetime | None:
    """When the first of a stack's parts ends; None for what is no stack, or has no part that ends."""
    if source.credential_kind != "stack":
        return None
    return min((part.valid_until for part in parts if part.valid_until), default=None)


def _of_award(env: Environment, session: Session, award: Award, now: datetime) -> Part | None:
    found = definitions.by_id(session, award.definition_version_id)
    ended = award.valid_until is not None and award.valid_until <= now
    if found is None or award.state != "active" or ended or award.erased_at is not None:
        return None
    version, line, _ = found
    rows = awards.representations(session, award_id=award.id)
    return Part(
        line=env.addresses.definition_at(version.document_url or "").line,
        code=line.code,
        ids={row.language: row.credential_id for row in rows},
        name=version.title_sv,
        valid_until=award.valid_until,
    )


def _named(
    env: Environment, session: Session, credential_id: str, handed: Handed, field: str
) -> Part:
    found = awards.by_credential_id(session, credential_id)
    part = _of_award(env, session, found[0], env.now()) if found else None
    if found is None or part is None or found[0].is_test != handed.is_test:
        raise InvalidInput(FieldError(field, "part_not_valid"))
    award = found[0]
    if award.holder_id != handed.did and (
        award.holder_name is None or award.holder_name != handed.name
    ):
        raise InvalidInput(FieldError(field, "part_of_another"))
    return part


def _presented(document: JsonObject, handed: Handed, field: str) -> Part:
    subject = document.get("credentialSubject")
    names = [
        text(member(entry, "identityHash"))
        for entry in entries(member(subject, "identifier"))
        if member(entry, "identityType") == "name"
    ]
    holder = text(member(subject, "id"))
    if not (handed.did and holder == handed.did) and not (handed.name and handed.name in names):
        raise InvalidInput(FieldError(field, "part_of_another"))
    achievement = member(subject, "achievement")
    line = next(
        (
            text(member(entry, "identifier")) or ""
            for entry in entries(member(achievement, "otherIdentifier"))
        ),
        "",
    )
    until = text(document.get("validUntil"))
    return Part(
        line=line,
        code=text(member(achievement, "humanCode")) or "",
        ids={"": str(document.get("id"))},
        name=text(member(achievement, "name")) or "",
        valid_until=parse_date_time(until) if until else None,
    )
