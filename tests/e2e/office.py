"""An empty installation that is being served as a process of its own, its letters, and people at its console.

Nothing is put into it but through what people click and type: the one line from elsewhere
is the first link, which the command line prints.
"""

import email
import email.policy
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from playwright.sync_api import Browser, Error, Locator

from tests.api.http import PATIENCE, free_port, serving
from tests.e2e.walk import Visit, Walker

_MOST_TABS = 400
_LINK = re.compile(r"https?://\S+")


class Letters:
    """What an SMTP server took in: the text by whom it is for."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        text = message.get_content()
        self.taken += [(to, text) for to in envelope.rcpt_tos]
        return "250 OK"

    def to(self, address: str, number: int = 1) -> str:
        """The text of the latest letter to somebody, once they have so many; AssertionError if none comes."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            found = [text for to, text in self.taken if to == address]
            if len(found) >= number:
                return found[-1]
            time.sleep(0.1)
        raise AssertionError(address, [to for to, _ in self.taken])

    def link_to(self, address: str, number: int = 1) -> str:
        """The first link of the latest letter."""
        found = _LINK.search(self.to(address, number))
        assert found
        return found[0]


@dataclass
class Office:
    """The served installation."""

    base: str
    values: dict[str, str]
    folder: Path
    letters: Letters = field(default_factory=Letters)

    def kpass(self, *arguments: str) -> str:
        """What a command prints."""
        done = subprocess.run(
            [sys.executable, "-m", "kpass_vc", *arguments],
            env=self.values,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return done.stdout.strip()


@contextmanager
def office(folder: Path, variables: dict[str, str]) -> Iterator[Office]:
    """An installation that `kpass init` has just set up, served until the end."""
    letters, port = Letters(), free_port()
    mail = Controller(letters, hostname="127.0.0.1", port=free_port())
    mail.start()
    values = variables | {
        "KPASS_PORT": str(port),
        "KPASS_PUBLIC_URL": f"http://localhost:{port}",
        "KPASS_DATABASE_URL": f"sqlite:///{folder}/kpass.db",
        "KPASS_KEYS_DIR": str(folder / "keys"),
        "KPASS_KEK_FILE": str(folder / "kek"),
        "KPASS_SMTP_URL": f"smtp://127.0.0.1:{mail.port}",
        "KPASS_MAIL_FROM": "noreply@exempel.se",
    }
    found = Office(f"http://localhost:{port}", values, folder, letters)
    try:
        found.kpass("init")
        with serving(values, folder, port=port):
            yield found
    finally:
        mail.stop()


@dataclass
class Colleague:
    """Somebody with a browser and a device that makes passkeys, on the pages of the office."""

    visit: Visit

    @property
    def page(self) -> Any:
        return self.visit.page

    def click(self, name: str | re.Pattern[str], role: str = "button") -> None:
        """Click a button or a link, by its name."""
        self.press(self.page.get_by_role(role, name=name))

    def press(self, target: Locator) -> None:
        """Click on something."""
        target.first.click()

    def fill(self, **fields: str) -> None:
        """Type into fields, by their names in the form."""
        for name, text in fields.items():
            self.write(self.page.locator(f'[name="{name}"]:visible'), text)

    def write(self, target: Locator, text: str) -> None:
        """Type into a field, in place of what stands there."""
        target.first.fill(text)

    def choose(self, name: str, value: str) -> None:
        """Choose one of several."""
        self.page.locator(f'select[name="{name}"]').first.select_option(value)

    def tick(self, name: str, value: str) -> None:
        """Tick a box."""
        self.page.locator(f'[name="{name}"][value="{value}"]').first.check()

    def attach(self, file: Path) -> None:
        """Choose a file."""
        self.page.locator('[name="file"]').first.set_input_files(file)

    def text(self) -> str:
        return str(self.page.locator("main").inner_text())

    def look(self, name: str) -> None:
        """Nothing is wrong with the page as it is; and a screenshot of it."""
        self.visit.keep(name)
        found = self.visit.faults()
        assert found == [], f"{name}: " + "\n".join(found)


class WithKeyboard(Colleague):
    """Somebody who has a keyboard and no mouse: whatever they use they reach by Tab, and see where they are."""

    def press(self, target: Locator) -> None:
        """Reach something, press Enter, and wait for the page that it leads to."""
        self._reach(target)
        before = (self.page.url, self.page.evaluate("performance.timeOrigin"))
        self.page.keyboard.press("Enter")
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            with suppress(Error):  # between two pages there is none to ask
                if before != (self.page.url, self.page.evaluate("performance.timeOrigin")):
                    break
            time.sleep(0.05)
        self.page.wait_for_load_state()

    def write(self, target: Locator, text: str) -> None:
        """Reach a field, and type in place of what stands there."""
        self._reach(target)
        self.page.keyboard.press("ControlOrMeta+A")
        self.page.keyboard.insert_text(text)

    def choose(self, name: str, value: str) -> None:
        """Reach the list, and go down in it."""
        target = self.page.locator(f'select[name="{name}"]')
        self._reach(target)
        self.page.keyboard.press("Home")
        for _ in range(50):
            if target.first.input_value() == value:
                return
            self.page.keyboard.press("ArrowDown")
        raise AssertionError(name, value)

    def tick(self, name: str, value: str) -> None:
        """Reach the box, and press the space bar."""
        target = self.page.locator(f'[name="{name}"][value="{value}"]')
        self._reach(target)
        self.page.keyboard.press("Space")
        assert target.first.is_checked()

    def attach(self, file: Path) -> None:
        """Reach where a file is chosen; the dialog that opens is the browser's own."""
        self._reach(self.page.locator('[name="file"]'))
        super().attach(file)

    def _reach(self, target: Locator) -> None:
        wanted = target.first.element_handle()
        for _ in range(_MOST_TABS):
            if self.page.evaluate("each => document.activeElement === each", wanted):
                outline = "each => getComputedStyle(each).outlineStyle"
                assert self.page.evaluate(outline, wanted) != "none", (
                    "one does not see where one is"
                )
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"the keyboard does not reach {target}")


@contextmanager
def colleague(
    walker: Walker, *, language: str, width: int, has_mouse: bool = True
) -> Iterator[Colleague]:
    """One more person, with a device of their own."""
    with walker.visiting(language=language, width=width) as visit:
        device = visit.context.new_cdp_session(visit.page)
        device.send("WebAuthn.enable")
        device.send(
            "WebAuthn.addVirtualAuthenticator",
            {
                "options": {
                    "protocol": "ctap2",
                    "transport": "internal",
                    "hasResidentKey": True,
                    "hasUserVerification": True,
                    "isUserVerified": True,
                    "automaticPresenceSimulation": True,
                }
            },
        )
        yield Colleague(visit) if has_mouse else WithKeyboard(visit)


def walker_of(browser: Browser, found: Office, axe: str) -> Walker:
    return Walker(browser, found.base, axe)
