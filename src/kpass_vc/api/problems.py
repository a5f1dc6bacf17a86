"""The table error class -> status and problem type (RFC 9457), and the handlers that use it.

Where W3C has a name for the error, its URI is the type. A reader with a browser
gets the same problem as a page, from whatever `install` is handed.
"""

import logging
import secrets
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from kpass_vc import errors
from kpass_vc.edge import language_of
from kpass_vc.errors import FieldError, KpassError
from kpass_vc.language import Language, say
from kpass_vc.model.field_errors import field_error

MEDIA_TYPE: Final = "application/problem+json"
VCDM: Final = "https://www.w3.org/TR/vc-data-model#"
SECURITY: Final = "https://w3id.org/security#"
STATUS_LIST: Final = "https://www.w3.org/ns/credentials/status-list#"

PROBLEMS: Final[Mapping[type[KpassError], tuple[int, str]]] = {
    errors.NotJson: (400, f"{VCDM}PARSING_ERROR"),
    errors.TooLarge: (413, "urn:kpass:problem:too-large"),
    errors.InvalidInput: (422, "urn:kpass:problem:invalid-input"),
    errors.UnknownContext: (422, "urn:kpass:problem:unknown-context"),
    errors.DataLoss: (422, f"{SECURITY}DATA_LOSS_DETECTION_ERROR"),
    errors.TooComplex: (422, f"{SECURITY}PROOF_TRANSFORMATION_ERROR"),
    errors.KeyRefused: (422, f"{SECURITY}INVALID_VERIFICATION_METHOD"),
    errors.Malformed: (422, f"{VCDM}MALFORMED_VALUE_ERROR"),
    errors.ProofInvalid: (422, f"{SECURITY}PROOF_VERIFICATION_ERROR"),
    errors.StatusListUnusable: (422, f"{STATUS_LIST}STATUS_VERIFICATION_ERROR"),
    errors.Unauthenticated: (401, "urn:kpass:problem:unauthenticated"),
    errors.Forbidden: (403, "urn:kpass:problem:forbidden"),
    errors.NotFound: (404, "urn:kpass:problem:not-found"),
    errors.IdempotencyMismatch: (422, "urn:kpass:problem:idempotency-mismatch"),
    errors.DefinitionIncomplete: (422, "urn:kpass:problem:definition-incomplete"),
    errors.Conflict: (409, "urn:kpass:problem:conflict"),
    errors.NotFetched: (422, "urn:kpass:problem:not-fetched"),
    errors.OauthRefused: (400, "urn:kpass:problem:oauth"),
    errors.OidcRefused: (403, "urn:kpass:problem:oidc"),
    errors.NotDelivered: (503, "urn:kpass:problem:not-delivered"),
    errors.Undeliverable: (422, "urn:kpass:problem:undeliverable"),
    errors.Unavailable: (503, "urn:kpass:problem:unavailable"),
}

_PLACES: Final = frozenset({"path", "file"})
_log = logging.getLogger("kpass")


class Pages(Protocol):
    """Problems as pages."""

    def language(self, request: Request) -> Language | None:
        """The language of the page that is wanted; None where a program asks."""

    def page(self, request: Request, problem: Mapping[str, object], language: Language) -> Response:
        """The problem as a page."""


def install(app: FastAPI) -> None:
    """Answer every error of this app as a problem: JSON or, where asked for, a page of its `state.problem_pages`."""
    app.add_exception_handler(KpassError, _domain)
    app.add_exception_handler(RequestValidationError, _parameters)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(IntegrityError, _raced)
    app.add_exception_handler(SQLAlchemyError, _database)
    app.add_exception_handler(Exception, _unexpected)


