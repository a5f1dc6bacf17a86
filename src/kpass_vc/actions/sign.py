"""Secure a document in an organisation's name, and see that the world will be able to check it.

A signature is verified with the key that the DID document publishes before
anything is stored: a key file that does not belong to its record would
otherwise be found out by an employer. Where many are signed with one key in a
row, the first of them and then every thousandth.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from kpass_vc.crypto.keys import Algorithm, PublicKey, Signer
from kpass_vc.environment import Environment
from kpass_vc.errors import ProofInvalid, Unavailable
from kpass_vc.formats import FORMATS, ISSUED
from kpass_vc.formats.format import Format, Signing
from kpass_vc.records import key as keys
from kpass_vc.records.organization import Organization

SAMPLED: Final = 1000
"""One signature in so many is verified where many are made with one key."""


@dataclass(frozen=True)
class Secured:
    """Secured bytes, and the verification method that checks them."""

    body: bytes
    verification_method: str


@dataclass(frozen=True)
class _CheckedSigner:
    signer: Signer
    public_key: PublicKey

    def sign(self, message: bytes) -> bytes:
        signature = self.signer.sign(message)
        try:
            self.public_key.verify(signature, message)
        except ProofInvalid as error:
            raise Unavailable("wrong_key", key=self.public_key.multikey()) from error
        return signature


@dataclass(frozen=True)
class _SampledSigner:
    """Verifies the first signature that a process makes with a key, and every thousandth after it.

    A signer holds one key in memory: if its first signature holds under the published key, so do the others.
    """

    checked: _CheckedSigner
    counted: dict[bytes, int]
    """How many signatures were made, by the public key."""

    @property
    def public_key(self) -> PublicKey:
        return self.checked.public_key

    def sign(self, message: bytes) -> bytes:
        number = self.counted.get(self.public_key.raw, 0)
        self.counted[self.public_key.raw] = number + 1
        signer = self.checked if number % SAMPLED == 0 else self.checked.signer
        return signer.sign(message)


def secure(
    env: Environment,
    session: Session,
    organization: Organization,
    form: Format,
    document: Mapping[str, object],
    created: datetime,
) -> Secured:
    """The document in a format, signed with the active key of the format's kind of the DID that issues it."""
    issuer = document["issuer"]
    did = str(issuer["id"] if isinstance(issuer, Mapping) else issuer)
    signing = signing_with(env, session, organization, did, form.algorithm, created)
    return Secured(form.secure(document, signing, env.contexts), signing.verification_method)


def signing_with(
    env: Environment,
    session: Session,
    organization: Organization,
    did: str,
    algorithm: Algorithm,
    created: datetime,
) -> Signing:
    """The active key of one kind of a DID of the organisation's, ready to sign; Unavailable if there is none."""
    signer, method = _active(env, session, organization, did, algorithm)
    return Signing(signer, method, created)


def signings_of_many(
    env: Environment, session: Session, organization: Organization, did: str, created: datetime
) -> dict[str, Signing]:
    """The active key for each format that awards are issued in, ready to sign many; Unavailable if there is none."""
    found: dict[str, Signing] = {}
    for name in ISSUED:
        signer, method = _active(env, session, organization, did, FORMATS[name].algorithm)
        found[name] = Signing(_SampledSigner(signer, env.signed), method, created)
    return found


def _active(
    env: Environment,
    session: Session,
    organization: Organization,
    did: str,
    algorithm: Algorithm,
) -> tuple[_CheckedSigner, str]:
    """The signer of an active key, and its verification method."""
    key = keys.active(
        session, organization_id=organization.id, did=did, algorithm=algorithm, hold=True
    )
    if key is None:
        raise Unavailable(
            "no_active_key", organization=organization.slug, algorithm=algorithm.value
        )
    signer = env.key_store(key.uri).signer(key.uri, organization_id=organization.id)
    return _CheckedSigner(signer, key.public_key), key.verification_method
