"""The keys of VC-API instances, and that they leave alone what an organisation issues its badges with."""

import json

import pytest

from kpass_vc.actions.examine import Machine, examine
from kpass_vc.actions.publish_status import VALID_FOR
from kpass_vc.actions.rotate_key import compromise_key, rotate_keys
from kpass_vc.actions.vc_api_issuers import add_issuer, remove_issuer
from kpass_vc.authz import ORGANIZATION, Actor
from kpass_vc.crypto.keys import Algorithm
from kpass_vc.errors import Conflict, Forbidden, NotFound
from kpass_vc.records import key as keys
from kpass_vc.records import organization as organizations
from kpass_vc.records import vc_api
from kpass_vc.settings import Settings
from tests.api.http import bearer, rows, variables
from tests.api.vc_api import ISSUER, REFUSED, VcApi, credential
from tests.world import OPERATOR_ACTOR, World, body_of, failed_checks

EVERY_KIND = {
    "Ed25519": ("eddsa-rdfc-2022", Algorithm.ED25519),
    "P-256": ("ecdsa-rdfc-2019", Algorithm.P256),
    "P-384": ("ecdsa-jcs-2019", Algorithm.P384),
}


@pytest.fixture
def api(world: World) -> VcApi:
    world.published_definition()
    return VcApi.of(world)


def add_every_kind(api: VcApi) -> dict[str, str]:
    """An instance for each kind of key, of the issuer of our badges; the DIDs."""
    return {
        kind: api.add(kind.lower(), securing, algorithm=algorithm).did
        for kind, (securing, algorithm) in EVERY_KIND.items()
    }


def compromise(api: VcApi, name: str) -> object:
    with api.world.writing() as session:
        return compromise_key(api.world.env, session, OPERATOR_ACTOR, ISSUER, name)


def test_instances_of_one_organisation_and_kind_of_key_share_a_did(api: VcApi) -> None:
    api.world.organization("sobona")
    first = api.add("a", "ecdsa-rdfc-2019").did

    assert api.add("b", "ecdsa-jcs-2019").did == first
    assert api.add("c", "ecdsa-sd-2023").did == first
    assert api.add("d", "ecdsa-jcs-2019", algorithm=Algorithm.P384).did != first
    assert api.add("e", "ecdsa-rdfc-2019", organization="sobona").did != first


def test_the_organisations_own_keys_document_and_badges_are_the_same_with_instances(
    api: VcApi,
) -> None:
    world = api.world
    before = api.http.get(f"/o/{ISSUER}/did.json").content
    issued = world.issued()

    dids = add_every_kind(api)

    assert api.http.get(f"/o/{ISSUER}/did.json").content == before
    assert failed_checks(world.verified(body_of(world.issued()))) == []
    assert failed_checks(world.verified(body_of(issued))) == []
    organization = world.organization(ISSUER)
    with world.reading() as session:
        assert keys.dids(session, organization_ids=[organization.id]) == {organization.did}
    assert not set(dids.values()) & {organization.did}


def test_the_keys_of_instances_are_shown_as_what_they_are(api: VcApi) -> None:
    dids = add_every_kind(api)

    jwks = api.http.get("/.well-known/jwks.json").json()["keys"]
    periods = api.http.get(f"/o/{ISSUER}/keys.json").json()["keys"]

    shown = {key["iss"]: (key["alg"], key["crv"], key["kid"]) for key in jwks}
    for kind, alg in {"Ed25519": "EdDSA", "P-256": "ES256", "P-384": "ES384"}.items():
        did = dids[kind]
        method = f"{did}#{did.removeprefix('did:key:')}"
        assert shown[did] == (alg, kind, method)
        assert method in {key["id"] for key in periods}


def test_changing_the_organisations_keys_leaves_those_of_instances(api: VcApi) -> None:
    dids = add_every_kind(api)
    signed = {kind: api.issued(kind.lower(), credential(did)) for kind, did in dids.items()}

    with api.world.writing() as session:
        rotate_keys(api.world.env, session, OPERATOR_ACTOR, ISSUER)

    for kind, did in dids.items():
        assert api.verify(signed[kind]).status_code == 200
        again = api.issued(kind.lower(), credential(did))
        assert again["proof"]["verificationMethod"] == signed[kind]["proof"]["verificationMethod"]


def test_withdrawing_a_key_of_the_organisation_leaves_those_of_instances(api: VcApi) -> None:
    did = api.add("status", has_status=True).did
    signed = api.issued("status", credential(did))
    badge = json.loads(body_of(api.world.issued()))

    compromise(api, badge["proof"]["verificationMethod"])

    assert api.verify(signed).status_code == 200
    assert api.issue("status", credential(did)).status_code == 201


