"""Somebody at the console: signed in as what they are in an organisation, and sending its forms."""

import re
from dataclasses import dataclass, field
from typing import Any

from starlette.testclient import TestClient

from kpass_vc.actions.people import PersonOrder, add_person
from kpass_vc.actions.sign_in import open_session
from kpass_vc.authz import Role
from kpass_vc.delivery.channel import Notice
from kpass_vc.pages.console.frame import COOKIE, csrf_of
from kpass_vc.records import person as people
from tests.api.http import client_of
from tests.world import OPERATOR_ACTOR, World

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Accept-Language": "sv"}
ALL_ROLES = tuple(Role)


class Kept:
    """A channel that keeps what it is handed."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []

    def deliver(self, notice: Notice) -> None:
        self.notices.append(notice)


@dataclass
class Visitor:
    """A browser with a session of its own; a form is sent with the token of that session."""

    http: TestClient
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, place: str, **headers: str) -> Any:
        """A page of the console, or of anywhere if the place begins with http or has no /console."""
        return self._asked("GET", place, headers=headers)

    def post(self, place: str, data: Any = None, files: Any = None, **headers: str) -> Any:
        """A form sent: `data` may hold lists for what is ticked."""
        token = csrf_of(self.cookies[COOKIE]) if COOKIE in self.cookies else ""
        return self._asked(
            "POST", place, data={"csrf": token, **(data or {})}, files=files, headers=headers
        )

    def follow(self, reply: Any) -> Any:
        """The page that a redirect leads to."""
        assert reply.status_code == 303, reply.text
        return self.get(reply.headers["Location"])

    def _asked(self, method: str, place: str, headers: dict[str, str], **sent: Any) -> Any:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        given = {**BROWSER, **({"Cookie": cookie} if cookie else {}), **headers}
        address = place if place.startswith("http") else f"/console{place}"
        self.http.cookies.clear()
        reply = self.http.request(method, address, headers=given, **sent)
        for header in reply.headers.get_list("set-cookie"):
            name, _, value = header.partition(";")[0].partition("=")
            if "Max-Age=0" in header:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value.strip('"')
        return reply


def signed_in(
    world: World,
    slug: str = "sobona",
    *roles: Role,
    name: str = "Karin Kurs",
    email: str = "karin@exempel.se",
    http: TestClient | None = None,
) -> Visitor:
    """Somebody with these roles (all of them, if none is said) in an organisation, signed in a moment ago."""
    world.organization(slug)
    given = PersonOrder(name=name, email=email, roles=list(roles or ALL_ROLES))
    with world.writing() as session:
        person = people.by_email(session, email)
        if person is None:
            person = add_person(world.env, session, OPERATOR_ACTOR, slug, given).person
        secret = open_session(world.env, session, person)
    return Visitor(http or client_of(world.env), {COOKIE: secret})


def alerts(html: str) -> list[str]:
    """What the page says is wrong."""
    found = re.search(r'<div class="error" role="alert" id="faults">(.*?)</div>', html, re.DOTALL)
    return re.findall(r"<li>(?:<a [^>]*>)?(.*?)(?:</a>)?</li>", found[1]) if found else []
