"""Two hundred strings that would run if a text were shown without care, in a browser that runs script."""

import json
from typing import Any

import pytest

from kpass_vc.actions.define import define
from kpass_vc.actions.publish import publish
from tests.e2e.walk import Walker
from tests.injections import INJECTIONS
from tests.world import World, actor_of, body_of, definition_document

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]

WATCH = """
window.__pwn = [];
for (const name of ["kpx", "alert", "prompt", "confirm"]) {
  window[name] = (...given) => { window.__pwn.push([name, ...given]); };
}
"""


def everywhere(document: dict[str, Any], text: str) -> dict[str, Any]:
    """A definition with a text in its title and its description."""
    both = {"sv": text, "en": text}
    return document | {"title": both, "description": both}


def test_no_injected_string_runs_on_any_page(walker: Walker, served_world: World) -> None:
    owner = served_world.organization("sobona")
    issued = served_world.issued()
    code = served_world.code_of(served_world.shared(issued.award.id, label=INJECTIONS[0][:60]))
    private = f"/c/{served_world.token_of(issued.award.id)}"
    credential = json.loads(body_of(issued))
    # as many at once as one text may hold: what runs anywhere is told apart by nothing
    joined = " ".join(INJECTIONS)
    chunks = [joined[start : start + 900] for start in range(0, len(joined), 900)]
    addresses = ["/", "/catalogue", f"/s/{code}", private]
    with served_world.writing() as session:
        for number, chunk in enumerate(chunks[:8]):
            document = everywhere(definition_document(), chunk[:150])
            document |= {"code": f"SOB-PWN-{number:02}"}
            found, _ = define(served_world.env, session, actor_of(owner), document)
            publish(served_world.env, session, actor_of(owner), found[0].id)
            addresses.append(f"/o/sobona/definitions/SOB-PWN-{number:02}/1.0.0/sv.html")
    with walker.visiting() as visit:
        visit.page.add_init_script(WATCH)
        for address in addresses:
            visit.open(address)
            visit.page.mouse.move(300, 300)
            assert visit.page.evaluate("window.__pwn") == [], address
        for chunk in chunks:
            credential["credentialSubject"]["achievement"]["name"] = chunk
            credential["credentialSubject"]["achievement"]["criteria"]["narrative"] = chunk
            visit.open("/verify")
            visit.page.locator("#text").fill(json.dumps(credential))
            visit.page.locator("form.ask button").click()
            assert visit.page.evaluate("window.__pwn") == []
            visit.page.goto(f"/catalogue?q={chunk[:90].replace('#', '').replace('%', '')}")
            assert visit.page.evaluate("window.__pwn") == []


def test_the_watch_would_see_a_script_that_runs(walker: Walker) -> None:
    with walker.visiting() as visit:
        visit.page.add_init_script(WATCH)
        visit.page.goto("data:text/html,<img src=x onerror=kpx(2)>")
        visit.page.wait_for_function("window.__pwn && window.__pwn.length > 0")
