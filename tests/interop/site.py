"""A web site of somebody else: static files over https on a port of localhost of its own."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Site:
    """Serves what it was given, by path; `asked` has every path in the order of the requests."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.files: dict[str, tuple[str, bytes]] = {}
        self.asked: list[str] = []

    def url(self, path: str) -> str:
        """The address of a path, which begins with a slash."""
        return f"https://localhost:{self.port}{path}"

    def put(self, path: str, media_type: str, body: bytes) -> None:
        """Serve these bytes at the path from now on."""
        self.files[path] = (media_type, body)


@contextmanager
def serving_site(context: ssl.SSLContext) -> Iterator[Site]:
    """A site on a free port of localhost, for as long as it is needed."""
    server = _Server(("127.0.0.1", 0), _Handler)
    site = server.site = Site(server.server_port)
    # The handshake is the request's own thread's affair, not that of the one that accepts.
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    site: Site

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that breaks off is none of our concern."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        site = self.server.site
        site.asked.append(self.path)
        found = site.files.get(self.path)
        media_type, body = found or ("text/plain", b"nothing lies here")
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""
