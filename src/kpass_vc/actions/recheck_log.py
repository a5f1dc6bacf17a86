"""Check the chain of what was done: that nothing in it was changed, taken out or cut off.

Every entry is held against the one before it, and the chain against each head that was signed
of it: those on record, and those that somebody has kept elsewhere, which tell of a change even
if whoever made it has written the whole chain anew.
"""

from collections.abc import Iterator, Sequence

from sqlalchemy.orm import Session

from kpass_vc.actions.chain import END, LENGTH, START, entry_hash
from kpass_vc.actions.fault import Fault, Signatures
from kpass_vc.environment import Environment
from kpass_vc.model.document import JsonObject
from kpass_vc.model.status import only
from kpass_vc.records import audit as audits
from kpass_vc.records.organization import Organization

Heads = dict[int, list[tuple[str, str]]]
"""By the length of a chain: of which day a head is, and what it says that the chain ended with."""


def check_log(
    env: Environment, session: Session, owner: Organization, kept: Sequence[bytes] = ()
) -> Iterator[Fault]:
    """Whether an organisation's chain is the one that was signed; `kept` are heads that lay elsewhere."""
    signatures = Signatures(env, session, owner.id)
    heads: Heads = {}
    for row in audits.heads(session, organization_id=owner.id):
        url = env.addresses.audit_head(owner.slug, row.day.isoformat())
        document, faults = signatures.check(row.body, url)
        yield from faults
        if not faults and _said(env, document) != (url, row.length, row.head):
            yield Fault("head_changed", url)
        elif not faults:
            heads.setdefault(row.length, []).append((row.day.isoformat(), row.head))
    home = env.addresses.audit_head(owner.slug, "")
    for number, body in enumerate(kept, start=1):
        document, faults = signatures.check(body, str(number))
        said, length, head = _said(env, document)
        place = said if isinstance(said, str) else ""
        ours = place.startswith(home.removesuffix(".json"))
        if faults or not ours or not isinstance(length, int) or not isinstance(head, str):
            yield Fault("head_of_another", str(number))
            continue
        day = place.rpartition("/")[2].removesuffix(".json")
        heads.setdefault(length, []).append((day, head))
    yield from check_chain(session, owner.id, heads)


def check_chain(session: Session, organization_id: str | None, heads: Heads) -> Iterator[Fault]:
    """Whether every entry follows the one before it, and the chain has what was signed; None is the operator's."""
    number, head = 0, START
    seen = 0
    for entry in audits.every(session, organization_id=organization_id):
        seen += 1
        place, kept = entry.number or 0, entry.entry_hash or ""
        if place != number + 1:
            yield Fault("chain_gap", str(number + 1), (("last", place - 1),))
        elif entry_hash(head, place, entry) != kept:
            yield Fault("chain_changed", str(place), (("action", entry.action),))
        number, head = place, kept
        for day, signed in heads.pop(place, []):
            if signed != kept:
                yield Fault("chain_head", str(place), (("day", day),))
    numbered = audits.count(session, organization_id=organization_id)
    if numbered != seen:
        yield Fault("chain_twice", str(seen), (("count", numbered),))
    held = audits.chain(session, organization_id=organization_id)
    length, end = (held.length, held.head) if held else (0, START)
    if (length, end) != (number, head):
        yield Fault("chain_end", str(number), (("length", length),))
    beyond = [length for length in heads if length > number]
    if beyond:
        (day, _), *_rest = heads[max(beyond)]
        yield Fault("chain_cut", str(number), (("length", max(beyond)), ("day", day)))


def _said(env: Environment, document: JsonObject) -> tuple[object, object, object]:
    """The address of a head, and the length of the chain and what it ended with."""
    subject = only(document.get("credentialSubject"))
    if not isinstance(subject, dict):
        return None, None, None
    return (
        document.get("id"),
        subject.get(f"{env.vocabulary}{LENGTH}"),
        subject.get(f"{env.vocabulary}{END}"),
    )
