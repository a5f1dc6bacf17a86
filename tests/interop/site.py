"""A web site of somebody else: static files over https on a port of localhost of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from tests.tls import Answer, Authority, https_server, sends


@dataclass
class Site:
    """Serves what it was given, by path; `asked` has each path as often as it was given out."""

    port: int = 0
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def url(self, path: str) -> str:
        """The address of a path, which begins with a slash."""
        return f"https://localhost:{self.port}{path}"

    def put(self, path: str, media_type: str, body: bytes) -> None:
        """Serve these bytes at the path from now on."""
        send = sends(body, media_type)

        def answer(handler: BaseHTTPRequestHandler) -> None:
            self.asked.append(path)
            send(handler)

        self.answers[path] = answer


@contextmanager
def serving_site(authority: Authority) -> Iterator[Site]:
    """A site on a free port of localhost, for as long as it is needed."""
    site = Site()
    with https_server(authority, site.answers) as site.port:
        yield site
