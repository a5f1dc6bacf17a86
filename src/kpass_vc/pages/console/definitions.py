"""Definitions: find, write with what is still missing beside, hand in, review, publish, compare."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Response
from sqlalchemy.orm import Session

from kpass_vc.actions.define import define, source_of
from kpass_vc.actions.invite import FirstPersonOrder, address_of, invite_reviewer
from kpass_vc.actions.publish import missing, publish, read_version, retire, wrong_number
from kpass_vc.actions.review import (
    CommentOrder,
    DecisionOrder,
    SubmitOrder,
    UnderReview,
    comment,
    decide,
    submit,
    take_back,
    under_review,
    waiting,
)
from kpass_vc.actions.sign_in import sha256
from kpass_vc.authz import Permission
from kpass_vc.completeness import gaps, warnings
from kpass_vc.compose.narrative import facts
from kpass_vc.definition_table import read_definitions, write_definitions
from kpass_vc.definition_table import template as empty_table
from kpass_vc.edge import Env, ReadTx, WriteTx
from kpass_vc.environment import Environment
from kpass_vc.errors import (
    Conflict,
    DefinitionIncomplete,
    FieldError,
    Forbidden,
    InvalidInput,
    KpassError,
    Malformed,
    NotFound,
)
from kpass_vc.language import LANGUAGES, Language, say
from kpass_vc.model.dates import day_text, minute_text
from kpass_vc.model.definition import Definition
from kpass_vc.model.field_errors import validated
from kpass_vc.pages.console.definition_form import (
    MORE_OUTCOMES,
    filled_in,
    groups,
    outcomes,
    place_of,
    value_in_words,
)
from kpass_vc.pages.console.frame import (
    AtWork,
    Desk,
    Faults,
    Form,
    Posted,
    dressed_file,
    faults_of,
    in_words,
    label_of,
    posted_with,
)
from kpass_vc.pages.definition import outcomes as shown_outcomes
from kpass_vc.records import definition as definitions
from kpass_vc.records import organization as organizations
from kpass_vc.records import person as people
from kpass_vc.records.definition import DefinitionVersion, Found
from kpass_vc.spreadsheets import MEDIA_TYPE
from kpass_vc.versioning import Change, changes
from kpass_vc.wording import VERBS, is_weak

router = APIRouter(prefix="/console", include_in_schema=False)

REFUSED: Final = (Malformed, Conflict, Forbidden)
STATES: Final = ("draft", "in_review", "approved", "published", "superseded", "retired")
_MOST: Final = 500
_NEW: Final[Mapping[str, Any]] = {"version": "1.0.0", "country": "SE", "language": "sv"}


@dataclass(frozen=True)
class Gap:
    """Something that is missing, or that should be thought over: what, and at which field."""

    field: str
    sentence: str


@router.api_route("/definitions", methods=["GET", "HEAD"])
def listed(session: ReadTx, desk: AtWork, q: str = "") -> Response:
    """One's own definitions by state, and those that wait for one's word."""
    desk.who.actor.require(Permission.DEFINITIONS_READ)
    organization = desk.who.organization
    found, _ = definitions.search(
        session,
        states=STATES,
        owner=organization.slug if organization else "",
        text=q.strip()[:200] or None,
        limit=_MOST,
    )
    for_me = waiting(session, desk.who.actor) if desk.may(Permission.DEFINITIONS_REVIEW) else []
    return desk.page(
        "definitions.html",
        here="definitions",
        q=q[:200],
        waiting=[_line(desk, each) for each in for_me],
        by_state=[
            (state, rows)
            for state in STATES
            if (rows := [_line(desk, each) for each in found if each[0].state == state])
        ],
    )


@router.api_route("/definitions/new", methods=["GET", "HEAD"])
def new(session: ReadTx, desk: AtWork, like: str = "", step: str = "") -> Response:
    """The empty form; or one filled in like another definition, as a new one or as its next version."""
    desk.who.actor.require(Permission.DEFINITIONS_WRITE)
    document = {**_NEW, "authorised_issuers": [_slug(desk)]}
    if like:
        version, _, _ = read_version(session, desk.who.actor, like)
        document = {**source_of(version).model_dump(mode="json"), "status": "draft"}
        if step in {"major", "minor", "patch"}:
            document["version"] = _next(version.version, step)
        else:
            document |= {"code": "", "version": "1.0.0"}
    return _form_page(desk, document, version_id="", like=like)


@router.post("/definitions/new")
def post_new(env: Env, session: WriteTx, desk: AtWork, form: Posted) -> Response:
    """A new draft, with whatever gaps."""
    desk.who.actor.require(Permission.DEFINITIONS_WRITE)
    like = form.text("like")
    before: Mapping[str, Any] = _NEW
    if like:
        version, _, _ = read_version(session, desk.who.actor, like)
        before = {**source_of(version).model_dump(mode="json"), "status": "draft"}
    return _saved(env, session, desk, form, before, version_id="", like=like)


@router.api_route("/definitions/import", methods=["GET", "HEAD"])
def import_page(desk: AtWork) -> Response:
    """Where a table of definitions is dropped."""
    desk.who.actor.require(Permission.DEFINITIONS_WRITE)
    return desk.page("definitions_import.html", here="definitions")


@router.api_route("/definitions/template.xlsx", methods=["GET", "HEAD"])
def table_template(desk: AtWork) -> Response:
    """The table to fill in."""
    body = empty_table(desk.language)
    return dressed_file(body, MEDIA_TYPE, name=f"definitions.{desk.language}.xlsx")


@router.post("/definitions/import")
def post_import(
    env: Env,
    session: WriteTx,
    desk: AtWork,
    form: Annotated[Form, Depends(posted_with("file"))],
) -> Response:
    """The drafts of a table, all or none."""
    try:
        with session.begin_nested():
            taken = []
            for document, cells in read_definitions(form.files.get("file", b"")):
                try:
                    given = {"owner": _slug(desk), **document}
                    taken.append(define(env, session, desk.who.actor, given)[0])
                except InvalidInput as error:
                    places = [
                        FieldError(cells.get(each.field, each.field), each.rule, **each.data)
                        for each in error.fields
                    ]
                    raise InvalidInput(*places) from error
    except InvalidInput as error:
        sentences = tuple(each.sentence(desk.language) for each in error.fields)
        wrong = Faults({"file": sentences}, (), 422)
        return desk.page("definitions_import.html", here="definitions", faults=wrong)
    except (*REFUSED, NotFound) as error:
        wrong = Faults({"file": (error.sentence(desk.language),)}, (), 422)
        return desk.page("definitions_import.html", here="definitions", faults=wrong)
    place = f"/definitions/{taken[0][0].id}" if len(taken) == 1 else "/definitions"
    return desk.to(place, "definitions_imported")


@router.api_route("/definitions/compare", methods=["GET", "HEAD"])
def compare(session: ReadTx, desk: AtWork, a: str = "", b: str = "") -> Response:
    """Two versions side by side, with what differs."""
    first, second = (read_version(session, desk.who.actor, each) for each in (a, b))
    found = changes(source_of(first[0]), source_of(second[0]))
    return desk.page(
        "definitions_compare.html",
        here="definitions",
        first=_line(desk, first),
        second=_line(desk, second),
        differences=[change_in_words(desk.language, each) for each in found],
    )


@router.api_route("/definitions/{version_id}", methods=["GET", "HEAD"])
def version_page(version_id: str, env: Env, session: ReadTx, desk: AtWork) -> Response:
    """One version: what it says, what it lacks, what was said of it, and what may be done."""
    return _version_page(env, session, desk, version_id)


@router.api_route("/definitions/{version_id}/table.xlsx", methods=["GET", "HEAD"])
def table(version_id: str, session: ReadTx, desk: AtWork) -> Response:
    """The version as a table."""
    version, line, _ = read_version(session, desk.who.actor, version_id)
    body = write_definitions(desk.language, [source_of(version)])
    return dressed_file(body, MEDIA_TYPE, name=f"{line.code}-{version.version}.xlsx")


@router.api_route("/definitions/{version_id}/edit", methods=["GET", "HEAD"])
def edit(version_id: str, session: ReadTx, desk: AtWork) -> Response:
    """The form of a draft."""
    desk.who.actor.require(Permission.DEFINITIONS_WRITE)
    version, _, _ = _own_draft(session, desk, version_id)
    document = source_of(version).model_dump(mode="json")
    return _form_page(desk, document, version_id=version_id, seen=_seal(version))


@router.post("/definitions/{version_id}/edit")
def post_edit(version_id: str, env: Env, session: WriteTx, desk: AtWork, form: Posted) -> Response:
    """The draft as it was filled in."""
    desk.who.actor.require(Permission.DEFINITIONS_WRITE)
    version, line, _ = _own(session, desk, version_id)
    before = source_of(version).model_dump(mode="json")
    fixed = {"code": line.code, "version": version.version}
    return _saved(
        env, session, desk, form, before, version_id=version_id, fixed=fixed, is_now=_seal(version)
    )


@router.post("/definitions/{version_id}/submit")
def post_submit(
    version_id: str, env: Env, session: WriteTx, desk: AtWork, form: Posted
) -> Response:
    """Handed in for review."""
    given = {"reviewers": form.every("reviewers")}
    try:
        with session.begin_nested():
            submit(env, session, desk.who.actor, version_id, validated(SubmitOrder, given))
    except (*REFUSED, DefinitionIncomplete) as error:
        faults = faults_of(error, desk.language)
        return _version_page(env, session, desk, version_id, faults)
    return desk.to(f"/definitions/{version_id}", "definition_submitted")


@router.post("/definitions/{version_id}/back")
def post_back(version_id: str, env: Env, session: WriteTx, desk: AtWork, form: Posted) -> Response:
    """A draft again."""
    return _done(
        env, session, desk, version_id, form, "definition_back", lambda: take_back(
            env, session, desk.who.actor, version_id
        )
    )  # fmt: skip


@router.post("/definitions/{version_id}/publish")
def post_publish(
    version_id: str, env: Env, session: WriteTx, desk: AtWork, form: Posted
) -> Response:
    """Published, signed by its owner."""
    return _done(
        env, session, desk, version_id, form, "definition_published", lambda: publish(
            env, session, desk.who.actor, version_id
        )
    )  # fmt: skip


@router.post("/definitions/{version_id}/retire")
def post_retire(
    version_id: str, env: Env, session: WriteTx, desk: AtWork, form: Posted
) -> Response:
    """Ended: no more is issued of it."""
    return _done(
        env, session, desk, version_id, form, "definition_retired", lambda: retire(
            env, session, desk.who.actor, version_id
        )
    )  # fmt: skip


@router.post("/definitions/{version_id}/comments")
def post_comment(
    version_id: str, env: Env, session: WriteTx, desk: AtWork, form: Posted
) -> Response:
    """A remark."""
    given = {"field": form.text("field"), "text": form.text("text")}
    return _done(
        env, session, desk, version_id, form, "comment_made", lambda: comment(
            env, session, desk.who.actor, version_id, validated(CommentOrder, given)
        )
    )  # fmt: skip


@router.post("/definitions/{version_id}/decision")
def post_decision(
    version_id: str, env: Env, session: WriteTx, desk: AtWork, form: Posted
) -> Response:
    """A reviewer's word."""
    given = {"decision": form.text("decision"), "comment": form.text("comment") or None}
    return _done(
        env, session, desk, version_id, form, "decision_made", lambda: decide(
            env, session, desk.who.actor, version_id, validated(DecisionOrder, given)
        )
    )  # fmt: skip


