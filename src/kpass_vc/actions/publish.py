"""Publish a definition version, signed by its owner; retire one.

A published version never changes: its document, its Achievements and the
owner's publication are stored as the bytes that are hashed, signed and served.
"""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy.orm import Session

from kpass_vc.actions.audit import audit
from kpass_vc.actions.define import source_of
from kpass_vc.actions.delegate import authorise_named
from kpass_vc.actions.sign import secure
from kpass_vc.authz import Actor, Permission
from kpass_vc.completeness import cycle, gaps
from kpass_vc.compose.achievement import achievement
from kpass_vc.compose.definition import Owner, digest_sri, published_definition, to_bytes
from kpass_vc.compose.publication import publication
from kpass_vc.environment import Environment
from kpass_vc.errors import Conflict, DefinitionIncomplete, FieldError, NotFound
from kpass_vc.formats import FORMATS
from kpass_vc.language import LANGUAGES
from kpass_vc.model.dates import STOCKHOLM, plus_duration
from kpass_vc.model.definition import Definition
from kpass_vc.records import definition as definitions
from kpass_vc.records import organization as organizations
from kpass_vc.records import review as reviews
from kpass_vc.records.definition import Achievement, DefinitionVersion, Found
from kpass_vc.records.organization import Organization
from kpass_vc.versioning import step_too_small


def publish(env: Environment, session: Session, actor: Actor, version_id: str) -> Found:
    """The published version; DefinitionIncomplete lists every gap, and then nothing was changed.

    Its number is held against the latest version of its line that was ever published, whatever has become
    of that one: who retires a version first can change no more under a smaller step. Conflict if it is older.
    """
    actor.require(Permission.DEFINITIONS_PUBLISH)
    version, line, owner = own_version(session, actor, version_id)
    organizations.hold(session, owner.id)
    siblings = definitions.versions(session, definition_id=line.id, for_update=True)
    if version.state not in {"draft", "approved"}:
        raise Conflict("version_is_final", version=version.version, state=version.state)
    if version.state == "draft" and owner.approvals:
        raise Conflict("not_approved", version=version.version, approvals=owner.approvals)
    source = source_of(version)
    if version.state == "approved":
        _require_as_approved(env, session, version, source, owner)
    before = latest_published(siblings)
    lacks = (*missing(session, source, owner), *_number(before, source))
    if lacks:
        raise DefinitionIncomplete(lacks)
    if before is not None and _order(before.version) > _order(version.version):
        raise Conflict("newer_is_published", version=before.version)
    for sibling in siblings:
        if sibling.state == "published":
            sibling.state, sibling.ended_at = "superseded", env.now()
    _write(env, session, version, source, owner)
    audit(
        env,
        session,
        actor,
        "definition.published",
        version.document_url or "",
        organization_id=owner.id,
    )
    authorise_named(env, session, actor, owner, line.code, version.authorised_issuers)
    return version, line, owner


def document_of(env: Environment, source: Definition, owner: Organization) -> bytes:
    """The document that publishing a version would give, which is what a reviewer approves."""
    addresses = env.addresses.definition(owner.slug, source.code, source.version)
    return to_bytes(published_definition(source, _shown(owner), addresses))


def _require_as_approved(
    env: Environment,
    session: Session,
    version: DefinitionVersion,
    source: Definition,
    owner: Organization,
) -> None:
    """Conflict if the document is another than the reviewers have approved: the owner's name or address is in it."""
    digest = digest_sri(document_of(env, source, owner))
    found = reviews.of_version(session, definition_version_id=version.id)
    approved = [row for row in found if row.round == version.review_round and row.endorsement]
    if any(row.digest_sri != digest for row in approved):
        raise Conflict("changed_since_approval", version=version.version)


def _shown(owner: Organization) -> Owner:
    return Owner(did=owner.did, names={"sv": owner.name_sv, "en": owner.name_en}, url=owner.url)


def latest_published(versions: Sequence[DefinitionVersion]) -> DefinitionVersion | None:
    """Of a line's versions the one with the highest number that was ever published; it may be retired since."""
    ever = [row for row in versions if row.state in {"published", "superseded", "retired"}]
    return max(ever, key=lambda row: _order(row.version), default=None)


def _number(before: DefinitionVersion | None, source: Definition) -> list[FieldError]:
    """What is wrong with the version's number beside the latest that was ever published."""
    wrong = step_too_small(source_of(before), source) if before is not None else None
    return [wrong] if wrong is not None and wrong.rule != "gap.version_order" else []


