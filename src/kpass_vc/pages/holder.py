"""The learner's page behind the private link: see, download, share, withdraw, say that something is wrong.

Whoever has the address acts as the learner. A form that was refused comes back
with what was written in it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Literal, cast

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from kpass_vc.actions.bake import baked
from kpass_vc.actions.certificate import Paper, on_paper
from kpass_vc.actions.folder import folder_link
from kpass_vc.actions.learner_export import learner_export
from kpass_vc.actions.picture import badge_text, marked
from kpass_vc.actions.share import (
    MOST_TEXT,
    DisputeOrder,
    HeldAward,
    ShareOrder,
    accept,
    code_of,
    dispute,
    open_holder,
    private_link,
    renew_own_link,
    share,
    withdraw,
)
from kpass_vc.compose.narrative import facts, notice
from kpass_vc.edge import Env, RawBody, ReadTx, WriteTx
from kpass_vc.environment import Environment
from kpass_vc.errors import Conflict, Malformed, NotFound
from kpass_vc.formats import FORMATS
from kpass_vc.language import Language, has, say
from kpass_vc.links import written_code
from kpass_vc.model.dates import day_text, minute_text
from kpass_vc.model.document import read_json
from kpass_vc.model.field_errors import validated
from kpass_vc.pages.definition import in_words, outcomes, read_published
from kpass_vc.pages.form import read_texts
from kpass_vc.pages.private import (
    PRIVATE,
    private_file,
    private_html,
    refusals,
    status_of,
)
from kpass_vc.pages.render import chosen, in_each_language, places, render
from kpass_vc.qr import qr_path
from kpass_vc.records import definition as definitions
from kpass_vc.records import organization as organizations
from kpass_vc.records.award import Award, Representation
from kpass_vc.records.share_link import ShareLink

router = APIRouter(include_in_schema=False)

HeldStatus = Literal["valid", "revoked", "suspended", "expired", "compromised", "test"]
_PICTURES: Final = {"png": "image/png", "svg": "image/svg+xml"}
_SHARE_FIELDS: Final = ("label", "lasts", "language")


@dataclass(frozen=True)
class Refused:
    """A form that was not taken: which, what was written in it, and why."""

    form: str = ""
    given: Mapping[str, str] = field(default_factory=dict)
    sentences: tuple[str, ...] = ()
    status: int = 200


@dataclass(frozen=True)
class ShownLink:
    """One share link as the page shows it."""

    id: str
    label: str
    language: str
    until: str
    state: Literal["open", "withdrawn", "expired"]
    address: str
    code: str
    qr: str
    side: int


@router.api_route("/c/{token}", methods=["GET", "HEAD"])
def holder(
    token: str, request: Request, env: Env, session: ReadTx, language: str | None = None
) -> Response:
    """The learner's page."""
    return _page(env, session, token, _shown(request, language), Refused())


@router.api_route("/c/{token}/credential.{edition}.{kind}", methods=["GET", "HEAD"])
def download(token: str, edition: str, kind: str, env: Env, session: ReadTx) -> Response:
    """The credential of one language: as it was signed, or as a picture that holds it."""
    held = open_holder(env, session, token)
    row = _representation(held, edition, "json" if kind in _PICTURES else kind)
    name = _file_name(session, held.award, edition, kind)
    if kind in _PICTURES:
        picture = baked(session, held.award, row, cast('Literal["png", "svg"]', kind))
        return private_file(picture, _PICTURES[kind], name=name)
    return private_file(row.body, row.media_type, name=name)


@router.api_route("/c/{token}/export.zip", methods=["GET", "HEAD"])
def export(token: str, env: Env, session: ReadTx) -> Response:
    """Everything that is stored about it, in one file."""
    return private_file(learner_export(env, session, token), "application/zip", name="export.zip")


