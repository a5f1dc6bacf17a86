"""The organisation: what it is called, its picture, how its definitions are reviewed, its keys and its own domain.

Keys and the domain are shown to who has just proved who they are.
"""

import json
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Response
from sqlalchemy.orm import Session

from kpass_vc.actions import own_domain
from kpass_vc.actions.profile import ProfileOrder, change_profile, remove_image, set_image
from kpass_vc.actions.review import ReviewPolicyOrder, set_policy
from kpass_vc.actions.rotate_key import compromise_key, rotate_keys
from kpass_vc.authz import Permission
from kpass_vc.edge import Env, ReadTx, WriteTx
from kpass_vc.errors import Conflict, KpassError, Malformed, NotFound
from kpass_vc.model.dates import minute_text
from kpass_vc.model.field_errors import validated
from kpass_vc.pages.console.frame import (
    OWN,
    AtWork,
    Desk,
    Faults,
    Form,
    Posted,
    dressed_file,
    faults_of,
    posted_with,
)
from kpass_vc.records import image as images
from kpass_vc.records import key as keys
from kpass_vc.records import organization as organizations
from kpass_vc.records.organization import Organization

router = APIRouter(prefix="/console", include_in_schema=False)

REFUSED: Final = (Malformed, Conflict)
_POLICY: Final = ("approvals", "externalApprovals", "graceDays")


@router.api_route("/organization", methods=["GET", "HEAD"])
def organization(session: ReadTx, desk: AtWork) -> Response:
    """The profile, the picture, and how definitions are reviewed."""
    return _page(session, desk)


@router.post("/organization")
def post_profile(env: Env, session: WriteTx, desk: AtWork, form: Posted) -> Response:
    """The profile as it was filled in."""
    given: dict[str, object] = {"name": {"sv": form.text("name_sv"), "en": form.text("name_en")}}
    given |= form.given("url", "email")
    return _changed(session, desk, form, "profile_saved", lambda: change_profile(
        env, session, desk.who.actor, validated(ProfileOrder, given)
    ))  # fmt: skip


@router.post("/organization/image")
def post_image(
    env: Env,
    session: WriteTx,
    desk: AtWork,
    form: Annotated[Form, Depends(posted_with("file"))],
) -> Response:
    """The picture, made anew of what was handed in."""
    content = form.files.get("file", b"")
    try:
        with session.begin_nested():
            set_image(env, session, desk.who.actor, content)
    except Malformed as error:
        wrong = Faults({"file": (error.sentence(desk.language),)}, (), 422)
        return _page(session, desk, wrong)
    return desk.to("/organization", "image_saved")


@router.post("/organization/image/removal", dependencies=[OWN])
def post_image_removal(env: Env, session: WriteTx, desk: AtWork) -> Response:
    """No picture any more."""
    remove_image(env, session, desk.who.actor)
    return desk.to("/organization", "image_removed")


@router.post("/organization/policy")
def post_policy(env: Env, session: WriteTx, desk: AtWork, form: Posted) -> Response:
    """How definitions are reviewed from now on."""
    given = {name: _number(form.text(name)) for name in _POLICY}
    return _changed(session, desk, form, "policy_saved", lambda: set_policy(
        env, session, desk.who.actor, validated(ReviewPolicyOrder, given)
    ))  # fmt: skip


@router.api_route("/organization/keys", methods=["GET", "HEAD"])
def keys_page(session: ReadTx, desk: AtWork) -> Response:
    """The keys, what each has signed, and the domain that is being prepared."""
    return _keys_page(session, desk)


@router.post("/organization/keys/rotation", dependencies=[OWN])
def post_rotation(env: Env, session: WriteTx, desk: AtWork) -> Response:
    """New keys sign from now on."""
    return _with_keys(session, desk, "keys_rotated", lambda: rotate_keys(
        env, session, desk.who.actor, _own(desk).slug
    ))  # fmt: skip


@router.post("/organization/keys/compromise")
def post_compromise(env: Env, session: WriteTx, desk: AtWork, form: Posted) -> Response:
    """A key is withdrawn, and what it signed is refused from now on."""
    if form.text("sure") != "yes":
        desk.require_fresh()
        unsure = Faults({"sure": (desk.say("organization.not_sure"),)}, (), 422)
        return _keys_page(session, desk, unsure, form.texts())
    return _with_keys(session, desk, "key_compromised", lambda: compromise_key(
        env, session, desk.who.actor, _own(desk).slug, form.text("key")
    ))  # fmt: skip