@router.post("/definitions/{version_id}/guests")
def post_guest(version_id: str, env: Env, session: WriteTx, desk: AtWork, form: Posted) -> Response:
    """Somebody without an account is asked to review it; the link is shown only where no mail is sent."""
    given = {"name": form.text("guest_name"), "email": form.text("guest_email")}
    try:
        with session.begin_nested():
            order = validated(FirstPersonOrder, given)
            row, goes_by_mail = invite_reviewer(
                env, session, desk.who.actor, version_id, order, desk.language
            )
    except REFUSED as error:
        faults = faults_of(error, desk.language, {"/name": "guest_name", "/email": "guest_email"})
        return _version_page(env, session, desk, version_id, faults, form.texts())
    if goes_by_mail:
        return desk.to(f"/definitions/{version_id}", "guest_invited")
    return desk.page(
        "guest_link.html",
        here="definitions",
        name=order.name,
        link=address_of(env, row),
        back=desk.address(f"/console/definitions/{version_id}"),
    )


def _done(
    env: Environment,
    session: Session,
    desk: Desk,
    version_id: str,
    form: Form,
    done: str,
    act: Any,  # noqa: ANN401 - whatever the action gives
) -> Response:
    try:
        with session.begin_nested():
            act()
    except (*REFUSED, DefinitionIncomplete) as error:
        session.expire_all()
        faults = faults_of(error, desk.language)
        return _version_page(env, session, desk, version_id, faults, form.texts())
    return desk.to(f"/definitions/{version_id}", done)