@router.post("/c/{token}/shares")
def post_share(
    token: str,
    request: Request,
    env: Env,
    session: WriteTx,
    body: RawBody,
    language: str | None = None,
) -> Response:
    """Make a share link."""

    def act(given: dict[str, str]) -> None:
        share(env, session, token, validated(ShareOrder, given))

    return _acted(
        env, session, token, _shown(request, language), "share", body, _SHARE_FIELDS, act, "links"
    )


@router.api_route("/c/{token}/shares/{share_id}/{form}.pdf", methods=["GET", "HEAD"])
def paper(token: str, share_id: str, form: Paper, env: Env, session: ReadTx) -> Response:
    """The certificate, or the badge by itself, to print: with the QR and the code of a share link."""
    document, name = on_paper(env, session, token, share_id, form)
    return private_file(document, "application/pdf", name=name)


@router.post("/c/{token}/shares/{share_id}/withdrawal")
def post_withdrawal(
    token: str,
    share_id: str,
    request: Request,
    env: Env,
    session: WriteTx,
    language: str | None = None,
) -> Response:
    """Withdraw a share link: it shows nothing from now on."""

    def act(_given: dict[str, str]) -> None:
        withdraw(env, session, token, share_id)

    return _acted(env, session, token, _shown(request, language), "links", b"", (), act)


@router.post("/c/{token}/acceptance")
def post_acceptance(
    token: str, request: Request, env: Env, session: WriteTx, language: str | None = None
) -> Response:
    """Say that it was seen and is right."""

    def act(_given: dict[str, str]) -> None:
        accept(env, session, token)

    return _acted(env, session, token, _shown(request, language), "secret", b"", (), act)


@router.post("/c/{token}/renewal")
def post_renewal(
    token: str, request: Request, env: Env, session: WriteTx, language: str | None = None
) -> Response:
    """Change the private link for a new one, for who thinks that somebody else has it."""
    award = renew_own_link(env, session, token)
    address = f"{private_link(env, award)}?language={_shown(request, language)}#section:secret"
    return RedirectResponse(address, status_code=303, headers=dict(PRIVATE))


@router.post("/c/{token}/dispute")
def post_dispute(
    token: str,
    request: Request,
    env: Env,
    session: WriteTx,
    body: RawBody,
    language: str | None = None,
) -> Response:
    """Tell the issuer that something is wrong."""

    def act(given: dict[str, str]) -> None:
        dispute(env, session, token, validated(DisputeOrder, given))

    return _acted(env, session, token, _shown(request, language), "dispute", body, ("text",), act)


def _acted(
    env: Environment,
    session: Session,
    token: str,
    language: Language,
    form: str,
    body: bytes,
    names: tuple[str, ...],
    act: Callable[[dict[str, str]], None],
    shown: str | None = None,
) -> Response:
    """Back to where it shows once it is done; the page with the form as it was filled in if it was refused."""
    given: dict[str, str] = {}
    try:
        given = read_texts(body, *names)
        act(given)
    except (Malformed, Conflict) as error:
        why = Refused(form, given, tuple(refusals(error, language)), status_of(error))
        return _page(env, session, token, language, why)
    address = f"{env.addresses.holder_page(token)}?language={language}#section:{shown or form}"
    return RedirectResponse(address, status_code=303, headers=dict(PRIVATE))