def wrong_number(session: Session, found: Found) -> FieldError | None:
    """What is wrong with the number of a version that is still written, so that it is told before a review."""
    version, line, _ = found
    before = latest_published(definitions.versions(session, definition_id=line.id))
    return next(iter(_number(before, source_of(version))), None)


def review_due(source: Definition, published: datetime) -> date | None:
    """When it is to be looked through again, by its own interval; None if it gives none."""
    months = source.quality_assurance.review_interval_months if source.quality_assurance else None
    return plus_duration(published.astimezone(STOCKHOLM).date(), f"P{months}M") if months else None


def retire(env: Environment, session: Session, actor: Actor, version_id: str) -> Found:
    """The retired version: nothing more is issued under it, and what was issued stays valid."""
    actor.require(Permission.DEFINITIONS_PUBLISH)
    version, line, owner = own_version(session, actor, version_id)
    definitions.versions(session, definition_id=line.id, for_update=True)
    if version.state not in {"published", "superseded"}:
        raise Conflict("not_published", version=version.version, state=version.state)
    version.state, version.ended_at = "retired", env.now()
    audit(
        env,
        session,
        actor,
        "definition.retired",
        version.document_url or "",
        organization_id=owner.id,
    )
    return version, line, owner


def missing(session: Session, source: Definition, owner: Organization) -> tuple[FieldError, ...]:
    """All that stops a definition from being published: its gaps, and what it names that is not there."""
    return (
        *gaps(source),
        *_unknown_parties(session, source, owner),
        *_cycle(session, source, owner),
    )


def own_version(session: Session, actor: Actor, version_id: str) -> Found:
    """A version of the actor's own organisation, else NotFound."""
    found = definitions.by_id(session, version_id)
    if found is None or found[2].id != actor.own_organization():
        raise NotFound("definition", definition=version_id)
    return found


def read_version(session: Session, actor: Actor, version_id: str) -> Found:
    """The same for who may read what is not published yet."""
    actor.require(Permission.DEFINITIONS_READ)
    return own_version(session, actor, version_id)


def _write(
    env: Environment,
    session: Session,
    version: DefinitionVersion,
    source: Definition,
    owner: Organization,
) -> None:
    addresses = env.addresses.definition(owner.slug, source.code, source.version)
    shown = _shown(owner)
    now = env.now()
    document = to_bytes(published_definition(source, shown, addresses))
    editions = {
        language: to_bytes(achievement(source, shown, addresses, language))
        for language in LANGUAGES
    }
    digests = {addresses.document: digest_sri(document)}
    digests |= {
        addresses.achievement(language): digest_sri(body) for language, body in editions.items()
    }
    statement = publication(
        source, shown, addresses, digests, country=owner.country, vocabulary=env.vocabulary, now=now
    )
    version.document = document
    version.document_url = addresses.document
    version.digest_sri = digests[addresses.document]
    version.publication = secure(env, session, owner, FORMATS["ldp_vc"], statement, now).body
    version.state, version.published_at = "published", now
    version.review_due = review_due(source, now)
    session.add_all(
        Achievement(
            definition_version_id=version.id,
            language=language,
            url=addresses.achievement(language),
            body=body,
        )
        for language, body in editions.items()
    )
    session.flush()


def _unknown_parties(session: Session, source: Definition, owner: Organization) -> list[FieldError]:
    """What only the database can tell: organisations and definitions that are named and not there."""
    broken = [
        FieldError(f"/authorised_issuers/{number}", "gap.unknown_issuer", issuer=slug)
        for number, slug in enumerate(source.authorised_issuers)
        if organizations.by_slug(session, slug) is None
    ]
    unknown = [
        FieldError(field, "gap.unknown_definition", code=code)
        for field, codes in _named(source).items()
        for code in codes
        if definitions.line(session, organization_id=owner.id, code=code) is None
    ]
    return [*broken, *unknown]


def _cycle(session: Session, source: Definition, owner: Organization) -> list[FieldError]:
    rows, _ = definitions.search(session, states=("published",), owner=owner.slug, limit=10_000)
    needs = {line.code: _needs(source_of(version)) for version, line, _ in rows}
    found = cycle({**needs, source.code: _needs(source)})
    return [FieldError("/prerequisites", "gap.cycle", codes=" → ".join(found))] if found else []


def _needs(source: Definition) -> tuple[str, ...]:
    return tuple(dict.fromkeys(code for codes in _named(source).values() for code in codes))


def _named(source: Definition) -> dict[str, tuple[str, ...]]:
    """The codes of other definitions that it names, by the field they stand in."""
    return {
        "/prerequisites": source.prerequisites.required_definitions if source.prerequisites else (),
        "/stackability": source.stackability.parts if source.stackability else (),
    }


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