def _saved(
    env: Environment,
    session: Session,
    desk: Desk,
    form: Form,
    before: Mapping[str, Any],
    *,
    version_id: str,
    like: str = "",
    fixed: Mapping[str, str] | None = None,
    is_now: str = "",
) -> Response:
    """`is_now` is the seal of the draft as it stands; a form that was filled in upon another is shown once more."""
    document = filled_in(form, before, _slug(desk)) | dict(fixed or {})
    step, seen = form.text("step"), form.text("seen")
    if step == "more":
        return _form_page(desk, document, version_id=version_id, like=like, more=5, seen=seen)
    try:
        with session.begin_nested():
            if seen and seen != is_now:
                raise Conflict("draft_changed")
            if not version_id and _is_there(session, desk, document):
                raise Conflict("draft_there", field="/version")
            (version, _, _), _ = define(env, session, desk.who.actor, document)
    except REFUSED as error:
        return _form_page(
            desk,
            document,
            version_id=version_id,
            like=like,
            seen=is_now,
            faults=_at_fields(desk, error),
        )
    place = f"/definitions/{version.id}"
    return desk.to(f"{place}/edit" if step == "stay" else place, "definition_saved")


def _is_there(session: Session, desk: Desk, document: Mapping[str, Any]) -> bool:
    """Whether what is to be new would take the place of a draft that is there."""
    code, version = str(document.get("code")), str(document.get("version"))
    return definitions.by_address(session, slug=_slug(desk), code=code, version=version) is not None


