"""Take in an authorisation from another service, with the definitions that it is for, so as to issue under it.

Nothing of it is believed: the authorisation and the publication of each definition
must be signed by the owner, whose DID document is fetched, and the documents must be
those that the publication names by their digests.

It may be taken in again, and is checked as it was the first time: definitions that were
published since are added, new versions and new members of a family, and the rest stays.
"""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from kpass_vc.actions.audit import audit
from kpass_vc.actions.publish import review_due
from kpass_vc.actions.verify import verify_by_evidence
from kpass_vc.authz import Actor, Permission
from kpass_vc.compose.authorization import covers, families_in
from kpass_vc.compose.credential import AUTHORIZATION
from kpass_vc.environment import Environment
from kpass_vc.errors import Conflict, FieldError, InvalidInput, NotFound
from kpass_vc.fetch import DOCUMENT
from kpass_vc.jsonld import to_quads
from kpass_vc.language import LANGUAGES
from kpass_vc.model.dates import parse_date_time
from kpass_vc.model.definition import Definition, read_definition
from kpass_vc.model.document import JsonObject, read_json
from kpass_vc.model.status import only
from kpass_vc.model.text import shown
from kpass_vc.records import definition as definitions
from kpass_vc.records import delegation as delegations
from kpass_vc.records import organization as organizations
from kpass_vc.records.definition import Achievement, DefinitionVersion
from kpass_vc.records.definition import Definition as DefinitionLine
from kpass_vc.records.delegation import Delegation
from kpass_vc.records.organization import Organization
from kpass_vc.verification.case import entries, member, text
from kpass_vc.verification.endorsement import ENDORSEMENT

_Url = Annotated[str, Field(pattern=r"^https://\S+\.json$", max_length=1000)]


