"""Who may issue over the VC-API and change a status, the entries that an instance gives, and what revoking does."""

from typing import Any

import pytest

from kpass_vc.crypto.keys import Algorithm
from kpass_vc.errors import Conflict, InvalidInput
from kpass_vc.statuslist import SIZE, decode, get
from tests.api.http import Json, bearer, rows
from tests.api.vc_api import OTHER, REFUSED, V1, V2, VcApi, credential, old_credential
from tests.world import World, issue_order

STATUS_CONTEXT = "https://www.w3.org/ns/credentials/status/v1"
OURS, THEIRS = "stadsnat-exempel", "sobona"
ID = "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33"


@pytest.fixture
def api(world: World) -> VcApi:
    world.organization(THEIRS)
    return VcApi.of(world)


def revoke(api: VcApi, token: str | None, credential_id: str = ID, **changes: object) -> Any:
    body = {
        "credentialId": credential_id,
        "credentialStatus": {"type": "BitstringStatusListEntry", "statusPurpose": "revocation"},
        "status": True,
    } | changes
    headers = bearer(token) if token else {}
    return api.http.post("/credentials/status", json=body, headers=headers)


def list_of(api: VcApi, signed: Json) -> Any:
    """The list that the entry of a credential names, as a verifier that speaks JSON-LD asks for it."""
    url = signed["credentialStatus"]["statusListCredential"]
    return api.http.get(url, headers={"Accept": "application/ld+json, application/json"})


def test_an_instance_with_status_gives_each_credential_an_entry_of_its_own(api: VcApi) -> None:
    did = api.add("status", has_status=True).did
    given = [credential(did), credential(did, id=ID)]

    signed = [api.issued("status", each) for each in given]

    entries = [each["credentialStatus"] for each in signed]
    assert len({entry["statusListIndex"] for entry in entries}) == 2
    for before, after, entry in zip(given, signed, entries, strict=True):
        assert {name: after[name] for name in before} == before
        assert entry["type"] == "BitstringStatusListEntry"
        assert entry["statusPurpose"] == "revocation"
        assert isinstance(entry["statusListIndex"], str)
        assert 0 <= int(entry["statusListIndex"]) < SIZE
        assert entry["statusListCredential"].startswith(f"{api.world.env.addresses.base}/o/{OURS}/")
        assert entry["id"] != entry["statusListCredential"]
        assert api.verify(after).status_code == 200


def test_the_list_of_an_entry_is_a_credential_of_the_same_issuer_in_json(api: VcApi) -> None:
    did = api.add("status", has_status=True).did
    signed = api.issued("status", credential(did))

    reply = list_of(api, signed)

    assert reply.status_code == 200
    assert "json" in reply.headers["Content-Type"]
    found = reply.json()
    assert found["@context"][0] == V2
    assert {"VerifiableCredential", "BitstringStatusListCredential"} <= set(found["type"])
    assert found["issuer"] == did
    assert found["id"] == signed["credentialStatus"]["statusListCredential"]
    subject = found["credentialSubject"]
    assert (subject["type"], subject["statusPurpose"]) == ("BitstringStatusList", "revocation")
    assert subject["encodedList"].startswith("u")
    assert len(decode(subject["encodedList"])) == SIZE // 8
    assert api.verify(found).status_code == 200


def test_a_credential_of_version_1_1_gets_the_context_of_its_entry(api: VcApi) -> None:
    did = api.add("status", has_status=True).did

    signed = api.issued("status", old_credential(did))

    assert signed["@context"][:2] == [V1, STATUS_CONTEXT]
    assert signed["credentialStatus"]["type"] == "BitstringStatusListEntry"
    assert api.verify(signed).status_code == 200


def test_an_envelope_holds_the_entry_and_is_revoked(api: VcApi) -> None:
    did = api.add("jwt", "vc+jwt", has_status=True).did
    signed = api.issued("jwt", credential(did, id=ID))

    before = api.verify(signed).status_code
    revoke(api, api.world.token(OURS))

    assert before == 200
    assert api.verify(signed).status_code in REFUSED


def test_a_misspelled_status_member_is_refused(api: VcApi) -> None:
    did = api.add("status", has_status=True).did
    entry = {"type": "BitstringStatusListEntry", "statusListIndex": True}

    assert api.issue("status", credential(did, statusEntry=entry)).status_code in REFUSED


