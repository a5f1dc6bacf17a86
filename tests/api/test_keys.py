"""keys.json, and the credentials that a withdrawn key has signed, over HTTP."""

from kpass_vc.actions.rotate_key import compromise_key, rotate_keys
from kpass_vc.crypto.keys import Algorithm
from tests.api.http import Json, Service
from tests.world import OPERATOR_ACTOR

SLUG = "stadsnat-exempel"


def periods(service: Service) -> list[Json]:
    reply = service.http.get(f"/o/{SLUG}/keys.json", headers={"Origin": "https://x.example"})
    assert reply.status_code == 200
    assert reply.headers["access-control-allow-origin"] == "*"
    assert reply.headers["etag"]
    document = reply.json()
    assert document["id"] == service.world.organization(SLUG).did
    return list(document["keys"])


def documented(service: Service) -> list[str]:
    return list(service.http.get(f"/o/{SLUG}/did.json").json()["assertionMethod"])


def test_every_key_stands_in_keys_json_with_the_period_it_signed_in(service: Service) -> None:
    world = service.world
    world.clock.advance(seconds=1)
    with world.writing() as session:
        (made,) = rotate_keys(world.env, session, OPERATOR_ACTOR, SLUG, [Algorithm.ED25519])

    found = {key["id"]: key for key in periods(service)}

    assert set(found) == set(documented(service))
    states = sorted((key["algorithm"], key["state"]) for key in found.values())
    assert states == [("Ed25519", "active"), ("Ed25519", "retired"), ("P-256", "active")]
    (retired,) = [key for key in found.values() if key["state"] == "retired"]
    assert retired["activeUntil"] == found[made.verification_method]["activeFrom"]
    assert retired["publicKeyMultibase"] == retired["id"].partition("#")[2]
    assert not [key for key in found.values() if "compromisedAt" in key]


def test_a_compromised_key_stands_only_in_keys_json_and_its_credentials_are_listed(
    service: Service,
) -> None:
    world = service.world
    issued = service.issued()
    (old,) = [key for key in periods(service) if key["algorithm"] == "Ed25519"]
    first = service.http.get(f"/o/{SLUG}/keys.json").headers["etag"]
    world.clock.advance(seconds=1)

    with world.writing() as session:
        compromise_key(world.env, session, OPERATOR_ACTOR, SLUG, old["id"])
    after = service.issued()

    found = {key["id"]: key for key in periods(service)}
    assert found[old["id"]]["state"] == "compromised"
    assert found[old["id"]]["compromisedAt"] == found[old["id"]]["activeUntil"]
    assert old["id"] not in documented(service)
    jwks = service.http.get("/.well-known/jwks.json").text
    assert old["id"] not in jwks
    assert service.http.get(f"/o/{SLUG}/keys.json").headers["etag"] != first
    reply = service.http.get("/v1/credentials?compromised=true", headers=service.issuer).json()
    assert [row["id"] for row in reply["credentials"]] == [issued["id"]]
    assert reply["total"] == 1
    every = service.http.get("/v1/credentials", headers=service.issuer).json()
    assert {row["id"] for row in every["credentials"]} == {issued["id"], after["id"]}
    others = service.http.get("/v1/credentials?compromised=true", headers=service.owner).json()
    assert others["total"] == 0
