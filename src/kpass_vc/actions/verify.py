"""Gather the evidence about a secured credential, and run the checks.

Our own DIDs, lists and definitions are answered from our own records, so that
a revocation shows at once and nothing is asked of anybody. What lies elsewhere
is fetched, first the issuer's DID document and only when the proof holds under
it the rest: junk makes us call nobody but its issuer. What could not be had
is missing from the evidence with the reason, and what depends on it is unknown.

No database session is held while something is fetched: a slow host must not
keep others from their turn.
"""

import time
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date, datetime
from threading import BoundedSemaphore
from typing import Final

from sqlalchemy.orm import Session

from kpass_vc.actions.publish_status import current, is_ageing
from kpass_vc.compose.authorization import withdrawal_url
from kpass_vc.dids import method_of
from kpass_vc.dids.web import did_document
from kpass_vc.environment import Environment
from kpass_vc.errors import KpassError, Malformed, NotFetched
from kpass_vc.fetch import DOCUMENT, PICTURE
from kpass_vc.model.dates import STOCKHOLM
from kpass_vc.model.document import JsonObject, read_json
from kpass_vc.records import award as awards
from kpass_vc.records import definition as definitions
from kpass_vc.records import delegation as delegations
from kpass_vc.records import key as keys
from kpass_vc.records import organization as organizations
from kpass_vc.records import review as reviews
from kpass_vc.records import status_list as lists
from kpass_vc.records.award import Award
from kpass_vc.records.key import SigningKey
from kpass_vc.verification import (
    BADGE,
    STANDARD,
    Evidence,
    Finding,
    PresentationReport,
    Profile,
    VerificationReport,
    Wanted,
    confirmed_by,
    judge,
    receive,
    stands_under,
    wanted,
    wanted_by,
    wanted_by_presentation,
)
from kpass_vc.verification import verify_presentation as judge_presentation

SECONDS: Final = 10.0
"""After so long nothing more is fetched for one credential; what is under way has its own bound."""
MOST_DIDS: Final = 6
MOST_LISTS: Final = 2
MOST_RESOURCES: Final = 4

_LOOKING: Final = BoundedSemaphore(8)
"""So many look into our records at a time: who finds a list to sign anew takes a second connection for it."""

_DID_DOCUMENT: Final = "application/did+json, application/did+ld+json, application/json"
_STATUS_LIST: Final = "application/vc+ld+json, application/vc, application/vc+jwt;q=0.9, */*;q=0.1"


def verify(env: Environment, body: bytes, profile: Profile = BADGE) -> VerificationReport:
    """The report on a secured credential. Raises for nothing that it may hold; stores nothing."""
    return verify_by_evidence(env, body, profile)[0]


def verify_by_evidence(
    env: Environment, body: bytes, profile: Profile = BADGE
) -> tuple[VerificationReport, Evidence]:
    """The report, and the evidence that it was judged by, for who judges it by other rules as well."""
    presented = receive(body)
    want = wanted_by(presented, profile)
    evidence, elsewhere = _first_evidence(env, want)
    report = judge(presented, evidence, profile)
    if not _holds(report.findings):
        return report, evidence
    more = _with_owners_words(env, elsewhere, _with_documents(elsewhere, evidence, want), want)
    more = _with_confirmations(elsewhere, more, want)
    if more is evidence:
        return report, evidence
    report = judge(presented, more, profile)
    if any(found.code == "withdrawn_undated" for found in report.findings):
        more = _with_withdrawals(elsewhere, more, want)
        report = judge(presented, more, profile)
    return report, more


def verify_presentation(
    env: Environment,
    body: bytes,
    *,
    challenge: str | None = None,
    domain: str | None = None,
    profile: Profile = STANDARD,
) -> PresentationReport:
    """The report on a secured presentation and all that is in it; as `verify` otherwise."""
    want = wanted_by_presentation(body, profile)
    evidence, elsewhere = _first_evidence(env, want)

    def judged(by: Evidence) -> PresentationReport:
        return judge_presentation(body, by, challenge=challenge, domain=domain, profile=profile)

    report = judged(evidence)
    if not _holds(report.findings):
        return report
    more = _with_documents(elsewhere, evidence, want)
    return report if more is evidence else judged(more)


def _first_evidence(env: Environment, want: Wanted) -> "tuple[Evidence, _Elsewhere]":
    """What our records say, and the DID documents that lie elsewhere."""
    with _LOOKING, env.reading() as session:
        evidence = gather(env, session, want)
    elsewhere = _Elsewhere(env)
    for did in want.dids[:MOST_DIDS]:
        if did not in evidence.did_documents:
            evidence = _with_did_document(elsewhere, evidence, did)
    return evidence, elsewhere


