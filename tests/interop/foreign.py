"""Other people's issuers and verifiers, asked about a closed world of documents.

Nothing here reaches the network: a verifier sees the documents it was handed and
no others. The exception is an Online one, whose verifiers resolve DIDs and fetch
lists themselves, over TLS and from this machine alone. The clock is the real one, since `vc-bitstring-status-list` and
openbadgeslib take no other. Two words decide a verdict: `verified` says that
proof, dates and structure hold and that the status list could be read; `revoked`
says what the status bit is, and is None when there is no status or nobody could
tell. A revoked credential is therefore usually `verified` as well.
"""

from __future__ import annotations

import json
import os
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from unittest.mock import patch
from urllib.parse import unquote
from urllib.request import Request, urlopen

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from openbadgeslib.errors import LibOpenBadgesException
from openbadgeslib.keys import public_jwk_from_pem
from openbadgeslib.ob3 import (
    OB3LdpSigner,
    OB3LdpVerifier,
    OB3Signer,
    OB3Verifier,
    OpenBadgeCredential,
    build_did_document,
    build_status_list_credential,
    did_key_from_pem,
    did_web_from_url,
    sign_status_list_credential,
)
from openbadgeslib.util import download_file

from tests import npm

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

HERE = Path(__file__).parent
NODE_VERIFIERS = ("digitalbazaar", "verifier-core")

Jws = Literal["ES256", "EdDSA"]
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class ForeignFailed(Exception):
    """A foreign program did not run; this says nothing about any credential."""


@dataclass(frozen=True)
class Verdict:
    """What one verifier said about one credential."""

    verified: bool
    revoked: bool | None
    why: str

    @property
    def accepted(self) -> bool:
        """Verified, and its status bit, if it has one, is not set."""
        return self.verified and not self.revoked


@dataclass(frozen=True)
class DigitalBazaarIssued:
    """What @digitalbazaar/vc issued under a did:web, and what must lie on its site."""

    document: dict[str, object]
    credentials: list[dict[str, object]]
    lists: dict[str, dict[str, object]]