class TakeOrder(BaseModel):
    """Where an authorisation lies, and the definitions to take in with it."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    authorization: _Url
    definitions: Annotated[list[_Url], Field(min_length=1, max_length=50)]
    """Addresses of definition documents, each of one version; those that are there already stay as they are."""


@dataclass(frozen=True)
class _Version:
    url: str
    line: str
    published: datetime | None
    source: Definition
    document: bytes
    publication: bytes
    editions: dict[str, tuple[str, bytes]]


@dataclass(frozen=True)
class Gathered:
    """What was fetched and holds."""

    url: str
    body: bytes
    owner_did: str
    owner_names: dict[str, str]
    document: JsonObject
    versions: tuple[_Version, ...]
    families: tuple[str, ...]
    """The beginnings of codes that it is for, later definitions among them."""


def gather_authorization(env: Environment, actor: Actor, did: str, order: TakeOrder) -> Gathered:
    """Fetch and check; no database session is held meanwhile. InvalidInput names what does not hold."""
    actor.require(Permission.DELEGATIONS_WRITE)
    body = env.fetcher.get(order.authorization, accept="application/vc+ld+json").body
    document = _signed(env, body, "/authorization")
    subject = only(document.get("credentialSubject"))
    is_one = f"{env.vocabulary}{AUTHORIZATION}" in entries(document.get("type"))
    if not is_one or document.get("id") != order.authorization:
        raise InvalidInput(FieldError("/authorization", "no_authorization"))
    if not isinstance(subject, dict) or subject.get("id") != did:
        raise InvalidInput(FieldError("/authorization", "authorization_for_another", did=did))
    owner = _issuer(document)
    versions = tuple(
        _version(env, url, f"/definitions/{number}", owner, did, document)
        for number, url in enumerate(order.definitions)
    )
    names = _owner_names(read_json(versions[0].document))
    families = families_in(to_quads(document, env.contexts), did, env.vocabulary)
    codes = tuple(dict.fromkeys(code for iri in families if (code := _family(iri, versions))))
    return Gathered(order.authorization, body, owner, names, document, versions, codes)


def take_authorization(
    env: Environment, session: Session, actor: Actor, found: Gathered
) -> Delegation:
    """The delegation, in force: the organisation issues the definitions by their addresses from now on.

    One that it has taken in already is the same delegation with what is new; nothing is stored twice.
    """
    actor.require(Permission.DELEGATIONS_WRITE)
    own = organizations.by_id(session, actor.own_organization())
    if own is None:
        raise NotFound("organization")
    owner = _owner(env, session, found)
    row = _row(env, session, own, owner, found)
    added = [each for each in found.versions if _store(env, session, owner, each, own)]
    row.codes = list(dict.fromkeys([*row.codes, *(each.source.code for each in found.versions)]))
    session.flush()
    audit(
        env,
        session,
        actor,
        "delegation.taken_in",
        row.id,
        organization_id=own.id,
        url=found.url,
        definitions=", ".join(f"{each.source.code}/{each.source.version}" for each in added),
    )
    return row


def _row(
    env: Environment, session: Session, own: Organization, owner: Organization, found: Gathered
) -> Delegation:
    """The delegation as its owner signs it now, held until the transaction ends; with no codes if it is new."""
    since = parse_date_time(str(found.document.get("validFrom"))) or env.now()
    known = delegations.by_url(session, found.url)
    if known is None:
        row = Delegation(
            id=env.new_id(),
            organization_id=owner.id,
            issuer_id=own.id,
            issuer_did=own.did,
            codes=[],
            families=[],
            url=found.url,
            created_at=env.now(),
            accepted_at=env.now(),
        )
        session.add(row)
    else:
        held = delegations.hold(session, organization_id=owner.id, delegation_id=known.id)
        if held is None or held.issuer_id != own.id:
            raise Conflict("authorization_known")
        row = held
    row.state, row.ended_at, row.body = "active", None, found.body
    row.valid_from, row.granted_at = since, since
    row.valid_until = parse_date_time(str(found.document.get("validUntil") or ""))
    row.families = list(dict.fromkeys([*row.families, *found.families]))
    session.flush()
    return row


def _family(iri: str, versions: Sequence[_Version]) -> str | None:
    """The beginning of codes that the IRI of a family stands for, by the lines of the owner that are in it."""
    folder, _, family = iri.rpartition("/")
    members = [each for each in versions if each.line == f"{folder}/{each.source.code}"]
    is_one = any(each.source.code.startswith(f"{family}-") for each in members)
    return family if is_one else None


def _signed(env: Environment, body: bytes, field: str) -> JsonObject:
    report, _ = verify_by_evidence(env, body, ENDORSEMENT)
    if not report.verified or report.presented is None:
        bad = next(found for found in report.findings if found.outcome != "passed")
        raise InvalidInput(
            FieldError(field, "not_signed_by_owner", sv=bad.sentence("sv"), en=bad.sentence("en"))
        )
    return report.presented.document


def _issuer(document: JsonObject) -> str:
    issuer = document["issuer"]
    return str(issuer["id"] if isinstance(issuer, dict) else issuer)


def _version(
    env: Environment, url: str, field: str, owner: str, did: str, authorization: JsonObject
) -> _Version:
    folder = url.rpartition("/")[0]
    publication = env.fetcher.get(f"{folder}/publication.json", accept="application/json").body
    word = _signed(env, publication, field)
    line = str(member(word, "credentialSubject", "id"))
    bound = {
        str(member(each, "id")): str(member(each, "digestSRI"))
        for each in entries(word.get("relatedResource"))
    }
    if _issuer(word) != owner:
        raise InvalidInput(FieldError(field, "not_the_owners"))
    if not covers(to_quads(authorization, env.contexts), did, env.vocabulary, line):
        raise InvalidInput(FieldError(field, "not_covered", line=line))
    document = _bound(env, url, bound, field)
    editions: dict[str, tuple[str, bytes]] = {}
    for language in LANGUAGES:
        place = f"{folder}/achievement.{language}.json"
        if place in bound:
            editions[language] = (place, _bound(env, place, bound, field))
    if not editions:
        raise InvalidInput(FieldError(field, "no_editions"))
    read = read_json(document)
    said = [member(read_json(body), "creator", "id") for _, body in editions.values()]
    if member(read, "owner", "id") != owner or any(each != owner for each in said):
        raise InvalidInput(FieldError(field, "another_owner", owner=owner))
    if not _owner_names(read) or member(read, "definition") != line:
        raise InvalidInput(FieldError(field, "another_document", url=url))
    published = parse_date_time(str(word.get("validFrom")))
    return _Version(url, line, published, _source(document), document, publication, editions)


def _owner_names(document: JsonObject) -> dict[str, str]:
    """What a published document calls its owner, by language; {} if there is no name in Swedish."""
    names: dict[str, str] = {
        tag: shown(found)[:200].strip()
        for tag in LANGUAGES
        for found in [text(member(document, "owner", "name", tag))]
        if found
    }
    return names if names.get("sv") else {}


def _bound(env: Environment, url: str, bound: dict[str, str], field: str) -> bytes:
    body = env.fetcher.get(url, accept="application/json", limit=DOCUMENT).body
    digest = "sha384-" + base64.b64encode(hashlib.sha384(body).digest()).decode()
    if bound.get(url) != digest:
        raise InvalidInput(FieldError(field, "another_document", url=url))
    return body


def _source(document: bytes) -> Definition:
    """The definition of a published document, as it is kept of our own."""
    given: dict[str, Any] = read_json(document)
    for name in ("id", "definition", "schema_version"):
        given.pop(name, None)
    given["owner"] = "elsewhere"
    return read_definition({name: value for name, value in given.items() if value is not None})


def _owner(env: Environment, session: Session, found: Gathered) -> Organization:
    known = organizations.by_did(session, found.owner_did)
    if known is not None:
        if not known.is_elsewhere:
            raise Conflict("owner_is_here")
        return known
    row = Organization(
        id=env.new_id(),
        slug=f"~{hashlib.sha256(found.owner_did.encode()).hexdigest()[:20]}",
        did=found.owner_did,
        name_sv=found.owner_names.get("sv", found.owner_did),
        name_en=found.owner_names.get("en", found.owner_names.get("sv", found.owner_did)),
        country="SE",
        created_at=env.now(),
        is_elsewhere=True,
    )
    session.add(row)
    session.flush()
    return row


def _store(
    env: Environment, session: Session, owner: Organization, found: _Version, own: Organization
) -> bool:
    """Whether it was not there yet; Conflict if another document is there in its place."""
    due = review_due(found.source, found.published or env.now())
    line = definitions.line(session, organization_id=owner.id, code=found.source.code)
    if line is None:
        line = DefinitionLine(id=env.new_id(), organization_id=owner.id, code=found.source.code)
        session.add(line)
        session.flush()
    known = definitions.by_document_url(session, found.url)
    if known is not None:
        if known[0].document != found.document:
            raise Conflict("definition_differs", definition=found.url)
        known[0].review_due = due
        return False
    siblings = definitions.versions(session, definition_id=line.id, for_update=True)
    if any(sibling.version == found.source.version for sibling in siblings):
        raise Conflict("definition_differs", definition=found.url)
    is_newest = all(_number(each.version) < _number(found.source.version) for each in siblings)
    for sibling in siblings:
        if is_newest and sibling.state == "published":
            sibling.state, sibling.ended_at = "superseded", env.now()
    version = DefinitionVersion(
        id=env.new_id(),
        definition_id=line.id,
        version=found.source.version,
        state="published" if is_newest else "superseded",
        source=found.source.model_dump_json(),
        authorised_issuers=[own.slug],
        title_sv=found.source.title["sv"],
        title_en=found.source.title.get("en"),
        document=found.document,
        document_url=found.url,
        digest_sri="sha384-" + base64.b64encode(hashlib.sha384(found.document).digest()).decode(),
        publication=found.publication,
        created_at=env.now(),
        published_at=env.now(),
        authors=[],
        review_due=due,
    )
    session.add(version)
    session.flush()
    session.add_all(
        Achievement(definition_version_id=version.id, language=language, url=url, body=body)
        for language, (url, body) in found.editions.items()
    )
    session.flush()
    return True


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
