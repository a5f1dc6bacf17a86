"""oidc-provider in a process of its own, and somebody with a browser who signs in there."""

import html
import json
import re
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode, urljoin
from urllib.request import HTTPCookieProcessor, HTTPRedirectHandler, HTTPSHandler, build_opener

from kpass_vc.oidc import OidcProvider
from tests.npm import install, node
from tests.tls import Authority

FOLDER = Path(__file__).parent
CLIENT, SECRET = "https://kpass.example/+", "s3cret:/+ %"
STEPS = 12


@contextmanager
def real_provider(
    authority: Authority, redirect_uri: str, accounts: dict[str, dict[str, object]]
) -> Iterator[OidcProvider]:
    """The provider, as an installation is set up for it."""
    install(FOLDER)
    given = {
        "cert": str(authority.cert_file),
        "key": str(authority.key_file),
        "client": {
            "client_id": CLIENT,
            "client_secret": SECRET,
            "redirect_uris": [redirect_uri],
        },
        "accounts": accounts,
    }
    process = subprocess.Popen(
        [node(), FOLDER / "provider.mjs", json.dumps(given)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with process:
        assert process.stdout is not None
        try:
            port = int(process.stdout.readline())
            yield OidcProvider(f"https://localhost:{port}", CLIENT, SECRET, "Exempelinloggning")
        finally:
            process.kill()


class _Stays(HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


@dataclass
class Visitor:
    """A browser of somebody who signs in at the provider, and says yes to what it asks."""

    authority: Authority

    def __post_init__(self) -> None:
        context = ssl.create_default_context(cafile=self.authority.ca_file)
        self._opener = build_opener(
            HTTPSHandler(context=context), HTTPCookieProcessor(CookieJar()), _Stays()
        )

    def signs_in(self, address: str, login: str, back_to: str) -> str:
        """Where the provider sends the browser back to."""
        form: dict[str, str] | None = None
        for _ in range(STEPS):
            location, page = self._asks(address, form)
            form = None
            if location is not None:
                address = urljoin(address, location)
                if address.startswith(back_to):
                    return address
                continue
            action = re.search(r'<form[^>]* action="([^"]+)" method="post"', page)
            prompt = re.search(r'name="prompt" value="(\w+)"', page)
            assert action, page
            assert prompt, page
            address = urljoin(address, html.unescape(action[1]))
            form = {"prompt": prompt[1]}
            if prompt[1] == "login":
                form |= {"login": login, "password": "any"}
        raise AssertionError(address)

    def _asks(self, address: str, form: dict[str, str] | None) -> tuple[str | None, str]:
        data = urlencode(form).encode() if form is not None else None
        try:
            with self._opener.open(address, data, timeout=30) as reply:
                return None, reply.read().decode()
        except HTTPError as reply:
            with reply:
                return reply.headers["Location"], reply.read().decode()
