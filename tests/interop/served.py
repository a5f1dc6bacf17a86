"""Our service as others meet it: `kpass serve` over TLS on localhost, beside a site that is not ours."""

import json
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.request import Request, urlopen

from kpass_vc.actions.initialise import initialise
from kpass_vc.settings import Settings
from tests.api.http import Json, free_port, serving, variables
from tests.interop.foreign import Online, Verdict
from tests.interop.site import Site, serving_site
from tests.interop.verdicts import OF_DOCUMENTS, OF_TOKENS, Verdicts, verdict_on
from tests.tls import Authority
from tests.world import Clock, World, open_test_environment

OF_FORMS = [
    *((each, "document") for each in OF_DOCUMENTS),
    *((each, "jwt") for each in OF_TOKENS),
]
"""Every verifier with every form that it reads."""


@dataclass(frozen=True)
class Served:
    """A server process, the world whose database it reads, and the other https port of localhost."""

    world: World
    url: str
    site: Site
    authority: Authority

    @property
    def online(self) -> Online:
        """Others' verifiers, who resolve and fetch for themselves."""
        return Online(self.world.env.contexts.documents, self.authority.ca_file)

    def report(self, body: bytes) -> Json:
        """What the server says of a credential."""
        return dict(json.loads(self.answer("/v1/verifications", body)))

    def judge(self, forms: Mapping[str, Mapping[str, bytes]]) -> Mapping[str, Verdicts]:
        """The verdicts of everybody, us among them, on each form's credentials: by form and verifier.

        The forms are "document" and "jwt". One Node process; all that is needed is fetched.
        """
        online = self.online
        found = {
            form: {
                "ours": {name: self._verdict(body) for name, body in group.items()},
                "openbadgeslib": {
                    name: online.verify_openbadgeslib(body) for name, body in group.items()
                },
            }
            for form, group in forms.items()
        }
        documents = forms["document"]
        answered = online.verify_in_node(list(documents.values()))
        for verifier, verdicts in answered.items():
            found["document"][verifier] = dict(zip(documents, verdicts, strict=True))
        return found

    def _verdict(self, body: bytes) -> Verdict:
        found = self.report(body)["checks"]
        return verdict_on(
            [(each["check"], each["outcome"], each["code"], each["detail"]) for each in found]
        )

    def answer(self, path: str, body: bytes | None = None) -> bytes:
        """The body of a reply, over TLS; a problem raises HTTPError."""
        trusted = ssl.create_default_context(cafile=self.authority.ca_file)
        asked = Request(self.url + path, data=body, headers={"Accept-Language": "en"})
        with urlopen(asked, timeout=30, context=trusted) as reply:
            answered: bytes = reply.read()
        return answered


@contextmanager
def serving_over_tls(settings: Settings, authority: Authority, folder: Path) -> Iterator[Served]:
    """A server of a new installation with these settings, which may fetch from the site beside it."""
    port = free_port()
    url = f"https://localhost:{port}"
    own = replace(settings, public_url=url)
    initialise(own)
    with serving_site(authority) as site:
        values = variables(
            own,
            # Both loopback addresses, whichever a client tries first.
            KPASS_HOST="localhost",
            KPASS_TLS_CERT=str(authority.cert_file),
            KPASS_TLS_KEY=str(authority.key_file),
            KPASS_CA_FILE=str(authority.ca_file),
            KPASS_FETCH_ALLOW=f"localhost:{site.port}",
        )
        clock = Clock()
        environment = open_test_environment(own, clock)
        try:
            with serving(values, folder, port=port):
                yield Served(World(environment, clock), url, site, authority)
        finally:
            environment.engine.dispose()
