"""Make a signing key: on disk before its row is stored, and gone again if the row never is."""

from sqlalchemy import event
from sqlalchemy.orm import Session

from kpass_vc.crypto.keys import Algorithm
from kpass_vc.dids import verification_method_id
from kpass_vc.dids.key import did_key
from kpass_vc.environment import Environment
from kpass_vc.keystores.keystore import KeyStore
from kpass_vc.records.key import SigningKey, State
from kpass_vc.records.organization import Organization
from kpass_vc.records.service import hold_service


def make_key(
    env: Environment,
    session: Session,
    organization: Organization,
    did: str | None,
    algorithm: Algorithm,
    *,
    state: State = "active",
) -> SigningKey:
    """A new key of one of the organisation's DIDs; of the did:key that it is itself, if none is given.

    No change of the key-encryption key ends between its file and its row: it would pass the file by.
    """
    hold_service(session, shared=True)
    key_id = env.new_id()
    store = env.key_stores[env.default_store]
    uri, public = store.generate(algorithm, organization_id=organization.id, key_id=key_id)
    _discard_unless_committing(session, store, uri)
    did = did or did_key(public)
    key = SigningKey(
        id=key_id,
        organization_id=organization.id,
        did=did,
        algorithm=algorithm.value,
        multikey=public.multikey(),
        verification_method=verification_method_id(did, public),
        uri=uri,
        state=state,
        active_from=env.now(),
        active_until=None,
        compromised_at=None,
    )
    session.add(key)
    session.flush()
    return key


def discard_after_commit(env: Environment, session: Session, key: SigningKey) -> None:
    """Remove a key's file once it is on record that it signs no more."""
    store, uri = env.key_store(key.uri), key.uri

    def discard(_: Session) -> None:
        store.discard(uri)

    event.listen(session, "after_commit", discard, once=True)


def _discard_unless_committing(session: Session, store: KeyStore, uri: str) -> None:
    """Remove the key's file if the transaction ends before its commit is tried; after that it may be in use."""
    tried: list[bool] = []

    def settle(_: Session) -> None:
        if not session.in_nested_transaction():
            tried.append(True)

    def discard(_: Session) -> None:
        if not tried and not session.in_nested_transaction():
            store.discard(uri)

    event.listen(session, "before_commit", settle)
    event.listen(session, "after_rollback", discard)
