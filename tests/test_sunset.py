"""What a service leaves behind: every public address as a file, for a server that knows nothing of credentials."""

import itertools
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from string import Formatter
from urllib.request import urlopen

import pytest
from fastapi.routing import APIRoute
from sqlalchemy import select
from starlette.testclient import TestClient

from kpass_vc.actions.chain import chain_all
from kpass_vc.actions.confirm import ConfirmationOrder, confirm, confirmed_list
from kpass_vc.actions.erase import erase
from kpass_vc.actions.profile import set_image
from kpass_vc.actions.publish import retire
from kpass_vc.actions.rotate_key import compromise_key
from kpass_vc.app import create_app
from kpass_vc.cli.leave import MEDIA_TYPES
from kpass_vc.edge import current_actor
from kpass_vc.records.audit import AuditHead
from kpass_vc.records.award import Representation
from kpass_vc.records.definition import Definition, DefinitionVersion
from kpass_vc.records.delegation import Delegation
from kpass_vc.records.organization import Organization
from kpass_vc.records.review import Review
from kpass_vc.records.status_list import StatusList
from kpass_vc.settings import Settings
from tests.actions.test_delegate import changed, granted
from tests.actions.test_people import person
from tests.actions.test_review import decided, handed_in, published
from tests.api.http import client_of, variables
from tests.cli.test_cli import Kpass
from tests.test_replies import PICTURE, routes
from tests.world import OPERATOR_ACTOR, World, actor_of

pytestmark = pytest.mark.sqlite
ISSUER = "stadsnat-exempel"
README = (Path(__file__).parent.parent / "README.md").read_text("utf-8")
PERMANENT = [
    found
    for row in README.partition("| permanent address |")[2].partition("\n\n")[0].splitlines()[2:]
    for found in re.findall(r"`([/…][^`]*)`", row.split("|")[1])
]
NOT_LEFT = {
    "/": "for people who come to a service that answers",
    "/catalogue": "a search",
    "/compare": "a question about two definitions",
    "/verify": "a form",
    "/letter": "a form",
    "/docs": "tells how to ask a service that has ended",
    "/openapi.json": "the same",
    "/.well-known/oauth-authorization-server": "where tokens are given out; nobody gives any",
    "/c/{token}": "a learner's private link",
    "/c/{token}/credential.{edition}.{kind}": "a learner's own copy",
    "/c/{token}/export.zip": "a learner's own copy",
    "/c/{token}/shares/{share_id}/{form}.pdf": "the same, on paper",
    "/f/{token}": "the private link of a learner's folder",
    "/f/{token}/all.zip": "a learner's own copies",
    "/s/{code}": "what a learner shares and withdraws: there is nobody to withdraw it any more",
    "/s/{code}/credential.{extension}": "the same",
    "/s/{code}/image.png": "the same",
    "/v1/organizations": "a question; each has its did.json and keys.json",
    "/v1/organizations/{slug}": "the same",
    "/v1/definitions": "a search; each has its definition.json",
    "/v1/batches/template.xlsx": "a form",
    "/1.0/identifiers/{did:path}": "resolves whatever DID it is asked for",
    "/healthz": "whether the process answers",
    "/readyz": "the same",
}
"""Public addresses that no file stands for, and why."""


def public_routes(world: World) -> set[str]:
    """Every address that is read without a token, those that OpenAPI does not show as well."""
    return {
        route.path
        for route in routes(create_app(world.env).routes)
        if isinstance(route, APIRoute)
        and "GET" in (route.methods or ())
        and not takes_a_token(route)
        and not route.path.startswith("/console")
    }


def takes_a_token(route: APIRoute) -> bool:
    return any(each.call is current_actor for each in route.dependant.dependencies)


