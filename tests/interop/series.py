"""Credentials issued in series, plain and hostile, in Digital Bazaar's verifier: `python -m tests.interop.series`."""

import argparse
import random
import sys
from dataclasses import dataclass
from datetime import UTC, datetime

from kpass_vc.crypto.keys import Algorithm
from kpass_vc.crypto.signers import signer_of
from kpass_vc.formats.format import Signing
from kpass_vc.formats.series import Series
from kpass_vc.jsonld.contexts import Contexts
from kpass_vc.jsonld.terms import Unusual
from kpass_vc.resources import contexts as pinned_contexts
from tests.interop.foreign import Foreign, Verdict
from tests.interop.tampering import change_a_text, change_the_proof_value
from tests.jsonld.kinds import Kind, hostile_values, kinds
from tests.sample import at

_MOMENT = datetime(2026, 3, 2, 10, tzinfo=UTC)
_THEIRS = frozenset({"validFrom", "awardedDate", "id"})
"""Members that their verifier looks at beyond the signature: they stay as they are, or plain."""


@dataclass(frozen=True)
class Judged:
    """What Digital Bazaar's verifier said of credentials as issued, and of each with one byte changed."""

    issued: list[Verdict]
    tampered: list[Verdict]


def judged(count: int, seed: int, contexts: Contexts) -> Judged:
    """The verdicts on so many credentials, every second one of them with hostile texts."""
    chance = random.Random(seed)
    signer = signer_of(Algorithm.ED25519, bytes(range(32)))
    did = f"did:key:{signer.public_key.multikey()}"
    signings = {
        "ldp_vc": Signing(signer, f"{did}#{signer.public_key.multikey()}", _MOMENT),
        "vc-jwt": Signing(signer_of(Algorithm.P256, bytes(range(1, 33))), f"{did}#p", _MOMENT),
    }
    every = [_alone(kind, did) for kind in kinds()]
    made = [Series(kind.credential, kind.places, contexts, ()) for kind in every]
    bodies: list[bytes] = []
    while len(bodies) < count:
        number = len(bodies)
        kind, series = every[number % len(every)], made[number % len(every)]
        values = _values(kind, number, chance, series, is_hostile=number % 2 == 1)
        try:
            bodies.append(series.secure(values, signings)["ldp_vc"])
        except Unusual:
            continue
    tampered = [
        (change_a_text if number % 2 else change_the_proof_value)(body, number)
        for number, body in enumerate(bodies)
    ]
    verdicts = Foreign(contexts.documents).verify_in_node([*bodies, *tampered])["digitalbazaar"]
    return Judged(verdicts[:count], verdicts[count:])


def _alone(kind: Kind, did: str) -> Kind:
    """The kind under a did:key, without what would have to be fetched, and not running out."""
    left_out = {"credentialStatus", "validUntil", "termsOfUse"}
    members = {name: part for name, part in kind.credential.items() if name not in left_out}
    credential = members | {"issuer": {"id": did, "type": ["Profile"], "name": "x"}}
    places = tuple(place for place in kind.places if place[0] not in left_out)
    return Kind(kind.name, credential, places)


def _values(
    kind: Kind, number: int, chance: random.Random, series: Series, *, is_hostile: bool
) -> list[str]:
    plain = [
        str(at(kind.credential, place))
        + ("" if "Date" in str(place) or "From" in str(place) else str(number))
        for place in kind.places
    ]
    if not is_hostile:
        return plain
    hostile = hostile_values(kind, number, chance, frozenset(series._template._iri_slots))
    return [
        given if place[-1] in _THEIRS else text
        for given, text, place in zip(plain, hostile, kind.places, strict=True)
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=500)
    found = judged(parser.parse_args().count, 1, pinned_contexts())
    refused = [verdict.why for verdict in found.issued if not verdict.verified]
    taken = [verdict for verdict in found.tampered if verdict.verified]
    sys.stdout.write(
        f"{len(found.issued)} issued, {len(refused)} of them refused; "
        f"{len(found.tampered)} tampered with, {len(taken)} of them verified\n"
    )
    sys.stdout.write("".join(f"{why}\n" for why in refused[:10]))
    raise SystemExit(bool(refused or taken))
