"""Plain builders: organisations, a published definition, an issued credential; defaults for everything."""

import hashlib
import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache

from sqlalchemy.orm import Session

from kpass_vc.actions.change_status import StatusOrder, change_status
from kpass_vc.actions.define import define
from kpass_vc.actions.enrol import EnrolOrder, enrol
from kpass_vc.actions.issue import Issued, IssueOrder, issue
from kpass_vc.actions.publish import publish
from kpass_vc.actions.share import DisputeOrder, ShareOrder, code_of, dispute, share
from kpass_vc.actions.tokens import TokenOrder, grant_token
from kpass_vc.actions.verify import verify
from kpass_vc.authz import OPERATOR, ORGANIZATION, Actor
from kpass_vc.demo import catalogues
from kpass_vc.environment import Environment, open_environment
from kpass_vc.errors import NotFetched
from kpass_vc.fetch import DOCUMENT, Fetched
from kpass_vc.jsonld.contexts import Contexts
from kpass_vc.jsonld.seen import Seen
from kpass_vc.links import holder_token
from kpass_vc.model.dates import STOCKHOLM
from kpass_vc.records import organization as organizations
from kpass_vc.records.award import Award
from kpass_vc.records.definition import Found
from kpass_vc.records.dispute import Dispute
from kpass_vc.records.organization import Organization
from kpass_vc.records.share_link import ShareLink
from kpass_vc.resources import contexts as pinned_contexts
from kpass_vc.settings import Settings
from kpass_vc.verification import VerificationReport

OPERATOR_ACTOR = Actor("test:operator", None, OPERATOR)
LEARNER = "Amina Exempelsson"


class NothingElsewhere:
    """A fetcher that fetches nothing: most tests have no outside."""

    def get(self, url: str, *, accept: str, limit: int = DOCUMENT) -> Fetched:
        raise NotFetched("unreachable", url=url[:300])

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        raise NotFetched("unreachable", url=url[:300])

    def ask(
        self, url: str, body: bytes, headers: Mapping[str, str], *, limit: int = DOCUMENT
    ) -> Fetched:
        raise NotFetched("unreachable", url=url[:300])


class Clock:
    """A clock that stands still until it is set; it starts at the real time, whole seconds.

    Other people's verifiers look at the real clock, so what is issued must be of today. Late in the evening,
    when it is tomorrow in Sweden already, it starts a little earlier: one day is meant by "today".
    """

    def __init__(self) -> None:
        now = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=2)
        while now.astimezone(STOCKHOLM).date() != now.date():
            now -= timedelta(minutes=30)
        self.moment = now

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, **by: float) -> None:
        self.moment += timedelta(**by)


@cache
def _contexts() -> Contexts:
    """What is compiled of the contexts is the same for every test of a process; what was learnt is each one's own."""
    return pinned_contexts()


def open_test_environment(settings: Settings, clock: Clock) -> Environment:
    """The real environment, but for the clock and for entropy that is counted."""
    counter = itertools.count()

    def entropy(length: int) -> bytes:
        seed = f"{settings.keys_dir}{next(counter)}".encode()
        return hashlib.shake_256(seed).digest(length)

    opened = open_environment(settings)
    return replace(
        opened,
        contexts=replace(_contexts(), is_fast=opened.contexts.is_fast, seen=Seen()),
        clock=clock,
        entropy=entropy,
        fetcher=NothingElsewhere(),
        publish_every=timedelta(0),
    )


def actor_of(organization: Organization) -> Actor:
    return Actor(f"test:{organization.slug}", organization.id, ORGANIZATION)