def lived(world: World) -> None:
    """A service that has been through all that leaves something public, over four days up to now."""
    world.clock.advance(days=-3)
    version_id = handed_in(world, "sektorn", external=1)
    decided(world, person(world, "sektorn", "reviewer"), version_id)
    published(world, version_id)
    chain_all(world.env)
    world.clock.advance(days=1)
    with world.writing() as session:
        session.get_one(Organization, world.organization().id).approvals = 0
        confirm(world.env, session, OPERATOR_ACTOR, ISSUER, ConfirmationOrder(how="Sett."))
    world.published_definition(version="1.1.0")
    ended = world.published_definition(code="SOB-OPTO-02")
    with world.writing() as session:
        retire(world.env, session, actor_of(world.organization()), ended[0].id)
    world.draft(code="SOB-OPTO-96")
    with world.writing() as session:
        set_image(world.env, session, actor_of(world.organization()), PICTURE)
    issued = [world.issued(externalReference=f"r{number}") for number in range(4)]
    world.set_status(issued[0], "revoked")
    with world.writing() as session:
        erase(world.env, session, actor_of(world.organization(ISSUER)), issued[1].award.id)
    chain_all(world.env)
    world.clock.advance(days=1)
    withdrawn = granted(world, issuer="sektorn")
    changed(world, "sobona", withdrawn, "withdrawn")
    chain_all(world.env)
    world.clock.advance(days=1)


def parts(world: World) -> dict[str, list[str]]:
    """Whatever may stand in an address in place of its parts."""
    with world.reading() as session:
        lists = session.scalars(select(StatusList.url)).all()
        ids = session.scalars(select(Representation.credential_id)).all()
        return {
            "slug": list(session.scalars(select(Organization.slug))),
            "code": list(session.scalars(select(Definition.code))),
            "version": list(session.scalars(select(DefinitionVersion.version).distinct())),
            "language": ["sv", "en"],
            "extension": ["svg", "png"],
            "name": [
                *{url.rpartition("/")[2].removesuffix(".json") for url in lists},
                "kpass.css",
                "icon.svg",
            ],
            "credential_id": [*{url.rpartition("/")[2] for url in ids}],
            "day": [day.isoformat() for day in session.scalars(select(AuditHead.day).distinct())],
            "review_id": list(session.scalars(select(Review.id))),
            "delegation_id": list(session.scalars(select(Delegation.id))),
        }


def addresses(world: World) -> Iterator[tuple[str, str]]:
    """Each route that is to be left behind, with every address that it could have."""
    known = parts(world)
    for route in sorted(public_routes(world) - set(NOT_LEFT)):
        names = [name for _, name, _, _ in Formatter().parse(route) if name]
        for values in itertools.product(*(known[name] for name in names)):
            yield route, route.format(**dict(zip(names, values, strict=True)))


def file_of(web: Path, address: str) -> Path:
    """The file that a plain web server answers an address with."""
    place = web / address.lstrip("/")
    return place / "index.html" if place.is_dir() else place


@pytest.fixture
def web(world: World, settings: Settings, tmp_path: Path) -> Path:
    """What `kpass sunset` has written."""
    lived(world)
    done = Kpass(variables(settings), tmp_path).run("sunset", "web", "--yes")
    assert done.returncode == 0, done.stderr
    world.clock.moment = datetime.now(UTC)
    return tmp_path / "web"


