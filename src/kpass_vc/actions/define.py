"""Take in a micromerit definition as a draft; a draft may have gaps and be replaced."""

from functools import lru_cache

from sqlalchemy.orm import Session

from kpass_vc.actions.audit import audit
from kpass_vc.authz import Actor, Permission
from kpass_vc.environment import Environment
from kpass_vc.errors import Conflict, FieldError, InvalidInput, NotFound
from kpass_vc.model.definition import Definition, read_definition
from kpass_vc.model.document import JsonObject
from kpass_vc.model.personal_numbers import personal_number_fields
from kpass_vc.records import definition as definitions
from kpass_vc.records import organization as organizations
from kpass_vc.records.definition import Definition as DefinitionLine
from kpass_vc.records.definition import DefinitionVersion, Found


def define(
    env: Environment, session: Session, actor: Actor, document: JsonObject
) -> tuple[Found, bool]:
    """The draft, and whether it is new (a draft of the same version is replaced).

    InvalidInput names every broken rule; Conflict if the version is no draft any more.
    """
    actor.require(Permission.DEFINITIONS_WRITE)
    source = read_definition(document)
    broken = [FieldError(field, "personal_number") for field in personal_number_fields(document)]
    if broken:
        raise InvalidInput(*broken)
    owner = organizations.by_slug(session, source.owner)
    if owner is None or owner.id != actor.own_organization():
        raise NotFound("owner", owner=source.owner)
    line = definitions.line(session, organization_id=owner.id, code=source.code)
    if line is None:
        line = DefinitionLine(id=env.new_id(), organization_id=owner.id, code=source.code)
        session.add(line)
        session.flush()
    existing = definitions.versions(session, definition_id=line.id, for_update=True)
    version = next((row for row in existing if row.version == source.version), None)
    is_new = version is None
    if version is None:
        version = DefinitionVersion(
            id=env.new_id(),
            definition_id=line.id,
            version=source.version,
            created_at=env.now(),
            state="draft",
            authors=[],
        )
        session.add(version)
    elif version.state != "draft":
        raise Conflict("version_is_final", version=version.version, state=version.state)
    _fill(version, source)
    if actor.name not in version.authors:
        version.authors = [*version.authors, actor.name]
    session.flush()
    audit(env, session, actor, "definition.drafted", _name(source), organization_id=owner.id)
    return (version, line, owner), is_new


def source_of(version: DefinitionVersion) -> Definition:
    """The definition as it was taken in."""
    return _read(version.source)


@lru_cache(maxsize=256)
def _read(source: str) -> Definition:
    return Definition.model_validate_json(source)


def _fill(version: DefinitionVersion, source: Definition) -> None:
    version.source = source.model_dump_json()
    version.authorised_issuers = list(source.authorised_issuers)
    version.title_sv = source.title["sv"]
    version.title_en = source.title.get("en")


def _name(source: Definition) -> str:
    return f"{source.owner}/{source.code}/{source.version}"
