"""Fault: something stored that is not as it was written; and whether what is stored was signed by whose it is.

The keys are those on record, the withdrawn ones among them: what a compromised key signed is no
longer believed by anybody, but it is still what was signed.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from kpass_vc.environment import Environment
from kpass_vc.errors import KpassError, Malformed, ProofInvalid
from kpass_vc.formats import FORMATS, read
from kpass_vc.formats.format import Presented, PresentedProof
from kpass_vc.language import Language, has, say
from kpass_vc.model.dates import parse_date_time
from kpass_vc.model.document import JsonObject
from kpass_vc.records import key as keys
from kpass_vc.verification.case import issuer_of, text

_LEEWAY: Final = timedelta(seconds=2)
"""Signed moments have no fractions of a second, and a key's do."""


@dataclass(frozen=True)
class Fault:
    """Something that is not as it was written: what kind, and of what."""

    kind: str
    subject: str
    data: tuple[tuple[str, object], ...] = ()
    cause: KpassError | None = None

    def sentence(self, language: Language) -> str:
        """What is wrong, for a person."""
        data = {
            name: say(language, f"recheck.state.{value}")
            if has(f"recheck.state.{value}")
            else value
            for name, value in self.data
        }
        if self.cause is not None:
            data["reason"] = self.cause.sentence(language)
        return say(language, f"recheck.{self.kind}", subject=self.subject, **data)


class Signatures:
    """The keys that an organisation has or had, and what they signed."""

    def __init__(self, env: Environment, session: Session, organization_id: str) -> None:
        self._contexts = env.contexts
        held = keys.of_organization(session, organization_id=organization_id)
        self._keys = {key.verification_method: key for key in held}

    def check(
        self, body: bytes, subject: str, *, at: datetime | None = None
    ) -> tuple[JsonObject, list[Fault]]:
        """What a signed text says, and what is wrong with its signatures.

        `at` is when it was signed, where the text does not tell.
        """
        try:
            presented = read(body)
        except Malformed as error:
            return {}, [Fault("unreadable", subject, cause=error)]
        found = [
            fault
            for proof in presented.proofs
            if (fault := self._check(presented, proof, subject, at)) is not None
        ]
        return presented.document, found

    def _check(
        self, presented: Presented, proof: PresentedProof, subject: str, at: datetime | None
    ) -> Fault | None:
        method = proof.verification_method or ""
        key = self._keys.get(method)
        if key is None or key.did != issuer_of(presented.document):
            return Fault("key_unknown", subject, (("key", method[:300]),))
        try:
            form = FORMATS[presented.format]
            form.check_proof(presented, proof, key.public_key, self._contexts)
        except (Malformed, ProofInvalid) as error:
            return Fault("signature", subject, cause=error)
        created = text(proof.options.get("created")) or text(presented.document.get("validFrom"))
        moment = at or parse_date_time(created or "")
        ended = key.active_until or key.compromised_at
        if (
            moment is None
            or moment < key.active_from - _LEEWAY
            or (ended is not None and moment > ended + _LEEWAY)
        ):
            return Fault("key_period", subject, (("key", method),))
        return None
