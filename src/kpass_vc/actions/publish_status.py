"""Sign the current bits of a status list, in both its forms.

A list is signed when it is made, at every change, and by the read that finds
more than half of its validity gone: a short validity would turn every
credential "unknown" in an outage. Changes of one transaction may be `coalescing`:
then each list is signed once, before the commit, with all of them.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, SessionTransaction

from kpass_vc import statuslist
from kpass_vc.actions.sign import signing_with
from kpass_vc.crypto.jose import compact_jws
from kpass_vc.crypto.keys import Algorithm
from kpass_vc.environment import Environment
from kpass_vc.errors import Conflict, NotFound, Unavailable
from kpass_vc.formats.list_series import secure_list
from kpass_vc.jsonld.contexts import CREDENTIALS_V2
from kpass_vc.model.dates import utc_text
from kpass_vc.model.document import JsonObject
from kpass_vc.records import organization as organizations
from kpass_vc.records import status_list as status_lists
from kpass_vc.records.base import note_mark
from kpass_vc.records.organization import Organization
from kpass_vc.records.service import the_service
from kpass_vc.records.status_list import StatusList, StatusPublication

VALID_FOR: Final = timedelta(days=30)
FINAL: Final = timedelta(days=36_525)
"""A hundred years, once the service has ended: nobody will sign it again."""
BACKDATED: Final = timedelta(minutes=1)
"""A verifier whose clock is a little behind ours must not find the list not yet valid."""
_CHANGES: Final = "kpass_changes"
"""Where a session keeps the bits that are to be set."""


def open_list(
    env: Environment,
    session: Session,
    organization: Organization,
    purpose: str,
    issuer: str | None = None,
) -> StatusList:
    """The list that is being filled for a purpose; the first one is made when it is first asked for.

    Of the organisation's DID, or of another one that it signs as.
    """
    did = issuer or organization.did
    found = status_lists.newest(
        session, organization_id=organization.id, purpose=purpose, issuer=did
    )
    if found is not None:
        return found
    last = status_lists.newest(session, organization_id=organization.id, purpose=purpose)
    number = last.number + 1 if last else 1
    return make_list(env, session, organization, purpose, number=number, issuer=did)


def make_list(
    env: Environment,
    session: Session,
    organization: Organization,
    purpose: str,
    *,
    number: int,
    issuer: str,
) -> StatusList:
    """A new list of full size; if another transaction has just made it, that one."""
    service = the_service(session)
    number = max(number, service.lists_from if service else 0)
    row = StatusList(
        id=env.new_id(),
        organization_id=organization.id,
        issuer=issuer,
        purpose=purpose,
        number=number,
        url=env.addresses.status_list(organization.slug, purpose, number),
        size=statuslist.SIZE,
        used=0,
        permutation_key=env.entropy(32),
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        existing = status_lists.by_url(session, row.url)
        if existing is None:
            raise
        if existing.issuer != row.issuer:  # the organisation is moving to another DID just now
            return make_list(env, session, organization, purpose, number=number + 1, issuer=issuer)
        return existing
    publication = StatusPublication(status_list_id=row.id, bits=statuslist.empty(), version=0)
    sign_list(env, session, row, organization, publication)
    session.add(publication)
    session.flush()
    return row


def next_index(
    env: Environment,
    session: Session,
    organization: Organization,
    purpose: str,
    issuer: str | None = None,
) -> tuple[StatusList, int]:
    """A list and an index in it that was never given out before; a new list when one is full."""
    require_not_behind(env, session)
    did = issuer or organization.did
    current = open_list(env, session, organization, purpose, did)
    while (counter := status_lists.take(session, current)) is None:
        newest = (
            status_lists.newest(
                session, organization_id=organization.id, purpose=purpose, issuer=did
            )
            or current
        )
        full = newest.number == current.number
        current = (
            make_list(env, session, organization, purpose, number=newest.number + 1, issuer=did)
            if full
            else newest
        )
    note_mark(session, current.url, 0, counter + 1)
    return current, statuslist.nth_index(counter, current.permutation_key, current.size)


_NOT_FOR_LONG: Final = text("SET LOCAL lock_timeout = '2s'")


def next_indexes(
    env: Environment, session: Session, organization: Organization, purpose: str, count: int
) -> list[tuple[StatusList, int]]:
    """So many lists and indexes in them that were never given out before; new lists when one is full.

    On PostgreSQL they are given out in a transaction of their own, which ends here: other processes do
    not wait for each other's signatures. What is not used of them stays unused. Nor does it wait for long:
    who holds the list might wait for something that the caller's own transaction holds, and no database
    sees that circle. Then it raises OperationalError, and the caller's transaction is as it was.
    """
    if env.engine.dialect.name != "postgresql":
        return _take(env, session, organization, purpose, count)
    with env.writing() as own, own.begin():
        own.execute(_NOT_FOR_LONG)
        given = _take(env, own, organization, purpose, count)
        own.flush()
        own.expunge_all()
    return given


def _take(
    env: Environment, session: Session, organization: Organization, purpose: str, count: int
) -> list[tuple[StatusList, int]]:
    found: list[tuple[StatusList, int]] = []
    while len(found) < count:
        current, place = next_index(env, session, organization, purpose)
        found.append((current, place))
        counters = status_lists.take_many(session, current, count - len(found))
        found += [
            (current, statuslist.nth_index(counter, current.permutation_key, current.size))
            for counter in counters
        ]
        note_mark(session, current.url, 0, counters.stop)
    return found


def require_not_behind(env: Environment, session: Session) -> None:
    """Unavailable if the database knows less of a list than was published: it was put back to an earlier day.

    Conflict if the service has ended.
    """
    service = the_service(session)
    if service is not None and service.sunset_at is not None:
        raise Conflict("sunset")
    if env.fence.is_passed:
        return
    behind = env.fence.behind(lambda: status_lists.marks(session))
    if behind:
        raise Unavailable("behind", list=behind[0])
    env.fence.is_passed = True


def put_bit(
    env: Environment, session: Session, status_list: StatusList, index: int, *, value: bool
) -> None:
    """Set one bit and sign the list anew, at once or when the `coalescing` around it ends.

    From the signing on, the list's row is held until the transaction ends.
    """
    is_one_of_several = _CHANGES in session.info
    with coalescing(env, session):
        changes: list[_Change] = session.info[_CHANGES]
        if is_one_of_several and not (changes and changes[-1].status_list is status_list):
            require_not_behind(
                env, session
            )  # who asks is told now; a lone one is as the list is signed
        changes.append(_Change(status_list, index, value, _around(session)))


@dataclass(frozen=True)
class _Change:
    """A bit that is to be set."""

    status_list: StatusList
    index: int
    value: bool
    within: tuple[SessionTransaction, ...]
    """The savepoints and the transaction that it was made in: with any of them it is rolled back."""


@contextmanager
def coalescing(env: Environment, session: Session) -> Iterator[None]:
    """What changes bits in here signs each of the lists once, when the outermost of these ends.

    A change within a savepoint that is rolled back is forgotten. If an error leaves this, nothing is signed,
    and the caller's transaction must not be committed.
    """
    if _CHANGES in session.info:
        yield
        return
    changes: list[_Change] = []

    def forget(_: Session, rolled_back: SessionTransaction) -> None:
        # a flush that fails is a transaction within the savepoint, and takes it along
        while not rolled_back.nested and rolled_back.parent is not None:
            rolled_back = rolled_back.parent
        changes[:] = [each for each in changes if rolled_back not in each.within]

    session.info[_CHANGES] = changes
    event.listen(session, "after_soft_rollback", forget)
    try:
        yield
        wanted: dict[StatusList, dict[int, bool]] = {}
        for each in changes:
            wanted.setdefault(each.status_list, {})[each.index] = each.value
        for status_list in sorted(wanted, key=lambda found: found.id):
            _put_bits(env, session, status_list, wanted[status_list])
    finally:
        event.remove(session, "after_soft_rollback", forget)
        del session.info[_CHANGES]


def _around(session: Session) -> tuple[SessionTransaction, ...]:
    found = []
    transaction = session.get_nested_transaction() or session.get_transaction()
    while transaction is not None:
        found.append(transaction)
        transaction = transaction.parent
    return tuple(found)


def _put_bits(
    env: Environment, session: Session, status_list: StatusList, wanted: Mapping[int, bool]
) -> None:
    publication = status_lists.publication(session, status_list_id=status_list.id, for_update=True)
    owner = organizations.by_id(session, status_list.organization_id)
    if publication is None or owner is None:
        raise NotFound("status_list")
    require_not_behind(env, session)  # once more: the service may have ended while we waited
    bits = publication.bits
    for value in (True, False):
        indexes = [index for index, wish in wanted.items() if wish is value]
        bits = statuslist.put_many(bits, indexes, value=value)
    if bits != publication.bits:
        publication.bits = bits
        sign_list(env, session, status_list, owner, publication)


def lasting(session: Session, usual: timedelta) -> timedelta:
    """How long what is signed now is good for: as usual, or FINAL once the service has ended."""
    service = the_service(session)
    return FINAL if service is not None and service.sunset_at is not None else usual


def is_ageing(valid_until: datetime, now: datetime) -> bool:
    """Whether more than half of a list's validity is gone."""
    return valid_until - now < VALID_FOR / 2


