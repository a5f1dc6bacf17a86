"""What the formats of VC-JOSE-COSE take from others, and what they refuse to write or read."""

import json
from typing import Any

import pytest

from kpass_vc.crypto.jose import sign_compact, to_jwk
from kpass_vc.crypto.keys import Algorithm
from kpass_vc.crypto.multibase import base64url_encode
from kpass_vc.crypto.sd_jwt import concealed, digest, disclosed, split
from kpass_vc.errors import DataLoss, KpassError, Malformed, ProofInvalid
from kpass_vc.formats import FORMATS, read, secure_disclosing
from kpass_vc.formats.envelope import envelope
from kpass_vc.formats.format import Signing
from kpass_vc.jsonld.contexts import Contexts
from kpass_vc.model.document import compact
from tests.formats.test_vc_jose_cose import (
    CREDENTIAL,
    GOOD,
    ISSUER,
    PRESENTATION,
    bound,
    salts,
    sign1,
    signed,
    signing,
)
from tests.sample import Json, check_proofs, outcome, sample

V1 = "https://www.w3.org/2018/credentials/v1"
SECURED = ("vc+jwt", "vc+sd-jwt", "vc+cose")


# ---- envelopes


@pytest.mark.parametrize("inside", [*SECURED, "ldp_vc"])
@pytest.mark.parametrize("said", SECURED)
def test_what_is_in_an_envelope_must_be_what_it_says_it_is(said: str, inside: str) -> None:
    made = sample()
    body = made.body
    if inside != "ldp_vc":
        body = FORMATS[inside].secure(made.credential, made.signing, made.contexts)
    media_type = FORMATS[said].media_type
    if inside == "vc+cose" and said != inside:
        return  # bytes that are no text
    enclosed = compact(envelope(body, media_type))

    assert made.judge(enclosed).verified == (said == inside)
    if said != inside:
        with pytest.raises(Malformed) as caught:
            read(enclosed)
        assert (caught.value.rule, caught.value.data["field"]) == ("envelope", "/id")


def test_a_presentation_in_a_credentials_envelope_is_refused() -> None:
    by = signing()
    body = FORMATS["vp+jwt"].secure(PRESENTATION, by, sample().contexts)

    with pytest.raises(Malformed):
        read(compact(envelope(body, "application/vc+jwt")))


# ---- what is read must be what the rules say, in each form


def by_hand(name: str, payload: Json, by: Signing, **header: object) -> bytes:
    """A payload signed in a form, whatever it says."""
    if name == "vc+cose":
        return sign1(by, GOOD, payload=compact(payload))
    full = {"typ": name, "kid": by.verification_method, **header}
    return signed(payload, full, by) + (b"~" if name == "vc+sd-jwt" else b"")


@pytest.mark.parametrize("name", SECURED)
def test_a_member_that_nothing_defines_is_not_read_though_signed(
    name: str, contexts: Contexts
) -> None:
    by = signing()
    inline = contexts.allowing_inline()
    unsaid = {"@context": [*CREDENTIAL["@context"], {"badExtension": None}]}

    for more in ({}, unsaid):
        body = by_hand(name, CREDENTIAL | more | {"badExtension": "x"}, by)
        with pytest.raises(DataLoss) as caught:
            check_proofs(FORMATS[name], body, by.signer.public_key, inline)
        assert caught.value.data["part"] == "badExtension"


@pytest.mark.parametrize("name", SECURED)
def test_a_member_that_the_context_of_a_type_defines_is_read(name: str, contexts: Contexts) -> None:
    by = signing()
    inline = contexts.allowing_inline()
    scoped = {"@id": "https://x.example/S", "@context": {"stitches": "https://x.example/n"}}
    document = CREDENTIAL | {
        "@context": [*CREDENTIAL["@context"], {"SeamCredential": scoped}],
        "stitches": 12,
    }

    for body in (by_hand(name, document, by), FORMATS[name].secure(document, by, inline)):
        assert FORMATS[name].read(body).document == document
        check_proofs(FORMATS[name], body, by.signer.public_key, inline)


