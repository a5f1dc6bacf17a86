"""`kpass jose`: a key from a file, a result as JSON."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from kpass_vc.cli.commands import app
from kpass_vc.crypto.jose import sign_compact, to_jwk
from kpass_vc.crypto.keys import Algorithm
from kpass_vc.crypto.multibase import base64url_decode, base64url_encode
from kpass_vc.crypto.signers import new_private_key, signer_of
from kpass_vc.model.document import compact
from tests.formats.test_vc_jose_cose import CREDENTIAL, PRESENTATION, V2

pytestmark = pytest.mark.sqlite

Json = dict[str, Any]
DOCUMENT = {"credential": CREDENTIAL, "presentation": PRESENTATION}
FEATURES = [f"{kind}_{form}" for kind in DOCUMENT for form in ("jose", "sdjwt", "cose")]
KINDS = (Algorithm.ED25519, Algorithm.P256, Algorithm.P384, Algorithm.P521)


def key_file(folder: Path, algorithm: Algorithm = Algorithm.P256) -> Path:
    private = new_private_key(algorithm)
    public = to_jwk(signer_of(algorithm, private).public_key)
    path = folder / f"{algorithm}.json"
    method = {
        "id": "did:example:issuer#key-1",
        "type": "JsonWebKey",
        "publicKeyJwk": public,
        "secretKeyJwk": public | {"d": base64url_encode(private)},
    }
    path.write_text(json.dumps(method))
    return path


def run(folder: Path, verb: str, body: bytes, key: Path, feature: str, *more: str) -> Json:
    source, output = folder / "in", folder / "out.json"
    source.write_bytes(body)
    output.unlink(missing_ok=True)
    arguments = ["jose", verb, "--input", str(source), "--key", str(key), "--feature", feature]
    done = CliRunner().invoke(app, [*arguments, "--output", str(output), *more])
    found: Json = json.loads(output.read_text())
    assert done.exit_code == (0 if found["result"] == "success" else 1)
    return found


@pytest.mark.parametrize("algorithm", KINDS)
@pytest.mark.parametrize("feature", FEATURES)
def test_what_is_issued_verifies_under_its_key_and_under_no_other(
    feature: str, algorithm: Algorithm, tmp_path: Path
) -> None:
    document = DOCUMENT[feature.partition("_")[0]]
    key = key_file(tmp_path, algorithm)

    made = run(tmp_path, "issue", compact(document), key, feature)
    checked = run(tmp_path, "verify", made["data"].encode(), key, feature)

    assert made["result"] == checked["result"] == "success"
    assert json.loads(checked["data"]) == document
    other = key_file(tmp_path, algorithm)
    assert run(tmp_path, "verify", made["data"].encode(), other, feature)["result"] == "failure"


def test_parts_are_concealed_by_their_paths(tmp_path: Path) -> None:
    key = key_file(tmp_path)
    paths = json.dumps(["credentialSubject.seam.kind", "credentialSubject.tools[0]"])

    made = run(tmp_path, "issue", compact(CREDENTIAL), key, "credential_sdjwt", "--sd", paths)

    assert made["data"].count("~") == 3
    checked = run(tmp_path, "verify", made["data"].encode(), key, "credential_sdjwt")
    assert json.loads(checked["data"]) == CREDENTIAL
    for wrong in ('["nothing"]', "[", '"x"'):
        source = tmp_path / "in"
        source.write_bytes(compact(CREDENTIAL))
        done = CliRunner().invoke(
            app,
            [
                *("jose", "issue", "--input", str(source), "--key", str(key)),
                *("--feature", "credential_sdjwt", "--sd", wrong),
            ],
        )
        assert done.exit_code in {1, 2}


@pytest.mark.parametrize("feature", FEATURES)
@pytest.mark.parametrize("body", [b"", b"{}", b"x", compact(CREDENTIAL), b"ey.ey.ey", b"d28443"])
def test_what_is_not_secured_fails(feature: str, body: bytes, tmp_path: Path) -> None:
    found = run(tmp_path, "verify", body, key_file(tmp_path), feature)

    assert found["result"] == "failure"
    assert found["data"]


def test_another_media_type_fails(tmp_path: Path) -> None:
    key = key_file(tmp_path)
    made = run(tmp_path, "issue", compact(CREDENTIAL), key, "credential_jose")["data"].encode()

    for feature in FEATURES[1:]:
        assert run(tmp_path, "verify", made, key, feature)["result"] == "failure"


def test_a_member_that_nothing_defines_is_not_issued(tmp_path: Path) -> None:
    body = compact(CREDENTIAL | {"badExtension": {"x": "y"}})

    for feature in FEATURES[:3]:
        found = run(tmp_path, "issue", body, key_file(tmp_path), feature)
        assert (found["result"], "badExtension" in found["data"]) == ("failure", True)


def test_a_presentation_with_something_else_than_a_credential_fails(tmp_path: Path) -> None:
    key = key_file(tmp_path)
    broken = {"@context": V2, "type": "EnvelopedVerifiableCredential", "id": "not-a-credential"}
    dummy = broken | {"id": "data:application/vc+jwt,this-is-not-looked-into"}

    for inside, expected in ((broken, "failure"), (dummy, "success"), ({"type": ["X"]}, "failure")):
        body = compact(PRESENTATION | {"verifiableCredential": [inside]})
        assert run(tmp_path, "issue", body, key, "presentation_jose")["result"] == expected


def test_a_key_that_is_none_or_does_not_fit_together_fails(tmp_path: Path) -> None:
    good = json.loads(key_file(tmp_path).read_text())
    other = json.loads(key_file(tmp_path).read_text())
    path = tmp_path / "key.json"
    for wrong in (
        {},
        {"id": "x:y#z", "secretKeyJwk": 5},
        good | {"secretKeyJwk": good["publicKeyJwk"]},
        good | {"secretKeyJwk": good["secretKeyJwk"] | {"d": other["secretKeyJwk"]["d"]}},
        {"secretKeyJwk": good["secretKeyJwk"]},
    ):
        path.write_text(json.dumps(wrong))
        assert (
            run(tmp_path, "issue", compact(CREDENTIAL), path, "credential_jose")["result"]
            == "failure"
        )


def by_hand(key: Path, payload: Json, typ: str, **header: object) -> bytes:
    """A JWT under the key in a file, whatever it says."""
    method = json.loads(key.read_text())
    signer = signer_of(Algorithm.P256, base64url_decode(method["secretKeyJwk"]["d"]))
    full = {"typ": typ, "kid": method["id"], **header}
    return sign_compact(full, compact(payload), signer).encode()


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"iat": "2024-12-12T12:00:00Z"}, "success"),
        ({"iat": 1_733_000_000, "exp": 1_733_600_000}, "success"),
        ({"iss": CREDENTIAL["issuer"], "jti": CREDENTIAL["id"]}, "success"),
        ({"iss": "did:example:other"}, "failure"),
        ({"vc": {}}, "failure"),
        ({"vp": {}}, "failure"),
        ({"badExtension": {"x": "y"}}, "failure"),
        ({"type": ["SeamCredential"]}, "failure"),
        ({"issuer": "no-url"}, "failure"),
        ({"@context": [V2], "credentialSubject": {"undefined": "x"}}, "failure"),
    ],
    ids=repr,
)
def test_the_time_is_not_judged_and_what_is_said_is(
    claims: Json, expected: str, tmp_path: Path
) -> None:
    key = key_file(tmp_path)
    body = by_hand(key, CREDENTIAL | claims, "vc+jwt")

    assert run(tmp_path, "verify", body, key, "credential_jose")["result"] == expected
    if expected == "failure":
        disclosing = by_hand(key, CREDENTIAL | claims, "vc+sd-jwt") + b"~"
        found = run(tmp_path, "verify", disclosing, key, "credential_sdjwt")
        assert found["result"] == "failure"


def test_what_is_in_an_envelope_is_not_looked_into_but_must_be_one(tmp_path: Path) -> None:
    key = key_file(tmp_path)
    envelope = {"@context": V2, "type": "EnvelopedVerifiableCredential"}
    for identifier, expected in (
        ("data:application/vc+jwt,this-is-not-looked-into", "success"),
        ("data:application/vc+sd-jwt,eyJ~", "success"),
        ("https://holder.example/credentials/1", "failure"),
        ("data:text/plain,x", "failure"),
    ):
        inside = envelope | {"id": identifier}
        body = by_hand(key, PRESENTATION | {"verifiableCredential": [inside]}, "vp+jwt")
        assert run(tmp_path, "verify", body, key, "presentation_jose")["result"] == expected


def test_a_cose_sign1_is_base64_with_or_without_padding_and_no_hex(tmp_path: Path) -> None:
    key = key_file(tmp_path)
    text = run(tmp_path, "issue", compact(CREDENTIAL), key, "credential_cose")["data"]
    raw = base64.b64decode(text + "=" * (-len(text) % 4))

    assert not text.endswith("=")
    padded = base64.b64encode(raw).decode()
    url_safe = base64.urlsafe_b64encode(raw).decode()
    for body, expected in (
        (text, "success"),
        (f"{padded}\n", "success"),
        (raw.hex(), "failure"),
        (f"-{url_safe}", "failure"),
        (f"{text[:8]} {text[8:]}", "failure"),
    ):
        found = run(tmp_path, "verify", body.encode(), key, "credential_cose")
        assert found["result"] == expected


def test_a_document_must_keep_the_data_model_to_be_secured(tmp_path: Path) -> None:
    key = key_file(tmp_path)
    changes: tuple[Json, ...] = (
        {"@context": ["https://www.w3.org/2018/credentials/v1"]},
        {"type": "SeamCredential"},
        {"credentialSubject": {}},
        {"validFrom": "yesterday"},
        {"badExtension": 1},
        {"exp": 5},
    )
    for change in changes:
        body = compact(CREDENTIAL | change)
        for feature in FEATURES[:3]:
            assert run(tmp_path, "issue", body, key, feature)["result"] == "failure"
