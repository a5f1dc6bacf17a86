"""One credential: all about it, and what may be done to it by whom."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter, Response
from sqlalchemy.orm import Session

from kpass_vc.actions.ask_owner import ask_owner
from kpass_vc.actions.change_status import StatusOrder, change_status
from kpass_vc.actions.correct import CorrectionOrder, as_ordered, correct, definition_of
from kpass_vc.actions.deliver import resend
from kpass_vc.actions.erase import erase, of_the_same
from kpass_vc.actions.learner_export import export_learner
from kpass_vc.actions.learners import Contact, ContactOrder, open_contact
from kpass_vc.actions.letter import letter
from kpass_vc.actions.share import AnswerOrder, answer, private_link, renew_link
from kpass_vc.authz import Permission
from kpass_vc.edge import Env, ReadTx, WriteTx
from kpass_vc.environment import Environment
from kpass_vc.errors import Conflict, Forbidden, Malformed, NotFound, Unavailable
from kpass_vc.language import LANGUAGES, has
from kpass_vc.model.dates import day_text, minute_text
from kpass_vc.model.field_errors import validated
from kpass_vc.pages.console.credentials import REVOKED_FOR, lines_of, reasons, state_of
from kpass_vc.pages.console.frame import OWN, AtWork, Desk, Faults, Form, Posted, faults_of
from kpass_vc.pages.private import private_file
from kpass_vc.records import award as awards
from kpass_vc.records import definition as definitions
from kpass_vc.records import delivery as deliveries
from kpass_vc.records import dispute as disputes
from kpass_vc.records import learner as learners
from kpass_vc.records import share_link as share_links
from kpass_vc.records.award import Award
from kpass_vc.records.delivery import Delivery
from kpass_vc.records.status_list import StatusList

router = APIRouter(prefix="/console", include_in_schema=False)

_REASONS: Final[Mapping[str, tuple[str, ...]]] = {
    "revoked": REVOKED_FOR,
    "suspended": ("under_investigation", "holder_request", "other"),
    "active": ("investigation_closed", "holder_request", "issued_in_error", "other"),
}
_CORRECTED_FOR: Final = ("wrong_details", "wrong_holder", "issued_in_error")
_PIECE: Final = ("name", "narrative", "genre", "url")
_MOST_PIECES: Final = 10
_REFUSED: Final = (Malformed, Conflict, Forbidden, Unavailable)


@dataclass(frozen=True)
class Sent:
    """One letter to the learner, as the page tells of it."""

    kind: str
    state: str
    when: str
    attempts: int
    problem: str
    """What went wrong last, in words; empty for nothing."""


@router.api_route("/credentials/{award_id}", methods=["GET", "HEAD"])
def credential(award_id: str, desk: AtWork, session: ReadTx) -> Response:
    """All about it."""
    return _page(desk, session, award_id)


@router.post("/credentials/{award_id}/status")
def post_status(award_id: str, env: Env, session: WriteTx, desk: AtWork, form: Posted) -> Response:
    """Revoked, suspended or reinstated."""
    wanted = form.text("status")
    given = {"status": wanted, **_named(form, {f"{wanted}_reason": "reason"})}

    def act() -> None:
        change_status(env, session, desk.who.actor, award_id, validated(StatusOrder, given))

    names = {"/reason": f"{wanted}_reason"}
    return _acted(desk, session, award_id, form, act, f"credential_{wanted}", names)


@router.post("/credentials/{award_id}/answer")
def post_answer(award_id: str, env: Env, session: WriteTx, desk: AtWork, form: Posted) -> Response:
    """The learner is answered."""

    def act() -> None:
        order = validated(AnswerOrder, {"status": "closed", **form.given("answer")})
        answer(env, session, desk.who.actor, award_id, order)

    return _acted(desk, session, award_id, form, act, "answered")


@router.post("/credentials/{award_id}/notice")
def post_notice(award_id: str, env: Env, session: WriteTx, desk: AtWork, form: Posted) -> Response:
    """The learner's link is sent again, to the address that is known or to another one."""
    given = _named(form, {"contact_email": "email", "contact_language": "language"})

    def act() -> None:
        contact = validated(ContactOrder, given) if form.text("which") == "new" else None
        resend(env, session, desk.who.actor, award_id, contact)

    names = {"/email": "contact_email", "/language": "contact_language"}
    return _acted(desk, session, award_id, form, act, "notice_sent", names)


@router.post("/credentials/{award_id}/link")
def post_link(award_id: str, env: Env, session: WriteTx, desk: AtWork, form: Posted) -> Response:
    """The learner's link is changed for a new one."""

    def act() -> None:
        renew_link(env, session, desk.who.actor, award_id)

    return _acted(desk, session, award_id, form, act, "link_renewed")


@router.post("/credentials/{award_id}/letter")
def post_letter(award_id: str, env: Env, session: WriteTx, desk: AtWork, form: Posted) -> Response:
    """A letter on paper, for who has no e-mail."""
    language = next((each for each in LANGUAGES if each == form.text("language")), desk.language)
    body = letter(env, session, desk.who.actor, [award_id], language)
    return private_file(body, "application/pdf", name=f"{desk.say('credential.letter_name')}.pdf")


