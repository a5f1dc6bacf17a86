"""Secure a document in an organisation's name, and see that the world will be able to check it.

Every signature is verified with the key that the DID document publishes before
anything is stored: a key file that does not belong to its record would
otherwise be found out by an employer.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from kpass_vc.crypto.keys import Algorithm, PublicKey, Signer
from kpass_vc.environment import Environment
from kpass_vc.errors import ProofInvalid, Unavailable
from kpass_vc.formats.format import Format, Signing
from kpass_vc.records import key as keys
from kpass_vc.records.organization import Organization


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
    key = keys.active(
        session, organization_id=organization.id, did=did, algorithm=algorithm, hold=True
    )
    if key is None:
        raise Unavailable(
            "no_active_key", organization=organization.slug, algorithm=algorithm.value
        )
    signer = env.key_store(key.uri).signer(key.uri, organization_id=organization.id)
    return Signing(_CheckedSigner(signer, key.public_key), key.verification_method, created)
