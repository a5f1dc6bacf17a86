"""create_app(env): the only place that knows every router, page and error mapping."""

from copy import copy
from functools import cache
from typing import Any

from fastapi import Depends, FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.datastructures import State

from kpass_vc import __version__, pages
from kpass_vc.api import (
    audits,
    batches,
    credentials,
    definitions,
    delegations,
    health,
    identifiers,
    oauth,
    organizations,
    people,
    problems,
    published,
    reviews,
    statistics,
    vc_api,
    verifications,
    webhooks,
)
from kpass_vc.api.issuing import Issuing
from kpass_vc.api.status_changes import StatusChanges
from kpass_vc.edge import PARTS, plain_address
from kpass_vc.environment import Environment
from kpass_vc.pages.problem import ProblemPages
from kpass_vc.replies import Replies

DESCRIPTION = """
Issue, carry and verify micro-credentials (*mikromeriter*): Open Badges 3.0 on W3C Verifiable Credentials 2.0.

Issuers send an API token, `Authorization: Bearer kp_…`. Verifying needs none. Errors are
`application/problem+json` (RFC 9457) in the language of `Accept-Language` (sv, en).
"""


def create_app(env: Environment) -> FastAPI:
    """The service over an environment. Nothing may be added to it: all but its state belongs to every other as well."""
    app = copy(_routed())
    app.state = State()
    app.state.environment = env
    app.state.problem_pages = ProblemPages()
    app.state.status_changes = StatusChanges(env)
    app.state.issuing = Issuing(env)
    return app


@cache
def _routed() -> FastAPI:
    """Every route and page, which know no environment: put together once in a process."""
    app = FastAPI(
        title="Kompetenspasset VC",
        version=__version__,
        description=DESCRIPTION,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        separate_input_output_schemas=False,
        dependencies=[Depends(plain_address)],
    )
    app.add_middleware(Replies)
    problems.install(app)
    for part in (  # an address is looked for in this order: what is asked for most comes first
        credentials,
        verifications,
        published,
        organizations,
        oauth,
        people,
        definitions,
        reviews,
        delegations,
        batches,
        audits,
        statistics,
        webhooks,
        vc_api,
        identifiers,
        health,
    ):
        app.include_router(part.router)
    pages.install(app)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


def _openapi(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, with the bodies that our own reader takes in and the problem every route may answer."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas["Problem"] = _PROBLEM
        schemas.pop("HTTPValidationError", None)
        schemas.pop("ValidationError", None)
        for path in document["paths"].values():
            for operation in path.values():
                _complete(operation, schemas)
        app.openapi_schema = document
    return app.openapi_schema


def _complete(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    schemas.update(operation.pop(PARTS, {}))
    answers = operation.setdefault("responses", {})
    answers.pop("422", None)
    answers["default"] = {
        "description": "A problem (RFC 9457)",
        "content": {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "rule": {"type": "string"},
        "field": {"type": "string", "description": "JSON pointer"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "field": {"type": "string", "description": "JSON pointer"},
                    "rule": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}