def gather(env: Environment, session: Session, want: Wanted) -> Evidence:
    """What our records say about the DIDs and URLs that a credential names."""
    resources: dict[str, bytes] = {}
    states: dict[str, str] = {}
    authorised: dict[str, frozenset[str]] = {}
    overdue: dict[str, date] = {}
    reviewed: dict[str, tuple[str, ...]] = {}
    resources |= definitions.editions(session, want.resources)
    for url, found in definitions.by_document_urls(session, want.resources).items():
        if found[0].document is not None:
            resources[url] = found[0].document
            states[url] = found[0].state
            ids = organizations.ids(session, slugs=found[0].authorised_issuers)
            # of an owner elsewhere our records name who has taken it in, which is not the owner's word;
            # what it issues of its own it signs itself
            elsewhere = found[2].is_elsewhere
            authorised[url] = (
                frozenset({found[2].did}) if elsewhere else keys.dids(session, organization_ids=ids)
            )
            due = found[0].review_due
            if due is not None and due < env.now().astimezone(STOCKHOLM).date():
                overdue[url] = due
            reviewed[url] = reviews.approvers(session, definition_version_id=found[0].id)
    granted = delegations.by_urls(session, want.authorizations)
    words = [granted[url] for url in want.authorizations if url in granted]
    words = [row for row in words if row.body is not None]
    owners = [organizations.by_id(session, row.organization_id) for row in words]
    if any(each is None or each.is_elsewhere for each in owners):
        words, owners = [], []  # its owner may have withdrawn it there: it is asked
    dids = [*want.dids, *(each.did for each in owners if each is not None)]
    owners_lists = lists.urls(
        session, ids=[row.status_list_id for row in words if row.status_list_id]
    )
    signing_keys = keys.of_dids(session, dids=dids)
    return Evidence(
        now=env.now(),
        contexts=env.contexts,
        home=env.addresses.base,
        did_documents=_own_did_documents(session, signing_keys),
        withdrawn_keys={
            key.verification_method: key.compromised_at
            for found_keys in signing_keys.values()
            for key in found_keys
            if key.state == "compromised" and key.compromised_at is not None
        },
        status_lists=_own_status_lists(env, session, [*want.status_lists, *owners_lists]),
        resources=resources,
        definition_states=states,
        authorised=authorised,
        authorizations={row.url: row.body for row in words if row.body is not None},
        withdrawals={row.url: row.withdrawal for row in words if row.withdrawal is not None},
        vocabulary=env.vocabulary,
        review_due=overdue,
        reviewed=reviewed,
        confirmed=organizations.confirmed(session, dids=dids),
        known_lists=env.known_lists,
        parts={
            each: _state(known[0], env.now())
            for each in want.parts
            if (known := awards.by_credential_id(session, each)) is not None
        },
    )


def _state(award: Award, now: datetime) -> str:
    ended = award.valid_until is not None and award.valid_until <= now
    return "expired" if award.state == "active" and ended else award.state


def find_did_document(env: Environment, did: str) -> JsonObject:
    """The document of a DID, ours from our records; NotFetched or Malformed if it cannot be had."""
    method = method_of(did)
    if method.address(did) is None:
        return method.document(did, None)
    evidence, _ = _first_evidence(env, Wanted(dids=(did,)))
    if did in evidence.missing:
        raise evidence.missing[did]
    return method.document(did, evidence.did_documents.get(did))


def own_did_document(session: Session, did: str) -> JsonObject | None:
    """The document of a DID that an organisation here signs as or has signed as, or None.

    A domain that is only prepared may be anybody's: its document is the one that lies there.
    """
    return _own_did_documents(session, keys.of_dids(session, dids=[did])).get(did)


def _own_did_documents(
    session: Session, signing_keys: Mapping[str, list[SigningKey]]
) -> dict[str, JsonObject]:
    """The documents of DIDs, by all keys of each."""
    documents: dict[str, JsonObject] = {}
    for did, found in signing_keys.items():
        signers = {key.organization_id for key in found if key.state != "pending"}
        owner = keys.owner(session, did=did) if len(signers) > 1 else next(iter(signers), None)
        published = keys.in_document(found, organization_id=owner) if owner else []
        if published:
            documents[did] = did_document(did, [key.public_key for key in published])
    return documents


def _own_status_lists(
    env: Environment, session: Session, urls: Collection[str]
) -> dict[str, bytes]:
    """The lists of ours that lie at these addresses, signed anew where they are ageing."""
    now = env.now()
    return {
        status_list.url: current(env, session, status_list).body if is_ageing(until, now) else body
        for status_list, body, until in lists.signed(session, urls)
    }


class _Elsewhere:
    """What others serve, as long as there is time; never an address of our own."""

    def __init__(self, env: Environment) -> None:
        self._fetcher = env.fetcher
        self._home = f"{env.addresses.base}/"
        self._ends = time.monotonic() + SECONDS

    def is_ours(self, url: str) -> bool:
        """Whether it stands under our own address, however it is spelled: what we lack there is not there."""
        return stands_under(url, self._home)

    def get(self, url: str, accept: str, limit: int) -> bytes:
        """The bytes at an https address; NotFetched says why not."""
        if time.monotonic() > self._ends:
            raise NotFetched("too_slow", url=url[:300], seconds=SECONDS)
        return self._fetcher.get(url, accept=accept, limit=limit).body