@router.post("/credentials/{award_id}/learner", dependencies=[OWN])
def post_export(award_id: str, env: Env, session: WriteTx, desk: AtWork) -> Response:
    """All that is stored about the learner, for a learner who asks."""
    body = export_learner(env, session, desk.who.actor, award_id)
    return private_file(body, "application/zip", name="learner.zip")


@router.api_route("/credentials/{award_id}/correction", methods=["GET", "HEAD"])
def correction(award_id: str, desk: AtWork, session: ReadTx) -> Response:
    """What it says, to be written as it should have been."""
    return _correction_page(desk, session, award_id)


@router.post("/credentials/{award_id}/correction")
def post_correction(
    award_id: str, env: Env, session: WriteTx, desk: AtWork, form: Posted
) -> Response:
    """The new credential, whose page says what it replaces."""
    actor = desk.who.actor
    ask_owner(env, actor, definition_of(env, actor, award_id))
    award = _own(desk, session, award_id)
    if award.erased_at is not None:
        raise NotFound("credential", credential=award_id)
    given, names = _correction(session, award, form)
    try:
        with session.begin_nested():
            made = correct(env, session, actor, award.id, validated(CorrectionOrder, given))
    except _REFUSED as error:
        faults = faults_of(error, desk.language, names)
        return _correction_page(desk, session, award_id, faults, form.texts())
    return desk.to(f"/credentials/{made.award.id}", "corrected")


@router.api_route("/credentials/{award_id}/erasure", methods=["GET", "HEAD"])
def erasure(award_id: str, desk: AtWork, session: WriteTx) -> Response:
    """What goes when a learner is forgotten, what stays, and of which credentials."""
    desk.who.actor.require(Permission.LEARNERS_ERASE)
    award = _own(desk, session, award_id)
    desk.require_fresh()
    held = sorted(of_the_same(session, award), key=lambda each: (each.issued_at, each.id))
    return desk.page(
        "credential_erasure.html",
        here="credentials",
        award=award,
        address=_address(desk.env, award.id),
        lines=lines_of(desk, session, held),
    )


@router.post("/credentials/{award_id}/erasure", dependencies=[OWN])
def post_erasure(award_id: str, env: Env, session: WriteTx, desk: AtWork) -> Response:
    """The learner is forgotten."""
    desk.require_fresh()
    erase(env, session, desk.who.actor, award_id)
    return desk.to(f"/credentials/{award_id}", "erased")


def _acted(
    desk: Desk,
    session: Session,
    award_id: str,
    form: Form,
    act: Callable[[], None],
    done: str,
    names: Mapping[str, str] | None = None,
) -> Response:
    """Back to the credential once it is done; its page with the form as it was filled in if it was refused."""
    try:
        with session.begin_nested():
            act()
    except (Malformed, Conflict) as error:
        faults = faults_of(error, desk.language, names)
        return _page(desk, session, award_id, faults, form.texts())
    return desk.to(f"/credentials/{award_id}", done)


def _own(desk: Desk, session: Session, award_id: str) -> Award:
    actor = desk.who.actor
    actor.require(Permission.CREDENTIALS_READ)
    award = awards.by_id(
        session,
        organization_id=actor.own_organization(),
        award_id=award_id,
        tests_only=actor.is_test,
    )
    if award is None:
        raise NotFound("credential", credential=award_id)
    return award


def _page(
    desk: Desk,
    session: Session,
    award_id: str,
    faults: Faults | None = None,
    given: Mapping[str, str] | None = None,
) -> Response:
    award = _own(desk, session, award_id)
    env, organization_id = desk.env, award.organization_id
    found = definitions.by_id(session, award.definition_version_id)
    if found is None:
        raise NotFound("credential", credential=award_id)
    version, line, owner = found
    status_list = session.get_one(StatusList, award.status_list_id)
    forms = awards.representations(session, award_id=award.id)
    newer = awards.replacement_of(session, award_id=award.id)
    contact = _contact(desk, session, award)
    return desk.page(
        "credential.html",
        here="credentials",
        faults=faults,
        given=given or {},
        award=award,
        address=_address(env, award.id),
        title=version.title(desk.language),
        code=line.code,
        version=version.version,
        definition_page=env.addresses.definition_at(version.document_url or "").page(desk.language),
        owner_name=owner.name(desk.language) if owner.id != organization_id else "",
        state=state_of(desk, award, compromised=awards.is_compromised(session, award_id=award.id)),
        changed=minute_text(award.status_changed_at) if award.status_changed_at else "",
        issued=minute_text(award.issued_at),
        until=day_text(award.valid_until) if award.valid_until else "",
        claimed=minute_text(award.claimed_at) if award.claimed_at else "",
        editions=list({row.language: row.credential_id for row in forms}.items()),
        sent=[
            _sent(row)
            for row in deliveries.of_award(
                session, organization_id=organization_id, award_id=award.id
            )
        ],
        contact=contact,
        disputes=[
            {
                "open": each.state == "open",
                "text": each.text,
                "when": minute_text(each.opened_at),
                "answer": each.answer,
                "answered": minute_text(each.closed_at) if each.closed_at else "",
            }
            for each in reversed(disputes.of_award(session, award_id=award.id))
        ],
        shares=sum(
            link.is_open(env.now()) for link in share_links.of_award(session, award_id=award.id)
        ),
        link=private_link(env, award) if desk.may(Permission.CREDENTIALS_ISSUE) else "",
        newer=newer.id if newer is not None else "",
        older=award.replaces_id or "",
        suspendable=status_list.purpose == "suspension",
        options={name: reasons(desk, names) for name, names in _REASONS.items()},
        languages=[(each, desk.say(f"credential.language.{each}")) for each in LANGUAGES],
    )