def _page(
    env: Environment, session: Session, token: str, language: Language, refused: Refused
) -> Response:
    held = open_holder(env, session, token)
    award, now = held.award, env.now()
    status = held_status(award, now, compromised=held.compromised)
    found = definitions.by_id(session, award.definition_version_id)
    issuer = organizations.by_id(session, award.organization_id)
    if found is None or issuer is None:
        raise NotFound("holder_link")
    version, _, owner = found
    definition = read_published(cast("Mapping[str, Any]", read_json(version.document or b"")))
    at = env.addresses.definition_at(version.document_url or "")
    address = env.addresses.holder_page(token)
    links = [_link(env, link, language, now) for link in held.links]
    title = in_words(definition.title, language)
    page = render(
        "holder.html",
        language,
        definition=definition,
        title=replace(title, text=marked(title.text, language, is_test=award.is_test)),
        description=in_words(definition.description, language) if definition.description else None,
        notice=notice(owner.name(language), language) if definition.illustrative else None,
        badge_url=f"{address}/credential.{held.languages[0]}.png"
        if owner.is_elsewhere
        else at.badge(language),
        accepted=day_text(award.claimed_at) if award.claimed_at else None,
        badge_text=badge_text(found, language),
        holder_name=award.holder_name,
        status=status,
        status_text=_status_text(award, status, issuer.name(language), language),
        assessed=award.assessed_on.isoformat(),
        issued=day_text(award.issued_at),
        until=day_text(award.valid_until) if award.valid_until else None,
        outcomes=outcomes(definition, language),
        facts=[
            (say(language, f"definition.label.{fact.label}"), fact.text)
            for fact in facts(definition, language)
        ],
        issuer=issuer,
        issuer_name=issuer.name(language),
        owner=owner,
        owner_name=owner.name(language),
        definition_page=at.page(language),
        address=address,
        can_print=award.state == "active" and not held.compromised,
        folder=folder_link(env, session, award),
        elsewhere=in_each_language(address),
        languages=held.languages,
        open_links=[link for link in links if link.state == "open"],
        ended_links=[link for link in links if link.state != "open"],
        dispute=held.dispute,
        disputed_on=minute_text(held.dispute.opened_at) if held.dispute else "",
        answered_on=minute_text(held.dispute.closed_at)
        if held.dispute and held.dispute.closed_at
        else "",
        most_text=MOST_TEXT,
        refused=refused,
        **places(env),
    )
    return private_html(page, language, status=refused.status)


def _link(env: Environment, link: ShareLink, language: Language, now: datetime) -> ShownLink:
    code = code_of(env, link)
    address = env.addresses.share(code)
    path, side = qr_path(address) if link.is_open(now) else ("", 0)
    if link.is_open(now):
        state: Literal["open", "withdrawn", "expired"] = "open"
    else:
        state = "withdrawn" if link.revoked_at is not None else "expired"
    until = minute_text(link.expires_at) if link.expires_at else ""
    return ShownLink(
        id=link.id,
        label=link.label,
        language=say(language, f"holder.language.{link.language}"),
        until=until,
        state=state,
        address=address,
        code=written_code(code),
        qr=path,
        side=side,
    )


def held_status(award: Award, now: datetime, *, compromised: bool) -> HeldStatus:
    """How an award stands, as its learner is told."""
    if award.is_test:
        return "test"
    if award.state == "revoked":
        return "revoked"
    if award.valid_until is not None and award.valid_until < now:
        return "expired"
    if compromised:
        return "compromised"
    return "suspended" if award.state == "suspended" else "valid"


def _status_text(award: Award, status: HeldStatus, issuer: str, language: Language) -> str:
    until = day_text(award.valid_until) if award.valid_until else ""
    key = f"holder.status_text.{status}"
    if status == "valid" and not until:
        key += "_no_end"
    sentence = say(language, key, issuer=issuer, until=until)
    reason = f"holder.reason.{award.reason}"
    if status in {"revoked", "suspended"} and has(reason):
        sentence += f" {say(language, 'holder.reason_given', reason=say(language, reason))}"
    return sentence


def _representation(held: HeldAward, language: str, extension: str) -> Representation:
    for row in held.representations:
        if row.language == language and FORMATS[row.format].extension == extension:
            return row
    raise NotFound


def _file_name(session: Session, award: Award, language: str, kind: str) -> str:
    """The definition's code, which is in ASCII; nothing of the person."""
    found = definitions.by_id(session, award.definition_version_id)
    return f"{found[1].code if found else 'credential'}.{language}.{kind}"


def _shown(request: Request, language: str | None) -> Language:
    return chosen(language, request.headers.get("Accept-Language"))