def published_ago(publication: StatusPublication, now: datetime) -> timedelta:
    """How long ago a list was signed."""
    return now - publication.valid_from - BACKDATED


def current(env: Environment, session: Session, status_list: StatusList) -> StatusPublication:
    """A list's publication, signed anew if it is ageing.

    Reading must not wait for a writer, so the signing has a transaction of its own,
    which ends here: the one thing an action commits.
    """
    found = status_lists.publication(session, status_list_id=status_list.id)
    if found is None:
        raise NotFound("status_list")
    if not is_ageing(found.valid_until, env.now()):
        return found
    try:
        with env.writing() as writer, writer.begin():
            return _renew(env, writer, status_list)
    except Unavailable as error:
        if error.rule != "no_active_key":
            raise
        return found  # of a DID whose key was withdrawn: it runs out as it is


def _renew(env: Environment, session: Session, status_list: StatusList) -> StatusPublication:
    publication = status_lists.publication(session, status_list_id=status_list.id, for_update=True)
    owner = organizations.by_id(session, status_list.organization_id)
    if publication is None or owner is None:
        raise NotFound("status_list")
    if is_ageing(publication.valid_until, env.now()):
        sign_list(env, session, status_list, owner, publication)
    return publication


def sign_again(env: Environment, session: Session, owner: Organization, *, issuer: str) -> None:
    """Sign every list of a DID anew, with the keys it has now; holds them until the transaction ends."""
    for status_list, publication in status_lists.of_issuer(session, issuer=issuer):
        sign_list(env, session, status_list, owner, publication)
    session.flush()


