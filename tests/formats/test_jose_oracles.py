"""Held against joserfc and jwcrypto, both ways, and against trees that hypothesis draws."""

import json
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jws as joserfc_jws
from joserfc.jwk import ECKey, OKPKey, RSAKey
from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS

from kpass_vc.crypto.jose import from_jwk, read_compact, to_jwk, verify_compact
from kpass_vc.crypto.keys import Algorithm
from kpass_vc.crypto.sd_jwt import concealed, disclosed
from kpass_vc.errors import KeyRefused, KpassError, Malformed, ProofInvalid
from kpass_vc.formats import FORMATS
from kpass_vc.jsonld.contexts import Contexts
from kpass_vc.model.document import compact
from tests.formats.test_vc_jose_cose import CREDENTIAL, ISSUER, KINDS, signing
from tests.sample import Json, check_proofs, sample

KEYS: Final[dict[str, Any]] = {
    "EdDSA": {"kty": "OKP", "crv": "Ed25519"},
    "ES256": {"kty": "EC", "crv": "P-256"},
    "ES384": {"kty": "EC", "crv": "P-384"},
    "ES512": {"kty": "EC", "crv": "P-521"},
    "RS256": {"kty": "RSA", "size": 2048},
}
ALG = dict(zip(KINDS, KEYS, strict=False))
OLDER_NAME = pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
"""joserfc warns of the name that RFC 9864 deprecates and that everybody writes."""


def joserfc_key(jwk: Json) -> Any:
    found: dict[str, Any] = {"EC": ECKey, "OKP": OKPKey, "RSA": RSAKey}
    return found[jwk["kty"]].import_key({**jwk})


def public_of(key: JWK) -> Json:
    found: Json = json.loads(key.export_public())
    return found


@OLDER_NAME
@pytest.mark.parametrize("kind", KINDS)
def test_joserfc_and_jwcrypto_verify_what_we_sign(kind: Algorithm) -> None:
    by = signing(kind)
    body = FORMATS["vc+jwt"].secure(CREDENTIAL, by, sample().contexts).decode()
    jwk = to_jwk(by.signer.public_key)

    found = joserfc_jws.deserialize_compact(body, joserfc_key(jwk), algorithms=[ALG[kind]])
    assert json.loads(found.payload) == CREDENTIAL
    other = JWS()
    other.allowed_algs = [ALG[kind]]
    other.deserialize(body, JWK(**jwk))
    assert json.loads(other.payload) == CREDENTIAL


@OLDER_NAME
@pytest.mark.parametrize("name", KEYS)
def test_we_verify_what_joserfc_and_jwcrypto_sign(name: str, contexts: Contexts) -> None:
    key = JWK.generate(**KEYS[name])
    header = {"alg": name, "typ": "vc+jwt", "kid": f"{ISSUER}#key-1"}
    public = from_jwk(public_of(key))
    theirs = JWS(compact(CREDENTIAL))
    theirs.allowed_algs = [name]
    theirs.add_signature(key, None, json.dumps(header))
    private = joserfc_key(json.loads(key.export_private()))
    others = joserfc_jws.serialize_compact(header, compact(CREDENTIAL), private, algorithms=[name])

    for body in (theirs.serialize(compact=True), others):
        assert FORMATS["vc+jwt"].read(body.encode()).document == CREDENTIAL
        check_proofs(FORMATS["vc+jwt"], body.encode(), public, contexts)
        with pytest.raises(KpassError):
            check_proofs(FORMATS["vc+jwt"], body.encode(), signing().signer.public_key, contexts)


@pytest.mark.parametrize("name", ["ES256", "RS256"])
def test_an_open_badges_jwt_by_others_verifies_and_is_read(name: str, contexts: Contexts) -> None:
    key = JWK.generate(**KEYS[name])
    theirs = JWS(compact(sample().credential))
    theirs.allowed_algs = [name]
    header = {"alg": name, "typ": "JWT", "kid": f"{ISSUER}#key-1"}
    theirs.add_signature(key, None, json.dumps(header))
    body = theirs.serialize(compact=True).encode()

    check_proofs(FORMATS["vc-jwt"], body, from_jwk(public_of(key)), contexts)


