"""Who may keep and who may read what is served: every GET route is in the table, and nothing private is public."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from kpass_vc.actions.batch import look_through, read_items, take_in
from kpass_vc.actions.chain import chain_all
from kpass_vc.actions.delegate import DelegationStatusOrder, GrantOrder, change, grant
from kpass_vc.actions.folder import folder_link
from kpass_vc.actions.profile import set_image
from kpass_vc.actions.publish import publish
from kpass_vc.app import create_app
from kpass_vc.model.dates import STOCKHOLM
from kpass_vc.records import review as reviews
from kpass_vc.records.definition import Found
from kpass_vc.records.status_list import StatusPublication
from tests.actions.test_people import person, personal_token
from tests.actions.test_review import decided, handed_in
from tests.api.http import bearer, client_of
from tests.world import LEARNER, World, actor_of, issue_order

FOREVER = "public, max-age=31536000, immutable"
A_DAY = "public, max-age=86400"
ASK_EACH_TIME = "public, no-cache"
NOBODY = "no-store"
HOLDER_ALONE = "private, no-store"
ISSUER_ALONE = "private, no-cache"

DID = "did:key:z6MkgZRUxx6XCjd9mRniZjznVJDTu4EmyFZ7Zm8mH8KusQz9"
VERSION = "/o/{slug}/definitions/{code}/{version}"
PICTURE = b'<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0h9v9z"/></svg>'
CACHING = {
    "/1.0/identifiers/{did:path}": NOBODY,
    "/": ASK_EACH_TIME,
    "/.well-known/jwks.json": ASK_EACH_TIME,
    "/.well-known/oauth-authorization-server": NOBODY,
    "/c/{token}": HOLDER_ALONE,
    "/c/{token}/export.zip": HOLDER_ALONE,
    "/c/{token}/credential.{edition}.{kind}": HOLDER_ALONE,
    "/c/{token}/shares/{share_id}/{form}.pdf": HOLDER_ALONE,
    "/f/{token}": HOLDER_ALONE,
    "/f/{token}/all.zip": HOLDER_ALONE,
    "/catalogue": ASK_EACH_TIME,
    "/compare": ASK_EACH_TIME,
    "/docs": ASK_EACH_TIME,
    "/healthz": NOBODY,
    "/letter": ASK_EACH_TIME,
    "/o/{slug}/credentials/{credential_id}": ASK_EACH_TIME,
    "/o/{slug}/definitions/{code}": NOBODY,
    f"{VERSION}/achievement.{{language}}.json": FOREVER,
    f"{VERSION}/badge-64.{{language}}.png": A_DAY,
    f"{VERSION}/badge-small.{{language}}.svg": A_DAY,
    f"{VERSION}/badge.{{language}}.png": A_DAY,
    f"{VERSION}/badge.{{language}}.svg": A_DAY,
    f"{VERSION}/definition.json": FOREVER,
    f"{VERSION}/publication.json": ASK_EACH_TIME,
    f"{VERSION}/{{language}}.html": ASK_EACH_TIME,
    f"{VERSION}/endorsements.json": ASK_EACH_TIME,
    "/o/operator/confirmed.json": ASK_EACH_TIME,
    "/o/operator/registry.json": ASK_EACH_TIME,
    "/o/{slug}/authorizations/{delegation_id}.json": ASK_EACH_TIME,
    "/o/{slug}/authorizations/{delegation_id}.withdrawal.json": ASK_EACH_TIME,
    "/o/{slug}/did.json": ASK_EACH_TIME,
    "/o/{slug}/endorsements/{review_id}.json": ASK_EACH_TIME,
    "/o/{slug}/image.{extension}": ASK_EACH_TIME,
    "/o/{slug}/keys.json": ASK_EACH_TIME,
    "/o/{slug}/status/{name}.json": ASK_EACH_TIME,
    "/openapi.json": ASK_EACH_TIME,
    "/readyz": NOBODY,
    "/s/{code}": HOLDER_ALONE,
    "/s/{code}/credential.{extension}": HOLDER_ALONE,
    "/s/{code}/image.png": HOLDER_ALONE,
    "/static/{name}": ASK_EACH_TIME,
    "/o/{slug}/audit/{day}.json": ASK_EACH_TIME,
    "/v1/audit": NOBODY,
    "/v1/batches": NOBODY,
    "/v1/batches/template.xlsx": NOBODY,
    "/v1/changes": NOBODY,
    "/v1/batches/{batch_id}": NOBODY,
    "/v1/batches/{batch_id}/rows": NOBODY,
    "/v1/credentials": NOBODY,
    "/v1/credentials/{credential_id}/notices": NOBODY,
    "/v1/credentials/{credential_id}/learner.zip": NOBODY,
    "/v1/definitions/{version_id}/reviews": NOBODY,
    "/v1/delegations": NOBODY,
    "/v1/delegations/{delegation_id}": NOBODY,
    "/v1/me": NOBODY,
    "/v1/people": NOBODY,
    "/v1/people/{person_id}/tokens": NOBODY,
    "/v1/reviews": NOBODY,
    "/v1/credentials/{credential_id}": NOBODY,
    "/v1/credentials/{credential_id}/{language}.{extension}": ISSUER_ALONE,
    "/v1/definitions": NOBODY,
    "/v1/definitions/{version_id}": NOBODY,
    "/v1/organizations": NOBODY,
    "/v1/organizations/{slug}": NOBODY,
    "/v1/organizations/{slug}/clients": NOBODY,
    "/v1/statistics": NOBODY,
    "/v1/export.zip": NOBODY,
    "/v1/webhooks": NOBODY,
    "/verify": ASK_EACH_TIME,
}
"""By the route's path; what is not here has not been thought of. The console's: tests/pages/test_console.py."""


def routes(found: list[Any]) -> Iterator[Any]:
    for route in found:
        if hasattr(route, "original_router"):
            yield from routes(route.original_router.routes)
        else:
            yield route


def reviewed(world: World) -> tuple[Found, str]:
    """A published definition, and the address of an approval of it."""
    version_id = handed_in(world)
    decided(world, person(world, "sobona", "reviewer"), version_id)
    with world.writing() as session:
        found = publish(world.env, session, actor_of(world.organization("sobona")), version_id)
        (row,) = reviews.of_version(session, definition_version_id=version_id)
    return found, str(row.endorsement_url)


def withdrawn(world: World) -> str:
    """The id of a delegation that was granted and withdrawn."""
    with world.writing() as session:
        owner = actor_of(world.organization("sobona"))
        order = GrantOrder(issuer="did:web:nat.example", definitions=["SOB-OPTO-01"])
        row = grant(world.env, session, owner, order)
        change(world.env, session, owner, row.id, DelegationStatusOrder(status="withdrawn"))
    return row.id


def chained(world: World) -> str:
    """A day on which sobona's chain was signed."""
    chain_all(world.env)
    return world.env.now().astimezone(STOCKHOLM).date().isoformat()


