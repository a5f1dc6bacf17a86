"""What a learner does behind the private link of an award: share it, withdraw what was shared, dispute it.

The private link is the learner's: whoever has it acts as the learner, so it
stands in no QR, image or paper. A share link shows one credential until it
expires or is withdrawn, and opens nothing else. Of neither is anything kept but
what it takes to know it again: both are made anew from the link key.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Final, Literal, cast

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from kpass_vc.actions.audit import audit
from kpass_vc.actions.erase import of_the_same
from kpass_vc.authz import Actor, Permission
from kpass_vc.environment import Environment
from kpass_vc.errors import Conflict, FieldError, InvalidInput, NotFound
from kpass_vc.language import Language
from kpass_vc.links import holder_token, id_of, read_code, share_code
from kpass_vc.model.document import check_text
from kpass_vc.model.personal_numbers import holds_personal_number
from kpass_vc.model.text import name, written
from kpass_vc.records import award as awards
from kpass_vc.records import dispute as disputes
from kpass_vc.records import learner as learners
from kpass_vc.records import share_link as share_links
from kpass_vc.records.award import Award, Representation
from kpass_vc.records.dispute import Dispute
from kpass_vc.records.share_link import ShareLink

Lasting = Literal["day", "month", "year", "until_withdrawn"]
_LASTS: Final[dict[Lasting, timedelta | None]] = {
    "day": timedelta(days=1),
    "month": timedelta(days=30),
    "year": timedelta(days=365),
    "until_withdrawn": None,
}
MOST_LINKS: Final = 50
"""As many share links of one award may be open at a time."""
MOST_TEXT: Final = 2000

_Text = Annotated[str, Field(min_length=1, max_length=MOST_TEXT), AfterValidator(written)]


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=True)


class ShareOrder(_Message):
    """What a learner says when making a share link."""

    label: Annotated[str, Field(min_length=1, max_length=100), AfterValidator(name)]
    """For whom it is, as the learner wants to know it again; nobody else sees it."""
    lasts: Lasting
    language: Literal["sv", "en"]


class DisputeOrder(_Message):
    """What a learner says is wrong."""

    text: _Text


class AnswerOrder(_Message):
    """What an issuer answers to a dispute."""

    status: Literal["closed"]
    answer: _Text


@dataclass(frozen=True)
class HeldAward:
    """An award as its learner has it: everything."""

    award: Award
    representations: tuple[Representation, ...]
    links: tuple[ShareLink, ...]
    dispute: Dispute | None
    compromised: bool

    @property
    def languages(self) -> tuple[Language, ...]:
        """The languages that there is a credential in."""
        found = dict.fromkeys(row.language for row in self.representations)
        return cast("tuple[Language, ...]", tuple(found))


@dataclass(frozen=True)
class SharedAward:
    """What a share link shows of an award: the credential of one language, in each format."""

    award: Award
    representations: tuple[Representation, ...]
    language: Language
    link: ShareLink


def private_link(env: Environment, award: Award) -> str:
    """The address of the learner's page."""
    return link_to(env, award.id, award.link_generation)


def link_to(env: Environment, award_id: str, generation: int) -> str:
    """The address of the learner's page of an award, as its link was renewed so often."""
    return env.addresses.holder_page(holder_token(env.link_key, award_id, generation))


def code_of(env: Environment, link: ShareLink) -> str:
    """The code of a share link, which is not kept."""
    return share_code(env.link_key, link.id)


def open_holder(env: Environment, session: Session, token: str) -> HeldAward:
    """What a private link opens; NotFound if there is none, or a newer one."""
    award = _held(env, session, token)
    return HeldAward(
        award,
        tuple(awards.representations(session, award_id=award.id)),
        tuple(share_links.of_award(session, award_id=award.id)),
        disputes.newest(session, award_id=award.id),
        awards.is_compromised(session, award_id=award.id),
    )


def open_share(env: Environment, session: Session, code: str) -> SharedAward:
    """What the code of a share link opens, however it was typed; NotFound if nothing, or no more."""
    known = read_code(code)
    link = share_links.by_code(session, code_sha256=_hash(known)) if known else None
    if link is None:
        raise NotFound("share_link")
    award = awards.by_link(session, award_id=link.award_id)
    if award is None or not link.is_open(env.now()):
        raise NotFound("share_link_ended")
    language = cast("Language", link.language)
    rows = awards.representations(session, award_id=award.id)
    return SharedAward(
        award, tuple(row for row in rows if row.language == language), language, link
    )


def share(env: Environment, session: Session, token: str, order: ShareOrder) -> ShareLink:
    """A new share link of the award that a private link opens."""
    award = _held(env, session, token, for_update=True)
    _require_no_personal_number(order.label, "/label")
    editions = {row.language for row in awards.representations(session, award_id=award.id)}
    if order.language not in editions:
        expected = ", ".join(sorted(editions))
        raise InvalidInput(FieldError("/language", "enum", expected=expected))
    now = env.now()
    links = share_links.of_award(session, award_id=award.id)
    if sum(link.is_open(now) for link in links) >= MOST_LINKS:
        raise Conflict("too_many_share_links", most=MOST_LINKS)
    share_id = env.new_id()
    lasts = _LASTS[order.lasts]
    link = ShareLink(
        id=share_id,
        award_id=award.id,
        language=order.language,
        code_sha256=_hash(share_code(env.link_key, share_id)),
        label=order.label,
        created_at=now,
        expires_at=now + lasts if lasts else None,
        revoked_at=None,
    )
    session.add(link)
    session.flush()
    audit(
        env,
        session,
        _learner(award),
        "credential.shared",
        award.id,
        organization_id=award.organization_id,
        share=share_id,
    )
    return link


