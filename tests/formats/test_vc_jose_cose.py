"""VC-JOSE-COSE whole: what is secured is read again; what is changed, mistyped or misplaced is not."""

import json
from typing import Any

import pytest
from joserfc import jws as joserfc_jws
from joserfc.jwk import ECKey

from kpass_vc.crypto import cbor
from kpass_vc.crypto.jose import read_compact, sign_compact, to_jwk
from kpass_vc.crypto.keys import Algorithm
from kpass_vc.crypto.multibase import base64url_decode, base64url_encode
from kpass_vc.crypto.sd_jwt import concealed, digest, disclosed, split
from kpass_vc.crypto.signers import new_private_key, signer_of
from kpass_vc.errors import DataLoss, KpassError, Malformed, ProofInvalid
from kpass_vc.formats import FORMATS, recognise, secure_disclosing
from kpass_vc.formats.envelope import Enclosed, envelope, opened
from kpass_vc.formats.format import Signing
from kpass_vc.jsonld.contexts import Contexts
from kpass_vc.model.document import compact
from tests.sample import Json, check_proofs, sample

V2 = "https://www.w3.org/ns/credentials/v2"
EXAMPLES = "https://www.w3.org/ns/credentials/examples/v2"
ISSUER = "did:example:issuer"
CREDENTIAL: Json = {
    "@context": [V2, EXAMPLES],
    "id": "urn:uuid:11111111-1111-4111-8111-111111111111",
    "type": ["VerifiableCredential", "SeamCredential"],
    "issuer": ISSUER,
    "validFrom": "2026-01-01T00:00:00Z",
    "credentialSubject": {
        "id": "did:example:holder",
        "seam": {"kind": "flat", "length": "2 m"},
        "tools": [{"name": "needle"}, {"name": "thimble"}],
    },
}
PRESENTATION: Json = {
    "@context": [V2],
    "id": "urn:uuid:22222222-2222-4222-8222-222222222222",
    "type": ["VerifiablePresentation"],
    "holder": ISSUER,
}
DOCUMENT = {"vc": CREDENTIAL, "vp": PRESENTATION}
NAMES = ("vc+jwt", "vc+sd-jwt", "vc+cose", "vp+jwt", "vp+sd-jwt", "vp+cose")
KINDS = (Algorithm.ED25519, Algorithm.P256, Algorithm.P384, Algorithm.P521)


def signing(algorithm: Algorithm = Algorithm.P256) -> Signing:
    signer = signer_of(algorithm, new_private_key(algorithm))
    return Signing(signer, f"{ISSUER}#key-1", sample().now)


@pytest.mark.parametrize("algorithm", KINDS)
@pytest.mark.parametrize("name", NAMES)
def test_what_is_secured_is_recognised_read_and_verified(
    name: str, algorithm: Algorithm, contexts: Contexts
) -> None:
    document, by = DOCUMENT[name[:2]], signing(algorithm)
    form = FORMATS[name]

    body = form.secure(document, by, contexts)

    assert recognise(body).name == name
    presented = form.read(body)
    assert presented.document == document
    (proof,) = presented.proofs
    assert proof.verification_method == by.verification_method
    assert proof.purpose == ("assertionMethod" if name.startswith("vc") else "authentication")
    check_proofs(form, body, by.signer.public_key, contexts)
    with pytest.raises(ProofInvalid):
        check_proofs(form, body, signing(algorithm).signer.public_key, contexts)


@pytest.mark.parametrize("name", NAMES)
def test_a_byte_that_is_changed_anywhere_does_not_verify(name: str, contexts: Contexts) -> None:
    by = signing()
    form = FORMATS[name]
    body = form.secure(DOCUMENT[name[:2]], by, contexts)

    for place in range(0, len(body), 7):
        changed = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
        with pytest.raises(KpassError):
            check_proofs(form, changed, by.signer.public_key, contexts)


def test_joserfc_verifies_what_we_sign() -> None:
    for algorithm, name in ((Algorithm.P256, "ES256"), (Algorithm.P384, "ES384")):
        by = signing(algorithm)
        body = FORMATS["vc+jwt"].secure(CREDENTIAL, by, sample().contexts)
        key = ECKey.import_key({**to_jwk(by.signer.public_key)})
        found = joserfc_jws.deserialize_compact(body.decode(), key, algorithms=[name])
        assert json.loads(found.payload) == CREDENTIAL


def signed(payload: Json, header: Json, by: Signing) -> bytes:
    return sign_compact(header, compact(payload), by.signer).encode()


