"""`kpass serve`: the API and the pages, by one process or several, with a list of links to try."""

import logging
import os
import shlex
import sys
from contextlib import closing
from multiprocessing.context import SpawnProcess
from pathlib import Path
from socket import AF_INET, AF_INET6, SO_REUSEADDR, SOL_SOCKET, socket
from typing import Final

import uvicorn
from sqlalchemy import make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from kpass_vc.actions.initialise import initialise
from kpass_vc.actions.issue import IssueOrder, issue
from kpass_vc.actions.load_demo import FIRST, LEARNER, acting_for, load_demo, order_for
from kpass_vc.actions.share import ShareOrder, code_of, private_link, share
from kpass_vc.actions.tokens import TokenOrder, grant_token
from kpass_vc.app import create_app
from kpass_vc.authz import Actor
from kpass_vc.cli.console import operator, progress, say_line, settle, step
from kpass_vc.cli.files import write_files
from kpass_vc.cli.processes import SPAWN, end_when_told, end_with_the_parent, keep, leave
from kpass_vc.demo import catalogues
from kpass_vc.environment import Environment, open_environment
from kpass_vc.errors import NotFound, Unavailable
from kpass_vc.links import holder_token
from kpass_vc.records import award as awards
from kpass_vc.records import definition as definitions
from kpass_vc.records import organization as organizations
from kpass_vc.settings import MOST_PROCESSES, Settings
from kpass_vc.workflows import adopt, start_work, stop_work

ISSUER: Final = "stadsnat-exempel"
DEFINITION: Final = "sobona/SOB-OPTO-01"
_log: Final = logging.getLogger("kpass")


class _Server(uvicorn.Server):
    """Says where to look once it listens."""

    def __init__(self, config: uvicorn.Config, lines: list[str]) -> None:
        super().__init__(config)
        self.lines = lines

    async def startup(self, sockets: list[socket] | None = None) -> None:
        await super().startup(sockets)
        for line in self.lines if self.started else []:
            say_line(line)
        sys.stdout.flush()


def serve(settings: Settings, *, demo: bool) -> None:
    """Serve until told to stop; Unavailable if several processes are wanted on SQLite."""
    _log_to_the_terminal()
    is_sqlite = make_url(settings.database_url).get_backend_name() == "sqlite"
    if settings.processes > 1 and is_sqlite:
        raise Unavailable("one_process", given=settings.processes)
    if demo:
        initialise(settings)
    env = open_environment(settings)
    lines = [f"Kompetenspasset VC serves on {env.addresses.base}/"]
    if demo:
        lines += _demo(env, Path("var/demo"))
    if settings.processes > 1:
        env.engine.dispose()
        _serve_by_several(settings, lines)
        return
    end_when_told()
    _answer(env, settings, settings.worker, lines, adopting=[] if is_sqlite else _earlier(settings))


def _serve_by_several(settings: Settings, lines: list[str]) -> None:
    with closing(_bound(settings.host, settings.port)) as listening:

        def begin(number: int, again: bool) -> SpawnProcess:  # noqa: FBT001 - it is a callback
            said = lines if number == 1 and not again else []
            return SPAWN.Process(target=_one_of_several, args=(settings, number, listening, said))

        is_told = keep(settings.processes, begin)
    leave(0 if is_told else 1)


def _one_of_several(settings: Settings, number: int, listening: socket, lines: list[str]) -> None:
    """What a spawned process does: all that a single one does, on the socket and under the name it is given."""
    end_when_told()
    end_with_the_parent()
    _log_to_the_terminal()
    try:
        env = open_environment(settings)
    except (Unavailable, OperationalError) as error:
        _log.error("%s", error)
        sys.exit(1)
    adopting = _earlier(settings) if number == 1 else []
    _answer(env, settings, _name(settings, number), lines, adopting=adopting, listening=listening)


def _answer(
    env: Environment,
    settings: Settings,
    worker: str,
    lines: list[str],
    *,
    adopting: list[str],
    listening: socket | None = None,
) -> None:
    """Answer requests and work on what is queued, until told to stop: then the process ends here."""
    config = uvicorn.Config(
        create_app(env),
        host=settings.host,
        port=settings.port,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=20,
        ssl_certfile=settings.tls_cert,
        ssl_keyfile=settings.tls_key,
    )
    start_work(env, worker)
    settle()
    code = 0
    try:
        if adopting:
            adopt(adopting)
        _Server(config, lines).run(None if listening is None else [listening])
    except SystemExit as told:
        code = told.code if isinstance(told.code, int) else 1
    finally:
        stop_work()
        env.engine.dispose()
    leave(code)


def _name(settings: Settings, number: int) -> str:
    """What a process of several is called as a worker: no host has such a name, and it is the same at each start."""
    return f"{settings.worker}:{number}"