@pytest.mark.parametrize("name", SECURED)
@pytest.mark.parametrize("claim", ["iss", "sub", "jti"])
def test_a_claim_must_not_name_another_than_the_document(
    claim: str, name: str, contexts: Contexts
) -> None:
    by = signing()
    body = by_hand(name, CREDENTIAL | {claim: "urn:x:other"}, by)

    with pytest.raises(ProofInvalid) as caught:
        check_proofs(FORMATS[name], body, by.signer.public_key, contexts)

    assert (caught.value.rule, caught.value.data["claim"]) == ("claim", claim)


@pytest.mark.parametrize(
    ("header", "rule"),
    [
        ({"jku": "https://x.example/keys"}, "jose_header"),
        ({"x5u": "https://x.example/cert"}, "jose_header"),
        ({"x5c": ["x"]}, "jose_header"),
        ({"jwk": {"kty": "EC"}}, "jose_header"),
        ({"crit": ["b64"], "b64": False}, "jose_header"),
        ({"typ": "dc+sd-jwt"}, "jose_typ"),
        ({"typ": "vc+jwt"}, "jose_typ"),
        ({"cty": "vp"}, "jose_cty"),
    ],
    ids=repr,
)
def test_the_header_of_an_sd_jwt_is_held_to_the_same_rules(header: Json, rule: str) -> None:
    with pytest.raises(Malformed) as caught:
        FORMATS["vc+sd-jwt"].read(by_hand("vc+sd-jwt", CREDENTIAL, signing(), **header))

    assert caught.value.rule == rule


# ---- claims


@pytest.mark.parametrize("name", SECURED)
@pytest.mark.parametrize("claim", ["exp", "nbf", "iat", "iss", "sub", "jti", "aud", "nonce", "cnf"])
def test_a_member_that_would_be_read_as_a_claim_is_not_secured(claim: str, name: str) -> None:
    document = CREDENTIAL | {
        "@context": [*CREDENTIAL["@context"], {claim: f"https://terms.example/{claim}"}],
        claim: "x",
    }

    with pytest.raises(Malformed) as caught:
        FORMATS[name].secure(document, signing(), sample().contexts.allowing_inline())

    assert (caught.value.rule, caught.value.data["claim"]) == ("jwt_claim", claim)


def test_a_claim_on_what_the_document_leaves_open_contradicts_nothing(contexts: Contexts) -> None:
    by = signing()
    key = by.signer.public_key
    document = {name: value for name, value in CREDENTIAL.items() if name != "id"}
    header = {"typ": "vc+jwt", "kid": by.verification_method}
    confirmed = {"cnf": {"jwk": to_jwk(key)}}

    for claims in ({"jti": "urn:x:1"}, {"aud": "somebody"}, confirmed):
        body = signed(document | claims, header, by)
        assert FORMATS["vc+jwt"].read(body).document == document
        check_proofs(FORMATS["vc+jwt"], body, key, contexts)


def test_the_iss_of_a_presentation_without_holder_is_whoever_signed_it(contexts: Contexts) -> None:
    by = signing()
    document = {name: value for name, value in PRESENTATION.items() if name != "holder"}
    form, key = FORMATS["vp+jwt"], by.signer.public_key
    header = {"typ": "vp+jwt", "kid": by.verification_method}

    check_proofs(form, signed(document | {"iss": ISSUER}, header, by), key, contexts)
    check_proofs(form, signed(document, header | {"iss": ISSUER}, by), key, contexts)
    for body in (
        signed(document | {"iss": "did:example:other"}, header, by),
        signed(document, header | {"iss": "did:example:other"}, by),
        signed(PRESENTATION | {"iss": "did:example:other"}, header, by),
    ):
        with pytest.raises(ProofInvalid):
            check_proofs(form, body, key, contexts)