def withdraw(env: Environment, session: Session, token: str, share_id: str) -> ShareLink:
    """The share link, which shows nothing from now on; NotFound if it is none of this award's."""
    award = _held(env, session, token, for_update=True)
    link = share_links.by_id(session, award_id=award.id, share_id=share_id)
    if link is None:
        raise NotFound("share_link")
    if link.revoked_at is None:
        link.revoked_at = env.now()
        audit(
            env,
            session,
            _learner(award),
            "credential.share_withdrawn",
            award.id,
            organization_id=award.organization_id,
            share=link.id,
        )
    return link


def dispute(env: Environment, session: Session, token: str, order: DisputeOrder) -> Dispute:
    """The learner's dispute, which the issuer sees; Conflict if one is open."""
    award = _held(env, session, token, for_update=True)
    _require_no_personal_number(order.text, "/text")
    earlier = disputes.newest(session, award_id=award.id)
    if earlier is not None and earlier.state == "open":
        raise Conflict("dispute_open")
    found = Dispute(
        id=env.new_id(),
        award_id=award.id,
        state="open",
        text=order.text,
        opened_at=env.now(),
        answer=None,
        closed_at=None,
    )
    session.add(found)
    session.flush()
    audit(
        env,
        session,
        _learner(award),
        "credential.disputed",
        award.id,
        organization_id=award.organization_id,
        dispute=found.id,
    )
    return found


def accept(env: Environment, session: Session, token: str) -> Award:
    """The award, which its learner has now seen and accepted; a second time changes nothing."""
    award = _held(env, session, token, for_update=True)
    if award.claimed_at is None:
        award.claimed_at = env.now()
        audit(
            env,
            session,
            _learner(award),
            "credential.claimed",
            award.id,
            organization_id=award.organization_id,
        )
    return award


def renew_own_link(env: Environment, session: Session, token: str) -> Award:
    """The award with a new private link; the one that was used, and all before it, open nothing from now on."""
    award = _held(env, session, token, for_update=True)
    renew_links(env, session, _learner(award), award)
    return award


def answer(
    env: Environment, session: Session, actor: Actor, award_id: str, order: AnswerOrder
) -> Dispute:
    """The dispute, closed with the issuer's answer; Conflict if none is open."""
    actor.require(Permission.CREDENTIALS_REVOKE)
    award = _own(session, actor, award_id)
    _require_no_personal_number(order.answer, "/answer")
    found = disputes.newest(session, award_id=award.id)
    if found is None or found.state != "open":
        raise Conflict("no_dispute_open", credential=award.id)
    found.state, found.answer, found.closed_at = order.status, order.answer, env.now()
    audit(
        env,
        session,
        actor,
        "credential.dispute_closed",
        award.id,
        organization_id=award.organization_id,
        dispute=found.id,
    )
    return found


def renew_link(env: Environment, session: Session, actor: Actor, award_id: str) -> Award:
    """The award with a new private link; the one before it opens nothing from now on."""
    actor.require(Permission.CREDENTIALS_ISSUE)
    award = _own(session, actor, award_id)
    renew_links(env, session, actor, award)
    return award


def renew_links(env: Environment, session: Session, actor: Actor, award: Award) -> None:
    """New private links of all that the organisation knows to be of the same learner, and a new folder link.

    Each of these pages leads to the folder and so to all the others: whoever had one of them has had them all.
    """
    found = of_the_same(session, award)
    for each in found:
        each.link_generation += 1
        audit(
            env,
            session,
            actor,
            "credential.link_renewed",
            each.id,
            organization_id=each.organization_id,
        )
    for learner_id in {each.learner_id for each in found if each.learner_id is not None}:
        learner = learners.by_id(
            session,
            organization_id=award.organization_id,
            learner_id=learner_id,
            for_update=True,
        )
        if learner is not None:
            learner.link_generation += 1


def _held(env: Environment, session: Session, token: str, *, for_update: bool = False) -> Award:
    """The award of a private link; where that was corrected, the one that took its place.

    Not where it was somebody else's: whoever was sent the link by mistake comes to what is revoked.
    """
    award_id = id_of(token)
    award = awards.by_link(session, award_id=award_id, for_update=for_update) if award_id else None
    if award is None or not hmac.compare_digest(
        holder_token(env.link_key, award.id, award.link_generation), token
    ):
        raise NotFound("holder_link")
    while not award.was_anothers and (
        newer := awards.replacement_of(session, award_id=award.id, for_update=for_update)
    ):
        award = newer
    return award


def _own(session: Session, actor: Actor, award_id: str) -> Award:
    award = awards.by_id(
        session,
        organization_id=actor.own_organization(),
        award_id=award_id,
        tests_only=actor.is_test,
        for_update=True,
    )
    if award is None:
        raise NotFound("credential", credential=award_id)
    return award


def _learner(award: Award) -> Actor:
    """Whoever has the private link; it gives no permission to what an organisation may do."""
    return Actor("holder", award.organization_id, frozenset())


def _require_no_personal_number(text: str, field: str) -> None:
    check_text(text, field)
    if holds_personal_number(text):
        raise InvalidInput(FieldError(field, "personal_number"))


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
