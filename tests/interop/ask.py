"""`make foreign FILE=var/demo/….json`: what other people's verifiers say of a credential that we issued.

The service must be running: DID document and status list are fetched from the
address that the credential itself names, as any verifier would. (did:web demands
https, so on http://localhost they cannot resolve it themselves.)
"""

import json
import sys
from base64 import urlsafe_b64decode
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from kpass_vc.resources import contexts
from tests.interop.foreign import Foreign, Verdict, install


def main(path: str) -> int:
    """Exit status 0 if every verifier that reads the format accepts it."""
    body = Path(path).read_bytes().strip()
    verdicts = ask(body)
    for verifier, verdict in verdicts.items():
        said = "revoked" if verdict.revoked else "verified" if verdict.verified else "refused"
        print(f"{verifier:<16}{said:<10}{verdict.why[:200]}")
    return 0 if all(verdict.accepted for verdict in verdicts.values()) else 1


def ask(body: bytes) -> dict[str, Verdict]:
    """The verdict of each foreign verifier that reads the format of `body`."""
    is_jwt = not body.startswith(b"{")
    credential = _payload(body) if is_jwt else json.loads(body)
    did = str(credential["issuer"]["id"])
    home = str(credential["id"]).partition("/o/")[0]
    listed = str(credential["credentialStatus"]["statusListCredential"])
    world: dict[str, object] = dict(contexts().documents)
    world[did] = json.loads(_fetched(f"{home}/o/{did.rpartition(':')[2]}/did.json"))
    world[listed] = json.loads(_fetched(listed))
    foreign = Foreign(
        world, jwt_lists={listed: _fetched(listed, accept="application/vc+jwt").decode()}
    )
    verdicts = {"openbadgeslib": foreign.verify_openbadgeslib(body)}
    if not is_jwt:
        install()
        answered = foreign.verify_in_node([body])
        verdicts |= {verifier: found[0] for verifier, found in answered.items()}
    return verdicts


def _payload(token: bytes) -> dict[str, Any]:
    payload: dict[str, Any] = json.loads(urlsafe_b64decode(token.split(b".")[1] + b"=="))
    return payload


def _fetched(url: str, accept: str = "application/json") -> bytes:
    with urlopen(Request(url, headers={"Accept": accept}), timeout=10) as reply:
        body: bytes = reply.read()
    return body


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
