"""Our own service, asked in this process: what it answers at an address, byte for byte, without a network."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from starlette.types import ASGIApp

from kpass_vc.actions.artefacts import Ask, Published
from kpass_vc.errors import Unavailable

_REDIRECTS = {301, 302, 307, 308}


@contextmanager
def own_service(app: ASGIApp, base: str) -> Iterator[Ask]:
    """Gives what the service at `base` answers with 200 to whoever accepts a media type, else None.

    A redirect within the service is followed once. Unavailable for an answer of 500 and more. Hold no
    session meanwhile: what is asked opens its own.
    """
    with asyncio.Runner() as runner:

        def ask(address: str, accept: str) -> Published | None:
            status, headers, body = runner.run(_ask(app, _path(address, base), accept))
            to = headers.get(b"location", b"").decode()
            if status in _REDIRECTS and to.startswith(f"{base}/"):
                status, headers, body = runner.run(_ask(app, _path(to, base), accept))
            media_type = headers.get(b"content-type", b"").decode()
            return Published(media_type, body) if status == 200 else None

        yield ask


def _path(address: str, base: str) -> str:
    return address.removeprefix(base)


async def _ask(app: ASGIApp, path: str, accept: str) -> tuple[int, dict[bytes, bytes], bytes]:
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "https",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"accept", accept.encode()), (b"host", b"localhost")],
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 443),
    }
    status = 0
    headers: dict[bytes, bytes] = {}
    body = b""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:  # noqa: ANN401 - an ASGI message
        nonlocal status, headers, body
        if message["type"] == "http.response.start":
            status, headers = message["status"], dict(message["headers"])
        else:
            body += message.get("body", b"")

    await app(scope, receive, send)
    if status >= 500:
        raise Unavailable("unexpected", reference=path)
    return status, headers, body
