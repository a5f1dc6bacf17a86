"""Sign somebody in: by a passkey, or by a password with the code of an authenticator app.

A session is a row here and a secret in a cookie. It ends after half an hour without a
request, after twelve hours in any case, and when its person signs out everywhere. What
a person may do is looked up at each request.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from kpass_vc.actions.audit import audit
from kpass_vc.actions.tokens import person_acting
from kpass_vc.authz import ORGANIZATION, Actor, Permission
from kpass_vc.crypto.multibase import base64url_encode
from kpass_vc.crypto.sealing import unseal
from kpass_vc.environment import Environment
from kpass_vc.errors import Forbidden, Malformed, NotFound, Unauthenticated
from kpass_vc.language import say
from kpass_vc.passkeys import CHALLENGE, Place, checked_use, named_key, options_to_use
from kpass_vc.passwords import MOST, is_right, totp_step
from kpass_vc.records import person as people
from kpass_vc.records import sign_in as sign_ins
from kpass_vc.records.organization import Organization
from kpass_vc.records.person import Person
from kpass_vc.records.sign_in import Ceremony, ConsoleSession

IDLE: Final = timedelta(minutes=30)
ABSOLUTE: Final = timedelta(hours=12)
FRESH: Final = timedelta(minutes=10)
"""How long somebody who has proved who they are need not do so again."""
LASTS: Final = timedelta(minutes=5)
"""How long a device may take to answer."""
_TOUCH: Final = timedelta(minutes=1)
_FREE_TRIES: Final = 5
_LONGEST_BLOCK: Final = timedelta(hours=1)
USE: Final = "passkey.use"


class PasswordOrder(BaseModel):
    """Who says they are whom, and by what."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    email: Annotated[str, Field(min_length=1, max_length=254)]
    password: Annotated[str, Field(min_length=1, max_length=MOST)]
    code: Annotated[str, Field(min_length=1, max_length=20)]


@dataclass(frozen=True)
class SignedIn:
    """Somebody who has a session, the organisation they act for if they have a role in any, and those they could."""

    session_id: str
    person: Person
    organization: Organization | None
    organizations: tuple[Organization, ...]
    actor: Actor
    is_fresh: bool
    """Whether they have proved who they are a moment ago."""


def place_of(env: Environment) -> Place:
    """Where this service's passkeys are made and used."""
    return Place(env.addresses.host, env.addresses.origin, say("sv", "page.service"))


def ask_for_passkey(env: Environment, session: Session) -> dict[str, Any]:
    """What a browser is asked to sign in with a passkey, and the secret of this ceremony."""
    secret, challenge = begin_ceremony(env, session, USE, env.entropy(CHALLENGE))
    return {"ceremony": secret, "options": options_to_use(place_of(env), challenge)}


def sign_in_by_passkey(env: Environment, session: Session, ceremony: str, answer: str) -> Person:
    """The person whose passkey answers; Unauthenticated if none of ours does, or the ceremony is over."""
    held = take_ceremony(env, session, USE, ceremony)
    known = sign_ins.passkey(session, credential_id=named_key(answer))
    if known is None:
        raise Unauthenticated("passkey")
    try:
        known.sign_count = checked_use(
            place_of(env),
            held.content,
            answer,
            public_key=known.public_key,
            sign_count=known.sign_count,
        )
    except Malformed as error:
        raise Unauthenticated("passkey") from error
    known.used_at = env.now()
    return _person(session, known.person_id)


def sign_in_by_password(env: Environment, session: Session, order: PasswordOrder) -> Person | None:
    """The person, if the password and the code are right; None if not, which is noted: so commit either way.

    Whether there is such a person shows neither in the answer nor in its time. After five tries that went
    wrong each further one makes the account wait, up to an hour; meanwhile nothing is right, and nothing counted.
    """
    person = people.by_email(session, order.email.strip().lower())
    row = (
        sign_ins.password(session, person_id=person.id, for_update=True)
        if person is not None
        else None
    )
    now = env.now()
    right = is_right(order.password, row.password_hash if row else None)
    if row is None or (row.blocked_until is not None and row.blocked_until > now):
        return None
    if not right:
        _note_failure(env, row)
        return None
    totp = unseal(env.contact_key, row.sealed_totp, about=f"totp/{row.person_id}")
    step = totp_step(totp, order.code, now)
    if step is None or step <= row.last_step:
        _note_failure(env, row)
        return None
    row.last_step, row.failures, row.blocked_until = step, 0, None
    return person


