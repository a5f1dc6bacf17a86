"""What holds for every page of the console: for whom, in which languages, with which headers, and how large."""

import re
from typing import Any

import pytest

from kpass_vc.actions.define import define
from kpass_vc.actions.invite import invite_first
from kpass_vc.language import LANGUAGES
from kpass_vc.pages.console.frame import COOKIE
from kpass_vc.records import delegation as delegations
from kpass_vc.records import person as people
from tests.injections import INJECTIONS
from tests.pages.desk import Visitor, signed_in
from tests.pages.reading import ADDRESSES, Page
from tests.pages.test_console_issue import dropped, form_of, table, worked
from tests.test_replies import routes
from tests.world import OPERATOR_ACTOR, World, actor_of, definition_document

pytestmark = pytest.mark.sqlite
ISSUER = "stadsnat-exempel"
ANYBODYS = ("/console/sign-in", "/console/invitation/", "/console/guest/", "/console/oidc/")
OF_PROVIDERS = "/console/oidc/"
QUERIES = {
    "/console/issue/one": "definition=sobona/SOB-OPTO-01",
    "/console/issue/many": "definition=sobona/SOB-OPTO-01",
    "/console/issue/many/template.xlsx": "definition=sobona/SOB-OPTO-01",
    "/console/definitions/compare": "a={version_id}&b={version_id}",
}
NO_PAGES = {
    "/console/guest/{token}",
    "/console/credentials/revocation",
    "/console/organization/domain/did.json",
}
"""Tested where they belong: they lead on, or are there only now and then."""
TYPED = {"text", "email", "date", "search", "url", "number"}
MOST = 100_000
TRIES = 13
TOGETHER = [" ".join(INJECTIONS[start : start + 16]) for start in range(0, len(INJECTIONS), 16)]
ALONE = list(INJECTIONS)


class Console:
    """Somebody with every role in an organisation that has one of everything."""

    def __init__(self, world: World) -> None:
        world.published_definition()
        self.world = world
        self.visitor = signed_in(world, ISSUER, name="Åsa <b>Alla</b>")
        owner = world.organization(ISSUER)
        document = definition_document() | {"owner": ISSUER, "code": "STA-TEST-01"}
        with world.writing() as session:
            draft = define(world.env, session, actor_of(owner), document)[0][0]
            link = invite_first(world.env, session, OPERATOR_ACTOR, None, "sv")
            person = people.by_email(session, "karin@exempel.se")
            assert person
        page = dropped(self.visitor, table(world, "Ada <i>Ett</i>", "Bo")).text
        sent = self.visitor.post("/issue/many/check", form_of(page) | {"step": "send"})
        batch_id = sent.headers["Location"].rpartition("/")[2].partition("?")[0]
        worked(world, batch_id)
        issued = world.issued()
        world.disputed(issued.award.id, "Det är <script>fel</script>.")
        with world.writing() as session:
            right = delegations.of_organization(session, organization_id=owner.id)[0]
        self.given: dict[str, Any] = {
            "delegation_id": right.id,
            "version_id": draft.id,
            "batch_id": batch_id,
            "award_id": issued.award.id,
            "ids": issued.award.id,
            "person_id": person.id,
            "token": link.rpartition("/")[2],
        }

    def addresses(self) -> dict[str, str]:
        """Every page by its route's path; KeyError for a part of a path that nobody has thought of."""
        found = {
            route.path
            for route in routes(self.visitor.http.app.routes)  # type: ignore[attr-defined]
            if getattr(route, "path", "").startswith("/console") and "GET" in route.methods
        }
        return {
            path: (path + (f"?{QUERIES[path]}" if path in QUERIES else ""))
            .format_map(self.given)
            .removeprefix("/console")
            for path in sorted(found)
            if not path.startswith(OF_PROVIDERS)
            and not path.endswith("/provider")
            and path not in NO_PAGES
        }


@pytest.fixture
def console(world: World) -> Console:
    return Console(world)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_is_there_kept_by_nobody_and_runs_no_script_but_our_file(
    console: Console, language: str
) -> None:
    sheets = sum(
        len(console.visitor.http.get(f"/static/{name}").content)
        for name in ("kpass.css", "console.js")
    )
    seen = 0
    for path, address in console.addresses().items():
        mark = "&" if "?" in address else "?"
        reply = console.visitor.get(f"{address}{mark}language={language}")
        assert reply.status_code == 200, (path, reply.status_code, reply.headers.get("Location"))
        assert "no-store" in reply.headers["Cache-Control"], path
        policy = reply.headers["Content-Security-Policy"]
        assert "unsafe" not in policy, path
        if not reply.headers["Content-Type"].startswith("text/html"):
            continue
        seen += 1
        assert "script-src 'self'" in policy, path
        page = Page(reply.text)
        assert page.tags[0][1]["lang"] == language, path
        scripts = [attributes for tag, attributes in page.tags if tag == "script"]
        assert [each["src"].rpartition("/")[2] for each in scripts] == ["console.js"], path
        for tag, attributes in page.tags:
            assert tag not in {"iframe", "object", "base", "style"}, path
            assert not any(name.startswith("on") or name == "style" for name in attributes), path
        assert len(reply.content) + sheets < MOST, (path, len(reply.content))
        assert "<b>Alla</b>" not in reply.text, path
        assert "<i>Ett</i>" not in reply.text, path
    assert seen > 20