def test_every_public_address_that_is_there_is_a_file_with_the_same_bytes_and_type(
    world: World, web: Path
) -> None:
    http = TestClient(create_app(world.env), base_url=world.env.addresses.base)
    types = json.loads((web / MEDIA_TYPES).read_bytes())
    left: dict[str, int] = {}
    seen: set[Path] = set()
    for route, address in addresses(world):
        reply = http.get(address, headers={"Accept-Language": ""})
        if reply.status_code == 404:
            assert not (web / address.lstrip("/")).is_file(), address
            continue
        file = file_of(web, address)
        assert reply.status_code == 200, address
        assert file.read_bytes() == reply.content, address
        assert types[str(file.relative_to(web))] == reply.headers["Content-Type"], address
        left[route] = left.get(route, 0) + 1
        seen.add(file)
    for address in {url for route, url in addresses(world) if "/status/" in route}:
        jwt = http.get(address, headers={"Accept": "application/vc+jwt"})
        if jwt.status_code == 200:
            file = web / address.lstrip("/").replace(".json", ".jwt")
            assert file.read_bytes() == jwt.content
            assert types[str(file.relative_to(web))] == "application/vc+jwt"
            seen.add(file)

    assert set(left) == public_routes(world) - set(NOT_LEFT)
    assert left["/o/{slug}/credentials/{credential_id}"] == 8
    assert left["/o/{slug}/audit/{day}.json"] > len(parts(world)["slug"])
    files = {path for path in web.rglob("*") if path.is_file()}
    assert files - seen == {web / MEDIA_TYPES}
    assert set(types) == {str(file.relative_to(web)) for file in seen}


def test_what_has_no_file_is_there_and_public(world: World) -> None:
    assert set(NOT_LEFT) <= public_routes(world)


def test_a_plain_web_server_gives_out_every_permanent_address_of_readme(
    world: World, web: Path
) -> None:
    there = [
        address
        for _, address in addresses(world)
        if (web / address.lstrip("/")).exists() and file_of(web, address).is_file()
    ]
    with plainly_served(web) as base:
        for address in there:
            with urlopen(base + address) as reply:
                assert reply.read() == file_of(web, address).read_bytes(), address
                if address.endswith((".json", ".html", ".png", ".svg", ".css")):
                    kind = address.rpartition(".")[2]
                    assert kind in reply.headers["Content-Type"], address
                elif "/definitions/" in address:
                    assert reply.headers["Content-Type"].startswith("text/html")

    assert len(PERMANENT) > 15
    for address in PERMANENT:
        whole = address.replace("…", "/o/{slug}/definitions/{CODE}/{version}")
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(whole))
        assert any(re.fullmatch(pattern, each) for each in there), address


@contextmanager
def plainly_served(folder: Path) -> Iterator[str]:
    """A web server that serves a folder and nothing else."""
    handler = partial(Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


class Quiet(SimpleHTTPRequestHandler):
    """Says nothing of what it is asked."""

    def log_message(self, *_: object) -> None:
        """Nothing."""


def test_what_was_signed_at_the_end_is_good_for_a_hundred_years_and_signed_no_more(
    world: World, web: Path
) -> None:
    lists = [*web.rglob("status/*.json"), web / "o/operator/confirmed.json"]
    assert len(lists) > 2
    for file in lists:
        end = datetime.fromisoformat(json.loads(file.read_bytes())["validUntil"])
        assert end > datetime.now(UTC) + timedelta(days=36_000), file

    world.clock.advance(days=200)

    kept = (web / "o/operator/confirmed.json").read_bytes()
    assert confirmed_list(world.env) == kept
    http = client_of(world.env)
    for file in web.rglob("status/*.json"):
        assert http.get(f"/{file.relative_to(web)}").content == file.read_bytes()


def test_a_list_that_is_signed_after_the_end_is_good_for_as_long(world: World, web: Path) -> None:
    keys = json.loads((web / "o" / ISSUER / "keys.json").read_bytes())["keys"]
    with world.writing() as session:
        compromise_key(world.env, session, OPERATOR_ACTOR, ISSUER, keys[0]["id"])
        confirm(world.env, session, OPERATOR_ACTOR, "sektorn", ConfirmationOrder(how="Sett."))

    http = client_of(world.env)
    paths = [
        f"/{file.relative_to(web)}" for file in web.rglob("status/*.json") if ISSUER in str(file)
    ]
    for path in (*paths, "/o/operator/confirmed.json"):
        body = http.get(path).json()
        assert datetime.fromisoformat(body["validUntil"]) > datetime.now(UTC) + timedelta(
            days=36_000
        )
    assert paths