@pytest.mark.parametrize(
    ("header", "rule"),
    [
        ({"typ": "vc+jwt", "cty": "bad"}, "jose_cty"),
        ({"typ": "vc+jwt", "jku": "https://x.example/keys"}, "jose_header"),
        ({"typ": "vc+jwt", "x5u": "https://x.example/cert"}, "jose_header"),
        ({"typ": "vc+jwt", "x5c": ["x"]}, "jose_header"),
        ({"typ": "vc+jwt", "jwk": {"kty": "EC"}}, "jose_header"),
        ({"typ": "vc+jwt", "crit": ["b64"], "b64": False}, "jose_header"),
        ({"typ": "vc+jwt", "kid": None}, "jws_kid"),
        ({"typ": "vc+jwt", "kid": 5}, "jws_kid"),
        ({"typ": "vc+jwt", "kid": ""}, "jws_kid"),
    ],
    ids=repr,
)
def test_a_header_that_is_not_taken_is_named(header: Json, rule: str) -> None:
    by = signing()
    body = signed(CREDENTIAL, {"kid": by.verification_method, **header}, by)

    with pytest.raises(Malformed) as caught:
        FORMATS["vc+jwt"].read(body)

    assert caught.value.rule == rule


def test_the_type_decides_which_format_it_is_and_another_one_does_not_read_it() -> None:
    by = signing()
    for typ in ("vp+jwt", "JWT", "dc+sd-jwt", "kb+jwt", "bad+typ", ""):
        body = signed(CREDENTIAL, {"kid": by.verification_method, "typ": typ}, by)
        assert not FORMATS["vc+jwt"].claims(body)
        with pytest.raises(Malformed) as caught:
            FORMATS["vc+jwt"].read(body)
        assert caught.value.rule == "jose_typ"
    body = signed(CREDENTIAL, {"kid": by.verification_method, "typ": "application/VC+JWT"}, by)
    assert recognise(body).name == "vc+jwt"


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256", "ES384", "EdDSA", "RS256", 5, None])
def test_the_algorithm_is_the_keys_and_not_the_headers(
    algorithm: object, contexts: Contexts
) -> None:
    by = signing()
    body = FORMATS["vc+jwt"].secure(CREDENTIAL, by, contexts)
    head, payload, signature = body.decode().split(".")
    header = json.loads(base64url_decode(head)) | {"alg": algorithm}
    other = f"{base64url_encode(compact(header))}.{payload}.{signature}".encode()

    with pytest.raises(ProofInvalid):
        check_proofs(FORMATS["vc+jwt"], other, by.signer.public_key, contexts)


@pytest.mark.parametrize("where", [0, 1, 2])
def test_padding_in_a_compact_jws_is_refused(where: int, contexts: Contexts) -> None:
    by = signing()
    parts = FORMATS["vc+jwt"].secure(CREDENTIAL, by, contexts).decode().split(".")
    parts[where] += "="

    with pytest.raises(Malformed):
        FORMATS["vc+jwt"].read(".".join(parts).encode())


@pytest.mark.parametrize("claim", ["vc", "vp"])
def test_a_wrapped_document_is_refused_by_the_newer_formats(claim: str) -> None:
    by = signing()
    body = signed(CREDENTIAL | {claim: {}}, {"kid": "x", "typ": "vc+jwt"}, by)

    with pytest.raises(Malformed) as caught:
        FORMATS["vc+jwt"].read(body)

    assert caught.value.rule == "vc_claim"


def test_a_member_that_no_context_names_is_neither_secured_nor_verified(contexts: Contexts) -> None:
    by = signing()
    extended = CREDENTIAL | {"badExtension": {"x": "y"}}

    for name in ("vc+jwt", "vc+sd-jwt", "vc+cose"):
        with pytest.raises(DataLoss) as caught:
            FORMATS[name].secure(extended, by, contexts)
        assert caught.value.data["part"] == "badExtension"
    body = signed(extended, {"kid": by.verification_method, "typ": "vc+jwt"}, by)
    with pytest.raises(DataLoss):
        check_proofs(FORMATS["vc+jwt"], body, by.signer.public_key, contexts)


def test_a_claim_that_names_another_does_not_hold(contexts: Contexts) -> None:
    by = signing()
    for claims in ({"iss": "did:example:other"}, {"sub": "did:example:other"}, {"jti": "urn:x:1"}):
        body = signed(CREDENTIAL | claims, {"kid": by.verification_method, "typ": "vc+jwt"}, by)
        with pytest.raises(ProofInvalid):
            check_proofs(FORMATS["vc+jwt"], body, by.signer.public_key, contexts)


