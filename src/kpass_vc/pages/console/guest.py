"""A reviewer who has no account: one link, one version, one word. The secret is in the address, as a learner's is."""

from collections.abc import Callable, Mapping

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from kpass_vc.actions.invite import open_guest, use
from kpass_vc.actions.review import (
    CommentOrder,
    DecisionOrder,
    comment,
    decide,
    under_review,
)
from kpass_vc.edge import Env, ReadTx, WriteTx
from kpass_vc.environment import Environment
from kpass_vc.errors import Conflict, Forbidden, Malformed
from kpass_vc.language import LANGUAGES
from kpass_vc.model.field_errors import validated
from kpass_vc.pages.console.definitions import told
from kpass_vc.pages.console.frame import (
    HEADERS,
    AnybodysForm,
    Faults,
    dressed,
    faults_of,
    frame,
    keep_language,
    spoken,
)
from kpass_vc.pages.render import render
from kpass_vc.records.definition import DefinitionVersion

router = APIRouter(prefix="/console", include_in_schema=False)


@router.api_route("/guest/{token}", methods=["GET", "HEAD"])
def guest(token: str, request: Request, env: Env, session: ReadTx) -> Response:
    """The version that one is asked to review."""
    return _page(request, env, session, token)


@router.post("/guest/{token}/comments")
def post_comment(
    token: str, request: Request, env: Env, session: WriteTx, form: AnybodysForm
) -> Response:
    """A remark."""
    given = {"field": form.text("field"), "text": form.text("text")}

    def act() -> None:
        _, actor, version_id = open_guest(env, session, token)
        version = under_review(session, actor, version_id).found[0]
        if not _is_open(version):
            raise Conflict("not_in_review", version=version.version, state=version.state)
        comment(env, session, actor, version_id, validated(CommentOrder, given))

    refused = _refused(request, env, session, token, form.texts(), act)
    return refused or RedirectResponse(
        env.addresses.console(f"/guest/{token}?language={spoken(request)}"),
        status_code=303,
        headers=dict(HEADERS),
    )


@router.post("/guest/{token}/decision")
def post_decision(
    token: str, request: Request, env: Env, session: WriteTx, form: AnybodysForm
) -> Response:
    """One's word; the link opens nothing from then on."""
    given = {"decision": form.text("decision"), "comment": form.text("comment") or None}

    def act() -> None:
        invited, actor, version_id = open_guest(env, session, token)
        decide(env, session, actor, version_id, validated(DecisionOrder, given))
        use(env, session, invited)

    title, code, owner = _about(env, session, token, request)
    refused = _refused(request, env, session, token, form.texts(), act)
    return refused or _dressed(request, env, token, title=title, code=code, owner=owner, over=True)


def _is_open(version: DefinitionVersion) -> bool:
    """Whether there is something to review: a draft is nobody's but its owner's."""
    return version.state == "in_review"


def _about(
    env: Environment, session: Session, token: str, request: Request
) -> tuple[str, str, str]:
    _, actor, version_id = open_guest(env, session, token)
    version, line, owner = under_review(session, actor, version_id).found
    language = spoken(request)
    return version.title(language), f"{line.code} {version.version}", owner.name(language)


def _refused(
    request: Request,
    env: Environment,
    session: Session,
    token: str,
    given: Mapping[str, str],
    act: Callable[[], None],
) -> Response | None:
    """None once it is done; the page with what was written in it, if it was refused."""
    try:
        with session.begin_nested():
            act()
    except (Malformed, Conflict, Forbidden) as error:
        session.expire_all()
        return _page(request, env, session, token, faults_of(error, spoken(request)), given)
    return None


def _page(
    request: Request,
    env: Environment,
    session: Session,
    token: str,
    faults: Faults | None = None,
    given: Mapping[str, str] | None = None,
) -> Response:
    invited, actor, version_id = open_guest(env, session, token)
    review = under_review(session, actor, version_id)
    title, code, owner = _about(env, session, token, request)
    if not _is_open(review.found[0]):
        return _dressed(
            request, env, token, faults=faults, title=title, code=code, owner=owner, closed=True
        )
    return _dressed(
        request,
        env,
        token,
        faults=faults,
        title=title,
        code=code,
        owner=owner,
        person=invited.person.name if invited.person else "",
        given=given or {},
        **told(session, spoken(request), review),
    )


def _dressed(
    request: Request,
    env: Environment,
    token: str,
    *,
    faults: Faults | None = None,
    **values: object,
) -> Response:
    language, address = spoken(request), env.addresses.console(f"/guest/{token}")
    shown = {
        **frame(env),
        "faults": faults or Faults(),
        "address": address,
        "elsewhere": {each: f"{address}?language={each}" for each in LANGUAGES},
        "over": False,
        "closed": False,
        **values,
    }
    page = render("console/guest.html", language, **shown)
    reply = dressed(page, language, status=faults.status if faults else 200)
    keep_language(reply, request.query_params.get("language"))
    return reply