def problem(error: KpassError, language: Language) -> dict[str, object]:
    """The problem of an error, for a reader of one language."""
    status, kind = PROBLEMS[type(error)]
    body: dict[str, object] = {
        "type": kind,
        "title": error.title(language),
        "status": status,
        "detail": _detail(error, language),
        "code": error.code,
    }
    if error.rule:
        body["rule"] = error.rule
    field = error.data.get("field")
    fields = _fields(error)
    if isinstance(field, str) and field:
        body["field"] = field
    if fields:
        body["errors"] = [
            {"field": entry.field, "rule": entry.rule, "detail": entry.sentence(language)}
            for entry in fields
        ]
    return body


def _detail(error: KpassError, language: Language) -> str:
    """Where something lies on our machine is for its keeper alone."""
    return error.title(language) if _PLACES & error.data.keys() else error.sentence(language)


def _fields(error: KpassError) -> tuple[FieldError, ...]:
    if isinstance(error, errors.InvalidInput):
        return error.fields
    return error.gaps if isinstance(error, errors.DefinitionIncomplete) else ()


def _answer(
    request: Request, error: KpassError, headers: Mapping[str, str] | None = None
) -> Response:
    sent = dict(headers or {})
    if isinstance(error, errors.Unauthenticated):
        sent["WWW-Authenticate"] = 'Bearer realm="kpass"'
    return _told(request, lambda language: problem(error, language), sent)


def _told(
    request: Request,
    body_in: Callable[[Language], Mapping[str, object]],
    headers: Mapping[str, str],
) -> Response:
    """A problem in the form and language that its reader wants."""
    pages: Pages = request.app.state.problem_pages
    wanted = pages.language(request)
    language = wanted or language_of(request)
    body = body_in(language)
    if wanted:
        page = pages.page(request, body, wanted)
        page.headers.update(headers)
        return page
    sent = {"Content-Language": language, "Cache-Control": "no-store", **headers}
    status = int(str(body["status"]))
    return JSONResponse(body, status_code=status, media_type=MEDIA_TYPE, headers=sent)


def _domain(request: Request, error: Exception) -> Response:
    if not isinstance(error, KpassError):
        raise error
    if isinstance(error, errors.Unavailable):
        _log.error("not available: %s", error)
    return _answer(request, error)


def _parameters(request: Request, error: Exception) -> Response:
    details: list[Any] = list(error.errors()) if isinstance(error, RequestValidationError) else []
    return _answer(request, errors.InvalidInput(*(field_error(detail) for detail in details[:100])))


def _http(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    if status == 404:
        return _answer(request, errors.NotFound())
    title = str(error.detail) if isinstance(error, HTTPException) else ""
    body = {"type": "about:blank", "title": title, "status": status}
    return _told(request, lambda _: body, headers)


def _gone(_request: Request, _error: Exception) -> Response:
    """Nobody is there to read it."""
    return Response(status_code=400)


def _raced(request: Request, error: Exception) -> Response:
    _log.warning(
        "a constraint refused what another request had just stored: %s", type(error).__name__
    )
    return _answer(request, errors.Conflict())


def _database(request: Request, error: Exception) -> Response:
    """The driver's sentence and the traceback quote what was to be stored, so neither is logged."""
    cause = getattr(error, "orig", None)
    code = getattr(cause, "sqlstate", None) or getattr(cause, "sqlite_errorname", None)
    steps = traceback.extract_tb(error.__traceback__)
    ours = [
        f"{Path(step.filename).name}:{step.lineno}"
        for step in steps
        if "kpass_vc" in Path(step.filename).parts
    ]
    names = " of ".join(type(each).__name__ for each in (error, cause) if each is not None)
    _log.error("database: %s (%s) at %s", names, code, " > ".join(ours))
    return _answer(request, errors.Unavailable("database"), {"Retry-After": "5"})


def _unexpected(request: Request, error: Exception) -> Response:
    reference = secrets.token_hex(8)
    _log.error("unexpected error %s", reference, exc_info=error)

    def body(language: Language) -> dict[str, object]:
        return {
            "type": "about:blank",
            "title": say(language, "error.error.title"),
            "status": 500,
            "detail": say(language, "error.unavailable.unexpected", reference=reference),
        }

    return _told(request, body, {})
