"""Check again everything that is stored: credentials, status lists, definitions, the log of what was done.

What stands in the database is held against what was signed, against what the log says that was
done, and against what is published: some awards at a time, so that it takes as little memory for
a million as for one. Nothing is changed, nothing is asked of anybody, and a fault is a finding,
never an error. What an organisation elsewhere has signed is left to `verify`, which fetches its keys.
"""

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from kpass_vc import statuslist
from kpass_vc.actions.fault import Fault, Signatures
from kpass_vc.actions.publish_status import BACKDATED
from kpass_vc.actions.recheck_log import check_chain, check_log
from kpass_vc.authz import Actor, Permission
from kpass_vc.environment import Environment
from kpass_vc.errors import KpassError, NotFound
from kpass_vc.language import LANGUAGES
from kpass_vc.model.dates import local_text, parse_date_time, start_of_day
from kpass_vc.model.document import JsonObject
from kpass_vc.records import audit as audits
from kpass_vc.records import award as awards
from kpass_vc.records import definition as definitions
from kpass_vc.records import delegation as delegations
from kpass_vc.records import organization as organizations
from kpass_vc.records import review as reviews
from kpass_vc.records import status_list as status_lists
from kpass_vc.records import vc_api
from kpass_vc.records.award import Award, Representation
from kpass_vc.records.definition import DefinitionVersion
from kpass_vc.records.organization import Organization
from kpass_vc.records.status_list import StatusList, StatusPublication
from kpass_vc.verification.case import entries, member, text

__all__ = ["Fault", "recheck", "recheck_operator"]

PAGE: Final = 200
_STATES: Final = {f"credential.{state}": state for state in ("revoked", "suspended", "active")}


@dataclass(frozen=True)
class _List:
    """A status list as it is on record."""

    url: str
    bits: bytes

    def get(self, index: int) -> bool:
        return 0 <= index < len(self.bits) * 8 and statuslist.get(self.bits, index)


def recheck(
    env: Environment, session: Session, actor: Actor, slug: str, kept: Sequence[bytes] = ()
) -> Iterator[Fault]:
    """Every fault of an organisation's records, in the order of their finding.

    `session` is one that sees one moment, since others go on meanwhile; `kept` are signed heads of the
    log that were fetched on earlier days and have lain elsewhere. NotFound if it is not the actor's.
    """
    owner = organizations.by_slug(session, slug)
    if actor.organization_id is None:
        actor.require(Permission.ORGANIZATIONS_WRITE)
    else:
        actor.require(Permission.AUDIT_READ)
    if owner is None or actor.organization_id not in {None, owner.id}:
        raise NotFound("organization", organization=slug)
    signatures = Signatures(env, session, owner.id)
    yield from check_log(env, session, owner, kept)
    yield from _definitions(session, owner, signatures)
    lists: dict[str, _List] = {}
    for row, publication in status_lists.every(session, organization_id=owner.id):
        lists[row.id] = _List(row.url, publication.bits)
        yield from _check_list(row, publication, signatures)
    yield from _words(session, owner, signatures, lists)
    for lost in audits.lost_awards(session, organization_id=owner.id):
        yield Fault("award_lost", lost)
    yield from _awards(session, owner, signatures, lists)


def recheck_operator(session: Session, actor: Actor) -> Iterator[Fault]:
    """Every fault in the log of what the operator has done, of which no organisation signs the head."""
    actor.require(Permission.ORGANIZATIONS_WRITE)
    yield from check_chain(session, None, {})


def _definitions(session: Session, owner: Organization, signatures: Signatures) -> Iterator[Fault]:
    """Whether each published document is the one that its owner has signed, by digest."""
    for version in definitions.with_publication(session, organization_id=owner.id):
        url = version.document_url or ""
        word, faults = signatures.check(version.publication or b"", url)
        yield from faults
        bound = {
            text(member(entry, "id")): text(member(entry, "digestSRI"))
            for entry in entries(word.get("relatedResource"))
        }
        for place, body in _published(session, version).items():
            digest = "sha384-" + base64.b64encode(hashlib.sha384(body).digest()).decode()
            if bound.get(place) != digest:
                yield Fault("definition_changed", place)
        if version.digest_sri != bound.get(url):
            yield Fault("definition_digest", url)


def _published(session: Session, version: DefinitionVersion) -> dict[str, bytes]:
    found = {version.document_url or "": version.document or b""}
    for language in LANGUAGES:
        edition = definitions.achievement(
            session, definition_version_id=version.id, language=language
        )
        if edition is not None:
            found[edition.url] = edition.body
    return found


def _check_list(
    row: StatusList, publication: StatusPublication, signatures: Signatures
) -> Iterator[Fault]:
    """Whether both signed forms of a list are its own and have the bits that are on record."""
    signed_at = publication.valid_from + BACKDATED
    for body in (publication.body, publication.body_jwt):
        document, faults = signatures.check(body, row.url, at=signed_at)
        yield from faults
        if not document:
            continue
        if document.get("id") != row.url:
            yield Fault("list_of_another", row.url)
        encoded = text(member(document, "credentialSubject", "encodedList")) or ""
        try:
            if statuslist.decode(encoded) != publication.bits:
                yield Fault("list_bits", row.url)
        except KpassError as error:
            yield Fault("unreadable", row.url, cause=error)


