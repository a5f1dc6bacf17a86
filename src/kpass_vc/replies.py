"""What is settled for every reply in one place: who may read it from a page, who may keep it, and its ETag.

By address and not by route, so that no route can forget it: a problem, a 304
and a redirect at a public address can be read by pages as well. Never with
credentials: there are no cookies, and a token has no business in a page.
"""

import hashlib
import re
from http import HTTPStatus
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_PUBLISHED: Final = re.compile(r"/o/|/\.well-known/|/static/|/openapi\.json\Z")
"""What the world may fetch: permanent addresses, and what describes and dresses the service."""
_ASKED: Final = "/v1/verifications"
"""Anyone may have a credential verified: it takes no token, and nothing is stored."""
_KEPT_BY_NOBODY: Final = "no-store"
_A_DAY: Final = "86400"


def etag(body: bytes) -> str:
    """The entity tag of bytes."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def is_known(tag: str, if_none_match: str | None) -> bool:
    """Whether a client that sent If-None-Match has what the tag is of (RFC 9110 section 13.1.2)."""
    known = (if_none_match or "").strip()
    return known == "*" or tag in [part.strip().removeprefix("W/") for part in known.split(",")]


class Replies:
    """ASGI middleware around the whole service."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a preflight; complete the headers of any other reply."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        methods = _methods_for_pages(scope["path"])
        if methods and scope["method"] == "OPTIONS":
            await _preflight(send, methods)
            return
        await self.app(scope, receive, _Completed(scope, send, readable=bool(methods)))


class _Completed:
    """Sends a reply on with its headers, once its first part is there: an ETag is made of the body."""

    def __init__(self, scope: Scope, send: Send, *, readable: bool) -> None:
        self.scope = scope
        self.send = send
        self.readable = readable
        self.start: Message | None = None

    async def __call__(self, message: Message) -> None:
        """Hold back the head of a reply until its first part."""
        if message["type"] == "http.response.start":
            self.start = message
            return
        start, self.start = self.start, None
        if start is not None and message["type"] == "http.response.body":
            message = self._complete(start, message)
            await self.send(start)
        await self.send(message)

    def _complete(self, start: Message, body: Message) -> Message:
        """Complete the head; the body, or none if the client has it."""
        headers = MutableHeaders(scope=start)
        if self.readable:
            headers["Access-Control-Allow-Origin"] = "*"
            headers["Access-Control-Expose-Headers"] = "ETag, Content-Language"
        headers.setdefault("Cache-Control", _KEPT_BY_NOBODY)
        is_page = (
            start["status"] == HTTPStatus.OK
            and self.scope["method"] in {"GET", "HEAD"}
            and headers["Cache-Control"].startswith("public")
            and "ETag" not in headers
            and not body.get("more_body", False)
        )
        if not is_page:
            return body
        headers["ETag"] = tag = etag(body.get("body", b""))
        if not is_known(tag, Headers(scope=self.scope).get("If-None-Match")):
            return body
        start["status"] = int(HTTPStatus.NOT_MODIFIED)
        del headers["Content-Length"]
        del headers["Content-Type"]
        return {"type": "http.response.body", "body": b""}


def _methods_for_pages(path: str) -> str | None:
    """The methods that pages from elsewhere may use at an address; None if they may use none."""
    if _PUBLISHED.match(path):
        return "GET, HEAD"
    return "POST" if path == _ASKED else None


async def _preflight(send: Send, methods: str) -> None:
    """What a browser asks before a request that is more than a plain one (Fetch standard, CORS-preflight)."""
    headers = {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Methods": methods,
        "Access-Control-Allow-Headers": "Accept, Accept-Language, Content-Type, If-None-Match",
        "Access-Control-Max-Age": _A_DAY,
        "Cache-Control": _KEPT_BY_NOBODY,
    }
    encoded = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send(
        {
            "type": "http.response.start",
            "status": int(HTTPStatus.NO_CONTENT),
            "headers": encoded,
        }
    )
    await send({"type": "http.response.body", "body": b""})