class Foreign:
    """Foreign verifiers and issuers that share one closed world.

    `world` holds JSON values by address: contexts by URL, DID documents by DID or
    by URL (either gives both), status lists by URL, Data Integrity signed.
    `jwt_lists` holds the same lists by the same URLs as compact JWTs, which is what
    openbadgeslib is served. `official` is the folder of 1EdTech's JSON Schemas,
    `$KPASS_OFFICIAL` when not given; without it verifier-core's verdicts say in
    `why` that the schema was not checked.
    """

    def __init__(
        self,
        world: Mapping[str, object],
        *,
        jwt_lists: Mapping[str, str] | None = None,
        official: Path | None = None,
    ) -> None:
        folder = official or _folder(os.environ.get("KPASS_OFFICIAL"))
        self.world = _official_schemas(folder) | _both_ways(world)
        self.jwt_lists = dict(jwt_lists or {})

    def verify_in_node(
        self, credentials: Sequence[Mapping[str, object] | bytes | str]
    ) -> dict[str, list[Verdict]]:
        """Verdicts per verifier of NODE_VERIFIERS, in the order of `credentials`.

        Bytes and strings are JSON text, parsed on the other side.
        """
        cases = [
            {"id": index, "credential": each.decode() if isinstance(each, bytes) else each}
            for index, each in enumerate(credentials)
        ]
        answer = self._run_verifiers({"world": self.world, "cases": cases})
        return {
            name: [
                Verdict(verified=each["verified"], revoked=each["revoked"], why=each["why"])
                for each in answer[name]
            ]
            for name in NODE_VERIFIERS
        }

    def verify_openbadgeslib(self, credential: bytes | str) -> Verdict:
        """Judge a Data Integrity credential (JSON text) or a compact VC-JWT.

        The key comes from the issuer's DID and the status list must be signed by it.
        """
        text = credential.decode() if isinstance(credential, bytes) else credential
        check = self._check_document if text.lstrip().startswith("{") else self._check_jwt
        try:
            found = check(text, check_status=True)
        except LibOpenBadgesException as refused:
            return self._verdict_without_status(check, text, refused)
        return Verdict(verified=True, revoked=False if found.credential_status else None, why="")

    def issue_digitalbazaar(
        self,
        credentials: Sequence[Mapping[str, object]],
        seed: bytes,
        *,
        created: str | None = None,
    ) -> list[dict[str, object]]:
        """Credentials signed by @digitalbazaar/vc (eddsa-rdfc-2022).

        The issuer's id becomes the did:key of the Ed25519 key with this 32-byte seed.
        """
        answer = _run(
            "issue.mjs",
            {
                "world": self.world,
                "seed": seed.hex(),
                "created": created,
                "credentials": list(credentials),
            },
        )
        issued: list[dict[str, object]] = answer["credentials"]
        return issued

    def publish_digitalbazaar(
        self,
        credentials: Sequence[Mapping[str, object]],
        seed: bytes,
        *,
        at: str,
        lists: Mapping[str, Sequence[int]],
    ) -> DigitalBazaarIssued:
        """The same under the did:web whose did.json lies at the https address `at`.

        `lists` says which bits are raised in the revocation list of each address.
        """
        answer = _run(
            "issue.mjs",
            {
                "world": self.world,
                "seed": seed.hex(),
                "credentials": list(credentials),
                "at": at,
                "lists": [
                    {"id": url, "statusPurpose": "revocation", "raised": list(raised)}
                    for url, raised in lists.items()
                ],
            },
        )
        return DigitalBazaarIssued(
            document=answer["didDocument"],
            credentials=answer["credentials"],
            lists=dict(zip(lists, answer["lists"], strict=True)),
        )

    def issue_openbadgeslib(self, credential: Mapping[str, object], seed: bytes) -> bytes:
        """A Data Integrity credential as openbadgeslib writes it, under an Ed25519 did:key.

        Only what its own model knows of `credential` survives, and it adds the
        1EdTech extensions context and a `credentialSchema`.
        """
        key = Ed25519PrivateKey.from_private_bytes(seed)
        issued = OB3LdpSigner(_private_pem(key)).sign_to_json(_as_model(credential, _did(key)))
        return issued.encode()

    def issue_openbadgeslib_jwt(
        self, credential: Mapping[str, object], seed: bytes, *, algorithm: Jws = "ES256"
    ) -> str:
        """The same as a compact VC-JWT; its header carries `jwk` and no `kid`."""
        key = _key(seed, algorithm)
        return OB3Signer(_private_pem(key), algorithm).sign(_as_model(credential, _did(key)))

    def _run_verifiers(self, question: Mapping[str, object]) -> dict[str, Any]:
        return _run("verify.mjs", question)

    def _check_document(self, text: str, *, check_status: bool) -> OpenBadgeCredential:
        return OB3LdpVerifier().verify(text, check_status=check_status, download=self._download)

    def _check_jwt(self, text: str, *, check_status: bool) -> OpenBadgeCredential:
        verifier = OB3Verifier.for_issuer_did(_issuer_of(text), download=self._download)
        return verifier.verify(text, check_status=check_status, download=self._download)

    @staticmethod
    def _verdict_without_status(
        check: Callable[..., OpenBadgeCredential], text: str, refused: LibOpenBadgesException
    ) -> Verdict:
        try:
            check(text, check_status=False)
        except LibOpenBadgesException as also_refused:
            return Verdict(verified=False, revoked=None, why=str(also_refused))
        is_set = str(refused).startswith("Credential status ") and " is set at " in str(refused)
        return Verdict(verified=is_set, revoked=True if is_set else None, why=str(refused))

    def _download(self, url: str) -> bytes:
        if url in self.jwt_lists:
            return self.jwt_lists[url].encode()
        if url in self.world:
            return json.dumps(self.world[url]).encode()
        message = f"{url} is not in the world"
        raise OSError(message)