# ---- SD-JWT


PATHS = (
    "credentialSubject.seam.kind",
    "credentialSubject.seam",
    "credentialSubject.tools[1]",
    "credentialSubject.tools[0].name",
)


def salts() -> Any:
    numbers = iter(range(1000))
    return lambda length: bytes([next(numbers)]) * length


def disclosing(by: Signing) -> str:
    return secure_disclosing(
        "vc+sd-jwt", CREDENTIAL, by, sample().contexts, PATHS, salts()
    ).decode()


def test_what_is_concealed_is_shown_by_its_disclosures_and_by_nothing_else(
    contexts: Contexts,
) -> None:
    by = signing()
    text = disclosing(by)
    parts = split(text)
    form = FORMATS["vc+sd-jwt"]

    assert len(parts.disclosures) == len(PATHS)
    assert form.read(text.encode()).document == CREDENTIAL
    check_proofs(form, text.encode(), by.signer.public_key, contexts)
    for hidden in ("thimble", "needle", "flat"):
        assert hidden not in read_compact(parts.jwt).payload.decode()
    nothing = f"{parts.jwt}~"
    assert form.read(nothing.encode()).document["credentialSubject"] == {
        "id": "did:example:holder",
        "tools": [{}],
    }
    check_proofs(form, nothing.encode(), by.signer.public_key, contexts)


def encoded(value: object) -> str:
    return base64url_encode(json.dumps(value).encode())


def payload_with(*disclosures: str, **more: Any) -> Json:
    return {"_sd": [digest(text, "sha256") for text in disclosures], **more}


NAME, OTHER = encoded(["salt", "name", "x"]), encoded(["salt2", "other", "y"])
ENTRY = encoded(["salt", "entry"])


@pytest.mark.parametrize(
    ("payload", "disclosures", "rule"),
    [
        (payload_with(NAME), [NAME, NAME], "sd_twice"),
        (payload_with(NAME, NAME), [NAME], "sd_twice"),
        ({"a": payload_with(NAME), "b": payload_with(NAME)}, [NAME], "sd_twice"),
        (payload_with(NAME), [NAME, OTHER], "sd_unreferenced"),
        ({}, [NAME], "sd_unreferenced"),
        (payload_with(NAME, name="already"), [NAME], "sd_overrides"),
        (payload_with(encoded(["s", "_sd", []])), [encoded(["s", "_sd", []])], "sd_name"),
        (payload_with(encoded(["s", "...", "x"])), [encoded(["s", "...", "x"])], "sd_name"),
        (payload_with(encoded(["s", 5, "x"])), [encoded(["s", 5, "x"])], "sd_name"),
        (payload_with(ENTRY), [ENTRY], "sd_shape"),
        ({"a": [{"...": digest(NAME, "sha256")}]}, [NAME], "sd_shape"),
        ({"a": [{"...": digest(ENTRY, "sha256"), "b": 1}]}, [ENTRY], "sd_shape"),
        ({"a": [{"...": 5}]}, [], "sd_shape"),
        ({"...": "x"}, [], "sd_name"),
        ({"a": {"...": "x"}}, [], "sd_name"),
        ({"a": {"_sd_alg": "sha-256"}}, [], "sd_name"),
        ({"_sd": "x"}, [], "sd_shape"),
        ({"_sd": [5]}, [], "sd_shape"),
        ({"_sd_alg": "md5"}, [], "sd_alg"),
        ({"_sd_alg": 5}, [], "sd_alg"),
        (payload_with(encoded({"a": 1})), [encoded({"a": 1})], "sd_shape"),
        (payload_with(encoded(["s"])), [encoded(["s"])], "sd_shape"),
        (payload_with(encoded(["s", "a", "b", "c"])), [encoded(["s", "a", "b", "c"])], "sd_shape"),
        (payload_with(encoded([5, "a", "b"])), [encoded([5, "a", "b"])], "sd_shape"),
    ],
)
def test_what_section_7_1_refuses_is_refused(
    payload: Json, disclosures: list[str], rule: str
) -> None:
    with pytest.raises(Malformed) as caught:
        disclosed(payload, disclosures)

    assert caught.value.rule == rule


