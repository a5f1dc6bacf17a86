"""Signing in with a provider: a real one, and one that lies."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from joserfc.jwk import RSAKey
from sqlalchemy import select

from kpass_vc.actions.invite import address_of, has_means, invite
from kpass_vc.actions.people import PersonOrder, add_person
from kpass_vc.actions.sign_in_oidc import CALLBACK, START, Begun, begin, finish, path_within
from kpass_vc.environment import Environment
from kpass_vc.errors import NotFound, OidcRefused, Unavailable
from kpass_vc.fetch import HttpsFetcher
from kpass_vc.oidc import Answer, Claimed, OidcProvider, Started
from kpass_vc.records.audit import AuditEntry
from kpass_vc.records.oidc import OidcAttempt, OidcIdentity
from tests.oidc.evil import EMAIL, SECRET, SUBJECT, Evil, evil_provider
from tests.oidc.real import Visitor, real_provider
from tests.tls import Authority
from tests.world import Clock, World, actor_of

pytestmark = [pytest.mark.sqlite, pytest.mark.xdist_group("oidc")]

BASE = "http://localhost:8000"
ACCOUNTS: dict[str, dict[str, object]] = {
    "anna": {"email": "Anna@Region.example", "email_verified": True},
    "bo": {"email": "bo@region.example", "email_verified": False},
    "cia": {"email": "cia@elsewhere.example", "email_verified": True},
}


def fetcher_of(provider: OidcProvider, authority: Authority) -> HttpsFetcher:
    allowed = frozenset({provider.issuer.removeprefix("https://")})
    return HttpsFetcher(allow=allowed, ca_file=authority.ca_file)


def with_provider(
    env: Environment, provider: OidcProvider, authority: Authority, **changes: Any
) -> Environment:
    """An installation that is set up for a provider on this machine."""
    return replace(env, oidc=provider, fetcher=fetcher_of(provider, authority), **changes)


def person(world: World, email: str) -> str:
    """The id of somebody who works here."""
    organization = world.organization()
    order = PersonOrder.model_validate(
        {"name": "Anna Exempelsson", "email": email, "roles": ["author"]}
    )
    with world.writing() as session:
        return add_person(world.env, session, actor_of(organization), None, order).person.id


def linked(world: World) -> list[tuple[str, str]]:
    with world.reading() as session:
        return [(row.subject, row.person_id) for row in session.scalars(select(OidcIdentity))]


def answer_of(address: str) -> Answer:
    return Answer.model_validate(dict(parse_qsl(urlsplit(address).query)))


# With somebody else's provider


@pytest.fixture(scope="module")
def real(authority: Authority) -> Iterator[OidcProvider]:
    with real_provider(authority, BASE + CALLBACK, ACCOUNTS) as provider:
        yield provider


@dataclass
class Real:
    """A service that people sign in to with a real provider, by the real clock."""

    env: Environment
    world: World
    authority: Authority

    def visited(self, begun: Begun, login: str = "anna") -> Answer:
        found = Visitor(self.authority).signs_in(begun.address, login, BASE + CALLBACK)
        return answer_of(found)


@pytest.fixture
def service(world: World, authority: Authority, real: OidcProvider) -> Real:
    env = with_provider(world.env, real, authority, clock=lambda: datetime.now(UTC))
    return Real(env, world, authority)


def test_somebody_signs_in_and_is_known_the_next_time_by_their_account(service: Real) -> None:
    anna = person(service.world, "anna@region.example")
    begun = begin(service.env, next_path="/console/people?q=a")

    first = finish(service.env, service.visited(begun), secret=begun.secret)

    assert (first.person.id, first.next_path) == (anna, "/console/people?q=a")
    assert linked(service.world) == [("anna", anna)]
    with service.world.reading() as session:
        logged = [row.action for row in session.scalars(select(AuditEntry))]
    assert logged.count("person.identity_linked") == 1
    begun = begin(service.env, next_path="/console")
    assert finish(service.env, service.visited(begun), secret=begun.secret).person.id == anna
    assert linked(service.world) == [("anna", anna)]


def test_a_callback_is_good_once(service: Real) -> None:
    person(service.world, "anna@region.example")
    begun = begin(service.env, next_path="/console")
    answer = service.visited(begun)
    finish(service.env, answer, secret=begun.secret)

    with pytest.raises(OidcRefused) as refused:
        finish(service.env, answer, secret=begun.secret)

    assert refused.value.rule == "state"


def test_a_code_of_another_sign_in_is_refused_by_the_provider(service: Real) -> None:
    person(service.world, "anna@region.example")
    strangers = begin(service.env, next_path="/console")
    stolen = service.visited(strangers)
    own = begin(service.env, next_path="/console")
    state = parse_qs(urlsplit(own.address).query)["state"][0]

    with pytest.raises(OidcRefused) as refused:
        finish(service.env, stolen.model_copy(update={"state": state}), secret=own.secret)

    assert (refused.value.rule, refused.value.data["part"]) == ("answer", "code")


def test_the_provider_refuses_a_sign_in_without_pkce(service: Real) -> None:
    begun = begin(service.env, next_path="/console")
    asked = dict(parse_qsl(urlsplit(begun.address).query))
    without = {name: text for name, text in asked.items() if "challenge" not in name}

    answer = service.visited(
        replace(begun, address=begun.address.partition("?")[0] + "?" + urlencode(without))
    )

    assert asked["code_challenge_method"] == "S256"
    assert (answer.error, answer.code) == ("invalid_request", None)
    with pytest.raises(OidcRefused) as refused:
        finish(service.env, answer, secret=begun.secret)
    assert refused.value.rule == "denied"


@pytest.mark.parametrize("iss", [None, "https://other.example", "localhost"])
def test_an_answer_that_does_not_say_it_is_from_the_provider_is_refused(
    service: Real, iss: str | None
) -> None:
    person(service.world, "anna@region.example")
    begun = begin(service.env, next_path="/console")
    answer = service.visited(begun)

    with pytest.raises(OidcRefused) as refused:
        finish(service.env, answer.model_copy(update={"iss": iss}), secret=begun.secret)

    assert refused.value.data["part"] == "iss"


@pytest.mark.parametrize(("login", "rule"), [("bo", "email"), ("cia", "unknown")])
def test_nobody_is_let_in_by_an_address_that_is_not_confirmed_or_not_known(
    service: Real, login: str, rule: str
) -> None:
    person(service.world, "bo@region.example")
    begun = begin(service.env, next_path="/console")

    with pytest.raises(OidcRefused) as refused:
        finish(service.env, service.visited(begun, login), secret=begun.secret)

    assert refused.value.rule == rule
    assert linked(service.world) == []


# With one that lies


@pytest.fixture(scope="module")
def lies(authority: Authority) -> Iterator[Callable[[Clock], Evil]]:
    with evil_provider(authority) as found:
        yield found


@pytest.fixture
def evil(world: World, lies: Callable[[Clock], Evil]) -> Evil:
    return lies(world.clock)


@dataclass
class Lied:
    """A service whose provider lies."""

    env: Environment
    evil: Evil

    def signs_in(self, invitation: str = "", prover_id: str | None = None) -> str:
        """The id of whoever has signed in."""
        begun = begin(self.env, next_path="/console", invitation=invitation, prover_id=prover_id)
        answer = Answer(state=self.evil.visited(begun.address), code="a code")
        return finish(self.env, answer, secret=begun.secret).person.id

    def refused(self, invitation: str = "", prover_id: str | None = None) -> str:
        """The rule by which a sign-in is refused, or the part of the answer that does not hold."""
        with pytest.raises(OidcRefused) as found:
            self.signs_in(invitation, prover_id)
        return str(found.value.data.get("part", found.value.rule))


@pytest.fixture
def lied(world: World, evil: Evil, authority: Authority) -> Lied:
    return Lied(with_provider(world.env, evil.provider(), authority), evil)


@pytest.mark.parametrize("alg", ["RS256", "ES256", "EdDSA"])
def test_an_honest_token_is_believed(world: World, lied: Lied, alg: str) -> None:
    anna = person(world, EMAIL)
    lied.evil.header = {"alg": alg, "kid": alg}

    assert lied.signs_in() == anna
    assert lied.evil.asked[0]["basic"] == f"kpass:{SECRET}"
    assert lied.evil.asked[0]["redirect_uri"] == BASE + CALLBACK


def claims(**said: object) -> Callable[[Evil], None]:
    def lie(evil: Evil) -> None:
        evil.claims |= said

    return lie


def header(**said: object) -> Callable[[Evil], None]:
    def lie(evil: Evil) -> None:
        evil.header |= said

    return lie


def shifted(**seconds: int) -> Callable[[Evil], None]:
    """A lie about moments, in seconds from now."""

    def lie(evil: Evil) -> None:
        now = int(evil.clock().timestamp())
        evil.claims |= {name: now + by for name, by in seconds.items()}

    return lie


def signed_with_the_secret(evil: Evil) -> None:
    evil.header |= {"alg": "HS256"}
    evil.secret = SECRET


def signed_with_the_public_key(evil: Evil) -> None:
    evil.header |= {"alg": "HS256"}
    evil.secret = evil.keys["RS256"].as_pem(private=False).decode()


def signed_with_a_key_that_is_not_published(evil: Evil) -> None:
    evil.signs_with = RSAKey.generate_key(2048)


LIES: dict[str, tuple[Callable[[Evil], None], str]] = {
    "another nonce": (claims(nonce="n" * 43), "nonce"),
    "no nonce": (claims(nonce=None), "nonce"),
    "an empty nonce": (claims(nonce=""), "nonce"),
    "a list for a nonce": (claims(nonce=["n"]), "nonce"),
    "another issuer": (claims(iss="https://other.example"), "iss"),
    "the issuer with a slash": (lambda evil: evil.claims.update(iss=f"{evil.issuer}/"), "iss"),
    "no issuer": (claims(iss=None), "iss"),
    "another audience": (claims(aud="other"), "aud"),
    "no audience": (claims(aud=[]), "aud"),
    "two audiences and no party": (claims(aud=["kpass", "other"]), "azp"),
    "another party": (claims(aud=["kpass", "other"], azp="other"), "azp"),
    "over for 60 seconds": (shifted(exp=-60), "exp"),
    "no end": (claims(exp=None), "exp"),
    "an end that is no number": (claims(exp="9999999999"), "exp"),
    "issued in 61 seconds": (shifted(iat=61), "iat"),
    "another access token": (claims(at_hash="AAAAAAAAAAAAAAAAAAAAAA"), "at_hash"),
    "no subject": (claims(sub=None), "sub"),
    "an empty subject": (claims(sub=""), "sub"),
    "a long subject": (claims(sub="s" * 256), "sub"),
    "signed in there 13 hours ago": (shifted(auth_time=-13 * 3600), "auth_time"),
    "signed in there in an hour": (shifted(auth_time=3600), "auth_time"),
    "signed in there at no moment": (claims(auth_time=True), "auth_time"),
    "no signature": (header(alg="none"), "id_token"),
    "the client's secret": (signed_with_the_secret, "alg"),
    "the public key as a secret": (signed_with_the_public_key, "alg"),
    "an algorithm that is not ours": (header(alg="ES384"), "alg"),
    "a key that is not published": (signed_with_a_key_that_is_not_published, "signature"),
    "a key that it does not name": (header(kid="ES256"), "signature"),
    "an access token": (header(typ="at+jwt"), "header"),
}


def heard(evil: Evil, authority: Authority, *, anew: bool = False) -> Claimed:
    """What is believed of an answer, without an installation."""
    provider = evil.provider()
    fetcher = fetcher_of(provider, authority)
    now = evil.clock()
    started = Started(BASE + CALLBACK, now, "n0nce", "v" * 43, anew=anew)
    evil.visited(provider.address(fetcher, started, state="state", now=now))
    return provider.claimed(fetcher, started, Answer(state="state", code="a code"), now=now)


@pytest.mark.parametrize("lie", LIES)
def test_a_token_that_does_not_hold_is_not_believed(
    clock: Clock, lies: Callable[[Clock], Evil], authority: Authority, lie: str
) -> None:
    evil = lies(clock)
    tell, part = LIES[lie]
    tell(evil)

    with pytest.raises(OidcRefused) as refused:
        heard(evil, authority)

    assert (refused.value.rule, refused.value.data["part"]) == ("answer", part)


def test_a_clock_that_is_59_seconds_off_is_forgiven(
    clock: Clock, lies: Callable[[Clock], Evil], authority: Authority
) -> None:
    evil = lies(clock)
    shifted(exp=-59, iat=59)(evil)

    assert heard(evil, authority).subject == SUBJECT


def test_somebody_who_proves_anew_who_they_are_has_just_done_so_at_the_provider(
    clock: Clock, lies: Callable[[Clock], Evil], authority: Authority
) -> None:
    evil = lies(clock)
    for lie in (claims(auth_time=None), shifted(auth_time=-61)):
        lie(evil)
        with pytest.raises(OidcRefused) as refused:
            heard(evil, authority, anew=True)
        assert refused.value.data["part"] == "auth_time"
    shifted(auth_time=0)(evil)

    assert heard(evil, authority, anew=True).proved_at == clock()


@pytest.mark.parametrize(
    ("said", "part"),
    [
        ({"nonce": "another"}, "nonce"),
        ({"email_verified": False}, "email"),
        ({"email_verified": "true"}, "email"),
        ({"email": [EMAIL]}, "email"),
        ({"email": "nobody@region.example"}, "unknown"),
    ],
)
def test_nobody_is_let_in_by_what_is_not_believed(
    world: World, lied: Lied, said: dict[str, object], part: str
) -> None:
    person(world, EMAIL)
    lied.evil.claims |= said

    assert lied.refused() == part
    assert linked(world) == []


def test_a_code_that_the_provider_does_not_take_lets_nobody_in(world: World, lied: Lied) -> None:
    person(world, EMAIL)
    lied.evil.token_status = 400

    assert lied.refused() == "code"


def test_an_address_is_taken_only_from_what_is_said_of_the_same_subject(
    world: World, lied: Lied
) -> None:
    anna = person(world, EMAIL)
    lied.evil.claims |= {"email": None, "email_verified": None}
    lied.evil.metadata |= {"userinfo_endpoint": f"{lied.evil.issuer}/me"}
    lied.evil.userinfo = {"sub": "subject-2", "email": EMAIL, "email_verified": True}

    assert lied.refused() == "userinfo"
    lied.evil.userinfo["sub"] = SUBJECT
    assert lied.signs_in() == anna


# The attempt


def test_a_state_is_good_in_the_browser_that_began_and_in_no_other(
    world: World, lied: Lied
) -> None:
    anna = person(world, EMAIL)
    strangers = begin(lied.env, next_path="/console")
    answer = Answer(state=lied.evil.visited(strangers.address), code="a code")
    own = begin(lied.env, next_path="/console")

    for secret in (own.secret, "", strangers.secret.lower()):
        with pytest.raises(OidcRefused) as refused:
            finish(lied.env, answer, secret=secret)
        assert refused.value.rule == "state"

    assert lied.evil.asked == []
    assert finish(lied.env, answer, secret=strangers.secret).person.id == anna


def test_a_state_that_was_never_handed_out_is_refused(lied: Lied) -> None:
    begun = begin(lied.env, next_path="/console")

    with pytest.raises(OidcRefused) as refused:
        finish(lied.env, Answer(state="s" * 43, code="a code"), secret=begun.secret)

    assert refused.value.rule == "state"


def test_an_attempt_is_used_up_by_an_answer_that_does_not_hold(world: World, lied: Lied) -> None:
    person(world, EMAIL)
    begun = begin(lied.env, next_path="/console")
    answer = Answer(state=lied.evil.visited(begun.address), code="a code")
    lied.evil.claims |= {"nonce": "another"}
    with pytest.raises(OidcRefused):
        finish(lied.env, answer, secret=begun.secret)
    lied.evil.claims.clear()

    with pytest.raises(OidcRefused) as refused:
        finish(lied.env, answer, secret=begun.secret)

    assert refused.value.rule == "state"


def test_an_attempt_ends_after_ten_minutes(world: World, lied: Lied) -> None:
    person(world, EMAIL)
    begun = begin(lied.env, next_path="/console")
    answer = Answer(state=lied.evil.visited(begun.address), code="a code")
    world.clock.advance(minutes=10)

    with pytest.raises(OidcRefused) as refused:
        finish(lied.env, answer, secret=begun.secret)

    assert refused.value.rule == "expired"


def test_attempts_that_nobody_came_back_from_are_forgotten(world: World, lied: Lied) -> None:
    for _ in range(3):
        begin(lied.env, next_path="/console")
    world.clock.advance(minutes=11)

    begin(lied.env, next_path="/console")

    with world.reading() as session:
        assert len(list(session.scalars(select(OidcAttempt)))) == 1


def test_no_secret_of_a_sign_in_is_kept_or_shown(world: World, lied: Lied) -> None:
    begun = begin(lied.env, next_path="/console")

    state = parse_qs(urlsplit(begun.address).query)["state"][0]
    with world.reading() as session:
        kept = session.scalars(select(OidcAttempt)).one()
        held = [getattr(kept, column.name) for column in OidcAttempt.__table__.columns]
    assert begun.secret not in held
    assert state not in held
    assert begun.secret not in repr(begun)
    assert SECRET not in repr(lied.env)


# Whose account it is


def invitation(world: World, person_id: str) -> str:
    """The token of an invitation of somebody."""
    actor = actor_of(world.organization())
    with world.writing() as session:
        row, _ = invite(world.env, session, actor, person_id, "sv")
        return address_of(world.env, row).rpartition("/")[2]


def test_somebody_accepts_an_invitation_once_with_an_account_of_another_address(
    world: World, lied: Lied
) -> None:
    anna = person(world, "invited@region.example")
    token = invitation(world, anna)

    assert lied.signs_in(token) == anna
    assert lied.signs_in() == anna
    with pytest.raises(NotFound):
        lied.signs_in(token)
    with world.reading() as session:
        assert has_means(session, anna)


def test_an_invitation_that_is_void_by_the_time_somebody_comes_back_lets_nobody_in(
    world: World, lied: Lied
) -> None:
    anna = person(world, "invited@region.example")
    begun = begin(lied.env, next_path="/console", invitation=invitation(world, anna))
    answer = Answer(state=lied.evil.visited(begun.address), code="a code")
    invitation(world, anna)  # the one before is void

    with pytest.raises(NotFound):
        finish(lied.env, answer, secret=begun.secret)

    assert linked(world) == []


def test_an_account_is_one_persons_and_a_person_has_one_account(world: World, lied: Lied) -> None:
    anna, invited = person(world, EMAIL), person(world, "invited@region.example")
    assert lied.signs_in() == anna

    assert lied.refused(invitation(world, invited)) == "of_another"
    lied.evil.claims |= {"sub": "subject-2"}
    assert lied.refused() == "has_another"
    assert lied.refused(invitation(world, anna)) == "has_another"
    shifted(auth_time=0)(lied.evil)
    assert lied.refused(prover_id=anna) == "of_another"
    assert linked(world) == [(SUBJECT, anna)]


def test_a_known_account_stays_the_persons_when_its_address_changes(
    world: World, lied: Lied
) -> None:
    anna = person(world, EMAIL)
    person(world, "bo@region.example")
    lied.signs_in()
    lied.evil.claims |= {"email": "bo@region.example"}

    assert lied.signs_in() == anna


# What the provider says of itself

UNFIT: dict[str, tuple[dict[str, object], str]] = {
    "another issuer": ({"issuer": "https://other.example"}, "issuer"),
    "no address to sign in at": ({"authorization_endpoint": None}, "metadata"),
    "an open address": ({"authorization_endpoint": "http://localhost/auth"}, "metadata"),
    "an address of script": ({"authorization_endpoint": "javascript:alert(1)"}, "metadata"),
    "no PKCE": (
        {"code_challenge_methods_supported": ["plain"]},
        "code_challenge_methods_supported",
    ),
}


@pytest.mark.parametrize("fault", UNFIT)
def test_nobody_is_sent_to_a_provider_that_is_not_fit(lied: Lied, fault: str) -> None:
    said, part = UNFIT[fault]
    lied.evil.metadata.update(said)

    with pytest.raises(Unavailable) as refused:
        begin(lied.env, next_path="/console")

    assert (refused.value.rule, refused.value.data["part"]) == ("oidc_unfit", part)


def test_a_provider_that_takes_the_secret_only_in_the_body_gets_it_there(
    world: World, lied: Lied
) -> None:
    anna = person(world, EMAIL)
    lied.evil.metadata |= {"token_endpoint_auth_methods_supported": ["client_secret_post"]}

    assert lied.signs_in() == anna
    assert lied.evil.asked[0]["client_secret"] == SECRET


def test_a_provider_that_is_not_there_is_named(world: World, lied: Lied) -> None:
    env = replace(lied.env, oidc=lied.evil.provider(issuer="https://localhost:1"))

    with pytest.raises(Unavailable) as refused:
        begin(env, next_path="/console")

    assert "Region Exempel" in refused.value.sentence("sv")
    with pytest.raises(NotFound):
        begin(world.env, next_path="/console")


# Where somebody goes afterwards


@pytest.mark.parametrize(
    "path",
    ["/console", "/console?done=welcome", "/console/people/", "/console/x-1_2~.y?a=b&c=%20d"],
)
def test_a_path_within_the_service_is_kept(path: str) -> None:
    assert path_within(path) == path


ELSEWHERE = [
    "", "/", "/catalogue", "/consoles", "console",
    "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "/%2f%2fevil.example",
    "/%5cevil.example", "https://evil.example", "https:evil.example", "http:/evil.example", "javascript:alert(1)",
    "data:text/html,x", "/console//evil.example", "/console/../..//evil", "/./evil", "/.", "/..", "/console\r\nX: y",
    "/console\n", "\t/console", " /console", "/console evil", "/@evil.example", "/user@evil.example/", "?next=//evil",
    "#//evil", "/console#//evil", "/console?u=https://evil.example", "/console\u2028", "/\uff43onsole", "/console;x",
    "/\u0000", "//localhost:8000@evil.example", "/console?\\", "/console/%2e%2e/", "/" + "a" * 1000,
]  # fmt: skip


def test_whatever_else_leads_to_the_start() -> None:
    for text in ELSEWHERE:
        assert path_within(text) == START, text
