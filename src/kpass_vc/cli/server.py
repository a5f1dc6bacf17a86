"""`kpass serve`: the API and the pages, with a list of links to try."""

import logging
import os
import shlex
import sys
from pathlib import Path
from socket import socket
from typing import Final

import uvicorn
from sqlalchemy.orm import Session

from kpass_vc.actions.initialise import initialise
from kpass_vc.actions.issue import IssueOrder, issue
from kpass_vc.actions.load_demo import FIRST, LEARNER, acting_for, load_demo, order_for
from kpass_vc.actions.share import ShareOrder, code_of, private_link, share
from kpass_vc.actions.tokens import TokenOrder, grant_token
from kpass_vc.app import create_app
from kpass_vc.authz import Actor
from kpass_vc.cli.console import operator, progress, say_line, step
from kpass_vc.cli.files import write_files
from kpass_vc.demo import catalogues
from kpass_vc.environment import Environment, open_environment
from kpass_vc.errors import NotFound
from kpass_vc.links import holder_token
from kpass_vc.records import award as awards
from kpass_vc.records import definition as definitions
from kpass_vc.records import organization as organizations
from kpass_vc.settings import Settings
from kpass_vc.workflows import start_work, stop_work

ISSUER: Final = "stadsnat-exempel"
DEFINITION: Final = "sobona/SOB-OPTO-01"


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
    """Serve until told to stop."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    if demo:
        initialise(settings)
    env = open_environment(settings)
    lines = [f"Kompetenspasset VC serves on {env.addresses.base}/"]
    if demo:
        lines += _demo(env, Path("var/demo"))
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
    start_work(env, settings.worker)
    try:
        _Server(config, lines).run()
    finally:
        stop_work()


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