def _form_page(
    desk: Desk,
    document: Mapping[str, Any],
    *,
    version_id: str,
    like: str = "",
    more: int = MORE_OUTCOMES,
    seen: str = "",
    faults: Faults | None = None,
) -> Response:
    try:
        lacks = _gaps(desk, Definition.model_validate(document))
    except ValueError:
        lacks = None
    return desk.page(
        "definition_form.html",
        here="definitions",
        faults=faults,
        version_id=version_id,
        like=like,
        seen=seen,
        title=(document.get("title") or {}).get("sv", ""),
        groups=groups(document, desk.language),
        outcomes=outcomes(document, more),
        domains=[(each, say(desk.language, f"definition.domain.{each}")) for each in VERBS["sv"]],
        verbs=[
            (say(desk.language, f"definition.domain.{each}"), ", ".join(words))
            for each, words in VERBS[desk.language].items()
        ],
        weak=_weak(document),
        gaps=lacks,
    )


def _gaps(desk: Desk, source: Definition) -> tuple[list[Gap], list[Gap]]:
    return (
        [_gap(desk, each) for each in gaps(source)],
        [_gap(desk, each) for each in warnings(source)],
    )


def _gap(desk: Desk, error: FieldError) -> Gap:
    return Gap(place_of(error.field), in_words(error, desk.language))


def _at_fields(desk: Desk, error: KpassError) -> Faults:
    """What is wrong with a definition, at the fields of its form."""
    broken = error.fields if isinstance(error, InvalidInput) else ()
    return faults_of(error, desk.language, {each.field: place_of(each.field) for each in broken})


def _weak(document: Mapping[str, Any]) -> list[int]:
    """The outcomes, by number, that begin with what nobody can watch."""
    return [
        number
        for number, each in enumerate(document.get("learning_outcomes") or ())
        if any(is_weak(str((each.get("text") or {}).get(one, "")), one) for one in LANGUAGES)
    ]


def _seal(version: DefinitionVersion) -> str:
    """What tells this draft from what it was before and will be after."""
    return sha256(version.source)[:22]


def _own(session: Session, desk: Desk, version_id: str) -> Found:
    found = read_version(session, desk.who.actor, version_id)
    if found[2].id != desk.who.actor.own_organization():
        raise NotFound("definition", definition=version_id)
    return found


def _own_draft(session: Session, desk: Desk, version_id: str) -> Found:
    found = _own(session, desk, version_id)
    if found[0].state != "draft":
        raise Conflict("version_is_final", version=found[0].version, state=found[0].state)
    return found


def _version_page(
    env: Environment,
    session: Session,
    desk: Desk,
    version_id: str,
    faults: Faults | None = None,
    given: Mapping[str, str] | None = None,
) -> Response:
    review = under_review(session, desk.who.actor, version_id)
    version, line, owner = review.found
    source = source_of(version)
    is_own = owner.id == desk.who.actor.own_organization()
    others = [
        (each.slug, each.name(desk.language))
        for each in organizations.every(session)
        if each.id != owner.id and not each.is_elsewhere and each.slug != "operator"
    ]
    has_document = version.document is not None
    is_draft = version.state == "draft"
    misnumbered = wrong_number(session, review.found) if is_draft else None
    lacks = [*missing(session, source, owner), *([misnumbered] if misnumbered else [])]
    return desk.page(
        "definition_version.html",
        here="definitions",
        faults=faults,
        given=given or {},
        line=_line(desk, review.found),
        is_own=is_own,
        state=version.state,
        **told(session, desk.language, review),
        public=env.addresses.definition_at(version.document_url or "").page(desk.language)
        if has_document
        else "",
        lacks=[_gap(desk, each) for each in lacks] if is_draft else [],
        step=misnumbered.rule.removeprefix("gap.version_") if misnumbered else "",
        warnings=[_gap(desk, each) for each in warnings(source)] if is_draft else [],
        versions=[
            _line(desk, (each, line, owner))
            for each in sorted(
                definitions.versions(session, definition_id=line.id),
                key=lambda row: [int(part) for part in row.version.split(".")],
                reverse=True,
            )
        ]
        if is_own
        else [],
        others=others,
        comparable=_comparable(session, desk, version_id),
        may_decide=desk.may(Permission.DEFINITIONS_REVIEW)
        and version.state == "in_review"
        and desk.who.actor.name not in version.authors,
        wrote_it=desk.who.actor.name in version.authors,
    )


