"""The way of a browser: from our sign-in page to a provider and back, and what the pages say."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from starlette.testclient import TestClient

from kpass_vc.actions.invite import address_of, invite
from kpass_vc.actions.sign_in import FRESH, who_is_there
from kpass_vc.actions.sign_in_oidc import CALLBACK
from kpass_vc.environment import Environment
from kpass_vc.oidc import OidcProvider
from kpass_vc.pages.console.frame import COOKIE
from kpass_vc.pages.console.oidc import ATTEMPT_COOKIE
from tests.api.http import client_of
from tests.oidc import real
from tests.oidc.evil import EMAIL, Evil, evil_provider
from tests.oidc.test_sign_in_oidc import ACCOUNTS, BASE, fetcher_of, person
from tests.pages.desk import Visitor
from tests.tls import Authority
from tests.world import Clock, World, actor_of

pytestmark = [pytest.mark.sqlite, pytest.mark.xdist_group("oidc")]
OURS = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture(scope="module")
def lies(authority: Authority) -> Iterator[Callable[[Clock], Evil]]:
    with evil_provider(authority) as found:
        yield found


@dataclass
class Service:
    """A service with a provider that says what it is told, and a browser."""

    env: Environment
    evil: Evil
    http: TestClient

    def browser(self) -> Visitor:
        return Visitor(self.http)

    def sent(self, browser: Visitor, place: str = "/oidc/begin") -> str:
        """The callback that the provider sends the browser to."""
        gone = browser.get(place, **OURS)
        assert gone.status_code == 303, gone.text
        query = {"state": self.evil.visited(gone.headers["Location"]), "code": "a code"}
        return f"/oidc/callback?{urlencode(query)}"


@pytest.fixture
def service(world: World, lies: Callable[[Clock], Evil], authority: Authority) -> Service:
    evil = lies(world.clock)
    provider = evil.provider()
    env = replace(world.env, oidc=provider, fetcher=fetcher_of(provider, authority))
    return Service(env, evil, client_of(env))


def test_somebody_signs_in_from_our_page_with_somebody_elses_provider(
    world: World, authority: Authority
) -> None:
    person(world, "anna@region.example")
    with real.real_provider(authority, BASE + CALLBACK, ACCOUNTS) as provider:
        env = real_time(world.env, provider, authority)
        browser = Visitor(client_of(env))
        page = browser.get("/sign-in?next=/console/account").text
        link = re.search(
            r'<a class="button" href="([^"]+)">Logga in med Exempelinloggning</a>', page
        )
        assert link, page

        gone = browser.get(link[1], **OURS)
        assert gone.status_code == 303, gone.text
        back = real.Visitor(authority).signs_in(gone.headers["Location"], "anna", BASE + CALLBACK)
        reply = browser.get(back)

    assert gone.headers["Cache-Control"] == "private, no-store"
    assert (reply.status_code, reply.headers["Location"]) == (303, f"{BASE}/console/account")
    assert set(browser.cookies) == {COOKIE}
    assert "Anna Exempelsson" in browser.follow(reply).text
    assert browser.get(back).status_code == 403


def real_time(env: Environment, provider: OidcProvider, authority: Authority) -> Environment:
    return replace(
        env,
        oidc=provider,
        fetcher=fetcher_of(provider, authority),
        clock=lambda: datetime.now(UTC),
    )


def test_the_cookie_of_an_attempt_is_for_this_host_alone_and_no_script(service: Service) -> None:
    gone = service.browser().get("/oidc/begin", **OURS)

    cookie = gone.headers["set-cookie"]
    assert cookie.startswith(f"{ATTEMPT_COOKIE}=")
    assert {"HttpOnly", "Secure", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


def test_a_callback_signs_nobody_in_in_another_browser(world: World, service: Service) -> None:
    person(world, EMAIL)
    strangers, victims = service.browser(), service.browser()
    service.sent(victims)
    back = service.sent(strangers)

    for browser in (victims, service.browser()):
        reply = browser.get(back)
        assert reply.status_code == 403
        assert "annan webbläsare" in reply.text
        assert COOKIE not in browser.cookies
    assert strangers.get(back).status_code == 303


ELSEWHERE: tuple[dict[str, str], ...] = (
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {"Sec-Fetch-Site": "cross-site", "Referer": f"{BASE}/console/sign-in"},
    {"Referer": "https://evil.example/"},
    {"Referer": f"{BASE}.evil.example/"},
    {},
)


def test_nobody_is_sent_to_the_provider_by_a_page_that_is_not_ours(
    world: World, service: Service
) -> None:
    token = invitation(world, person(world, "invited@region.example"))
    browser = service.browser()
    places = {"/oidc/begin": "/sign-in", f"/invitation/{token}/provider": f"/invitation/{token}"}

    for headers in ELSEWHERE:
        for place, page in places.items():
            reply = browser.get(place, **headers)
            assert reply.headers["Location"] == f"{BASE}/console{page}"
    assert ATTEMPT_COOKIE not in browser.cookies


def test_an_old_browser_tells_by_the_referer(service: Service) -> None:
    reply = service.browser().get("/oidc/begin", Referer=f"{BASE}/console/sign-in")

    assert reply.headers["Location"].startswith(service.evil.issuer)


def invitation(world: World, person_id: str) -> str:
    actor = actor_of(world.organization())
    with world.writing() as session:
        row, _ = invite(world.env, session, actor, person_id, "sv")
        return address_of(world.env, row).rpartition("/")[2]


def test_an_invitation_is_accepted_with_an_account_at_the_provider(
    world: World, service: Service
) -> None:
    token = invitation(world, person(world, "invited@region.example"))
    browser = service.browser()
    page = browser.get(f"/invitation/{token}").text
    assert f'href="{BASE}/console/invitation/{token}/provider"' in page

    reply = browser.get(service.sent(browser, f"/invitation/{token}/provider"))

    assert reply.headers["Location"] == f"{BASE}/console?done=welcome"
    assert "Välkommen!" in browser.follow(reply).text
    assert browser.get(f"/invitation/{token}").status_code == 404


def is_fresh(env: Environment, browser: Visitor) -> bool:
    return who_is_there(env, browser.cookies[COOKIE]).is_fresh


@pytest.mark.parametrize(
    ("ago", "fresh"), [(None, False), (FRESH, False), (FRESH - timedelta(minutes=1), True)]
)
def test_who_signed_in_at_the_provider_long_ago_has_not_just_proved_who_they_are(
    world: World, service: Service, ago: timedelta | None, *, fresh: bool
) -> None:
    person(world, EMAIL)
    if ago is not None:
        service.evil.claims["auth_time"] = int((world.clock() - ago).timestamp())
    browser = service.browser()

    assert browser.get(service.sent(browser)).status_code == 303

    assert is_fresh(service.env, browser) == fresh


def test_somebody_proves_anew_who_they_are_at_the_provider(world: World, service: Service) -> None:
    person(world, EMAIL)
    browser = service.browser()
    browser.get(service.sent(browser))
    assert not is_fresh(service.env, browser)
    page = browser.get("/prove?next=/console/account").text
    assert f'href="{BASE}/console/oidc/prove?next=/console/account"' in page
    place = "/oidc/prove?next=/console/account"
    asked = parse_qs(urlsplit(browser.get(place, **OURS).headers["Location"]).query)
    assert (asked["prompt"], asked["max_age"]) == (["login"], ["0"])

    back = service.sent(browser, place)
    reply: Any = browser.get(back)
    assert (reply.status_code, is_fresh(service.env, browser)) == (403, False)
    service.evil.claims["auth_time"] = int(world.clock().timestamp())
    reply = browser.get(service.sent(browser, place))

    assert reply.headers["Location"] == f"{BASE}/console/account"
    assert is_fresh(service.env, browser)


def test_a_proof_is_not_taken_for_somebody_else(world: World, service: Service) -> None:
    person(world, EMAIL)
    person(world, "bo@region.example")
    first, second = service.browser(), service.browser()
    first.get(service.sent(first))
    service.evil.claims |= {"sub": "subject-2", "email": "bo@region.example"}
    second.get(service.sent(second))
    service.evil.claims["auth_time"] = int(world.clock().timestamp())

    reply = first.get(service.sent(first, "/oidc/prove"))

    assert reply.status_code == 403
    assert not is_fresh(service.env, first)


def test_a_refusal_says_what_to_do_in_both_languages(service: Service) -> None:
    browser = service.browser()

    reply = browser.get(service.sent(browser))
    english = browser.get(service.sent(browser) + "&language=en")

    assert reply.status_code == 403
    assert "Det finns ingen med den adressen här. Be den som ansvarar" in reply.text
    assert 'role="alert"' in reply.text
    assert "There is nobody with that address here." in english.text
    assert ATTEMPT_COOKIE not in browser.cookies


NONSENSE = ("", "state=a&state=b", "state=%00", f"code={'c' * 4001}", "error=access_denied", "iss=")


def test_a_callback_of_nonsense_is_refused_and_no_more(service: Service) -> None:
    browser = service.browser()

    for query in NONSENSE:
        assert browser.get(f"/oidc/callback?{query}").status_code in {403, 422}, query


def test_without_a_provider_no_page_names_one(world: World) -> None:
    browser = Visitor(client_of(world.env))

    assert "oidc" not in browser.get("/sign-in").text
    reply = browser.get("/oidc/begin", **OURS)
    assert (reply.status_code, "hos någon annan" in reply.text) == (403, True)