def sign_list(
    env: Environment,
    session: Session,
    status_list: StatusList,
    owner: Organization,
    publication: StatusPublication,
) -> None:
    """Sign the bits of a list as they are now, in both forms; the next version of it."""
    now = env.now()
    publication.version += 1
    publication.valid_from = now - BACKDATED
    publication.valid_until = now + lasting(session, VALID_FOR)
    document = _document(status_list, publication)
    # EdDSA, whose key stands first in the DID document: openbadgeslib reads a list in no other way
    signing = signing_with(env, session, owner, status_list.issuer, Algorithm.ED25519, now)
    header = {"typ": "vc+jwt", "kid": signing.verification_method}
    publication.body, unsigned = secure_list(document, signing, env.contexts)
    publication.body_jwt = compact_jws(header, unsigned, signing.signer)
    note_mark(session, status_list.url, publication.version, 0)


def _document(status_list: StatusList, publication: StatusPublication) -> JsonObject:
    return {
        "@context": [CREDENTIALS_V2],
        "id": status_list.url,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": status_list.issuer,
        "validFrom": utc_text(publication.valid_from),
        "validUntil": utc_text(publication.valid_until),
        "credentialSubject": {
            "id": f"{status_list.url}#list",
            "type": "BitstringStatusList",
            "statusPurpose": status_list.purpose,
            "encodedList": statuslist.encode(publication.bits),
        },
    }