def test_a_withdrawn_did_key_signs_no_more_and_what_it_signed_is_refused(api: VcApi) -> None:
    did = api.add("status", has_status=True).did
    signed = api.issued("status", credential(did))
    method = signed["proof"]["verificationMethod"]
    issued = api.world.issued()

    compromise(api, method)

    assert api.verify(signed).status_code in REFUSED
    assert api.issue("status", credential(did)).status_code == 503
    assert failed_checks(api.world.verified(body_of(issued))) == []
    assert failed_checks(api.world.verified(body_of(api.world.issued()))) == []
    organization = api.world.organization(ISSUER)
    with api.world.reading() as session:
        found = keys.of_organization(session, organization_id=organization.id, did=did)
    assert [key.state for key in found] == ["compromised"]


def test_a_new_instance_after_a_withdrawal_has_a_new_did(api: VcApi) -> None:
    first = api.add("first").did
    compromise(api, f"{first}#{first.removeprefix('did:key:')}")

    second = api.add("second").did

    assert second != first
    assert api.verify(api.issued("second", credential(second))).status_code == 200


def test_the_list_of_a_withdrawn_did_key_is_served_until_it_has_run_out(api: VcApi) -> None:
    did = api.add("status", has_status=True).did
    signed = api.issued("status", credential(did))
    compromise(api, signed["proof"]["verificationMethod"])

    for _ in range(3):
        api.world.clock.advance(seconds=VALID_FOR.total_seconds() / 2 + 1)
        reply = api.http.get(signed["credentialStatus"]["statusListCredential"])
        assert reply.status_code == 200
        assert api.verify(signed).status_code in REFUSED


def test_the_list_of_a_did_key_is_signed_anew_with_it_when_it_is_ageing(api: VcApi) -> None:
    did = api.add("status", has_status=True).did
    signed = api.issued("status", credential(did))

    api.world.clock.advance(seconds=VALID_FOR.total_seconds() * 2)

    found = api.http.get(signed["credentialStatus"]["statusListCredential"]).json()
    assert found["issuer"] == did
    assert found["proof"]["verificationMethod"] == signed["proof"]["verificationMethod"]
    assert api.verify(signed).status_code == 200


def test_the_lists_of_an_organisations_dids_are_apart(api: VcApi) -> None:
    did = api.add("status", has_status=True).did
    api.add("own", did_method="web", has_status=True, is_open=False)
    world = api.world
    issued = world.issued()
    signed = api.issued("status", credential(did))
    headers = bearer(world.token(ISSUER))
    own = api.issue("own", credential(world.organization(ISSUER).did), headers).json()

    badge = json.loads(body_of(issued))["credentialStatus"]["statusListCredential"]
    found = signed["credentialStatus"]["statusListCredential"]

    assert found != badge
    entry = own["verifiableCredential"]["credentialStatus"]
    assert entry["statusListCredential"] == badge
    world.set_status(issued, "revoked")
    assert api.verify(signed).status_code == 200


def test_doctor_finds_an_installation_with_instances_well(api: VcApi, settings: Settings) -> None:
    add_every_kind(api)
    api.add("status", has_status=True)
    clock = Machine(clock=api.world.clock)

    signs = examine(variables(settings), clock)

    assert {sign.check: sign.outcome for sign in signs if sign.outcome == "wrong"} == {}


def test_what_has_issued_stays_and_what_has_not_can_be_removed(api: VcApi) -> None:
    did = api.add("used").did
    api.add("unused")
    api.issued("used", credential(did))

    with api.world.writing() as session:
        remove_issuer(api.world.env, session, OPERATOR_ACTOR, "unused")
    with pytest.raises(Conflict), api.world.writing() as session:
        remove_issuer(api.world.env, session, OPERATOR_ACTOR, "used")
    with pytest.raises(NotFound), api.world.writing() as session:
        remove_issuer(api.world.env, session, OPERATOR_ACTOR, "unused")

    assert api.issue("unused", credential(did)).status_code == 404
    with api.world.reading() as session:
        assert [row.name for row in vc_api.every(session)] == ["used"]


def test_only_the_operator_makes_and_removes_instances(api: VcApi) -> None:
    actor = Actor("test", api.world.organization(ISSUER).id, ORGANIZATION)
    api.add("there")

    for act in (
        lambda env, session: add_issuer(
            env, session, actor, ISSUER, "new", securing="eddsa-rdfc-2022"
        ),
        lambda env, session: remove_issuer(env, session, actor, "there"),
    ):
        with pytest.raises(Forbidden), api.world.writing() as session:
            act(api.world.env, session)

    assert rows(api.world.env)["vc_api_issuer"] == 1


def test_an_organisation_that_is_not_there_has_no_instances(api: VcApi) -> None:
    with pytest.raises(NotFound):
        api.add("x", organization="nobody")
    with api.world.reading() as session:
        assert organizations.by_slug(session, "nobody") is None
