"""What every route asks for: Env, a transaction, CurrentActor, a strictly read body, a language.

A request is one transaction, committed before the reply leaves: that is what
`scope="function"` does. FastAPI's default commits after, and a client would be
told of a credential that was never stored.

The transaction's connection is taken at the first statement, inside the
route's own thread: taken earlier, requests that wait for it could hold every
thread that the one in front needs. For the same reason a request waits for its
turn at the database without a thread: the one in front needs another thread
before it commits, to write its reply.
"""

import re
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import unquote_to_bytes

from anyio import CapacityLimiter
from anyio.lowlevel import RunVar
from fastapi import Depends, Header, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from fastapi.security.utils import get_authorization_scheme_param
from pydantic import BaseModel
from sqlalchemy.orm import Session

from kpass_vc.actions.tokens import authenticate
from kpass_vc.authz import Actor
from kpass_vc.environment import Environment
from kpass_vc.errors import (
    FieldError,
    InvalidInput,
    Malformed,
    NotFound,
    TooLarge,
    Unauthenticated,
)
from kpass_vc.language import LANGUAGES, Language, preferred
from kpass_vc.model.document import MAX_BYTES, MAX_PICTURE, JsonObject, read_json
from kpass_vc.model.field_errors import validated
from kpass_vc.records import definition as definitions
from kpass_vc.records.definition import Found
from kpass_vc.replies import etag, is_known

REVALIDATE: Final = "public, no-cache"
"""A cache may keep it and must ask each time whether it is still the same: a revocation shows at once."""

Model = TypeVar("Model", bound=BaseModel)
Result = TypeVar("Result")
Extra = dict[str, Any]
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
TURNS: Final = 16
_turns: Final = RunVar[CapacityLimiter]("turns")
PARTS: Final = "x-parts"
"""Where a route's OpenAPI holds the parts of its body's schema until they are moved."""


async def plain_address(request: Request) -> None:
    """Raise Malformed for a control character in path or query: PostgreSQL takes no NUL, and none of ours has any."""
    query = unquote_to_bytes(request.scope.get("query_string", b"")).decode("latin-1")
    if _CONTROL.search(request.scope["path"]) or _CONTROL.search(query):
        raise Malformed("address")


async def environment(request: Request) -> Environment:
    """The environment the app was made with."""
    found: Environment = request.app.state.environment
    return found


Env = Annotated[Environment, Depends(environment)]


def body_up_to(limit: int) -> Callable[[Request], Coroutine[Any, Any, bytes]]:
    """A dependency: the body as it came; TooLarge past `limit` bytes, without reading on."""

    async def read(request: Request) -> bytes:
        declared = request.headers.get("Content-Length", "0")
        if declared.isdecimal() and int(declared) > limit:
            raise TooLarge(limit=limit)
        parts: list[bytes] = []
        size = 0
        async for part in request.stream():
            size += len(part)
            if size > limit:
                raise TooLarge(limit=limit)
            parts.append(part)
        return b"".join(parts)

    return read


_LARGE: Final = 20 * 1024 * 1024
LARGE_BODIES: Final = {
    "/v1/batches": _LARGE,
    "/v1/batches/file": _LARGE,
    "/console/definitions/import": _LARGE,
    "/console/issue/many": _LARGE,
    "/console/organization/image": 4 * 1024 * 1024,
    "/console/issue/many/check": _LARGE,
}
"""Where more than MAX_BYTES are taken in, and how many."""


async def raw_body(request: Request) -> bytes:
    """The body as it came, up to what its address takes."""
    return await body_up_to(LARGE_BODIES.get(request.scope["path"], MAX_BYTES))(request)


RawBody = Annotated[bytes, Depends(raw_body)]
PictureBody = Annotated[bytes, Depends(body_up_to(MAX_PICTURE))]


async def turn(_: RawBody) -> AsyncIterator[None]:
    """A turn at the database, once the body is read: TURNS at a time, fewer than there are threads."""
    async with _limiter():
        yield


async def in_turn(work: Callable[[], Result]) -> Result:
    """What `work` gives in a thread, which has a turn at the database for so long and no longer.

    For a route that waits for others: whoever waits must not hold a turn that those in front need.
    """
    async with _limiter():
        return await run_in_threadpool(work)


def _limiter() -> CapacityLimiter:
    try:
        return _turns.get()
    except LookupError:
        turns = CapacityLimiter(TURNS)
        _turns.set(turns)
        return turns


Turn = Annotated[None, Depends(turn, scope="function")]


def writing(env: Env, _: Turn) -> Iterator[Session]:
    """A session in a transaction that commits when the route has returned, before the reply leaves."""
    with env.writing() as session, session.begin():
        yield session


def reading(env: Env, _: Turn) -> Iterator[Session]:
    """A session that only reads."""
    with env.reading() as session:
        yield session


WriteTx = Annotated[Session, Depends(writing, scope="function")]
ReadTx = Annotated[Session, Depends(reading, scope="function")]


def published_version(slug: str, code: str, version: str, session: ReadTx) -> Found:
    """The published definition version of an address; NotFound if there is none, or only a draft."""
    found = definitions.by_address(session, slug=slug, code=code, version=version)
    if found is None or found[0].document is None:
        raise NotFound("definition", definition=f"{slug}/{code}/{version}")
    return found