class Online(Foreign):
    """The verifiers with their own resolution over TLS, of what lies on this machine.

    `world` holds contexts alone. What is not real: 1EdTech's schemas, which
    verifier-core fetches each time, are handed in; openbadgeslib is allowed loopback
    by its own `allow_private`, and gets lists as JWT, which it does not ask for.
    """

    def __init__(self, contexts: Mapping[str, object], authority: Path) -> None:
        """`authority` is the certificate of the one that vouches for https on localhost."""
        super().__init__(contexts)
        self.authority = authority

    def verify_openbadgeslib(self, credential: bytes | str) -> Verdict:
        # It takes no context of its own, so the platform's has to know the authority.
        with patch.dict(os.environ, SSL_CERT_FILE=str(self.authority)):
            return super().verify_openbadgeslib(credential)

    def registered(self, credential: bytes, *registries: str) -> dict[str, Any]:
        """Who DCC's verifier finds the issuer to be in lists at these addresses, and which it could not read."""
        case = {"id": 0, "credential": credential.decode()}
        known = [{"name": url, "type": "dcc-legacy", "url": url} for url in registries]
        question = {"world": self.world, "cases": [case], "registries": known}
        (found,) = self._run_verifiers(question)["verifier-core"]
        assert found["verified"], found
        return dict(found["registered"])

    def _run_verifiers(self, question: Mapping[str, object]) -> dict[str, Any]:
        return _run(
            "verify.mjs", {**question, "online": True}, NODE_EXTRA_CA_CERTS=str(self.authority)
        )

    def _download(self, url: str) -> bytes:
        if url.endswith("/did.json"):
            downloaded: bytes = download_file(url, allow_private=True)
            return downloaded
        wanted = Request(url, headers={"Accept": "application/vc+jwt"})
        trusted = ssl.create_default_context(cafile=self.authority)
        with urlopen(wanted, timeout=10, context=trusted) as reply:
            body: bytes = reply.read()
        return body


class OpenBadgesLibIssuer:
    """openbadgeslib as an issuer under did:web: a key of its own, and a list, for each of two badges."""

    def __init__(self, at: str, seed: bytes) -> None:
        """`at` is the https folder that holds did.json and the lists."""
        self.at = at
        self.did: str = did_web_from_url(at)
        self._keys: dict[Jws, Ed25519PrivateKey | ec.EllipticCurvePrivateKey] = {
            "EdDSA": _key(seed, "EdDSA"),
            "ES256": _key(seed, "ES256"),
        }

    def document(self) -> dict[str, object]:
        """Its DID document, as `openbadges-publish` writes it."""
        methods = [
            (f"badge_{algorithm}", public_jwk_from_pem(_public_pem(key)))
            for algorithm, key in self._keys.items()
        ]
        found: dict[str, object] = build_did_document(self.did, methods)
        return found

    def list_url(self, algorithm: Jws) -> str:
        """Where the revocation list of a badge lies."""
        return f"{self.at}/badge_{algorithm}/revocation.jwt"

    def status_list(self, algorithm: Jws, raised: Sequence[int]) -> str:
        """The list as a compact JWT, signed by the badge's key."""
        unsigned = build_status_list_credential(
            self.did, self.list_url(algorithm), "revocation", raised
        )
        signed: str = sign_status_list_credential(
            unsigned, _private_pem(self._keys[algorithm]), algorithm
        )
        return signed

    def issue(self, credential: Mapping[str, object]) -> bytes:
        """A Data Integrity credential under the Ed25519 key."""
        signer = OB3LdpSigner(
            _private_pem(self._keys["EdDSA"]), verification_method=f"{self.did}#badge_EdDSA"
        )
        issued: str = signer.sign_to_json(_as_model(credential, self.did))
        return issued.encode()

    def issue_jwt(self, credential: Mapping[str, object], algorithm: Jws) -> bytes:
        """The same as a compact VC-JWT."""
        signer = OB3Signer(_private_pem(self._keys[algorithm]), algorithm)
        issued: str = signer.sign(_as_model(credential, self.did))
        return issued.encode()