def test_decoys_are_passed_over_and_parts_in_parts_are_found() -> None:
    inner = encoded(["s1", "deep", "found"])
    outer = encoded(["s2", "outer", {"_sd": [digest(inner, "sha256"), "decoy"]}])
    payload = {"_sd": [digest(outer, "sha256"), "another decoy"], "list": [{"...": "decoy 3"}]}

    assert disclosed(payload, [inner, outer]) == {"outer": {"deep": "found"}, "list": []}
    assert disclosed({"_sd_alg": "sha-512", "_sd": [digest(NAME, "sha512")]}, [NAME]) == {
        "name": "x"
    }


@pytest.mark.parametrize(
    "path", ["", "nothing", "credentialSubject.tools[9]", "credentialSubject..x", "id[0]"]
)
def test_a_path_that_leads_nowhere_is_refused(path: str) -> None:
    with pytest.raises(Malformed) as caught:
        concealed(CREDENTIAL, [path], bytes)

    assert caught.value.rule == "pointer"


def bound(by: Signing, holder: Signing, **changes: Any) -> bytes:
    """An SD-JWT with the holder's signature over what is shown."""
    form = FORMATS["vc+sd-jwt"]
    payload = CREDENTIAL | {"cnf": {"jwk": to_jwk(holder.signer.public_key)}}
    jwt = signed(payload, {"kid": by.verification_method, "typ": form.name}, by).decode()
    header = {"typ": changes.pop("typ", "kb+jwt"), **changes.pop("header", {})}
    said = {
        "iat": 1_767_225_600,
        "aud": "https://employer.example",
        "nonce": "n",
        "sd_hash": digest(f"{jwt}~", "sha256"),
    } | changes
    said = {name: value for name, value in said.items() if value is not None}
    return f"{jwt}~{sign_compact(header, compact(said), holder.signer)}".encode()


def test_the_holders_signature_must_be_over_what_is_shown(contexts: Contexts) -> None:
    by, holder = signing(), signing()
    form = FORMATS["vc+sd-jwt"]
    key = by.signer.public_key

    check_proofs(form, bound(by, holder), key, contexts)
    for changes in (
        {"sd_hash": "x"},
        {"sd_hash": None},
        {"iat": "now"},
        {"nonce": None},
        {"aud": None},
        {"typ": "JWT"},
        {"header": {"crit": ["exp"], "exp": 1}},
        {"header": {"jwk": to_jwk(holder.signer.public_key)}},
        {"iat": True},
    ):
        with pytest.raises((ProofInvalid, Malformed)):
            check_proofs(form, bound(by, holder, **changes), key, contexts)
    whole = bound(by, holder).decode()
    jwt, binding = whole.split("~")
    garbage = f"{jwt}~garbage".encode()
    stolen = f"{jwt}~{bound(by, signing()).decode().split('~')[1]}".encode()
    for body in (garbage, stolen, f"{jwt}~{binding[:-4]}AAAA".encode()):
        with pytest.raises(KpassError):
            check_proofs(form, body, key, contexts)


# ---- COSE


def sign1(by: Signing, header: dict[Any, Any], **changes: Any) -> bytes:
    protected = changes.get("protected", cbor.encode(header))
    payload = changes.get("payload", compact(CREDENTIAL))
    signature = by.signer.sign(cbor.encode(["Signature1", protected, b"", payload]))
    parts = changes.get("parts", [protected, changes.get("unprotected", {}), payload, signature])
    return b"\xd2" + cbor.encode(parts)


GOOD: dict[Any, Any] = {
    1: -7,
    3: "application/vc",
    4: b"did:example:issuer#key-1",
    16: "application/vc+cose",
}


@pytest.mark.parametrize(
    "change",
    [
        {"header": GOOD | {2: [1]}},
        {"header": GOOD | {16: "application/vp+cose"}},
        {"header": GOOD | {3: "very/bad"}},
        {"header": {k: v for k, v in GOOD.items() if k != 4}},
        {"header": GOOD | {4: "text"}},
        {"header": GOOD | {4: b"\xff"}},
        {"header": GOOD | {33: b"x5chain"}},
        {"unprotected": {4: b"x"}},
        {"unprotected": {1: -7}},
        {"unprotected": {True: -7}},
        {"unprotected": {33: b"x5chain"}},
        {"header": {True: -7, **{k: v for k, v in GOOD.items() if k != 1}}},
        {"header": {1.0: -7, **{k: v for k, v in GOOD.items() if k != 1}}},
        {"header": GOOD | {"alg": -7}},
        {"header": GOOD | {3: 0}},
        {"payload": b"not json"},
        {"parts": [b"", {}, b"{}"]},
        {"parts": "x"},
        {"protected": b""},
        {"protected": cbor.encode([1])},
    ],
)
def test_a_cose_sign1_in_another_form_is_not_read(change: dict[str, Any]) -> None:
    by = signing()
    header = change.pop("header", GOOD)

    with pytest.raises(KpassError):
        FORMATS["vc+cose"].read(sign1(by, header, **change))