def _earlier(settings: Settings) -> list[str]:
    """The names of workers that there were with another number of processes, and are not now."""
    count = settings.processes
    names = [_name(settings, number) for number in range(1, MOST_PROCESSES + 1)]
    return names if count == 1 else [settings.worker, *names[count:]]


def _bound(host: str, port: int) -> socket:
    """A socket at an address, on which nobody listens yet; Unavailable if it is taken or not ours."""
    found = socket(AF_INET6 if ":" in host else AF_INET)
    found.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
    try:
        found.bind((host, port))
    except OSError as error:
        found.close()
        raise Unavailable(
            "cannot_listen", address=f"{host}:{port}", reason=error.strerror
        ) from error
    return found


def _log_to_the_terminal() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)


def _demo(env: Environment, folder: Path) -> list[str]:
    """Fill an empty installation; the lines that say what there is to try."""
    with env.reading() as session:
        is_empty = not organizations.every(session)
    if is_empty:
        _load(env, folder)
    with env.writing() as session, session.begin():
        order = TokenOrder(label="demo", expires_in_days=1)
        token = grant_token(env, session, operator(), ISSUER, order).token
        fresh = issue(env, session, _issuer(session), _order(env))
        learner = holder_token(env.link_key, fresh.award.id, fresh.award.link_generation)
        wanted = ShareOrder(label="demo", lasts="month", language="sv")
        shared = share(env, session, learner, wanted)
    name = write_files(fresh, folder)[0]
    kpass = " ".join([*_given(), ".venv/bin/kpass"])
    return [
        "",
        *_links(env),
        "",
        "The learner's page of what was just issued (a private link), and a share link to it:",
        f"  {private_link(env, fresh.award)}",
        f"  {env.addresses.share(code_of(env, shared))}",
        "",
        f"An API token of {ISSUER}, good for a day:",
        f"  {token}",
        "In another terminal: verify what was just issued, revoke it, verify again; issue one more:",
        f"  {kpass} verify {name}",
        f"  {kpass} revoke {fresh.award.id}",
        f"  {kpass} verify {name}",
        f'  {kpass} issue {ISSUER} {DEFINITION} --name "{LEARNER}" --out {folder}',
        "Stop with Ctrl-C.",
    ]


def _given() -> list[str]:
    """The KPASS_* settings of this run, for a terminal that does not have them; never a secret."""
    secret = {"KPASS_KEK", "KPASS_KEK_PREVIOUS", "KPASS_VECTORS", "KPASS_OFFICIAL"}
    return [
        f"{name}={shlex.quote(value)}"
        for name, value in sorted(os.environ.items())
        if name.startswith("KPASS_") and name not in secret
    ]


def _load(env: Environment, folder: Path) -> None:
    total = sum(len(found["organisations"]) + len(found["definitions"]) for found in catalogues())
    with progress("Demo data", total) as shown, env.writing() as session, session.begin():
        loaded = load_demo(env, session, operator(), lambda text: step(shown, text))
    for issued in loaded.issued:
        write_files(issued, folder)


def _issuer(session: Session) -> Actor:
    found = organizations.by_slug(session, ISSUER)
    if found is None:
        raise NotFound("organization", organization=ISSUER)
    return acting_for(found, operator())


def _order(env: Environment) -> IssueOrder:
    owner, _, code = DEFINITION.partition("/")
    return order_for(env, {"owner": owner, "code": code})


def _links(env: Environment) -> list[str]:
    """Every kind of thing that can be looked at, a full URL a line."""
    base = env.addresses.base
    links = [f"{base}/", f"{base}/catalogue?q=fiber", f"{base}/verify", f"{base}/docs"]
    links += [f"{base}/openapi.json"]
    with env.reading() as session:
        for code in FIRST[:1]:
            rows, _ = definitions.search(session, states=("published",), text=code, limit=1)
            for version, line, owner in rows:
                at = env.addresses.definition(owner.slug, line.code, version.version)
                links += [at.page("sv"), at.page("en"), at.badge("sv"), at.document, at.publication]
                links += [
                    at.achievement("sv"),
                    at.achievement("en"),
                    env.addresses.did_document(owner.slug),
                ]
        issuer = organizations.by_slug(session, ISSUER)
        if issuer is not None:
            links += [env.addresses.did_document(issuer.slug)]
            links += [env.addresses.status_list(issuer.slug, "revocation", 1)]
            issued, _ = awards.search(session, organization_id=issuer.id, limit=1)
            for row in issued:
                found = awards.representations(session, award_id=row.id)
                links += [found[0].credential_id]
    links += [f"{base}/.well-known/jwks.json", f"{base}/v1/definitions", f"{base}/v1/organizations"]
    return [*links, f"{base}/readyz"]