@pytest.mark.parametrize("name", SECURED)
def test_a_document_of_data_model_1_is_neither_secured_nor_read(name: str) -> None:
    by = signing()
    older = CREDENTIAL | {"@context": [V1]}
    header = {"typ": name, "kid": by.verification_method}
    body = signed(older, header, by) + (b"~" if name == "vc+sd-jwt" else b"")
    if name == "vc+cose":
        body = sign1(by, GOOD, payload=compact(older))

    for refused in (
        lambda: FORMATS[name].read(body),
        lambda: FORMATS[name].secure(older, by, sample().contexts),
    ):
        with pytest.raises(Malformed) as caught:
            refused()
        assert caught.value.rule == "data_model_1"


@pytest.mark.parametrize(
    ("kid", "method"), [("key-1", "#key-1"), ("#key-1", "#key-1"), ("did:x:y#z", "did:x:y#z")]
)
def test_the_key_of_an_older_jwt_may_be_named_by_its_fragment(kid: str, method: str) -> None:
    body = signed({"vc": {"issuer": ISSUER}}, {"kid": kid}, signing())

    (proof,) = FORMATS["jwt"].read(body).proofs

    assert proof.verification_method == method


@pytest.mark.parametrize("header", [{}, {"kid": ""}, {"kid": 5}, {"jwk": {}, "kid": 5}], ids=repr)
def test_an_older_jwt_names_its_key_or_shows_it(header: Json) -> None:
    with pytest.raises(Malformed) as caught:
        FORMATS["jwt"].read(signed({"vc": {"issuer": ISSUER}}, header, signing()))

    assert caught.value.rule == "jws_kid"


def test_an_older_jwt_that_shows_its_key_holds_under_that_key_only(contexts: Contexts) -> None:
    by, other = signing(), signing()
    form, key = FORMATS["jwt"], by.signer.public_key
    header = {"typ": "JWT", "jwk": to_jwk(key)}

    check_proofs(form, signed({"vc": {"issuer": ISSUER}}, header, by), key, contexts)
    shown = header | {"jwk": to_jwk(other.signer.public_key)}
    with pytest.raises(ProofInvalid) as caught:
        check_proofs(form, signed({"vc": {"issuer": ISSUER}}, shown, by), key, contexts)
    assert caught.value.rule == "jwk"


def test_an_older_presentation_is_by_the_holder_it_names(contexts: Contexts) -> None:
    by = signing()
    form, key = FORMATS["jwt"], by.signer.public_key
    header = {"typ": "JWT", "kid": by.verification_method}

    for holder in ({}, {"holder": ISSUER}, {"holder": {"id": ISSUER}}):
        body = signed({"vp": holder, "iss": ISSUER}, header, by)
        assert form.read(body).proofs[0].purpose == "authentication"
        check_proofs(form, body, key, contexts)
    body = signed({"vp": {"holder": "did:example:other"}, "iss": ISSUER}, header, by)
    with pytest.raises(ProofInvalid) as caught:
        check_proofs(form, body, key, contexts)
    assert caught.value.data["claim"] == "iss"


@pytest.mark.parametrize(
    ("header", "rule"),
    [
        ({"jku": "https://x.example/keys"}, "jose_header"),
        ({"x5u": "https://x.example/cert"}, "jose_header"),
        ({"crit": ["b64"], "b64": False}, "jose_header"),
        ({"typ": "vc+jwt"}, "jws_typ"),
        ({"typ": 5}, "jws_typ"),
    ],
    ids=repr,
)
def test_the_header_of_an_older_jwt_is_held_to_rules_too(header: Json, rule: str) -> None:
    by = signing()
    body = signed({"vc": {"issuer": ISSUER}}, {"kid": by.verification_method, **header}, by)

    with pytest.raises(Malformed) as caught:
        FORMATS["jwt"].read(body)

    assert caught.value.rule == rule


# ---- SD-JWT


