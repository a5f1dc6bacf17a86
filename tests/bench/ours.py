"""Our cases, and in the same process PyLD and cryptography put together by hand: `python -m tests.bench.ours`.

The floors stand here too: what the signature and the hash cost alone, with the same library.
"""

import gzip
import hashlib
import json
import pickle
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pyld import jsonld

from kpass_vc import statuslist
from kpass_vc.crypto.keys import Algorithm, PublicKey
from kpass_vc.crypto.multibase import base64url_encode, multibase_decode, multibase_encode
from kpass_vc.crypto.signers import new_private_key, signer_of
from kpass_vc.formats import FORMATS, add_proof
from kpass_vc.formats.format import Signing
from kpass_vc.formats.list_series import secure_list
from kpass_vc.formats.series import Series
from kpass_vc.jsonld.contexts import CREDENTIALS_V2, Contexts
from kpass_vc.model.document import JsonObject, compact
from kpass_vc.model.slots import Place
from kpass_vc.resources import contexts as pinned_contexts
from kpass_vc.verification import Evidence, verify
from tests.bench.lines import Case, Question, answer_lines, over, proven

REVOKED: Final = 0.05
FULL: Final = 0.99


def cases_of(question: Question) -> dict[str, Case]:
    """Every case of this process."""
    gathered: dict[str, Any] = pickle.loads(Path(question["evidence"]).read_bytes())
    evidence = Evidence(contexts=pinned_contexts(), **gathered)
    signing = Signing(
        signer_of(Algorithm.ED25519, bytes.fromhex(question["seed"])),
        question["verificationMethod"],
        datetime.fromisoformat(question["created"]),
    )
    return {
        **_floors(question),
        **_issuing(question, signing, evidence.contexts),
        **_verifying(question, evidence),
        **_status_lists(signing, evidence.contexts),
        **_by_hand(question),
    }


PLACES: Final[tuple[Place, ...]] = (
    ("id",),
    ("credentialSubject", "id"),
    ("credentialSubject", "identifier", 0, "identityHash"),
    ("credentialStatus", "id"),
    ("credentialStatus", "statusListIndex"),
    ("awardedDate",),
    ("validFrom",),
    ("validUntil",),
)
"""What differs from one credential of the definition to the next."""


def _values(credential: JsonObject) -> list[str]:
    found = []
    for place in PLACES:
        part: Any = credential
        for step in place:
            part = part[step]
        found.append(part)
    return found


def _by_template(credentials: list[JsonObject], signing: Signing, contexts: Contexts) -> Case:
    """Issue credentials of a definition that was issued before."""
    wanted = [_values(each) for each in credentials]
    series = Series(credentials[0], PLACES, contexts, wanted[:2])

    def secure(values: list[str]) -> bytes:
        return series.secure(values, {"ldp_vc": signing})["ldp_vc"]

    for each, values in zip(credentials, wanted, strict=True):
        made = series.secure(values, {"ldp_vc": signing})["ldp_vc"]
        if made != FORMATS["ldp_vc"].secure(each, signing, contexts):
            raise AssertionError(made)
    return over(secure, wanted)


def _floors(question: Question) -> dict[str, Case]:
    ed25519 = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(question["seed"]))
    p256 = signer_of(Algorithm.P256, new_private_key(Algorithm.P256))
    message, text = bytes(64), bytes(question["canonicalBytes"])
    signature, public = ed25519.sign(message), ed25519.public_key()

    def sign_and_hash() -> None:
        hashlib.sha256(text).digest()
        ed25519.sign(message)

    return {
        "sign and hash": sign_and_hash,
        "sign": lambda: ed25519.sign(message),
        "sign P-256": lambda: p256.sign(message),
        "verify signature": lambda: public.verify(signature, message),
    }


def _issuing(question: Question, signing: Signing, contexts: Contexts) -> dict[str, Case]:
    token_signing = Signing(
        signer_of(Algorithm.P256, new_private_key(Algorithm.P256)),
        signing.verification_method,
        signing.created,
    )
    forms: dict[str, Callable[[JsonObject], bytes]] = {
        "issue by walk": lambda each: FORMATS["ldp_vc"].secure(each, signing, contexts),
        "issue JCS": lambda each: compact(add_proof(each, "eddsa-jcs-2022", signing, contexts)),
        "issue JWT": lambda each: FORMATS["vc-jwt"].secure(each, token_signing, contexts),
    }
    cases = {name: over(form, question["credentials"]) for name, form in forms.items()}
    return cases | {"issue by template": _by_template(question["credentials"], signing, contexts)}