def _with_owners_words(
    env: Environment, elsewhere: _Elsewhere, evidence: Evidence, want: Wanted
) -> Evidence:
    """The evidence with what a definition's owner says elsewhere: its publication and its authorisations.

    And with what it takes to believe them: the owner's DID document and status lists. The same if there is none.
    """
    missing: dict[str, KpassError] = {}
    published = [url for url in want.owners if url not in evidence.resources]
    if any(url in evidence.resources for url in want.owners):
        published = []
    fetched = _got(elsewhere, tuple(published), evidence.fetched, "*/*", missing)
    words = _got(elsewhere, want.authorizations, evidence.authorizations, _STATUS_LIST, missing)
    if not fetched and not words and not missing:
        return evidence
    signed = [*words.values(), *(fetched[url] for url in published[1:] if url in fetched)]
    wants = [wanted(body, STANDARD) for body in signed]
    dids = tuple(dict.fromkeys(did for each in wants for did in each.dids))[:MOST_DIDS]
    lists_named = tuple(dict.fromkeys(url for each in wants for url in each.status_lists))
    with _LOOKING, env.reading() as session:
        ours = gather(env, session, Wanted(dids=dids, status_lists=lists_named))
    more = replace(
        evidence,
        fetched={**evidence.fetched, **fetched},
        authorizations={**evidence.authorizations, **words},
        did_documents={**ours.did_documents, **evidence.did_documents},
        withdrawn_keys={**ours.withdrawn_keys, **evidence.withdrawn_keys},
        status_lists={**ours.status_lists, **evidence.status_lists},
        missing={**evidence.missing, **missing},
    )
    for did in dids:
        if did not in more.did_documents and did not in more.missing:
            more = _with_did_document(elsewhere, more, did)
    late: dict[str, KpassError] = {}
    found = _got(elsewhere, lists_named[:MOST_LISTS], more.status_lists, _STATUS_LIST, late)
    return replace(
        more,
        status_lists={**more.status_lists, **found},
        missing={**more.missing, **late},
    )


def _with_withdrawals(elsewhere: _Elsewhere, evidence: Evidence, want: Wanted) -> Evidence:
    """The evidence with the dated notices that authorisations from elsewhere were withdrawn by."""
    missing: dict[str, KpassError] = {}
    places = {withdrawal_url(url): url for url in want.authorizations}
    found = _got(elsewhere, tuple(places), {}, _STATUS_LIST, missing)
    notices = {places[place]: body for place, body in found.items()}
    return replace(
        evidence,
        withdrawals={**evidence.withdrawals, **notices},
        missing={**evidence.missing, **missing},
    )


def _with_confirmations(elsewhere: _Elsewhere, evidence: Evidence, want: Wanted) -> Evidence:
    """The evidence with whom the operator of the issuer's service has confirmed; the same where that says nothing.

    Nothing is decided by it, so that what cannot be had is not missed.
    """
    operator = want.operator
    try:
        place = confirmed_by(operator) if operator else None
    except Malformed:
        return evidence
    if operator is None or place is None or elsewhere.is_ours(place):
        return evidence
    found = _got(elsewhere, (place,), {}, _STATUS_LIST, {})
    if place not in found:
        return evidence
    more = replace(evidence, confirmations={operator: found[place]})
    return more if operator in more.did_documents else _with_did_document(elsewhere, more, operator)


def _with_did_document(elsewhere: _Elsewhere, evidence: Evidence, did: str) -> Evidence:
    try:
        address = method_of(did).address(did) if did.startswith("did:") else None
    except Malformed:
        return evidence
    if address is None or elsewhere.is_ours(address):
        return evidence
    try:
        document = read_json(elsewhere.get(address, _DID_DOCUMENT, DOCUMENT))
    except (NotFetched, Malformed) as error:
        return replace(evidence, missing={**evidence.missing, did: error})
    return replace(evidence, did_documents={**evidence.did_documents, did: document})


def _with_documents(elsewhere: _Elsewhere, evidence: Evidence, want: Wanted) -> Evidence:
    """The evidence with the status lists and bound documents that lie elsewhere; the same if there are none."""
    missing: dict[str, KpassError] = {}
    lists_found = _got(
        elsewhere, want.status_lists[:MOST_LISTS], evidence.status_lists, _STATUS_LIST, missing
    )
    fetched = _got(elsewhere, want.related[:MOST_RESOURCES], evidence.resources, "*/*", missing)
    if not lists_found and not fetched and not missing:
        return evidence
    return replace(
        evidence,
        status_lists={**evidence.status_lists, **lists_found},
        fetched=fetched,
        missing={**evidence.missing, **missing},
    )


def _got(
    elsewhere: _Elsewhere,
    urls: tuple[str, ...],
    had: Mapping[str, bytes],
    accept: str,
    missing: dict[str, KpassError],
) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for url in urls:
        if url in had or elsewhere.is_ours(url):
            continue
        try:
            found[url] = elsewhere.get(url, accept, PICTURE)
        except NotFetched as error:
            missing[url] = error
    return found


def _holds(findings: tuple[Finding, ...]) -> bool:
    """Whether the proof holds, and so the issuer itself names what there is to fetch."""
    return any(found.check == "proof" and found.outcome == "passed" for found in findings)