def batch(world: World) -> str:
    """The id of a batch."""
    with world.writing() as session:
        actor = actor_of(world.organization("stadsnat-exempel"))
        item = {name: value for name, value in issue_order().items() if name != "definition"}
        definition = "sobona/SOB-OPTO-01"
        rows = read_items(definition, [item | {"externalReference": "b"}])
        looked = look_through(world.env, session, actor, definition, rows)
        return take_in(world.env, session, actor, definition, looked).id


@dataclass
class Place:
    """One service, and an address for every GET route."""

    http: TestClient
    issuer: dict[str, str]
    person: dict[str, str]
    """An owner and reviewer of sobona."""
    given: dict[str, dict[str, str]]
    paths: list[str]

    @classmethod
    def of(cls, world: World) -> "Place":
        found, endorsement = reviewed(world)
        issued, delegation_id = world.issued(), withdrawn(world)
        link = world.shared(issued.award.id)
        known = world.issued(holder={"name": LEARNER, "reference": "anst-17"}).award
        with world.reading() as session:
            folder = folder_link(world.env, session, known)
        assert folder is not None
        person_id, personal, _ = personal_token(
            world, "sobona", ["owner", "reviewer"], "o@example.org"
        )
        usual = {
            "slug": "sobona",
            "code": found[1].code,
            "version": found[0].version,
            "version_id": found[0].id,
            "language": "sv",
            "token": world.token_of(issued.award.id),
            "edition": "sv",
            "share_id": link.id,
            "form": "badge",
            "kind": "json",
            "extension": "json",
            "credential_id": issued.award.id,
            "delegation_id": delegation_id,
            "review_id": endorsement.rpartition("/")[2].removesuffix(".json"),
            "batch_id": batch(world),
            "day": chained(world),
            "person_id": person_id,
        }
        pictured = actor_of(world.organization("sobona"))
        with world.writing() as session:
            set_image(world.env, session, pictured, PICTURE)
        special = {
            "/o/{slug}/image.{extension}": {"slug": "sobona", "extension": "svg"},
            "/o/{slug}/credentials/{credential_id}": {
                "slug": "stadsnat-exempel",
                "credential_id": issued.representations[0].credential_id.rpartition("/")[2],
            },
            "/o/{slug}/status/{name}.json": {"slug": "stadsnat-exempel", "name": "revocation-1"},
            "/o/{slug}/endorsements/{review_id}.json": {
                "review_id": endorsement.rpartition("/")[2].removesuffix(".json")
            },
            "/static/{name}": {"name": "kpass.css"},
            **{
                path: {"token": folder.rpartition("/")[2]}
                for path in ("/f/{token}", "/f/{token}/all.zip")
            },
            "/1.0/identifiers/{did:path}": {"did": DID},
            **{
                path: {"code": world.code_of(link)}
                for path in ("/s/{code}", "/s/{code}/credential.{extension}", "/s/{code}/image.png")
            },
        }
        paths = [
            route.path
            for route in routes(create_app(world.env).routes)
            if "GET" in (route.methods or ()) and not route.path.startswith("/console")
        ]
        given = {path: usual | special.get(path, {}) for path in paths}
        token = bearer(world.token("stadsnat-exempel"))
        return cls(client_of(world.env), token, bearer(personal), given, paths)

    def address(self, path: str) -> str:
        path, given = path.replace(":path}", "}"), self.given[path]
        query = "?a=sobona/SOB-OPTO-01&b=sobona/SOB-OPTO-01" if path == "/compare" else ""
        if path == "/v1/batches/template.xlsx":
            query = "?definition=sobona/SOB-OPTO-01"
        return path.format_map(given) + query

    def get(self, path: str, method: str = "GET", **headers: str) -> Any:
        asked = (
            self.issuer
            if path.startswith(
                (
                    "/v1/credentials",
                    "/v1/batches",
                    "/v1/audit",
                    "/v1/changes",
                    "/v1/webhooks",
                    "/v1/statistics",
                    "/v1/export.zip",
                )
            )
            else {}
        )
        if path.startswith(("/v1/delegations", "/v1/people", "/v1/reviews", "/v1/me")):
            asked = self.person
        if path.endswith("/reviews"):
            asked = self.person
        return self.http.request(method, self.address(path), headers=asked | headers)

    def of_caching(self, *wanted: str) -> list[str]:
        return [path for path in self.paths if CACHING[path] in wanted]