def test_an_rsa_key_of_1024_bits_is_refused() -> None:
    with pytest.raises(KeyRefused):
        from_jwk(public_of(JWK.generate(kty="RSA", size=1024)))


@pytest.mark.parametrize("name", KEYS)
def test_a_mac_with_the_public_key_as_its_secret_does_not_verify(name: str) -> None:
    jwk = public_of(JWK.generate(**KEYS[name]))
    for secret in (compact(jwk), JWK(**jwk).export_to_pem()):
        mac = JWS(compact(CREDENTIAL))
        mac.allowed_algs = ["HS256"]
        header = {"alg": "HS256", "typ": "vc+jwt", "kid": f"{ISSUER}#key-1"}
        mac.add_signature(JWK(kty="oct", k=read_secret(secret)), None, json.dumps(header))

        with pytest.raises(ProofInvalid) as caught:
            verify_compact(read_compact(mac.serialize(compact=True)), from_jwk(jwk))
        assert caught.value.rule == "alg"


def read_secret(secret: bytes) -> str:
    made: str = json.loads(JWK.from_password(secret.decode()).export_symmetric())["k"]
    return made


# ---- SD-JWT over any tree

NAMES = st.text("abcdefgh", min_size=1, max_size=4)
TREES = st.dictionaries(
    NAMES,
    st.recursive(
        st.none() | st.booleans() | st.integers(-9, 9) | st.text("åäöxyz", max_size=5),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
        max_leaves=20,
    ),
    max_size=5,
)


def paths_in(value: Any, path: str = "") -> list[str]:
    found: list[str] = []
    if isinstance(value, dict):
        for name, inner in value.items():
            here = f"{path}.{name}" if path else name
            found += [here, *paths_in(inner, here)]
    if isinstance(value, list):
        for number, inner in enumerate(value):
            found += [f"{path}[{number}]", *paths_in(inner, f"{path}[{number}]")]
    return found


def without(value: Any, hidden: set[str], path: str = "") -> Any:
    """What one sees of a tree from which some places were taken."""
    if isinstance(value, dict):
        places = {name: f"{path}.{name}" if path else name for name in value}
        return {
            name: without(inner, hidden, places[name])
            for name, inner in value.items()
            if places[name] not in hidden
        }
    if isinstance(value, list):
        return [
            without(inner, hidden, f"{path}[{number}]")
            for number, inner in enumerate(value)
            if f"{path}[{number}]" not in hidden
        ]
    return value


def counting_salt() -> Any:
    numbers = iter(range(10_000))
    return lambda length: next(numbers).to_bytes(length)


def below(path: str, others: set[str]) -> bool:
    return any(path != other and path.startswith((f"{other}.", f"{other}[")) for other in others)


@settings(deadline=None)
@given(TREES, st.data())
def test_any_part_of_any_tree_is_shown_or_not_as_its_holder_chooses(
    tree: Json, data: st.DataObject
) -> None:
    chosen = data.draw(st.lists(st.sampled_from(paths_in(tree) or ["x"]), unique=True))
    if not tree:
        return
    payload, disclosures = concealed(tree, chosen, counting_salt())
    in_order = sorted(chosen, key=lambda path: path.count(".") + path.count("["), reverse=True)
    of = dict(zip(in_order, disclosures, strict=True))

    assert disclosed(payload, disclosures) == tree
    kept = set(data.draw(st.lists(st.sampled_from(chosen or [""]), unique=True))) & set(chosen)
    hidden = set(chosen) - kept
    reachable = [path for path in in_order if path in kept and not below(path, hidden)]
    assert disclosed(payload, [of[path] for path in reachable]) == without(tree, hidden)
    for orphan in kept - set(reachable):
        with pytest.raises(Malformed) as caught:
            disclosed(payload, [*(of[path] for path in reachable), of[orphan]])
        assert caught.value.rule == "sd_unreferenced"
