"""Sign somebody in by the word of an OpenID provider: send the browser there, and take in what it brings back.

An attempt is used once, by the browser that began it, within minutes. A
provider opens no account: its word is good for somebody who has one here
already, or who accepts an invitation. No transaction is open while the
provider is asked: it may take seconds, and others wait for the database.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from kpass_vc.actions.audit import audit
from kpass_vc.actions.invite import Invited, open_invitation, use
from kpass_vc.actions.sign_in import FRESH, sha256
from kpass_vc.authz import Actor
from kpass_vc.crypto.multibase import base64url_encode
from kpass_vc.environment import Environment
from kpass_vc.errors import NotFound, OidcRefused
from kpass_vc.links import invitation_token
from kpass_vc.oidc import Answer, Claimed, OidcProvider, Started
from kpass_vc.records import oidc as records
from kpass_vc.records import person as people
from kpass_vc.records.oidc import OidcAttempt, OidcIdentity
from kpass_vc.records.person import Person

LASTS: Final = timedelta(minutes=10)
"""So long somebody may take to sign in at the provider."""
CALLBACK: Final = "/console/oidc/callback"
START: Final = "/console"
LONGEST_PATH: Final = 1000
_PATH: Final = re.compile(
    r"/console(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*/?(\?[A-Za-z0-9._~=&%+-]*)?\Z"
)


@dataclass(frozen=True)
class Begun:
    """Where the browser goes, and the secret that it comes back with in its cookie."""

    address: str
    secret: str = field(repr=False)


@dataclass(frozen=True)
class Finished:
    """Who has come back, and the path within this service that they were on their way to."""

    person: Person
    next_path: str
    proved_at: datetime
    """When they proved to the provider who they are; long ago, if it does not say."""
    is_proof: bool
    """Whether they were signed in before, and were to prove anew who they are."""


def begin(
    env: Environment, *, next_path: str, invitation: str = "", prover_id: str | None = None
) -> Begun:
    """A sign-in that has begun, by which the invitation of a token may be accepted; its transactions are its own.

    NotFound without a provider, and for an invitation that cannot be used; Unavailable if the provider
    does not answer.
    """
    provider = _provider(env)
    invitation_id = _to_accept(env, invitation) if invitation else None
    secret, state = base64url_encode(env.entropy(32)), base64url_encode(env.entropy(32))
    now = env.now()
    started = Started(
        redirect_uri=f"{env.addresses.base}{CALLBACK}",
        at=now,
        nonce=base64url_encode(env.entropy(32)),
        verifier=base64url_encode(env.entropy(32)),
        anew=prover_id is not None,
    )
    address = provider.address(env.fetcher, started, state=state, now=now)
    with env.writing() as session, session.begin():
        records.forget_expired(session, now)
        session.add(
            OidcAttempt(
                state_sha256=sha256(state),
                browser_sha256=sha256(secret),
                nonce=started.nonce,
                verifier=started.verifier,
                next_path=path_within(next_path),
                invitation_id=invitation_id,
                prover_id=prover_id,
                created_at=now,
                expires_at=now + LASTS,
            )
        )
    return Begun(address, secret)


def finish(env: Environment, answer: Answer, *, secret: str) -> Finished:
    """Who has come back, by the browser's secret; its transactions are its own.

    OidcRefused for an attempt that is not this browser's, was used, or took too long, for an answer that
    does not hold, and for somebody whom nobody has let in; whatever comes of it, the attempt is used.
    """
    provider = _provider(env)
    with env.writing() as session, session.begin():
        attempt = records.take(
            session, state_sha256=sha256(answer.state), browser_sha256=sha256(secret)
        )
    if attempt is None:
        raise OidcRefused("state")
    if attempt.expires_at <= env.now():
        raise OidcRefused("expired")
    started = Started(
        f"{env.addresses.base}{CALLBACK}",
        attempt.created_at,
        attempt.nonce,
        attempt.verifier,
        anew=attempt.prover_id is not None,
    )
    claimed = provider.claimed(env.fetcher, started, answer, now=env.now())
    with env.writing() as session, session.begin():
        person = _person(env, session, provider, claimed, attempt)
    return Finished(
        person,
        attempt.next_path,
        claimed.proved_at or env.now() - FRESH,
        is_proof=attempt.prover_id is not None,
    )


def path_within(text: str) -> str:
    """The path if it is a plain one within this service, else the console's start."""
    return text if len(text) <= LONGEST_PATH and _PATH.match(text) else START


def _provider(env: Environment) -> OidcProvider:
    if env.oidc is None:
        raise NotFound("oidc")
    return env.oidc


def _to_accept(env: Environment, token: str) -> str:
    """The id of an invitation that somebody with an account here accepts."""
    with env.reading() as session:
        invited = open_invitation(env, session, token)
    if invited.person is None or invited.row.purpose == "review":
        raise NotFound("invitation")
    return invited.row.id


def _person(
    env: Environment,
    session: Session,
    provider: OidcProvider,
    claimed: Claimed,
    attempt: OidcAttempt,
) -> Person:
    """Whose account it is: known already, of whoever is invited, or by a confirmed address."""
    known = records.identity(session, issuer=claimed.issuer, subject=claimed.subject)
    if attempt.invitation_id is not None:
        token = invitation_token(env.link_key, attempt.invitation_id)
        return _accepted(env, session, provider, claimed, open_invitation(env, session, token))
    if known is not None:
        return _found(session, known.person_id)
    if attempt.prover_id is not None:
        raise OidcRefused("of_another", provider=provider.name)
    if claimed.email is None:
        raise OidcRefused("email", provider=provider.name)
    person = people.by_email(session, claimed.email)
    if person is None:
        raise OidcRefused("unknown")
    return _linked(env, session, provider, claimed, person)


def _accepted(
    env: Environment,
    session: Session,
    provider: OidcProvider,
    claimed: Claimed,
    invited: Invited,
) -> Person:
    """The invited person, whose account it is from now on if it was not before; the invitation is used."""
    if invited.person is None:
        raise NotFound("invitation")
    known = records.identity(session, issuer=claimed.issuer, subject=claimed.subject)
    if known is None:
        _linked(env, session, provider, claimed, invited.person)
    elif known.person_id != invited.person.id:
        raise OidcRefused("of_another", provider=provider.name)
    use(env, session, invited)
    return invited.person


def _found(session: Session, person_id: str) -> Person:
    person = people.by_id(session, person_id)
    if person is None:
        raise OidcRefused("unknown")
    return person


def _linked(
    env: Environment,
    session: Session,
    provider: OidcProvider,
    claimed: Claimed,
    person: Person,
) -> Person:
    """The person, who has this account from now on; OidcRefused if they have another of the provider's."""
    if records.of_person(session, issuer=claimed.issuer, person_id=person.id) is not None:
        raise OidcRefused("has_another", provider=provider.name)
    session.add(
        OidcIdentity(
            issuer=claimed.issuer,
            subject=claimed.subject,
            person_id=person.id,
            linked_at=env.now(),
        )
    )
    session.flush()
    actor = Actor(f"person:{person.id}", None, frozenset(), person.id)
    audit(
        env,
        session,
        actor,
        "person.identity_linked",
        person.id,
        organization_id=None,
        issuer=claimed.issuer,
    )
    return person