def test_revoking_sets_the_bit_of_the_credential_alone_and_it_no_longer_verifies(
    api: VcApi,
) -> None:
    did, token = api.add("status", has_status=True).did, api.world.token(OURS)
    signed = api.issued("status", credential(did, id=ID))
    other = api.issued("status", credential(did, id="urn:uuid:other"))

    reply = revoke(api, token)

    assert reply.status_code == 200
    assert reply.json() == {"credentialId": ID, "status": True}
    refused = api.verify(signed)
    assert refused.status_code == 400
    (problem,) = refused.json()["problemDetails"]
    assert problem["type"].endswith("STATUS_VERIFICATION_ERROR")
    assert api.verify(other).status_code == 200
    bits = decode(list_of(api, signed).json()["credentialSubject"]["encodedList"])
    index = int(signed["credentialStatus"]["statusListIndex"])
    assert [get(bits, at) for at in (index, int(other["credentialStatus"]["statusListIndex"]))] == [
        True, False,
    ]  # fmt: skip


def test_revoked_is_for_ever_and_revoking_twice_changes_nothing(api: VcApi) -> None:
    did, token = api.add("status", has_status=True).did, api.world.token(OURS)
    signed = api.issued("status", credential(did, id=ID))

    assert revoke(api, token, status=False).status_code == 200
    assert api.verify(signed).status_code == 200
    assert revoke(api, token).status_code == 200
    before = rows(api.world.env)
    assert revoke(api, token).status_code == 200
    assert rows(api.world.env) == before
    undone = revoke(api, token, status=False)
    assert undone.status_code == 409
    assert undone.json()["rule"] == "revoked_for_ever"


def test_all_that_was_signed_under_an_id_is_revoked_with_it(api: VcApi) -> None:
    did, token = api.add("status", has_status=True).did, api.world.token(OURS)
    first = api.issued("status", credential(did, id=ID))
    api.world.clock.advance(seconds=1)
    again = api.issued("status", credential(did, id=ID))
    assert (
        first["credentialStatus"]["statusListIndex"] != again["credentialStatus"]["statusListIndex"]
    )

    revoke(api, token)

    assert api.verify(first).status_code in REFUSED
    assert api.verify(again).status_code in REFUSED


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"credentialId": None}, 422),
        ({"credentialId": 4}, 422),
        ({"credentialId": "urn:uuid:nothing"}, 404),
        ({"credentialStatus": None}, 422),
        ({"credentialStatus": {}}, 422),
        ({"credentialStatus": {"type": "Other"}}, 422),
        (
            {"credentialStatus": {"type": "BitstringStatusListEntry", "statusPurpose": "message"}},
            422,
        ),
        ({"status": "1"}, 422),
        ({"status": None}, 422),
    ],
)
def test_a_change_of_status_is_refused_for(
    api: VcApi, changes: dict[str, object], status: int
) -> None:
    did, token = api.add("status", has_status=True).did, api.world.token(OURS)
    signed = api.issued("status", credential(did, id=ID))

    assert revoke(api, token, **changes).status_code == status  # type: ignore[arg-type]
    assert api.verify(signed).status_code == 200


def test_only_its_organisation_may_change_the_status_of_a_credential(api: VcApi) -> None:
    did = api.add("status", has_status=True).did
    signed = api.issued("status", credential(did, id=ID))
    world = api.world

    found = {
        "none": revoke(api, None).status_code,
        "foreign": revoke(api, world.token(THEIRS)).status_code,
        "lesser": revoke(api, world.token(OURS, permissions=["credentials:issue"])).status_code,
        "operator": revoke(api, world.token(None)).status_code,
    }

    assert found == {"none": 401, "foreign": 404, "lesser": 403, "operator": 403}
    assert api.verify(signed).status_code == 200


def test_what_an_instance_without_status_signed_has_none_to_change(api: VcApi) -> None:
    did = api.add("plain").did
    signed = api.issued("plain", credential(did, id=ID))

    assert "credentialStatus" not in signed
    assert revoke(api, api.world.token(OURS)).status_code == 404


def test_an_instance_that_is_not_open_signs_for_its_organisation_alone(api: VcApi) -> None:
    did = api.add("closed", is_open=False).did
    world, given = api.world, credential(did)

    found = {
        "none": api.issue("closed", given).status_code,
        "unknown": api.issue("closed", given, bearer("kp_nobody_x")).status_code,
        "foreign": api.issue("closed", given, bearer(world.token(THEIRS))).status_code,
        "lesser": api.issue(
            "closed", given, bearer(world.token(OURS, permissions=["credentials:revoke"]))
        ).status_code,
        "operator": api.issue("closed", given, bearer(world.token(None))).status_code,
    }

    assert found == {"none": 401, "unknown": 401, "foreign": 403, "lesser": 403, "operator": 403}
    assert rows(world.env)["vc_api_credential"] == 0
    own = api.issue("closed", given, bearer(world.token(OURS)))
    assert own.status_code == 201


