"""`kpass demo`: the whole story in a temporary installation of its own.

Twenty-three micromerits at Skellefteå Kraft and the merit they add up to, one
learner, verify, revoke, verify.
"""

import tempfile
from typing import Any

from kpass_vc.actions.change_status import StatusOrder, change_status
from kpass_vc.actions.initialise import initialise
from kpass_vc.actions.issue import Issued, issue
from kpass_vc.actions.load_demo import LEARNER, acting_for, load_demo, order_for
from kpass_vc.actions.verify import verify
from kpass_vc.cli.console import (
    CHOICE,
    answer,
    operator,
    progress,
    report_table,
    say_line,
    step,
    table,
)
from kpass_vc.demo import catalogues
from kpass_vc.environment import Environment, open_environment
from kpass_vc.language import say
from kpass_vc.records import organization as organizations
from kpass_vc.records.organization import Organization
from kpass_vc.settings import Settings
from kpass_vc.verification import VerificationReport

CATALOGUE = "skelleftea_kraft"
OWNER = "skelleftea-kraft"


def play() -> None:
    """Play it, and leave nothing behind."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.read(
            {
                "KPASS_DATABASE_URL": f"sqlite:///{folder}/kpass.db",
                "KPASS_KEYS_DIR": f"{folder}/keys",
                "KPASS_KEK_FILE": f"{folder}/kek",
                "KPASS_PUBLIC_URL": "https://mikromerit.example",
            }
        )
        initialise(settings)
        env = open_environment(settings)
        try:
            _tell(env)
        finally:
            env.engine.dispose()


def _tell(env: Environment) -> None:
    documents = next(found for found in catalogues() if found["pilot"]["id"] == CATALOGUE)[
        "definitions"
    ]
    title = say(CHOICE.language, "story.publishing")
    with progress(title, len(documents) + 2) as shown, env.writing() as session, session.begin():
        load_demo(env, session, operator(), lambda text: step(shown, text), catalogue=CATALOGUE)
        owner = organizations.by_slug(session, OWNER)
    if owner is None:
        return
    parts = [
        document for document in documents if document["credential_kind"] == "micro_credential"
    ]
    issued = _issue(env, owner, parts)
    reports = _verify(env, issued)
    chosen = len(issued) - 1
    actor = acting_for(owner, operator())
    with env.writing() as session, session.begin():
        order = StatusOrder(status="revoked", reason="assessment_annulled")
        change_status(env, session, actor, issued[chosen].award.id, order)
    after = _verify(env, issued)
    _report(owner, parts, issued, reports, after, chosen)


def _issue(env: Environment, owner: Organization, parts: list[dict[str, Any]]) -> list[Issued]:
    actor = acting_for(owner, operator())
    made: list[Issued] = []
    with progress(say(CHOICE.language, "story.issuing"), len(parts)) as shown:
        for document in parts:
            with env.writing() as session, session.begin():
                made.append(issue(env, session, actor, order_for(env, document)))
            step(shown, document["code"])
    return made


def _verify(env: Environment, issued: list[Issued]) -> list[VerificationReport]:
    return [verify(env, one.representations[0].body) for one in issued]


def _report(
    owner: Organization,
    parts: list[dict[str, Any]],
    issued: list[Issued],
    before: list[VerificationReport],
    after: list[VerificationReport],
    chosen: int,
) -> None:
    language = CHOICE.language
    rows = [
        [document["code"], document["title"][language], first.verdict, second.verdict]
        for document, first, second in zip(parts, before, after, strict=True)
    ]
    if CHOICE.as_json:
        names = ["code", "title", "before", "after"]
        answer(
            {
                "issuer": owner.did,
                "learner": LEARNER,
                "representations": sum(len(one.representations) for one in issued),
                "credentials": [dict(zip(names, row, strict=True)) for row in rows],
                "revoked": parts[chosen]["code"],
            }
        )
        return
    say_line(
        say(language, "story.who", owner=owner.name(language), learner=LEARNER, did=owner.did),
        "bold",
    )
    headings = ["code", "name", "before", "after"]
    table(
        say(language, "story.title", count=len(issued)),
        [say(language, f"story.{heading}") for heading in headings],
        [[*row[:2], *(say(language, f"story.{verdict}") for verdict in row[2:])] for row in rows],
    )
    say_line(say(language, "story.revoked", code=parts[chosen]["code"]), "bold")
    report_table(after[chosen], say(language, f"verdict.{after[chosen].verdict}"))
