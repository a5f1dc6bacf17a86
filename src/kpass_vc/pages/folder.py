"""The learner's folder: all that one organisation has given her, to open, download and print."""

from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from kpass_vc.actions.folder import Kept, folder_export, open_folder, renew_folder
from kpass_vc.actions.picture import badge_text, marked
from kpass_vc.edge import Env, ReadTx, WriteTx
from kpass_vc.environment import Environment
from kpass_vc.errors import NotFound
from kpass_vc.language import Language, say
from kpass_vc.model.dates import day_text
from kpass_vc.pages.holder import held_status
from kpass_vc.pages.private import PRIVATE, private_file, private_html
from kpass_vc.pages.render import chosen, in_each_language, places, render
from kpass_vc.records import definition as definitions
from kpass_vc.records import organization as organizations

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class ShownAward:
    """One award as the folder shows it."""

    title: str
    name: str
    owner: str
    picture: str
    picture_text: str
    issued: str
    until: str
    status: str
    word: str
    link: str
    """Where it opens: where it was corrected, the one that took its place."""
    is_replaced: bool


@router.api_route("/f/{token}", methods=["GET", "HEAD"])
def folder(
    token: str, request: Request, env: Env, session: ReadTx, language: str | None = None
) -> Response:
    """The folder, newest first."""
    shown = chosen(language, request.headers.get("Accept-Language"))
    opened = open_folder(env, session, token)
    issuer = organizations.by_id(session, opened.learner.organization_id)
    if issuer is None:
        raise NotFound("folder_link")
    address, now = env.addresses.folder(token), env.now()
    groups = {
        "awards": [_shown(env, session, kept, shown, now) for kept in opened.awards],
        "tests": [_shown(env, session, kept, shown, now) for kept in opened.tests],
    }
    page = render(
        "folder.html",
        shown,
        issuer_name=issuer.name(shown),
        groups=groups,
        count=len(groups["awards"] or groups["tests"]),
        address=address,
        elsewhere=in_each_language(address),
        **places(env),
    )
    return private_html(page, shown)


@router.api_route("/f/{token}/all.zip", methods=["GET", "HEAD"])
def download_all(token: str, env: Env, session: ReadTx) -> Response:
    """All of it in one file."""
    return private_file(folder_export(env, session, token), "application/zip", name="all.zip")


@router.post("/f/{token}/renewal")
def post_renewal(
    token: str, request: Request, env: Env, session: WriteTx, language: str | None = None
) -> Response:
    """Change the folder link, and with it the links of all that is in it, for who thinks that somebody has it."""
    shown = chosen(language, request.headers.get("Accept-Language"))
    address = f"{renew_folder(env, session, token)}?language={shown}#section:secret"
    return RedirectResponse(address, status_code=303, headers=dict(PRIVATE))


def _shown(
    env: Environment, session: Session, kept: Kept, language: Language, now: datetime
) -> ShownAward:
    award = kept.award
    found = definitions.by_id(session, award.definition_version_id)
    if found is None:
        raise NotFound("folder_link")
    version, _, owner = found
    at = env.addresses.definition_at(version.document_url or "")
    status = held_status(award, now, compromised=kept.compromised)
    if kept.newer is not None:
        status_word = say(language, "folder.replaced")
    else:
        status_word = say(language, f"holder.status.{status}")
    return ShownAward(
        title=marked(version.title(language), language, is_test=award.is_test),
        name=award.holder_name or "",
        owner=owner.name(language),
        picture=f"{kept.link}/credential.{language}.png"
        if owner.is_elsewhere
        else at.badge_small(language),
        picture_text=badge_text(found, language),
        issued=day_text(award.issued_at),
        until=day_text(award.valid_until) if award.valid_until else "",
        status="replaced" if kept.newer is not None else status,
        word=status_word,
        link=f"{kept.newer or kept.link}?language={language}",
        is_replaced=kept.newer is not None,
    )