def open_session(
    env: Environment, session: Session, person: Person, *, proved_at: datetime | None = None
) -> str:
    """A new session of somebody who has just proved who they are; the secret that their browser keeps.

    They act for the organisation that comes first of those they have a role in. `proved_at` is when
    they proved it to somebody whose word is taken for it, if that was before.
    """
    now = env.now()
    sign_ins.drop_old(session, seen_before=now - IDLE, made_before=now - ABSOLUTE, now=now)
    found = people.organizations_of(session, person.id)
    secret = base64url_encode(env.entropy(32))
    first = next((each.id for each, _ in found), None)
    session.add(
        ConsoleSession(
            id=sha256(secret),
            person_id=person.id,
            organization_id=first,
            created_at=now,
            seen_at=now,
            proved_at=proved_at or now,
        )
    )
    session.flush()
    actor = Actor(f"person:{person.id}", first, frozenset(), person.id)
    audit(env, session, actor, "session.opened", person.id, organization_id=first)
    return secret


def who_is_there(env: Environment, secret: str) -> SignedIn:
    """Whose session a cookie opens; Unauthenticated without one, and when it is over."""
    with env.reading() as session:
        row = sign_ins.session_of(session, secret_sha256=sha256(secret)) if secret else None
        now = env.now()
        if row is None or row.seen_at <= now - IDLE or row.created_at <= now - ABSOLUTE:
            raise Unauthenticated("session")
        found = _signed_in(env, session, row)
    if row.seen_at <= now - _TOUCH:
        with env.writing() as session, session.begin():
            held = sign_ins.session_of(session, secret_sha256=row.id)
            if held is not None:
                held.seen_at = now
    return found


def prove_again(env: Environment, session: Session, who: SignedIn, person: Person) -> None:
    """Note that somebody has proved anew who they are; Unauthenticated if it was somebody else."""
    row = sign_ins.session_of(session, secret_sha256=who.session_id)
    if row is None or row.person_id != person.id:
        raise Unauthenticated("someone_else")
    row.proved_at = env.now()


def act_for(session: Session, who: SignedIn, slug: str) -> None:
    """Go on for another organisation; Forbidden for one that they have no role in."""
    chosen = next((each for each in who.organizations if each.slug == slug), None)
    row = sign_ins.session_of(session, secret_sha256=who.session_id)
    if chosen is None or row is None:
        raise Forbidden("not_a_member", organization=slug[:63])
    row.organization_id = chosen.id


def sign_out(session: Session, who: SignedIn, *, everywhere: bool = False) -> None:
    """End the session, or all of the person's."""
    if everywhere:
        sign_ins.end_sessions(session, person_id=who.person.id)
        return
    row = sign_ins.session_of(session, secret_sha256=who.session_id)
    if row is not None:
        session.delete(row)


def begin_ceremony(
    env: Environment,
    session: Session,
    purpose: str,
    content: bytes,
    person_id: str | None = None,
    lasts: timedelta = LASTS,
) -> tuple[str, bytes]:
    """The secret of a new ceremony, and what it holds."""
    secret = base64url_encode(env.entropy(32))
    session.add(
        Ceremony(
            id=sha256(secret),
            purpose=purpose,
            content=content,
            person_id=person_id,
            expires_at=env.now() + lasts,
        )
    )
    session.flush()
    return secret, content


def take_ceremony(env: Environment, session: Session, purpose: str, secret: str) -> Ceremony:
    """The ceremony, once; Unauthenticated if it is over, was taken, or is of another kind."""
    found = sign_ins.take_ceremony(
        session, ceremony_id=sha256(secret), purpose=purpose, now=env.now()
    )
    if found is None:
        raise Unauthenticated("too_late")
    return found


def sha256(secret: str) -> str:
    """What is stored of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def _signed_in(env: Environment, session: Session, row: ConsoleSession) -> SignedIn:
    person = _person(session, row.person_id)
    found: Mapping[str, Organization] = {
        each.id: each for each, _ in people.organizations_of(session, person.id)
    }
    chosen = found.get(row.organization_id or "") or next(iter(found.values()), None)
    is_fresh = row.proved_at > env.now() - FRESH
    scope = ORGANIZATION | {Permission.KEYS_WRITE} if is_fresh else ORGANIZATION
    actor = person_acting(session, person.id, chosen.slug if chosen else None, scope)
    return SignedIn(row.id, person, chosen, tuple(found.values()), actor, is_fresh)


def _person(session: Session, person_id: str) -> Person:
    found = people.by_id(session, person_id)
    if found is None:
        raise NotFound("person", person=person_id)
    return found


def _note_failure(env: Environment, row: sign_ins.Password) -> None:
    row.failures += 1
    over = row.failures - _FREE_TRIES
    if over >= 0:
        wait = min(timedelta(seconds=30) * 2 ** min(over, 10), _LONGEST_BLOCK)
        row.blocked_until = env.now() + wait