@pytest.fixture
def place(world: World) -> Place:
    return Place.of(world)


def test_every_route_that_can_be_read_has_its_row_and_is_kept_as_it_says(place: Place) -> None:
    assert set(place.paths) - set(CACHING) == set(), "decide who may keep it"

    replies = {path: place.get(path) for path in place.paths}

    answered = {path: reply.status_code for path, reply in replies.items()}
    wanted = {path: 302 if path == "/o/{slug}/definitions/{code}" else 200 for path in answered}
    owners = {"/v1/definitions/{version_id}": 401, "/v1/organizations/{slug}/clients": 401}
    assert answered == wanted | {path: owners[path] for path in owners if path in wanted}
    kept = {path: reply.headers["Cache-Control"] for path, reply in replies.items()}
    assert kept == {path: CACHING[path] for path in kept}


def test_everything_public_has_an_etag_and_is_not_sent_again_to_whoever_has_it(
    place: Place,
) -> None:
    public = place.of_caching(FOREVER, A_DAY, ASK_EACH_TIME)
    assert len(public) > 12

    for path in public:
        first = place.get(path)
        tag = first.headers["ETag"]
        again = place.get(path, **{"If-None-Match": f'"other", W/{tag}'})
        other = place.get(path, **{"If-None-Match": '"other"'})

        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag), path
        assert again.headers["Cache-Control"] == first.headers["Cache-Control"]
        assert again.headers.get("Vary") == first.headers.get("Vary")
        assert (other.status_code, other.content) == (200, first.content), path