def test_a_cose_sign1_without_its_tag_with_a_rest_or_another_algorithm_does_not_hold(
    contexts: Contexts,
) -> None:
    by = signing()
    form = FORMATS["vc+cose"]
    key = by.signer.public_key
    body = sign1(by, GOOD)

    check_proofs(form, body, key, contexts)
    for other in (
        body[1:],
        body + b"\x00",
        b"\xd8\x12" + body[1:],
        b"\xd3" + body[1:],
        sign1(by, GOOD | {1: -35}),
        sign1(by, GOOD | {1: -8}),
        sign1(by, GOOD | {1: -7.0}),
        sign1(by, GOOD | {1: "ES256"}),
        sign1(by, {k: v for k, v in GOOD.items() if k != 1}),
        body.hex().encode(),
    ):
        with pytest.raises(KpassError):
            check_proofs(form, other, key, contexts)


# ---- envelopes


def test_an_envelope_gives_back_what_was_put_into_it(contexts: Contexts) -> None:
    by = signing()
    for name in ("vc+jwt", "vc+sd-jwt", "vc+cose"):
        form = FORMATS[name]
        body = form.secure(CREDENTIAL, by, contexts)
        found = opened(compact(envelope(body, form.media_type)))
        assert found == Enclosed(form.media_type, body)
    assert opened(compact(CREDENTIAL)) is None
    assert opened(b"not json, and not an Enveloped thing") is None


@pytest.mark.parametrize(
    "change",
    [
        {"@context": []},
        {"@context": [EXAMPLES]},
        {"@context": EXAMPLES},
        {"@context": None},
        {"id": "application/vc+jwt,ey"},
        {"id": "data:application/vc+jwt"},
        {"id": "data:text/plain,ey"},
        {"id": "data:application/vp+jwt,ey"},
        {"id": "data:application/vc+cose;base64,%%%"},
        {"id": 5},
        {"id": None},
        {"type": ["EnvelopedVerifiableCredential", "VerifiableCredential"]},
        {"credentialSubject": {}},
    ],
    ids=repr,
)
def test_a_broken_envelope_is_refused_with_the_member_named(change: Json) -> None:
    whole: Json = {
        "@context": [V2],
        "type": "EnvelopedVerifiableCredential",
        "id": "data:application/vc+jwt,ey",
    }

    with pytest.raises(Malformed) as caught:
        opened(
            compact({name: value for name, value in (whole | change).items() if value is not None})
        )

    assert caught.value.rule == "envelope"
    assert str(caught.value.data["field"]).startswith("/")


# ---- data model 1.1


def test_a_jwt_of_data_model_1_is_read_with_what_its_claims_say(contexts: Contexts) -> None:
    by = signing()
    inner = {
        "@context": ["https://www.w3.org/2018/credentials/v1"],
        "type": ["VerifiableCredential"],
        "credentialSubject": {},
    }
    payload = {
        "vc": inner,
        "iss": ISSUER,
        "jti": "urn:x:1",
        "nbf": 1_767_225_600,
        "sub": "did:example:s",
    }
    body = signed(payload, {"kid": by.verification_method, "typ": "JWT"}, by)

    form = recognise(body)
    assert form.name == "jwt"
    assert form.read(body).document == inner | {
        "issuer": ISSUER,
        "id": "urn:x:1",
        "issuanceDate": "2026-01-01T00:00:00Z",
        "credentialSubject": {"id": "did:example:s"},
    }
    check_proofs(form, body, by.signer.public_key, contexts)
    other = signed(payload | {"vc": inner | {"issuer": "did:example:other"}}, {"kid": "x:y#z"}, by)
    with pytest.raises(ProofInvalid):
        check_proofs(form, other, by.signer.public_key, contexts)
    wrong: list[Json] = [{"vc": inner, "vp": {}}, {"vc": []}]
    for broken in wrong:
        with pytest.raises(Malformed):
            form.read(signed(broken, {"kid": "x:y#z"}, by))
    with pytest.raises(Malformed):
        form.secure(CREDENTIAL, by, contexts)
