"""Check again everything that is stored: credentials, status bits, definitions, the chain of what was done.

What stands in the database is held against what was signed and against what is published,
an award at a time, so that it takes as little memory for a million as for one. Nothing is
changed and nothing raises: a fault is a finding.
"""

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from kpass_vc import statuslist
from kpass_vc.actions.chain import START, entry_hash
from kpass_vc.actions.verify import gather
from kpass_vc.authz import Actor, Permission
from kpass_vc.environment import Environment
from kpass_vc.errors import KpassError, Malformed
from kpass_vc.formats import read
from kpass_vc.language import Language, say
from kpass_vc.model.dates import parse_date_time
from kpass_vc.model.document import JsonObject, read_json
from kpass_vc.model.status import only
from kpass_vc.records import audit as audits
from kpass_vc.records import award as awards
from kpass_vc.records import definition as definitions
from kpass_vc.records import key as keys
from kpass_vc.records import organization as organizations
from kpass_vc.records import status_list as status_lists
from kpass_vc.records.award import Award, Representation
from kpass_vc.records.organization import Organization
from kpass_vc.verification import BADGE, verify, wanted
from kpass_vc.verification.case import entries, member, text

_SIGNED: Final = ("contexts", "structure", "terms", "reading", "did", "proof")
_LEEWAY: Final = timedelta(seconds=2)
PAGE: Final = 200


@dataclass(frozen=True)
class Fault:
    """Something that is not as it was written: what kind, and of what."""

    kind: str
    subject: str
    data: tuple[tuple[str, object], ...] = ()

    def sentence(self, language: Language) -> str:
        """What is wrong, for a person."""
        return say(language, f"recheck.{self.kind}", subject=self.subject, **dict(self.data))


def recheck(env: Environment, session: Session, actor: Actor, slug: str) -> Iterator[Fault]:
    """Every fault of an organisation's records, in the order of their finding."""
    owner = organizations.by_slug(session, slug)
    if actor.organization_id is None:
        actor.require(Permission.ORGANIZATIONS_WRITE)
    else:
        actor.require(Permission.AUDIT_READ)
        if owner is None or owner.id != actor.organization_id:
            return
    if owner is None:
        return
    yield from check_chain(session, owner)
    yield from _definitions(session, owner)
    bits: dict[str, bytes] = {}
    for row, publication in status_lists.every(session, organization_id=owner.id):
        bits[row.id] = publication.bits
        yield from _list(row.url, publication.body, publication.bits)
    offset = 0
    while True:
        page, total = awards.search(session, organization_id=owner.id, limit=PAGE, offset=offset)
        for award in page:
            yield from _award(env, session, award, bits)
        session.expunge_all()
        offset += PAGE
        if offset >= total:
            return


def check_chain(session: Session, owner: Organization) -> Iterator[Fault]:
    """Whether every entry follows the one before it, and the chain ends where it is said and signed to end."""
    held = audits.chain(session, organization_id=owner.id)
    head, number = START, 0
    signed = audits.last_head(session, organization_id=owner.id)
    seen_signed = signed is None
    for entry in audits.every(session, organization_id=owner.id):
        number += 1
        if entry.number != number:
            yield Fault("chain_gap", str(number))
            return
        head = entry_hash(head, number, entry)
        if head != entry.entry_hash:
            yield Fault("chain_changed", str(number))
            return
        if signed is not None and number == signed.length:
            seen_signed = True
            if head != signed.head or _said(signed.body) != (signed.length, signed.head):
                yield Fault("chain_head", str(number))
    if held is not None and (held.length, held.head) != (number, head):
        yield Fault("chain_end", str(number), (("length", held.length),))
    if not seen_signed and signed is not None:
        yield Fault("chain_cut", str(number), (("length", signed.length),))


def _said(body: bytes) -> tuple[object, object]:
    subject = only(read_json(body).get("credentialSubject"))
    if not isinstance(subject, dict):
        return None, None
    found = {name.rpartition("#")[2]: value for name, value in subject.items()}
    return found.get("auditLength"), found.get("auditHead")


def _definitions(session: Session, owner: Organization) -> Iterator[Fault]:
    """Whether each published document is the one that its owner signed by digest."""
    for version in definitions.hold_published(session, organization_id=owner.id):
        url = version.document_url or ""
        word = read_json(version.publication or b"{}")
        bound = {
            str(member(entry, "id")): str(member(entry, "digestSRI"))
            for entry in entries(word.get("relatedResource"))
        }
        stored = {url: version.document or b""}
        for language in ("sv", "en"):
            edition = definitions.achievement(
                session, definition_version_id=version.id, language=language
            )
            if edition is not None:
                stored[edition.url] = edition.body
        for place, body in stored.items():
            digest = "sha384-" + base64.b64encode(hashlib.sha384(body).digest()).decode()
            if bound.get(place) != digest:
                yield Fault("definition_changed", place)
        if version.digest_sri != bound.get(url):
            yield Fault("definition_digest", url)


def _list(url: str, body: bytes, bits: bytes) -> Iterator[Fault]:
    try:
        document = read(body).document
        encoded = text(member(document, "credentialSubject", "encodedList")) or ""
        if statuslist.decode(encoded) != bits:
            yield Fault("list_bits", url)
    except KpassError:
        yield Fault("list_unreadable", url)


def _award(
    env: Environment, session: Session, award: Award, bits: dict[str, bytes]
) -> Iterator[Fault]:
    raised = statuslist.get(bits[award.status_list_id], award.status_index)
    if raised != (award.state in {"revoked", "suspended"}):
        yield Fault("status_bit", award.id, (("state", award.state),))
    for row in awards.representations(session, award_id=award.id) if not award.erased_at else []:
        yield from _representation(env, session, award, row)


def _representation(
    env: Environment, session: Session, award: Award, row: Representation
) -> Iterator[Fault]:
    name = f"{award.id} {row.language} {row.format}"
    if hashlib.sha256(row.body).hexdigest() != row.sha256:
        yield Fault("body_changed", name)
        return
    try:
        document = read(row.body).document
    except Malformed:
        yield Fault("body_unreadable", name)
        return
    index = text(member(document, "credentialStatus", "statusListIndex"))
    if document.get("id") != row.credential_id or index != str(award.status_index):
        yield Fault("body_of_another", name)
        return
    evidence = gather(env, session, wanted(row.body, BADGE))
    report = verify(row.body, evidence, BADGE)
    bad = [
        found
        for found in report.findings
        if found.check in {"parsed", *_SIGNED} and found.outcome == "failed"
    ]
    if bad:
        yield Fault("signature", name, (("reason", bad[0].sentence("sv")),))
    yield from _period(session, row, document, name)


def _period(
    session: Session, row: Representation, document: JsonObject, name: str
) -> Iterator[Fault]:
    """Whether it was signed while its key signed."""
    key = keys.by_method(session, verification_method=row.verification_method)
    if key is None:
        yield Fault("key_unknown", name, (("key", row.verification_method),))
        return
    moment = _signed_at(row, document)
    if moment is None:
        return
    ended = key.compromised_at or key.active_until
    late = ended is not None and moment > ended + _LEEWAY
    if moment < key.active_from - _LEEWAY or late:
        yield Fault("key_period", name, (("key", row.verification_method),))


def _signed_at(row: Representation, document: JsonObject) -> datetime | None:
    """When a form says that it was signed: by its proof, or by the time it is valid from."""
    found = text(document.get("validFrom"))
    if row.format == "ldp_vc":
        found = text(member(json.loads(row.body), "proof", "created"))
    return parse_date_time(found) if found else None