def test_what_is_public_is_neither_signed_nor_written_anew_by_those_who_read_it(
    place: Place, world: World
) -> None:
    public = place.of_caching(FOREVER, A_DAY, ASK_EACH_TIME)
    before = {path: place.get(path).headers["ETag"] for path in public}
    versions = versions_of_lists(world)

    world.clock.advance(hours=1)
    after = {path: place.get(path).headers["ETag"] for path in public}

    assert after == before
    assert versions_of_lists(world) == versions


def versions_of_lists(world: World) -> dict[str, int]:
    """How often each status list was signed."""
    query = select(StatusPublication.status_list_id, StatusPublication.version)
    with world.reading() as session:
        return {row[0]: row[1] for row in session.execute(query)}


def test_head_says_the_same_etag(place: Place) -> None:
    for path in place.of_caching(FOREVER, A_DAY, ASK_EACH_TIME):
        head = place.get(path, "HEAD")

        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["ETag"] == place.get(path).headers["ETag"], path


def test_pages_from_elsewhere_read_what_is_published_and_nothing_else(place: Place) -> None:
    readable = {
        path
        for path in place.paths
        if "access-control-allow-origin" in place.get(path, Origin="https://wallet.example").headers
    }

    assert readable == {
        path
        for path in place.paths
        if path.startswith(("/o/", "/.well-known/", "/static/")) or path == "/openapi.json"
    }
    for path in readable:
        headers = place.get(path, Origin="https://wallet.example").headers
        assert headers["Access-Control-Allow-Origin"] == "*"
        assert "ETag" in headers["Access-Control-Expose-Headers"]
        assert "Access-Control-Allow-Credentials" not in headers


def test_a_problem_at_a_public_address_can_be_read_by_pages_as_well(place: Place) -> None:
    for address in ("/o/nobody/did.json", "/o/sobona/definitions/NONE-01/1.0.0/definition.json"):
        reply = place.http.get(address, headers={"Origin": "https://wallet.example"})

        assert (reply.status_code, reply.headers["Cache-Control"]) == (404, "no-store")
        assert reply.headers["Access-Control-Allow-Origin"] == "*"


PREFLIGHT = {
    "Origin": "https://wallet.example",
    "Access-Control-Request-Headers": "if-none-match,accept",
}


@pytest.mark.parametrize(
    ("address", "method"),
    [
        ("/o/sobona/did.json", "GET"),
        ("/o/sobona/status/revocation-1.json", "GET"),
        ("/.well-known/jwks.json", "GET"),
        ("/v1/verifications", "POST"),
    ],
)
def test_a_preflight_at_a_public_address_is_answered(
    place: Place, address: str, method: str
) -> None:
    asked = PREFLIGHT | {"Access-Control-Request-Method": method}

    reply = place.http.options(address, headers=asked)

    assert (reply.status_code, reply.content) == (204, b"")
    assert reply.headers["Access-Control-Allow-Origin"] == "*"
    assert method in reply.headers["Access-Control-Allow-Methods"].split(", ")
    allowed = reply.headers["Access-Control-Allow-Headers"].lower().split(", ")
    assert {"if-none-match", "accept", "content-type"} <= set(allowed)
    assert "authorization" not in allowed
    assert "Access-Control-Allow-Credentials" not in reply.headers


def test_no_page_from_elsewhere_may_use_a_token_or_open_a_private_address(place: Place) -> None:
    private = [path for path in place.paths if path.startswith(("/c/", "/f/", "/s/", "/v1/"))]
    assert len(private) > 8

    for path in [*private, "/v1/credentials", "/verify"]:
        asked = PREFLIGHT | {"Access-Control-Request-Method": "POST"}
        address = place.address(path) if path in place.given else path
        reply = place.http.options(address, headers=asked)

        assert reply.status_code == 405, path
        assert not [name for name in reply.headers if name.startswith("access-control")], path


def test_a_verification_may_be_asked_for_by_any_page_and_is_kept_by_nobody(place: Place) -> None:
    reply = place.http.post(
        "/v1/verifications", content=b"{}", headers={"Origin": "https://wallet.example"}
    )

    assert reply.status_code == 200
    assert reply.headers["Access-Control-Allow-Origin"] == "*"
    assert reply.headers["Cache-Control"] == "no-store"
