"""How somebody proves who they are: their passkeys, and their password with an authenticator app.

Whoever changes these has just proved who they are, or holds an invitation that is for them alone.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from kpass_vc.actions.audit import audit
from kpass_vc.actions.sign_in import begin_ceremony, place_of, sha256, take_ceremony
from kpass_vc.authz import Actor
from kpass_vc.crypto.sealing import seal, unseal
from kpass_vc.environment import Environment
from kpass_vc.errors import Conflict, FieldError, InvalidInput, NotFound, Unauthenticated
from kpass_vc.language import say
from kpass_vc.model.text import name
from kpass_vc.passkeys import CHALLENGE, made_key, options_to_make
from kpass_vc.passwords import LEAST, MOST, hashed, new_totp_secret, totp_address, totp_step
from kpass_vc.records import sign_in as sign_ins
from kpass_vc.records.person import Person
from kpass_vc.records.sign_in import Passkey, Password

MAKE: Final = "passkey.make"
TOTP: Final = "totp"
_SECRET: Final = 20
_NONCE: Final = 12
_SETTING_UP: Final = timedelta(minutes=30)
MOST_PASSKEYS: Final = 10


class PasskeyOrder(BaseModel):
    """A passkey that a device has made."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    label: Annotated[str, Field(min_length=1, max_length=100), AfterValidator(name)]
    ceremony: Annotated[str, Field(max_length=100)]
    answer: Annotated[str, Field(max_length=20_000)]


class NewPasswordOrder(BaseModel):
    """A new password, and a code that shows that the authenticator app is set up."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    password: Annotated[str, Field(min_length=LEAST, max_length=MOST)]
    ceremony: Annotated[str, Field(max_length=100)]
    code: Annotated[str, Field(max_length=20)]


@dataclass(frozen=True)
class NewTotp:
    """An authenticator app that is to be set up: shown this once."""

    ceremony: str
    secret: str
    address: str

    def __repr__(self) -> str:
        return "NewTotp()"


def ask_to_make_passkey(env: Environment, session: Session, person: Person) -> dict[str, Any]:
    """What a browser is asked to make a passkey for somebody, and the secret of this ceremony."""
    known = [each.credential_id for each in sign_ins.passkeys(session, person_id=person.id)]
    secret, challenge = begin_ceremony(env, session, MAKE, env.entropy(CHALLENGE), person.id)
    options = options_to_make(
        place_of(env),
        challenge,
        person_id=person.id,
        account=person.email,
        name=person.name,
        known=known,
    )
    return {"ceremony": secret, "options": options}


def add_passkey(env: Environment, session: Session, person: Person, order: PasskeyOrder) -> Passkey:
    """The passkey, from now on one that the person can sign in with."""
    held = take_ceremony(env, session, MAKE, order.ceremony)
    if held.person_id != person.id:
        raise Unauthenticated("too_late")
    if len(sign_ins.passkeys(session, person_id=person.id)) >= MOST_PASSKEYS:
        raise Conflict("passkeys", most=MOST_PASSKEYS)
    made = made_key(place_of(env), held.content, order.answer)
    if sign_ins.passkey(session, credential_id=made.credential_id) is not None:
        raise Conflict("passkey_known")
    row = Passkey(
        id=env.new_id(),
        person_id=person.id,
        credential_id=made.credential_id,
        public_key=made.public_key,
        sign_count=made.sign_count,
        label=order.label,
        created_at=env.now(),
    )
    session.add(row)
    session.flush()
    _note(env, session, person, "passkey.added", row.id)
    return row


def remove_passkey(env: Environment, session: Session, person: Person, passkey_id: str) -> None:
    """The passkey opens nothing any more; Conflict for the last means that a person has."""
    known = sign_ins.passkeys(session, person_id=person.id)
    row = next((each for each in known if each.id == passkey_id), None)
    if row is None:
        raise NotFound("passkey")
    if len(known) == 1 and sign_ins.password(session, person_id=person.id) is None:
        raise Conflict("last_means")
    session.delete(row)
    _note(env, session, person, "passkey.removed", row.id)


def ask_for_totp(env: Environment, session: Session, person: Person) -> NewTotp:
    """A new secret for an authenticator app, which is good for nothing until a code of it comes back."""
    totp = new_totp_secret(env.entropy(_SECRET))
    sealed = seal(env.contact_key, totp, env.entropy(_NONCE), about=f"totp/{person.id}")
    ceremony, _ = begin_ceremony(env, session, TOTP, sealed, person.id, lasts=_SETTING_UP)
    return _new_totp(person, ceremony, totp)


def asked_totp(env: Environment, session: Session, person: Person, ceremony: str) -> NewTotp:
    """The secret that was asked for and not used yet; Unauthenticated if it is over."""
    held = sign_ins.ceremony(session, ceremony_id=sha256(ceremony), purpose=TOTP, now=env.now())
    if held is None or held.person_id != person.id:
        raise Unauthenticated("too_late")
    return _new_totp(person, ceremony, _unsealed(env, person, held.content))


def set_password(
    env: Environment, session: Session, person: Person, order: NewPasswordOrder
) -> None:
    """The password and the app, from now on what the person signs in with, in place of those before.

    InvalidInput names what is wrong; rolled back, the app is still there to be set up.
    """
    held = take_ceremony(env, session, TOTP, order.ceremony)
    if held.person_id != person.id:
        raise Unauthenticated("too_late")
    step = totp_step(_unsealed(env, person, held.content), order.code, env.now())
    folded = order.password.casefold()
    mine = {person.email.partition("@")[0].casefold(), *person.name.casefold().split()}
    is_weak = any(len(each) > 3 and each in folded for each in mine) or len(set(folded)) < 5
    faults = [FieldError("/password", "password_weak")] if is_weak else []
    if step is None:
        raise InvalidInput(*faults, FieldError("/code", "totp"))
    if faults:
        raise InvalidInput(*faults)
    row = sign_ins.password(session, person_id=person.id, for_update=True)
    if row is None:
        row = Password(person_id=person.id)
        session.add(row)
    row.password_hash, row.sealed_totp = hashed(order.password), held.content
    row.last_step, row.failures, row.blocked_until = step, 0, None
    row.changed_at = env.now()
    session.flush()
    _note(env, session, person, "password.set", person.id)


def _unsealed(env: Environment, person: Person, sealed: bytes) -> str:
    return unseal(env.contact_key, sealed, about=f"totp/{person.id}")


def _new_totp(person: Person, ceremony: str, totp: str) -> NewTotp:
    service = say("sv", "page.service")
    return NewTotp(ceremony, totp, totp_address(totp, account=person.email, service=service))


def _note(env: Environment, session: Session, person: Person, action: str, subject: str) -> None:
    actor = Actor(f"person:{person.id}", None, frozenset(), person.id)
    audit(env, session, actor, action, subject, organization_id=None)