@router.post("/organization/domain")
def post_domain(env: Env, session: WriteTx, desk: AtWork, form: Posted) -> Response:
    """Keys and a document for the domain; nothing signs as it yet."""
    return _with_keys(session, desk, "domain_prepared", lambda: own_domain.prepare(
        env, session, desk.who.actor, _own(desk).slug, form.text("domain")
    ), form.texts())  # fmt: skip


@router.api_route("/organization/domain/did.json", methods=["GET", "HEAD"])
def domain_document(session: ReadTx, desk: AtWork) -> Response:
    """The document to put on the domain."""
    desk.require_fresh()
    desk.who.actor.require(Permission.KEYS_WRITE)
    try:
        found = own_domain.prepared(session, _own(desk).slug)
    except Conflict as error:
        raise NotFound from error
    body = json.dumps(found.document, ensure_ascii=False, indent=2).encode()
    return dressed_file(body, "application/did+json", name="did.json")


@router.post("/organization/domain/activation", dependencies=[OWN])
def post_activation(env: Env, session: WriteTx, desk: AtWork) -> Response:
    """The domain is looked at, and issued as from now on if the document is there."""

    def act() -> None:
        checked, wrong = own_domain.check(env, _own(desk).slug)
        if wrong is not None:
            raise wrong
        own_domain.activate(env, session, desk.who.actor, _own(desk).slug, checked)

    desk.who.actor.require(Permission.PEOPLE_WRITE)
    return _with_keys(session, desk, "domain_active", act)


def _changed(
    session: Session, desk: Desk, form: Form, done: str, act: Callable[[], object]
) -> Response:
    try:
        with session.begin_nested():
            act()
    except REFUSED as error:
        session.expire_all()
        return _page(session, desk, faults_of(error, desk.language), form.texts())
    return desk.to("/organization", done)


def _with_keys(
    session: Session,
    desk: Desk,
    done: str,
    act: Callable[[], object],
    given: Mapping[str, str] | None = None,
) -> Response:
    desk.require_fresh()
    try:
        with session.begin_nested():
            act()
    except (*REFUSED, NotFound, KpassError) as error:
        session.expire_all()
        return _keys_page(session, desk, faults_of(error, desk.language), given)
    return desk.to("/organization/keys", done)


def _page(
    session: Session,
    desk: Desk,
    faults: Faults | None = None,
    given: Mapping[str, str] | None = None,
) -> Response:
    desk.who.actor.require(Permission.PEOPLE_WRITE)
    own = organizations.by_id(session, desk.who.actor.own_organization()) or _own(desk)
    kept: dict[str, Any] = {
        "name_sv": own.name_sv,
        "name_en": own.name_en,
        "url": own.url or "",
        "email": own.email or "",
        "approvals": str(own.approvals),
        "externalApprovals": str(own.external_approvals),
        "graceDays": str(own.review_grace_days),
    }
    return desk.page(
        "organization.html",
        here="organization",
        faults=faults,
        own=own,
        given={**kept, **(given or {})},
        image=own.image,
        has_image=images.of_organization(session, organization_id=own.id) is not None,
        did_document=desk.env.addresses.did_document(own.slug),
        confirmed=minute_text(own.confirmed_at) if own.confirmed_at else "",
    )


def _keys_page(
    session: Session,
    desk: Desk,
    faults: Faults | None = None,
    given: Mapping[str, str] | None = None,
) -> Response:
    desk.require_fresh()
    desk.who.actor.require(Permission.KEYS_WRITE)
    own = _own(desk)
    rows = keys.of_organization(session, organization_id=own.id)
    try:
        waiting = own_domain.prepared(session, own.slug)
    except Conflict:
        waiting = None
    return desk.page(
        "organization_keys.html",
        here="organization",
        faults=faults,
        own=own,
        given=given or {},
        is_ours=own.did == desk.env.addresses.did(own.slug),
        keys=[
            {
                "name": row.multikey,
                "short": f"{row.multikey[:8]}…{row.multikey[-6:]}",
                "algorithm": row.algorithm,
                "did": row.did,
                "state": row.state,
                "since": minute_text(row.active_from),
                "until": minute_text(row.active_until) if row.active_until else "",
            }
            for row in rows
        ],
        waiting=waiting,
    )


def _own(desk: Desk) -> Organization:
    if desk.who.organization is None:
        raise NotFound("organization", organization="")
    return desk.who.organization


def _number(text: str) -> object:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else text