def chained(length: int) -> tuple[Json, list[str]]:
    """Disclosures each of which is found in the one before it only."""
    value: Any = "found"
    disclosures: list[str] = []
    for number in range(length):
        text = base64url_encode(compact_list([f"salt {number}", "a", value]))
        disclosures.append(text)
        value = {"_sd": [digest(text, "sha256")]}
    return value, disclosures


def compact_list(value: list[Any]) -> bytes:
    return json.dumps(value).encode()


def test_disclosures_in_disclosures_are_followed_to_a_depth() -> None:
    payload, disclosures = chained(20)
    assert json.dumps(disclosed(payload, disclosures)).count('"a"') == 20

    for length in (40, 400):
        payload, disclosures = chained(length)
        with pytest.raises(Malformed):
            disclosed(payload, disclosures)


@pytest.mark.parametrize("text", ["ey.ey.ey", "ey.ey.ey~~", "ey.ey.ey~x~~", "j" + "~x" * 501 + "~"])
def test_what_has_no_tilde_an_empty_part_or_too_many_is_no_sd_jwt(text: str) -> None:
    with pytest.raises(Malformed) as caught:
        split(text)

    assert caught.value.rule == "sd_jwt"


def test_the_order_of_digests_says_nothing_of_the_order_of_claims() -> None:
    tree: Json = dict.fromkeys("abcdefghij", 1)

    payload, disclosures = concealed(tree, list(tree), salts())

    assert payload == {"_sd": sorted(digest(text, "sha256") for text in disclosures)}


def test_a_large_part_may_be_concealed(contexts: Contexts) -> None:
    by = signing()
    subject = CREDENTIAL["credentialSubject"] | {"picture": "data:image/png;base64," + "A" * 90_000}
    document = CREDENTIAL | {"credentialSubject": subject}

    body = secure_disclosing(
        "vc+sd-jwt", document, by, contexts, ["credentialSubject.picture"], salts()
    )

    assert FORMATS["vc+sd-jwt"].read(body).document == document


@pytest.mark.parametrize(
    "path",
    [
        *("@context", "@context[1]", "type", "type[1]", "issuer", "validFrom", "validUntil"),
        *("credentialStatus", "credentialStatus.statusListIndex", "credentialStatus[0]"),
        *("credentialSchema", "relatedResource", "refreshService", "termsOfUse"),
    ],
)
def test_what_a_verifier_needs_cannot_be_concealed(path: str) -> None:
    status = {
        "id": "https://status.example/1#2",
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": "2",
        "statusListCredential": "https://status.example/1",
    }
    document = CREDENTIAL | {"credentialStatus": status}

    with pytest.raises(Malformed) as caught:
        secure_disclosing("vc+sd-jwt", document, signing(), sample().contexts, [path], salts())

    assert caught.value.rule == "sd_always_shown"


@pytest.mark.parametrize("name", ["_sd", "...", "_sd_alg"])
@pytest.mark.parametrize("paths", [[], ["credentialSubject.seam.kind"]])
def test_a_name_that_marks_what_is_concealed_is_not_secured(name: str, paths: list[str]) -> None:
    subject = CREDENTIAL["credentialSubject"]
    for changed in (
        subject | {name: "x"},
        subject | {"seam": subject["seam"] | {"more": [{name: ["x"]}]}},
    ):
        document = CREDENTIAL | {"credentialSubject": changed}
        with pytest.raises(Malformed) as caught:
            secure_disclosing("vc+sd-jwt", document, signing(), sample().contexts, paths, salts())
        assert caught.value.rule == "sd_name"


