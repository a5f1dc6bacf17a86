"""Definitions: take in a draft, see what it lacks, publish, retire, find."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session

from kpass_vc.actions.define import define, source_of
from kpass_vc.actions.publish import missing, publish, read_version, retire
from kpass_vc.addresses import DefinitionAddresses
from kpass_vc.completeness import element, warnings
from kpass_vc.edge import (
    CurrentActor,
    Env,
    JsonBody,
    Limit,
    Offset,
    ReaderLanguage,
    ReadTx,
    WriteTx,
    accepts,
    message,
)
from kpass_vc.environment import Environment
from kpass_vc.errors import FieldError
from kpass_vc.language import LANGUAGES, Language, say
from kpass_vc.model.definition import Definition
from kpass_vc.records import definition as definitions
from kpass_vc.records.definition import Found

router = APIRouter(prefix="/v1", tags=["Definitions"])


class Gap(BaseModel):
    """One thing that is missing, and where."""

    field: str
    rule: str
    detail: str
    element: str | None = None
    """The element of the EU recommendation (2022/C 243/02, Annex I) that it belongs to, in words."""


class DefinitionReply(BaseModel):
    """A definition version: our record, and where its documents lie once it is published."""

    id: str
    owner: str
    code: str
    version: str
    title: dict[str, str]
    state: str
    authorisedIssuers: list[str]  # noqa: N815
    publishedAt: datetime | None = None  # noqa: N815
    definition: str | None = None
    document: str | None = None
    digestSRI: str | None = None  # noqa: N815
    publication: str | None = None
    achievements: dict[str, str] | None = None
    pages: dict[str, str] | None = None
    gaps: list[Gap] | None = None
    warnings: list[Gap] | None = None


class DefinitionList(BaseModel):
    """A page of definitions."""

    definitions: list[DefinitionReply]
    total: int


class DefinitionStatusOrder(BaseModel):
    """What state a version shall have."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    status: Literal["published", "retired"]


EXAMPLE = {
    "code": "NTA-LAGA-01",
    "version": "1.0.0",
    "owner": "nordiska-textilakademin",
    "title": {"sv": "Laga sömmar", "en": "Mend seams"},
}


@router.post(
    "/definitions",
    status_code=201,
    summary="Take in a definition as a draft",
    openapi_extra=accepts(Definition, EXAMPLE),
    responses={200: {"model": DefinitionReply, "description": "The draft was replaced"}},
)
def post_definition(
    actor: CurrentActor,
    env: Env,
    session: WriteTx,
    document: JsonBody,
    language: ReaderLanguage,
    response: Response,
) -> DefinitionReply:
    """Only code, version, owner and the Swedish title are needed. The reply lists what publishing still lacks."""
    found, is_new = define(env, session, actor, document)
    response.status_code = 201 if is_new else 200
    return _draft_reply(env, session, found, language)


@router.get("/definitions", summary="Published definitions")
def get_definitions(
    env: Env,
    session: ReadTx,
    owner: Annotated[str | None, Query(max_length=63, description="The owner's slug.")] = None,
    q: Annotated[str | None, Query(max_length=100, description="Text in code or title.")] = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> DefinitionList:
    """Public; by owner and code."""
    rows, total = definitions.search(
        session, states=("published",), owner=owner, text=q, limit=limit, offset=offset
    )
    return DefinitionList(definitions=[reply(env, row) for row in rows], total=total)


@router.get("/definitions/{version_id}", summary="One of your own definition versions")
def get_definition(
    version_id: str, actor: CurrentActor, env: Env, session: ReadTx, language: ReaderLanguage
) -> DefinitionReply:
    """With what a draft still lacks. Published ones are public at their own addresses."""
    found = read_version(session, actor, version_id)
    return (
        _draft_reply(env, session, found, language)
        if found[0].state == "draft"
        else reply(env, found)
    )


@router.post(
    "/definitions/{version_id}/status",
    summary="Publish or retire a definition version",
    openapi_extra=accepts(DefinitionStatusOrder, {"status": "published"}),
)
def post_definition_status(
    version_id: str,
    actor: CurrentActor,
    env: Env,
    session: WriteTx,
    order: Annotated[DefinitionStatusOrder, Depends(message(DefinitionStatusOrder))],
) -> DefinitionReply:
    """Publishing makes it immutable and signs it as its owner; the published version before it is superseded."""
    act = publish if order.status == "published" else retire
    return reply(env, act(env, session, actor, version_id))


def reply(env: Environment, found: Found) -> DefinitionReply:
    """A version, and where its documents lie once it is published."""
    version, line, owner = found
    at = env.addresses.definition(owner.slug, line.code, version.version)
    public = version.document is not None
    return DefinitionReply(
        id=version.id,
        owner=owner.slug,
        code=line.code,
        version=version.version,
        title=version.titles,
        state=version.state,
        authorisedIssuers=version.authorised_issuers,
        publishedAt=version.published_at,
        definition=at.line if public else None,
        document=at.document if public else None,
        digestSRI=version.digest_sri,
        publication=at.publication if public else None,
        achievements=_each(at, "achievement") if public else None,
        pages=_each(at, "page") if public else None,
    )


def _each(at: DefinitionAddresses, what: Literal["achievement", "page"]) -> dict[str, str]:
    address = at.achievement if what == "achievement" else at.page
    return {language: address(language) for language in LANGUAGES}


def _draft_reply(
    env: Environment, session: Session, found: Found, language: Language
) -> DefinitionReply:
    source = source_of(found[0])
    return reply(env, found).model_copy(
        update={
            "gaps": [_gap(gap, language) for gap in missing(session, source, found[2])],
            "warnings": [_gap(gap, language) for gap in warnings(source)],
        }
    )


def _gap(gap: FieldError, language: Language) -> Gap:
    found = element(gap.field)
    return Gap(
        field=gap.field,
        rule=gap.rule,
        detail=gap.sentence(language),
        element=say(language, f"element.{found}") if found else None,
    )