PublishedVersion = Annotated[Found, Depends(published_version)]
_scheme = HTTPBearer(auto_error=False, scheme_name="token", description="An API token, kp_…")

Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(_scheme)]


_ACTING_FOR: Final = "Kpass-Organization"
_WHOM: Final = "The slug of the organisation that a person with roles in several acts for."
_LONGEST_SLUG: Final = 63
ActingFor = Annotated[
    str | None, Header(alias=_ACTING_FOR, max_length=_LONGEST_SLUG, description=_WHOM)
]


def current_actor(
    env: Env,
    _: Turn,
    bearer: Bearer,
    organization: ActingFor = None,
) -> Actor:
    """The actor of the bearer token; Unauthenticated without a valid one (RFC 6750)."""
    if bearer is None or not bearer.credentials:
        raise Unauthenticated("missing")
    with env.reading() as session:
        return authenticate(session, bearer.credentials, env.now(), organization)


@dataclass(frozen=True)
class Asking:
    """Who asks, as the head of a request says: not yet known to be anybody."""

    token: str = field(repr=False)
    organization: str | None

    @classmethod
    def of(cls, request: Request) -> "Asking":
        """Of a request's head; Unauthenticated without a bearer token, InvalidInput for no slug.

        For the routes that everything hangs on: dependencies cost them more than what they do.
        `asking` describes it for OpenAPI.
        """
        scheme, token = get_authorization_scheme_param(request.headers.get("Authorization"))
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated("missing")
        organization = request.headers.get(_ACTING_FOR)
        if organization is not None and len(organization) > _LONGEST_SLUG:
            raise InvalidInput(FieldError(f"/{_ACTING_FOR}", "length", limit=f"≤ {_LONGEST_SLUG}"))
        return cls(token, organization)


def asking(**headers: str) -> Extra:
    """The `openapi_extra` of a route that reads `Asking` itself, and other headers by name and description."""
    described = {_ACTING_FOR: _WHOM} | headers
    return {
        "security": [{"token": []}],
        "parameters": [
            {
                "name": name,
                "in": "header",
                "required": False,
                "description": text,
                "schema": {"anyOf": [{"type": "string"}, {"type": "null"}], "title": name},
            }
            for name, text in described.items()
        ],
    }


CurrentActor = Annotated[Actor, Depends(current_actor)]


async def passing_actor(
    env: Env,
    _: RawBody,
    bearer: Bearer,
    organization: ActingFor = None,
) -> Actor:
    """The actor of the bearer token, whose turn at the database is over once it is known; else Unauthenticated."""
    return await in_turn(lambda: current_actor(env, None, bearer, organization))


PassingActor = Annotated[Actor, Depends(passing_actor)]


def optional_actor(
    env: Env,
    turn: Turn,
    bearer: Bearer,
    organization: ActingFor = None,
) -> Actor | None:
    """The actor of the bearer token, None without one; Unauthenticated for one that is not valid."""
    return current_actor(env, turn, bearer, organization) if bearer is not None else None


def language_of(request: Request) -> Language:
    """The language to answer in: `lang` in the address, else `Accept-Language`, else English."""
    for language in LANGUAGES:
        if request.query_params.get("lang") == language:
            return language
    return preferred(request.headers.get("Accept-Language"), "en")


async def _reader_language(request: Request) -> Language:
    return language_of(request)


ReaderLanguage = Annotated[Language, Depends(_reader_language)]
Limit = Annotated[int, Query(ge=1, le=1000, description="How many at most.")]
Offset = Annotated[int, Query(ge=0, le=1_000_000_000, description="How many to leave out first.")]


async def json_body(body: RawBody) -> JsonObject:
    """The body as a JSON object, by the strict reader."""
    return read_json(body)


JsonBody = Annotated[JsonObject, Depends(json_body)]


def message(model: type[Model]) -> Callable[[JsonObject], Coroutine[Any, Any, Model]]:
    """A dependency: the body as a model; InvalidInput lists every field that breaks a rule."""

    async def read(document: JsonBody) -> Model:
        return validated(model, document)

    return read


def accepts(model: type[BaseModel], *examples: Mapping[str, object]) -> Extra:
    """The `openapi_extra` of a route whose body our own reader takes in; app.py moves the parts to components."""
    schema: Extra = model.model_json_schema(ref_template="#/components/schemas/{model}")
    parts = schema.pop("$defs", {})
    content: Extra = {"schema": schema}
    if examples:
        shown = {f"example{number}": {"value": value} for number, value in enumerate(examples, 1)}
        content["examples"] = shown
    body = {"required": True, "content": {"application/json": content}}
    return {"requestBody": body, PARTS: parts}


def served(
    request: Request, body: bytes, media_type: str, caching: str, *, vary: str | None = None
) -> Response:
    """The bytes with their ETag, or 304 if the client has them (RFC 9110 section 13.1.2)."""
    tag = etag(body)
    headers = {"ETag": tag, "Cache-Control": caching, "X-Content-Type-Options": "nosniff"}
    if vary:
        headers["Vary"] = vary
    if is_known(tag, request.headers.get("If-None-Match")):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)