def test_a_holders_signature_in_the_future_or_for_somebody_is_said() -> None:
    made, holder = sample(), signing()
    now = int(made.now.timestamp())

    def report(iat: int) -> Any:
        payload = made.credential | {"cnf": {"jwk": to_jwk(holder.signer.public_key)}}
        header = {"typ": "vc+sd-jwt", "kid": made.signing.verification_method}
        jwt = sign_compact(header, compact(payload), made.signing.signer)
        said = {"iat": iat, "aud": "x", "nonce": "n", "sd_hash": digest(f"{jwt}~", "sha256")}
        binding = sign_compact({"typ": "kb+jwt"}, compact(said), holder.signer)
        return made.judge(f"{jwt}~{binding}".encode())

    assert report(now).verified
    assert "proof_for_somebody" in [note.code for note in report(now).notes]
    assert outcome(report(now + 3600), "proof") == ("failed", "in_future")


def test_a_holders_signature_without_a_key_to_check_it_by_does_not_hold(contexts: Contexts) -> None:
    by, holder = signing(), signing()
    form = FORMATS["vc+sd-jwt"]
    binding = bound(by, holder).decode().rpartition("~")[2]

    others: list[Any] = [None, {}, {"jwk": {}}, {"jwk": "x"}, {"kid": "did:example:holder#1"}]
    for confirmation in others:
        payload = CREDENTIAL | ({"cnf": confirmation} if confirmation is not None else {})
        jwt = signed(payload, {"typ": form.name, "kid": by.verification_method}, by).decode()
        with pytest.raises(ProofInvalid) as caught:
            check_proofs(form, f"{jwt}~{binding}".encode(), by.signer.public_key, contexts)
        assert caught.value.rule == "key_binding"


def test_a_signature_by_the_holder_stays_with_what_was_shown_with_it(contexts: Contexts) -> None:
    by, holder = signing(), signing()
    form, key = FORMATS["vc+sd-jwt"], by.signer.public_key
    shown = secure_disclosing(
        "vc+sd-jwt", CREDENTIAL, by, contexts, ["credentialSubject.tools[0]"], salts()
    ).decode()
    binding = bound(by, holder).decode().rpartition("~")[2]

    with pytest.raises(KpassError):
        check_proofs(form, f"{shown}{binding}".encode(), key, contexts)


# ---- COSE


def test_a_kid_may_stand_outside_the_signature_and_nothing_else_may(contexts: Contexts) -> None:
    by = signing()
    form = FORMATS["vc+cose"]
    bare = {label: value for label, value in GOOD.items() if label != 4}
    kid = by.verification_method.encode()

    body = sign1(by, bare, unprotected={4: kid})

    assert form.read(body).proofs[0].verification_method == by.verification_method
    check_proofs(form, body, by.signer.public_key, contexts)
    others: list[Any] = [{4: kid, 16: "application/vc+cose"}, {1: -7}, {"kid": kid}, []]
    for unprotected in others:
        with pytest.raises(Malformed):
            form.read(sign1(by, bare, unprotected=unprotected))


@pytest.mark.parametrize(
    "data",
    [
        b"\x9f\x01\xff",  # of no length that is said
        b"\xa2\x01\x02\x01\x02",  # a label twice
        b"\xa1\x18\x01\x02",  # a number in a longer form
        b"\x81" * 5000 + b"\x00",
        b"\x00\x00",
        b"",
        b"\xa1\x01",
        b"\xd8\x1c\x80",  # a value to be referred to again
    ],
)
def test_cbor_is_read_in_one_spelling_without_a_rest_and_to_a_depth(data: bytes) -> None:
    by = signing()

    with pytest.raises(Malformed):
        FORMATS["vc+cose"].read(sign1(by, {}, protected=data))
    with pytest.raises(Malformed):
        FORMATS["vc+cose"].read(b"\xd2" + data)


def test_a_key_of_another_kind_than_the_algorithm_in_cose_does_not_verify(
    contexts: Contexts,
) -> None:
    by = signing(Algorithm.P384)

    with pytest.raises(ProofInvalid) as caught:
        check_proofs(FORMATS["vc+cose"], sign1(by, GOOD), by.signer.public_key, contexts)

    assert caught.value.rule == "alg"