def _verifying(question: Question, evidence: Evidence) -> dict[str, Case]:
    key = PublicKey(Algorithm.ED25519, bytes.fromhex(question["publicKey"]))
    form = FORMATS["ldp_vc"]
    forgetful = replace(evidence.contexts, seen=None)

    def check_under(contexts: Contexts, text: str) -> None:
        presented = form.read(text.encode())
        form.check_proof(presented, presented.proofs[0], key, contexts)

    def check_proof(text: str) -> None:
        check_under(evidence.contexts, text)

    def report(text: str) -> None:
        found = verify(text.encode(), evidence)
        if not found.verified:
            raise AssertionError([str(finding) for finding in found.findings])

    return {
        "verify proof": over(proven(check_proof, question), question["signed"]),
        "verify proof by walk": over(partial(check_under, forgetful), question["signed"]),
        "verify badge": over(proven(report, question), question["signed"]),
    }


def _status_lists(signing: Signing, contexts: Contexts) -> dict[str, Case]:
    key, size = bytes(16), statuslist.SIZE
    bits = statuslist.empty()
    raised = bytearray(bits)
    for counter in range(int(size * REVOKED)):
        index = statuslist.nth_index(counter, key)
        raised[index // 8] |= 1 << (7 - index % 8)
    bits = bytes(raised)

    def publish(encode: Callable[[bytes], str]) -> bytes:
        return secure_list(_list_credential(encode(bits)), signing, contexts)[0]

    def counters(first: int) -> list[int]:
        return list(range(first, first + size // 100))

    def nth(counter: int) -> int:
        return statuslist.nth_index(counter, key)

    return {
        "publish list": lambda: publish(statuslist.encode),
        "publish list, gzip": lambda: publish(_gzip),
        "index, empty list": over(nth, counters(0)),
        "index, full list": over(nth, counters(int(size * FULL))),
    }


def _gzip(bits: bytes) -> str:
    """The `encodedList` as the standard library makes it when nothing is said about the level."""
    return "u" + base64url_encode(gzip.compress(bits))


def _list_credential(encoded: str) -> JsonObject:
    address = "https://kpass.example/o/sobona/status/revocation-1.json"
    return {
        "@context": [CREDENTIALS_V2],
        "id": address,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": "did:web:kpass.example:o:sobona",
        "validFrom": "2026-11-20T10:00:00Z",
        "validUntil": "2026-12-20T10:00:00Z",
        "credentialSubject": {
            "id": f"{address}#list",
            "type": "BitstringStatusList",
            "statusPurpose": "revocation",
            "encodedList": encoded,
        },
    }


def _by_hand(question: Question) -> dict[str, Case]:
    """eddsa-rdfc-2022 as one writes it with PyLD: contexts in memory that it may keep, and the key object kept."""
    private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(question["seed"]))
    public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(question["publicKey"]))
    options = {
        "algorithm": "URDNA2015",
        "format": "application/n-quads",
        "base": None,
        "documentLoader": _loader(question["contexts"]),
    }

    def hashed(document: Mapping[str, Any], proof: Mapping[str, Any]) -> bytes:
        parts = ({**proof, "@context": document["@context"]}, document)
        return b"".join(
            hashlib.sha256(jsonld.normalize(part, options).encode()).digest() for part in parts
        )

    def issue(credential: Mapping[str, Any]) -> bytes:
        proof = {
            "type": "DataIntegrityProof",
            "cryptosuite": "eddsa-rdfc-2022",
            "created": question["created"],
            "verificationMethod": question["verificationMethod"],
            "proofPurpose": "assertionMethod",
        }
        value = multibase_encode(private.sign(hashed(credential, proof)))
        signed = {**credential, "proof": {**proof, "proofValue": value}}
        return json.dumps(signed, ensure_ascii=False, separators=(",", ":")).encode()

    def check(text: str) -> None:
        document = json.loads(text)
        proof = document.pop("proof")
        signature = multibase_decode(proof.pop("proofValue"))
        public.verify(signature, hashed(document, proof))

    return {
        "PyLD issue": over(issue, question["credentials"]),
        "PyLD verify": over(proven(check, question), question["signed"]),
    }


def _loader(contexts: Mapping[str, object]) -> Callable[[str, object], dict[str, object]]:
    def load(url: str, _options: object) -> dict[str, object]:
        return {
            "contentType": "application/ld+json",
            "contextUrl": None,
            "documentUrl": url,
            "document": contexts[url],
            "tag": "static",
        }

    return load


def public_key_of(question: Question) -> PublicKey:
    """The key that every `issue` of the question is to be verified with."""
    return signer_of(Algorithm.ED25519, bytes.fromhex(question["seed"])).public_key


if __name__ == "__main__":
    answer_lines(cases_of)