@dataclass
class World:
    """One installation and what is in it."""

    env: Environment
    clock: Clock

    @contextmanager
    def writing(self) -> Iterator[Session]:
        with self.env.writing() as session, session.begin():
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        with self.env.reading() as session:
            yield session

    def organization(self, slug: str = "sobona", **members: object) -> Organization:
        """The organisation of a slug, enrolled if it is not there."""
        with self.writing() as session:
            found = organizations.by_slug(session, slug)
            if found is not None:
                return found
            order = {
                "slug": slug,
                "name": {"sv": f"{slug.title()} (exempel)", "en": f"{slug.title()} (example)"},
                "url": f"https://{slug}.example/",
                "email": f"info@{slug}.example",
            } | members
            return enrol(self.env, session, OPERATOR_ACTOR, EnrolOrder.model_validate(order))

    def token(self, slug: str | None, **order: object) -> str:
        """A new API token of an organisation, or of the operator for None."""
        with self.writing() as session:
            wanted = TokenOrder.model_validate({"label": "test", **order})
            return grant_token(self.env, session, OPERATOR_ACTOR, slug, wanted).token

    def draft(self, **changes: object) -> Found:
        """A draft of SOB-OPTO-01 of the catalogue, with its owner and issuer enrolled."""
        document = definition_document() | changes
        owner = self.organization(str(document["owner"]))
        issuers = document["authorised_issuers"]
        for slug in issuers if isinstance(issuers, list) else []:
            self.organization(slug)
        with self.writing() as session:
            found, _ = define(self.env, session, actor_of(owner), document)
            return found

    def published_definition(self, **changes: object) -> Found:
        """The same, published."""
        version, _, owner = self.draft(**changes)
        with self.writing() as session:
            return publish(self.env, session, actor_of(owner), version.id)

    def issued(self, *, issuer: str = "stadsnat-exempel", **changes: object) -> Issued:
        """A credential of SOB-OPTO-01 for our learner; the definition must be published."""
        order = issue_order() | changes
        organization = self.organization(issuer)
        with self.writing() as session:
            wanted = IssueOrder.model_validate(order)
            return issue(self.env, session, actor_of(organization), wanted)

    def token_of(self, award_id: str) -> str:
        """The token of an award's private link, as the learner has it now."""
        with self.reading() as session:
            award = session.get_one(Award, award_id)
            return holder_token(self.env.link_key, award.id, award.link_generation)

    def shared(self, award_id: str, **order: object) -> ShareLink:
        """A share link of an award."""
        token = self.token_of(award_id)
        wanted = {"label": "Chefen", "lasts": "month", "language": "sv"} | order
        with self.writing() as session:
            made = ShareOrder.model_validate(wanted)
            return share(self.env, session, token, made)

    def code_of(self, link: ShareLink) -> str:
        return code_of(self.env, link)

    def disputed(self, award_id: str, text: str = "Datumet är fel.") -> Dispute:
        """A dispute of an award."""
        token = self.token_of(award_id)
        with self.writing() as session:
            return dispute(self.env, session, token, DisputeOrder(text=text))

    def verified(self, body: bytes) -> VerificationReport:
        return verify(self.env, body)

    def set_status(self, issued: Issued, status: str, reason: str = "issued_in_error") -> None:
        with self.writing() as session:
            actor = Actor("test", issued.award.organization_id, ORGANIZATION)
            order = StatusOrder.model_validate({"status": status, "reason": reason})
            change_status(self.env, session, actor, issued.award.id, order)


def definition_document(code: str = "SOB-OPTO-01") -> dict[str, object]:
    """A definition of the catalogues, as it is imported."""
    for catalogue in catalogues():
        for definition in catalogue["definitions"]:
            if definition["code"] == code:
                return dict(definition)
    raise KeyError(code)


def issue_order() -> dict[str, object]:
    """An order for SOB-OPTO-01."""
    return {
        "definition": "sobona/SOB-OPTO-01",
        "holder": {"name": LEARNER},
        "assessedOn": (datetime.now(UTC) - timedelta(days=4)).date().isoformat(),
    }


def body_of(issued: Issued, language: str = "sv", form: str = "ldp_vc") -> bytes:
    """The bytes of one representation."""
    for representation in issued.representations:
        if (representation.language, representation.format) == (language, form):
            return representation.body
    raise KeyError(language, form)


def failed_checks(report: VerificationReport) -> list[str]:
    """The names of the checks that did not pass, in order."""
    return [finding.check for finding in report.findings if finding.outcome != "passed"]
