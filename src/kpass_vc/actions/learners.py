"""Know a learner again within one organisation, and keep how to reach them, sealed.

The organisation's own reference is kept as a keyed hash. Across organisations a
learner is known only by what they show.
"""

import json
import re
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kpass_vc.crypto.sealing import keyed_hash, seal, unseal
from kpass_vc.environment import Environment
from kpass_vc.language import Language
from kpass_vc.model.field_errors import broken
from kpass_vc.records import learner as learners
from kpass_vc.records.learner import Learner

_LETTER: Final = "A-Za-z0-9\u00df-\u024f"
_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL: Final = rf"[{_LETTER}]([{_LETTER}-]*[{_LETTER}])?"
_EMAIL: Final = re.compile(rf"(?=.{{1,64}}@){_ATOM}(\.{_ATOM})*@({_LABEL}\.)+(?=\D){_LABEL}")
"""What a mail server takes: RFC 5321 without quotes; the domain may have letters of Latin script."""


def _deliverable(value: str) -> str:
    if not _EMAIL.fullmatch(value):
        raise broken("email_address")
    return value


Email = Annotated[
    str,
    Field(max_length=254, json_schema_extra={"format": "email"}),
    AfterValidator(_deliverable),
]


class ContactOrder(BaseModel):
    """How a learner is reached. The address is kept sealed and stands in no credential."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    email: Email
    language: Literal["sv", "en"] = "sv"


@dataclass(frozen=True)
class Contact:
    """How a learner is reached."""

    email: str
    language: Language


def know_learner(
    env: Environment,
    session: Session,
    *,
    organization_id: str,
    reference: str | None,
    contact: ContactOrder | None,
    is_test: bool,
) -> Learner | None:
    """The learner of an organisation's own reference, or a new one; None if nothing of them is to be kept.

    A test knows learners of its own, so that nobody's address is changed by one.
    """
    if reference is None and contact is None:
        return None
    index = (
        keyed_hash(
            env.contact_key,
            reference,
            within=f"{organization_id}/test" if is_test else organization_id,
        )
        if reference is not None
        else None
    )
    row = _found(session, organization_id, index)
    if row is None:
        row = Learner(
            id=env.new_id(),
            organization_id=organization_id,
            reference_index=index,
            created_at=env.now(),
        )
        try:
            with session.begin_nested():
                session.add(row)
        except IntegrityError:
            other = _found(session, organization_id, index)
            if other is None:
                raise
            row = other
    if contact is not None:
        row.sealed_contact = seal_contact(env, row.id, Contact(contact.email, contact.language))
    session.flush()
    return row


def seal_contact(env: Environment, about: str, contact: Contact) -> bytes:
    """A contact, sealed for one row."""
    text = json.dumps([contact.email, contact.language])
    return seal(env.contact_key, text, env.entropy(12), about=about)


def open_contact(env: Environment, about: str, sealed: bytes) -> Contact:
    """A contact that was sealed for one row."""
    email, language = json.loads(unseal(env.contact_key, sealed, about=about))
    return Contact(email, "en" if language == "en" else "sv")


def _found(session: Session, organization_id: str, index: str | None) -> Learner | None:
    if index is None:
        return None
    return learners.by_reference(session, organization_id=organization_id, reference_index=index)