def _contact(desk: Desk, session: Session, award: Award) -> Contact | None:
    """How the learner is reached, for who may send them something."""
    if award.learner_id is None or not desk.may(Permission.CREDENTIALS_ISSUE):
        return None
    row = learners.by_id(
        session, organization_id=award.organization_id, learner_id=award.learner_id
    )
    if row is None or row.sealed_contact is None:
        return None
    return open_contact(desk.env, row.id, row.sealed_contact)


def _sent(row: Delivery) -> Sent:
    code = (row.last_error or "").replace(".", "_")
    key = f"credential.problem.{code}"
    if not code or row.state not in {"waiting", "failed"}:
        problem = ""
    else:
        problem = key if has(f"console.{key}") else "credential.problem.other"
    return Sent(
        kind=row.kind,
        state=row.state,
        when=minute_text(row.sent_at or row.created_at),
        attempts=row.attempts,
        problem=problem,
    )


def _correction_page(
    desk: Desk,
    session: Session,
    award_id: str,
    faults: Faults | None = None,
    given: Mapping[str, str] | None = None,
) -> Response:
    actor = desk.who.actor
    actor.require(Permission.CREDENTIALS_ISSUE)
    actor.require(Permission.CREDENTIALS_REVOKE)
    award = _own(desk, session, award_id)
    found = definitions.by_id(session, award.definition_version_id)
    if found is None or award.erased_at is not None:
        raise NotFound("credential", credential=award_id)
    ordered = as_ordered(session, award)
    filled = dict(given) if given is not None else {"reason": _CORRECTED_FOR[0]}
    if given is None:
        filled |= {
            "holder_name": award.holder_name or "",
            "holder_protectedIdentity": "" if award.holder_name else "yes",
            "assessedOn": award.assessed_on.isoformat(),
            "validUntil": ordered.valid_until.isoformat() if ordered.valid_until else "",
        }
        for number, piece in enumerate(ordered.evidence):
            filled |= {f"evidence_{number}_{name}": text for name, text in piece.items()}
    return desk.page(
        "credential_correction.html",
        here="credentials",
        faults=faults,
        given=filled,
        award=award,
        title=found[0].title(desk.language),
        address=_address(desk.env, award.id),
        has_email=ordered.has_email,
        pieces=min(len(ordered.evidence) + 1, _MOST_PIECES),
        options=[(each, desk.say(f"credential.corrected_for.{each}")) for each in _CORRECTED_FOR],
        languages=[(each, desk.say(f"credential.language.{each}")) for each in LANGUAGES],
    )


def _correction(
    session: Session, award: Award, form: Form
) -> tuple[dict[str, Any], dict[str, str]]:
    """The order that a form makes, and the form's names for its pointers where they are others."""
    names: dict[str, str] = {}
    evidence: list[dict[str, str]] = []
    for number in range(_MOST_PIECES):
        piece = _named(form, {f"evidence_{number}_{name}": name for name in _PIECE})
        if not piece:
            continue
        for name in _PIECE:
            names[f"/evidence/{len(evidence)}/{name}"] = f"evidence_{number}_{name}"
        names[f"/evidence/{len(evidence)}"] = f"evidence_{number}_name"
        evidence.append(piece)
    ordered = as_ordered(session, award)
    reason = form.text("reason")
    holder: dict[str, Any] = _named(form, {"holder_name": "name", "holder_email": "email"})
    if form.text("holder_protectedIdentity"):
        holder["protectedIdentity"] = True
    if reason != "wrong_holder" and award.holder_id.startswith("did:"):
        holder["id"] = award.holder_id
    contact = _named(form, {"holder_contact_email": "email"})
    if contact:
        language = _named(form, {"holder_contact_language": "language"})
        holder["contact"] = contact | language
    given: dict[str, Any] = {
        "holder": holder,
        "evidence": evidence,
        **form.given("assessedOn", "validUntil"),
        "reason": reason,
    }
    if reason != "wrong_holder":
        given["parts"] = list(ordered.parts)
        names |= {f"/parts/{number}": "definition" for number in range(len(ordered.parts))}
    return given, names


def _named(form: Form, names: Mapping[str, str]) -> dict[str, str]:
    """What was written in some fields, by what the order calls them."""
    return {ours: form.text(theirs) for theirs, ours in names.items() if form.text(theirs)}


def _address(env: Environment, award_id: str) -> str:
    return env.addresses.console(f"/credentials/{award_id}")