def _comparable(session: Session, desk: Desk, version_id: str) -> list[tuple[str, str]]:
    """One's own versions that another may be held against, by id and what they are called."""
    found, _ = definitions.search(session, states=STATES, owner=_slug(desk), text=None, limit=_MOST)
    lines = [_line(desk, each) for each in found if each[0].id != version_id]
    return [(each["id"], f"{each['title']} ({each['code']} {each['version']})") for each in lines]


def told(session: Session, language: Language, review: UnderReview) -> dict[str, Any]:
    """What a version says, what it changes, and what was said of it."""
    source = source_of(review.found[0])
    return {
        "outcomes": shown_outcomes(source, language),
        "facts": [
            (say(language, f"definition.label.{fact.label}"), fact.text)
            for fact in facts(source, language)
        ],
        "description": (source.description or {}).get(language)
        or (source.description or {}).get("sv", ""),
        "differences": [change_in_words(language, each) for each in review.changes],
        "reviews": _reviews(session, language, review),
        "comments": _comments(session, language, review),
        "asked": [each.name(language) for each in review.asked],
        "fields": _commentable(language),
    }


def _reviews(session: Session, language: Language, review: UnderReview) -> list[dict[str, str]]:
    return [
        {
            "who": _called(session, row.person_id),
            "organization": organization.name(language),
            "decision": row.decision,
            "when": minute_text(row.decided_at),
        }
        for row, organization in review.reviews
    ]


def _comments(session: Session, language: Language, review: UnderReview) -> list[dict[str, str]]:
    return [
        {
            "who": _called(session, row.author.removeprefix("person:")),
            "field": label_of(row.field, language) if row.field else "",
            "text": row.text,
            "when": minute_text(row.written_at),
        }
        for row in review.comments
    ]


def _called(session: Session, person_id: str) -> str:
    found = people.by_id(session, person_id)
    return found.name if found is not None else "?"


def _commentable(language: Language) -> list[tuple[str, str]]:
    fields = (
        "/title", "/description", "/learning_outcomes", "/level", "/workload", "/participation",
        "/assessment", "/quality_assurance", "/prerequisites", "/validity",
    )  # fmt: skip
    return [("", say(language, "console.definitions.the_whole"))] + [
        (each, label_of(each, language)) for each in fields
    ]


def change_in_words(language: Language, change: Change) -> dict[str, str]:
    """One difference, with values by what they are called."""
    return {
        "field": label_of(change.field, language),
        "before": _plain(language, change.field, change.before),
        "after": _plain(language, change.field, change.after),
        "step": change.step,
    }


def _plain(language: Language, field: str, value: object) -> str:
    if value is None or value in ([], {}):
        return ""
    if isinstance(value, bool):
        return say(language, "table.yes" if value else "table.no")
    if isinstance(value, Mapping):
        shown = (
            _plain(language, f"{field}/{name}", each)
            for name, each in value.items()
            if name not in {"id", "framework"}
        )
        return "; ".join(each for each in shown if each)
    if isinstance(value, list):
        return "; ".join(_plain(language, field, each) for each in value)
    return value_in_words(field, str(value), language)


def _line(desk: Desk, found: Found) -> dict[str, str]:
    version, line, owner = found
    return {
        "id": version.id,
        "title": version.title(desk.language),
        "code": line.code,
        "version": version.version,
        "state": version.state,
        "owner": owner.name(desk.language),
        "reference": f"{owner.slug}/{line.code}",
        "when": day_text(version.published_at) if version.published_at else "",
    }


def _slug(desk: Desk) -> str:
    return desk.who.organization.slug if desk.who.organization is not None else ""


def _next(version: str, step: str) -> str:
    major, minor, patch = (int(part) for part in version.split("."))
    if step == "major":
        return f"{major + 1}.0.0"
    return f"{major}.{minor + 1}.0" if step == "minor" else f"{major}.{minor}.{patch + 1}"
