"""Who works here: invite somebody, say what they may do, invite them again, take them out."""

from fastapi import APIRouter, Response
from sqlalchemy.orm import Session

from kpass_vc.actions.invite import address_of, has_means, invite, may_hand_over
from kpass_vc.actions.people import (
    Member,
    PersonOrder,
    RolesOrder,
    add_person,
    members,
    set_roles,
)
from kpass_vc.authz import Role
from kpass_vc.edge import Env, ReadTx, WriteTx
from kpass_vc.environment import Environment
from kpass_vc.errors import Conflict, Malformed, NotFound
from kpass_vc.language import LANGUAGES, Language
from kpass_vc.model.dates import minute_text
from kpass_vc.model.field_errors import validated
from kpass_vc.pages.console.frame import OWN, AtWork, Desk, Faults, Form, Posted, faults_of
from kpass_vc.records.person import Person

router = APIRouter(prefix="/console", include_in_schema=False)


@router.api_route("/people", methods=["GET", "HEAD"])
def people(session: ReadTx, desk: AtWork) -> Response:
    """Who works here and as what, and the form to invite somebody."""
    return _page(desk, session)


@router.post("/people")
def post_person(env: Env, session: WriteTx, desk: AtWork, form: Posted) -> Response:
    """Somebody more, and their invitation."""
    given: dict[str, object] = {"roles": form.every("roles")}
    given |= form.given("name", "email")
    try:
        with session.begin_nested():
            order = validated(PersonOrder, given)
            member = add_person(env, session, desk.who.actor, None, order)
            return _invited(env, session, desk, member.person, form)
    except (Malformed, Conflict) as error:
        return _page(desk, session, faults_of(error, desk.language, _roles(form)), form)


@router.api_route("/people/{person_id}", methods=["GET", "HEAD"])
def person(person_id: str, session: ReadTx, desk: AtWork) -> Response:
    """One of them: their roles, and how they get in."""
    return _person_page(desk, session, person_id)


@router.post("/people/{person_id}/roles")
def post_roles(person_id: str, env: Env, session: WriteTx, desk: AtWork, form: Posted) -> Response:
    """Other roles; without any they are taken out, for which there is a form of its own."""
    member = _member(desk, session, person_id)
    roles = form.every("roles")
    if not roles:
        faults = faults_of(Conflict("no_role_left", field="/roles"), desk.language)
        return _person_page(desk, session, person_id, faults, roles)
    try:
        _set(env, session, desk, member, roles)
    except (Malformed, Conflict) as error:
        faults = faults_of(error, desk.language, _roles(form))
        return _person_page(desk, session, person_id, faults, roles)
    return _after(desk, member, roles, "roles_set")


@router.post("/people/{person_id}/invitation")
def post_invitation(
    person_id: str, env: Env, session: WriteTx, desk: AtWork, form: Posted
) -> Response:
    """Another invitation: the first was lost, or the telephone with the passkey was."""
    member = _member(desk, session, person_id)
    return _invited(env, session, desk, member.person, form)


@router.post("/people/{person_id}/removal", dependencies=[OWN])
def post_removal(person_id: str, env: Env, session: WriteTx, desk: AtWork) -> Response:
    """They work here no more."""
    member = _member(desk, session, person_id)
    try:
        _set(env, session, desk, member, [])
    except Conflict as error:
        return _person_page(desk, session, person_id, faults_of(error, desk.language))
    return _after(desk, member, [], "person_removed")


def _set(env: Environment, session: Session, desk: Desk, member: Member, roles: list[str]) -> None:
    with session.begin_nested():
        order = validated(RolesOrder, {"roles": roles})
        set_roles(env, session, desk.who.actor, member.person.id, order)


def _after(desk: Desk, member: Member, roles: list[str], done: str) -> Response:
    """Back to the people, or to where somebody may still be who is no owner from now on."""
    is_out = member.person.id == desk.who.person.id and Role.OWNER not in roles
    return desk.to("" if is_out else "/people", done)


def _invited(
    env: Environment, session: Session, desk: Desk, person: Person, form: Form
) -> Response:
    """A letter on its way, or the link on this page and never again, or neither: the operator makes one."""
    chosen: Language = next(
        (each for each in LANGUAGES if each == form.text("mail_language")), desk.language
    )
    row, goes_by_mail = invite(env, session, desk.who.actor, person.id, chosen)
    if goes_by_mail:
        return desk.to("/people", "invited")
    if not may_hand_over(env, session, desk.who.actor, person):
        return desk.to("/people", "not_invited")
    return desk.page(
        "people_link.html",
        here="people",
        person=person,
        link=address_of(env, row),
        until=minute_text(row.expires_at),
    )


def _member(desk: Desk, session: Session, person_id: str) -> Member:
    found = members(session, desk.who.actor)
    member = next((each for each in found if each.person.id == person_id), None)
    if member is None:
        raise NotFound("person", person=person_id[:100])
    return member


def _roles(form: Form) -> dict[str, str]:
    """What is wrong with one of the roles is told at all of them."""
    return {f"/roles/{number}": "roles" for number in range(len(form.every("roles")))}


def _page(
    desk: Desk, session: Session, faults: Faults | None = None, form: Form | None = None
) -> Response:
    return desk.page(
        "people.html",
        here="people",
        faults=faults,
        people=[
            {
                "id": each.person.id,
                "name": each.person.name,
                "email": each.person.email,
                "roles": each.roles,
                "is_in": has_means(session, each.person.id),
            }
            for each in members(session, desk.who.actor)
        ],
        all_roles=[role.value for role in Role],
        given=form.texts() if form is not None else {},
        chosen=form.every("roles") if form is not None else (),
        languages=LANGUAGES,
    )


def _person_page(
    desk: Desk,
    session: Session,
    person_id: str,
    faults: Faults | None = None,
    chosen: list[str] | None = None,
) -> Response:
    member = _member(desk, session, person_id)
    return desk.page(
        "person.html",
        here="people",
        faults=faults,
        person=member.person,
        is_in=has_means(session, member.person.id),
        is_me=member.person.id == desk.who.person.id,
        all_roles=[role.value for role in Role],
        chosen=[role.value for role in member.roles] if chosen is None else chosen,
        languages=LANGUAGES,
    )
