"""The programming interface as a page, made from the OpenAPI document; works without script."""

import json
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response

from kpass_vc.edge import REVALIDATE, Env, served
from kpass_vc.pages.render import chosen, html, markdown, places, render

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class Operation:
    """One operation of the interface, as the page shows it."""

    method: str
    path: str
    anchor: str
    summary: str
    description: str
    needs_token: bool
    parameters: list[dict[str, Any]]
    examples: list[str]
    media_types: list[str]
    answers: list[str]


@router.api_route("/openapi.json", methods=["GET", "HEAD"])
def openapi(request: Request) -> Response:
    """The OpenAPI document."""
    body = json.dumps(request.app.openapi(), ensure_ascii=False).encode()
    return served(request, body, "application/json", REVALIDATE)


@router.api_route("/docs", methods=["GET", "HEAD"])
def docs(request: Request, env: Env, language: str | None = None) -> Response:
    """Every operation with its parameters, an example and its answers."""
    shown = chosen(language, request.headers.get("Accept-Language"))
    document: dict[str, Any] = request.app.openapi()
    groups: dict[str, list[Operation]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            groups.setdefault(operation["tags"][0], []).append(_operation(method, path, operation))
    base = env.addresses.base
    page = render(
        "reference.html",
        shown,
        title=document["info"]["title"],
        version=document["info"]["version"],
        introduction=markdown(document["info"]["description"]),
        groups=groups,
        base=base,
        openapi=f"{base}/openapi.json",
        **places(env),
    )
    return html(page, shown, vary="Accept-Language")


def _operation(method: str, path: str, operation: dict[str, Any]) -> Operation:
    content: dict[str, Any] = operation.get("requestBody", {}).get("content", {})
    return Operation(
        method=method.upper(),
        path=path,
        anchor=operation["operationId"],
        summary=operation.get("summary", ""),
        description=operation.get("description", ""),
        needs_token=bool(operation.get("security")),
        parameters=operation.get("parameters", []),
        examples=[
            json.dumps(example["value"], ensure_ascii=False, indent=2)
            for media in content.values()
            for example in media.get("examples", {}).values()
        ],
        media_types=list(content),
        answers=[
            f"{status} {answer['description']}" for status, answer in operation["responses"].items()
        ],
    )