def test_no_page_but_those_to_come_in_by_is_shown_to_who_is_not_signed_in(
    console: Console,
) -> None:
    stranger = Visitor(console.visitor.http)
    ended = Visitor(console.visitor.http, {COOKIE: "nothing"})
    for path, address in console.addresses().items():
        if path.startswith(ANYBODYS):
            continue
        for visitor in (stranger, ended):
            reply = visitor.get(address)
            assert reply.status_code == 303, path
            assert "/console/sign-in?next=" in reply.headers["Location"], path


def test_what_belongs_to_another_organisation_is_not_there(console: Console) -> None:
    other = signed_in(
        console.world, "annan", name="O", email="o@exempel.se", http=console.visitor.http
    )
    seen = 0
    for path, address in console.addresses().items():
        if "{" in path and not path.startswith(ANYBODYS):
            seen += 1
            assert other.get(address).status_code == 404, path
    assert seen >= 5


def test_what_nobody_has_is_not_there(console: Console) -> None:
    console.given = dict.fromkeys(console.given, "00000000-0000-4000-8000-000000000000")
    for path, address in console.addresses().items():
        if "{" in path or "{" in QUERIES.get(path, ""):
            assert console.visitor.get(address).status_code == 404, path


def forms(html: str) -> list[tuple[str, dict[str, str], list[str]]]:
    """Each form that is sent by POST: where to, what it holds, and the fields that text is typed into."""
    found = []
    posted = r'<form[^>]*method="post" action="([^"]*)"[^>]*>(.*?)</form>'
    for action, inside in re.findall(posted, html, re.DOTALL):
        page = Page(inside)
        held: dict[str, str] = {}
        typed = []
        select = ""
        for tag, attributes in page.tags:
            name = attributes.get("name")
            if tag == "select":
                select = name or ""
            if tag == "option" and (select not in held or "selected" in attributes):
                held[select] = attributes.get("value", "")
            if not name or name == "csrf" or tag == "select":
                continue
            if tag == "textarea" or (tag == "input" and attributes.get("type", "text") in TYPED):
                typed.append(name)
            elif tag == "input" and attributes.get("type") not in {"file", "checkbox"}:
                held[name] = attributes.get("value", "")
        found.append((action, held, typed))
    return found


def test_no_injection_in_any_text_field_of_any_form_runs_or_breaks_a_page(
    console: Console,
) -> None:
    """Each of 200 strings in every field where one types, sixteen at a time: shown as text, or refused in words.

    And some alone, which are short enough to be taken and to stand on pages that come after.
    """
    known: set[tuple[str, tuple[str, ...]]] = set()
    sent = 0
    for path, address in console.addresses().items():
        page = console.visitor.get(address)
        if path in {"/console/sign-in", "/console/prove"} or not is_page(page):
            continue
        for action, held, typed in forms(page.text):
            if not typed or (action, tuple(typed)) in known:
                continue
            known.add((action, tuple(typed)))
            for chosen in (TOGETHER, ALONE):
                for number in range(TRIES):
                    given = {
                        name: chosen[(number + place * TRIES) % len(chosen)]
                        for place, name in enumerate(typed)
                    }
                    reply = console.visitor.post(action, held | given)
                    sent += 1
                    assert reply.status_code < 500, (action, given)
                    if is_page(reply):
                        assert harm(reply.text) == [], (action, given)
    for path, address in console.addresses().items():
        page = console.visitor.get(address)
        if is_page(page):
            assert harm(page.text) == [], path
    assert sent >= 15 * 2 * TRIES, sent


def is_page(reply: Any) -> bool:
    return str(reply.headers.get("Content-Type", "")).startswith("text/html")


def harm(html: str) -> list[str]:
    """What of a page would run: a script but our file, a handler, an address that is a script; Page wants it whole."""
    found = []
    for tag, attributes in Page(html).tags:
        if tag == "script" and not attributes.get("src", "").endswith("/static/console.js"):
            found.append(tag)
        found += [name for name in attributes if name.startswith("on")]
        found += [
            attributes[name]
            for name in ADDRESSES
            if attributes.get(name, "").strip().lower().startswith(("javascript:", "data:text"))
        ]
        if tag in {"iframe", "object", "embed", "style", "base", "kpx-element"}:
            found.append(tag)
    return found


def test_harm_would_be_found() -> None:
    for html in ("<script>x</script>", "<b onclick=x>x</b>", '<a href="javascript:x">x</a>'):
        assert harm(html) != []
