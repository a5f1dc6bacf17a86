"""Our API over HTTP: in this process, or in a server process of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from starlette.testclient import TestClient

from kpass_vc.app import create_app
from kpass_vc.environment import Environment
from kpass_vc.records import Base
from kpass_vc.settings import Settings
from tests.world import World, definition_document, issue_order

Json = dict[str, Any]
Headers = dict[str, str]
PROBLEM = "application/problem+json"
PATIENCE = 60.0


def client_of(env: Environment) -> TestClient:
    """A client that is given a 500 as any client would be, and follows no redirect."""
    return TestClient(
        create_app(env),
        base_url=env.addresses.base,
        raise_server_exceptions=False,
        follow_redirects=False,
    )


def bearer(token: str) -> Headers:
    return {"Authorization": f"Bearer {token}"}


def rows(env: Environment) -> dict[str, int]:
    """How many rows every table has."""
    with env.reading() as session:
        return {
            table.name: session.scalar(select(func.count()).select_from(table)) or 0
            for table in Base.metadata.sorted_tables
        }


@dataclass
class Service:
    """SOB-OPTO-01 is published by sobona, and stadsnat-exempel may issue it."""

    world: World
    http: TestClient
    operator: Headers
    owner: Headers
    issuer: Headers

    @classmethod
    def of(cls, world: World) -> "Service":
        world.published_definition()
        return cls(
            world,
            client_of(world.env),
            operator=bearer(world.token(None)),
            owner=bearer(world.token("sobona")),
            issuer=bearer(world.token("stadsnat-exempel")),
        )

    def draft(self, version: str = "2.0.0") -> Json:
        """A draft of a new version, as its owner is told of it."""
        document = definition_document() | {"version": version}
        reply = self.http.post("/v1/definitions", headers=self.owner, json=document)
        return dict(reply.json())

    def issued(self, **changes: object) -> Json:
        """What the API says of a new credential."""
        order = issue_order() | changes
        reply = self.http.post("/v1/credentials", headers=self.issuer, json=order)
        assert reply.status_code == 201, reply.text
        return dict(reply.json())

    def body(self, issued: Json, language: str = "sv", extension: str = "json") -> bytes:
        """The bytes of one representation."""
        address = f"/v1/credentials/{issued['id']}/{language}.{extension}"
        return self.http.get(address, headers=self.issuer).content

    def report(self, body: bytes) -> Json:
        """The report on a credential; it must be one."""
        reply = self.http.post("/v1/verifications", content=body)
        assert reply.status_code == 200, reply.text
        return dict(reply.json())


def outcomes(report: Json) -> dict[str, str]:
    """The outcome of every check, by its name."""
    return {check["check"]: check["outcome"] for check in report["checks"]}


def code_of(report: Json, check: str) -> str:
    """The code of one check."""
    return next(str(found["code"]) for found in report["checks"] if found["check"] == check)


def variables(settings: Settings, **more: str) -> dict[str, str]:
    """The environment variables of a process that works on an installation."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("KPASS_")}
    return ours | {
        "KPASS_DATABASE_URL": settings.database_url,
        "KPASS_KEYS_DIR": str(settings.keys_dir),
        "KPASS_KEK_FILE": str(settings.kek_file),
        "KPASS_PUBLIC_URL": settings.public_url,
        "LC_ALL": "C.UTF-8",
        "NO_COLOR": "1",
        **more,
    }


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def serving(
    values: dict[str, str], folder: Path, *arguments: str, port: int | None = None
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`kpass serve` as a process of its own in a folder: the process, and where it serves."""
    port = port or free_port()
    given = values | {"KPASS_PORT": str(port)}
    command = [sys.executable, "-m", "kpass_vc", "serve", *arguments]
    with (folder / "serve.log").open("w+") as log:
        process = subprocess.Popen(
            command, env=given, cwd=folder, stdout=subprocess.PIPE, stderr=log, text=True
        )
        try:
            _wait_for(port, process, folder / "serve.log")
            yield process, f"http://127.0.0.1:{port}"
        finally:
            stop(process)
            if process.stdout is not None:
                process.stdout.close()


def stop(process: subprocess.Popen[str]) -> int:
    """The exit status of a process that is told to end; one that does not listen is killed."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        return process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait(PATIENCE)


def _wait_for(port: int, process: subprocess.Popen[str], log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if process.poll() is not None:
            raise AssertionError(log.read_text())
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(log.read_text())