def _words(
    session: Session, owner: Organization, signatures: Signatures, lists: Mapping[str, _List]
) -> Iterator[Fault]:
    """Whether approvals and authorisations were signed, and what was withdrawn shows it.

    A bit that is raised without it is none: a restore raises those that the copy did not know of.
    """
    for review in reviews.signed_by(session, organization_id=owner.id):
        yield from signatures.check(review.endorsement or b"", review.endorsement_url or "")[1]
    for row in delegations.of_organization(session, organization_id=owner.id):
        if row.organization_id != owner.id:
            continue
        for body in (row.body, row.withdrawal):
            if body is not None:
                yield from signatures.check(body, row.url)[1]
        ended = row.state in {"declined", "withdrawn"} and row.status_list_id is not None
        if ended and not _is_raised(lists, row.status_list_id, row.status_index):
            yield Fault("status_bit", row.url, (("state", row.state),))
    for issued in vc_api.revoked(session, organization_id=owner.id):
        if not _is_raised(lists, issued.status_list_id, issued.status_index):
            yield Fault("status_bit", issued.id, (("state", "revoked"),))


def _is_raised(lists: Mapping[str, _List], list_id: str | None, index: int | None) -> bool:
    found = lists.get(list_id or "")
    return found is not None and index is not None and found.get(index)


def _awards(
    session: Session, owner: Organization, signatures: Signatures, lists: Mapping[str, _List]
) -> Iterator[Fault]:
    """Whether each award is what its credentials say, what its bit says and what the log says."""
    last = ""
    while page := awards.after(session, organization_id=owner.id, award_id=last, limit=PAGE):
        ids = [award.id for award in page]
        done = audits.of_subjects(session, organization_id=owner.id, subjects=ids)
        forms = awards.forms(session, award_ids=ids)
        urls = definitions.urls(session, ids={award.definition_version_id for award in page})
        for award in page:
            yield from _logged(award, done.get(award.id, []))
            url = urls.get(award.definition_version_id)
            yield from _award(award, forms.get(award.id, []), lists, signatures, url)
        last = ids[-1]
        session.expunge_all()


def _logged(award: Award, done: Sequence[str]) -> Iterator[Fault]:
    """Whether the log knows that it was issued, erased, and what became of it.

    Revoked without it is none: a restore revokes what was revoked after the copy was made.
    """
    if "credential.issued" not in done:
        yield Fault("not_logged", award.id)
    said = next((_STATES[action] for action in reversed(done) if action in _STATES), "active")
    if award.state not in {said, "revoked"}:
        yield Fault("other_state", award.id, (("state", award.state), ("said", said)))
    if (award.erased_at is not None) != ("credential.erased" in done):
        yield Fault("erased", award.id)


def _award(
    award: Award,
    forms: Sequence[Representation],
    lists: Mapping[str, _List],
    signatures: Signatures,
    definition: str | None,
) -> Iterator[Fault]:
    status_list = lists.get(award.status_list_id)
    if status_list is None:
        yield Fault("list_lost", award.id)
        return
    if status_list.get(award.status_index) != (award.state in {"revoked", "suspended"}):
        yield Fault("status_bit", award.id, (("state", award.state),))
    if not forms:
        yield Fault("body_lost", award.id)
    for row in forms:
        name = f"{award.id} {row.language} {row.format}"
        if award.erased_at is None:
            yield from _form(award, row, name, status_list.url, signatures, definition)
        elif row.body:
            yield Fault("body_kept", name)


def _form(
    award: Award,
    row: Representation,
    name: str,
    list_url: str,
    signatures: Signatures,
    definition: str | None,
) -> Iterator[Fault]:
    """Whether a form is the one that was stored, signed, and of this award."""
    if hashlib.sha256(row.body).hexdigest() != row.sha256:
        yield Fault("body_changed", name)
    document, faults = signatures.check(row.body, name)
    yield from faults
    if not document:
        return
    index = text(member(document, "credentialStatus", "statusListIndex"))
    place = text(member(document, "credentialStatus", "statusListCredential"))
    own = (row.credential_id, str(award.status_index), list_url)
    if (document.get("id"), index, place) != own:
        yield Fault("body_of_another", name)
        return
    for field in _differing(award, document, definition):
        yield Fault("record_differs", name, (("field", field),))


def _differing(award: Award, document: JsonObject, definition: str | None) -> Iterator[str]:
    """What a credential says otherwise than the record of it."""
    names = [
        text(member(entry, "identityHash"))
        for entry in entries(member(document, "credentialSubject", "identifier"))
        if member(entry, "identityType") == "name"
    ]
    ends = text(document.get("validUntil"))
    said = {
        "credentialSubject/id": (member(document, "credentialSubject", "id"), award.holder_id),
        "credentialSubject/identifier": (names, [award.holder_name] if award.holder_name else []),
        "awardedDate": (
            document.get("awardedDate"),
            local_text(start_of_day(award.assessed_on)),
        ),
        "validUntil": (parse_date_time(ends) if ends else None, award.valid_until),
        "relatedResource": (member(document, "relatedResource", "id"), definition),
    }
    for field, (signed, recorded) in said.items():
        if signed != recorded:
            yield f"/{field}"