def test_without_a_name_the_first_instance_of_the_tokens_organisation_signs(api: VcApi) -> None:
    theirs = api.add("theirs", organization=THEIRS, is_open=False).did
    api.world.clock.advance(seconds=1)
    ours = api.add("b-first", is_open=False).did
    api.world.clock.advance(seconds=1)
    api.add("a-second", "ecdsa-rdfc-2019", is_open=False)
    body = {"credential": credential(ours)}

    def issue(token: str | None, body: Json) -> Any:
        headers = bearer(token) if token else {}
        return api.http.post("/credentials/issue", json=body, headers=headers)

    made = issue(api.world.token(OURS), body)
    assert made.status_code == 201
    assert made.json()["verifiableCredential"]["proof"]["cryptosuite"] == "eddsa-rdfc-2022"
    assert issue(None, body).status_code == 401
    assert issue(api.world.token(THEIRS), body).status_code in REFUSED
    assert issue(api.world.token(THEIRS), {"credential": credential(theirs)}).status_code == 201
    assert issue(api.world.token(None), body).status_code == 403
    api.world.organization("ensam")
    assert issue(api.world.token("ensam"), body).status_code == 404


def test_an_instance_that_is_not_there_is_not_found(api: VcApi) -> None:
    for name in ("nobody", "Nobody", "a" * 300):
        assert api.issue(name, credential(OTHER)).status_code == 404


def test_what_anybody_may_have_signed_is_never_signed_as_the_organisations_own_did(
    api: VcApi,
) -> None:
    with pytest.raises(InvalidInput) as refused:
        api.add("all", did_method="web", is_open=True)
    assert refused.value.fields[0].rule == "open_needs_did_key"

    did = api.add("own", did_method="web", is_open=False).did

    assert did == api.world.organization(OURS).did
    headers = bearer(api.world.token(OURS))
    signed = api.issue("own", credential(did), headers).json()["verifiableCredential"]
    assert signed["proof"]["verificationMethod"].startswith(f"{did}#")
    assert api.verify(signed).status_code == 200


def test_an_open_instance_cannot_issue_a_badge_that_its_organisation_may_issue(api: VcApi) -> None:
    api.world.published_definition()
    did = api.add("open").did
    token = bearer(api.world.token(OURS))
    issued = api.http.post("/v1/credentials", json=issue_order(), headers=token).json()
    badge = {
        name: value
        for name, value in issued["editions"][0]["credential"].items()
        if name not in {"proof", "credentialStatus"}
    } | {"id": ID}

    forged = api.issued("open", badge | {"issuer": badge["issuer"] | {"id": did}})
    report = api.http.post("/v1/verifications", json=forged).json()

    outcomes = {check["check"]: (check["outcome"], check["code"]) for check in report["checks"]}
    assert outcomes["proof"] == ("passed", "passed")
    assert outcomes["authorization"] == ("failed", "another_issuer")
    assert report["verdict"] == "refused"


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"securing": "rsa"}, "enum"),
        ({"securing": "Ed25519Signature2020"}, "enum"),
        ({"algorithm": Algorithm.P256}, "enum"),
        ({"securing": "ecdsa-sd-2023", "algorithm": Algorithm.P384}, "enum"),
        ({"securing": "vc+jwt", "algorithm": Algorithm.RSA}, "enum"),
        ({"did_method": "jwk"}, "enum"),
        ({"securing": "ecdsa-rdfc-2019", "has_status": True}, "status_needs_ed25519"),
        (
            {
                "securing": "ecdsa-rdfc-2019",
                "algorithm": Algorithm.P384,
                "did_method": "web",
                "is_open": False,
            },
            "no_such_key",
        ),
    ],
)
def test_an_instance_cannot_be_made_of(api: VcApi, changes: dict[str, Any], rule: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        api.add("bad", **changes)

    assert refused.value.fields[0].rule == rule
    assert rows(api.world.env)["vc_api_issuer"] == 0


@pytest.mark.parametrize("name", ["", "A", "a b", "-a", "a/b", "å", "a" * 64])
def test_the_name_of_an_instance_is_a_plain_part_of_an_address(api: VcApi, name: str) -> None:
    with pytest.raises(InvalidInput):
        api.add(name)


def test_a_name_is_one_instances_alone(api: VcApi) -> None:
    api.add("taken")

    with pytest.raises(Conflict):
        api.add("taken", organization=THEIRS)
