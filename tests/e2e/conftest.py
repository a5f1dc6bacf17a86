"""One service with the demo data on a port of its own, and one browser, for all tests here.

Both end with this folder's tests: Playwright keeps an event loop in the thread it runs in, which
would disturb others.
"""

import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from playwright.sync_api import Browser, sync_playwright

from kpass_vc.actions.initialise import initialise
from kpass_vc.actions.load_demo import load_demo
from kpass_vc.app import create_app
from kpass_vc.settings import Settings
from tests.api.http import PATIENCE, free_port
from tests.e2e.chromium import ARGUMENTS, axe, chromium, environment
from tests.e2e.walk import Walker
from tests.world import OPERATOR_ACTOR, Clock, World, open_test_environment


@pytest.fixture(scope="package")
def served_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """An installation with the demo data that is being served at its own public address."""
    folder = tmp_path_factory.mktemp("served")
    settings = Settings.read(
        {
            "KPASS_PORT": str(free_port()),
            "KPASS_DATABASE_URL": f"sqlite:///{folder}/kpass.db",
            "KPASS_KEYS_DIR": str(folder / "keys"),
            "KPASS_KEK_FILE": str(folder / "kek"),
        }
    )
    initialise(settings)
    clock = Clock()
    world = World(open_test_environment(settings, clock), clock)
    with world.writing() as session:
        load_demo(world.env, session, OPERATOR_ACTOR, lambda _: None)
    config = uvicorn.Config(
        create_app(world.env), host="127.0.0.1", port=settings.port, log_level="warning"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    until = time.monotonic() + PATIENCE
    while not server.started and thread.is_alive() and time.monotonic() < until:
        time.sleep(0.02)
    assert server.started
    yield world
    server.should_exit = True
    thread.join(PATIENCE)
    world.env.engine.dispose()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """A Chromium, started once."""
    found = chromium()
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=found.program,
            args=list(ARGUMENTS),
            env=environment(found),
            chromium_sandbox=False,
        )
        yield started
        started.close()


@pytest.fixture
def walker(browser: Browser, served_world: World) -> Walker:
    """Whoever walks the pages."""
    return Walker(browser, served_world.env.addresses.base, axe())