def node() -> list[str]:
    """The command that starts a node of version 20 or newer."""
    return [npm.node()]


def install() -> None:
    """Install the packages of package-lock.json here."""
    npm.install(HERE)


def _run(program: str, question: Mapping[str, object], **variables: str) -> dict[str, Any]:
    install()
    finished = subprocess.run(
        [*node(), program],
        cwd=HERE,
        env=os.environ | variables,
        input=json.dumps(question, ensure_ascii=False).encode(),
        capture_output=True,
        timeout=600,
        check=False,
    )
    if finished.returncode != 0:
        message = f"{program} failed: {finished.stderr.decode(errors='replace')[-2000:]}"
        raise ForeignFailed(message)
    answer: dict[str, Any] = json.loads(finished.stdout)
    return answer


def _folder(name: str | None) -> Path | None:
    return Path(name) if name else None


def _official_schemas(folder: Path | None) -> dict[str, object]:
    schemas = [json.loads(each.read_bytes()) for each in folder.rglob("*.json")] if folder else []
    return {each["$id"]: each for each in schemas if "$id" in each}


def _both_ways(world: Mapping[str, object]) -> dict[str, object]:
    """The world, with every did:web document both under its DID and its URL."""
    whole = dict(world)
    for document in world.values():
        did = document.get("id") if isinstance(document, dict) else None
        if isinstance(did, str) and did.startswith("did:web:"):
            whole.setdefault(did, document)
            whole.setdefault(_did_web_url(did), document)
    return whole


def _did_web_url(did: str) -> str:
    host, *path = (unquote(part) for part in did.removeprefix("did:web:").split(":"))
    return f"https://{host}/{'/'.join(path or ['.well-known'])}/did.json"


def _issuer_of(token: str) -> str:
    issuer = OB3Verifier._decode_unverified(token).get("iss")
    return issuer if isinstance(issuer, str) else ""


def _as_model(credential: Mapping[str, object], did: str) -> OpenBadgeCredential:
    issuer = credential["issuer"]
    profile = {**issuer, "id": did} if isinstance(issuer, dict) else did
    return OpenBadgeCredential.from_vc_document({**credential, "issuer": profile})


def _key(seed: bytes, algorithm: Jws) -> Ed25519PrivateKey | ec.EllipticCurvePrivateKey:
    if algorithm == "EdDSA":
        return Ed25519PrivateKey.from_private_bytes(seed)
    scalar = int.from_bytes(seed, "big") % (_P256_ORDER - 1) + 1
    return ec.derive_private_key(scalar, ec.SECP256R1())


def _did(key: Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return did_key_from_pem(_public_pem(key))


def _public_pem(key: Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _private_pem(key: Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def canonize(contexts: Mapping[str, object], documents: list[dict[str, Any]]) -> list[str]:
    """The canonical N-Quads of documents by jsonld.js and rdf-canonize; an `{error}` where they have none."""
    found: list[str] = _run("canonize.mjs", {"contexts": contexts, "documents": documents})[
        "canonical"
    ]
    return found


def ask_cryptosuites(
    contexts: Mapping[str, object], tasks: Sequence[Mapping[str, object]]
) -> list[dict[str, Any]]:
    """The answers of cryptosuites.mjs to its tasks: a document, a verdict, or an `error`."""
    question = {"contexts": contexts, "tasks": list(tasks)}
    found: list[dict[str, Any]] = _run("cryptosuites.mjs", question)["results"]
    return found


def exchange_lists(
    length: int, encoded: Sequence[str], raised: Sequence[Sequence[int]]
) -> tuple[list[list[int]], list[str]]:
    """The raised indexes of encoded status lists, and the encoded lists of raised indexes, by Node."""
    question = {"length": length, "encoded": encoded, "raised": raised}
    answer = _run("lists.mjs", question)
    return answer["raised"], answer["encoded"]
