"""The pilot's story: one defines, another reviews, two are authorised, each issues to a class, one is withdrawn."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.orm import Session

from kpass_vc.actions.batch import Looked, look_through, read_file, take_in
from kpass_vc.actions.define import define
from kpass_vc.actions.delegate import DelegationStatusOrder, GrantOrder, change, grant
from kpass_vc.actions.enrol import EnrolOrder, enrol
from kpass_vc.actions.people import PersonOrder, add_person
from kpass_vc.actions.publish import publish
from kpass_vc.actions.review import (
    DecisionOrder,
    ReviewPolicyOrder,
    SubmitOrder,
    decide,
    set_policy,
    submit,
)
from kpass_vc.actions.tokens import person_acting
from kpass_vc.authz import ORGANIZATION, Actor, Permission
from kpass_vc.demo import catalogues
from kpass_vc.environment import Environment
from kpass_vc.language import say
from kpass_vc.model.dates import STOCKHOLM
from kpass_vc.records import organization as organizations
from kpass_vc.records.batch import Batch
from kpass_vc.records.definition import Found
from kpass_vc.records.delegation import Delegation
from kpass_vc.records.organization import Organization
from kpass_vc.spreadsheets import Column, write_table

OWNER, SECTOR = "sobona", "branschnamnd-exempel"
NETWORKS = ("stadsnat-exempel", "norrnat-exempel")
CODE = "SOB-OPTO-01"


@dataclass(frozen=True)
class Prepared:
    """What stands when the story begins to issue."""

    found: Found
    networks: tuple[Organization, ...]
    delegations: tuple[Delegation, ...]


def prepare(
    env: Environment, session: Session, actor: Actor, done: Callable[[str], None]
) -> Prepared:
    """Enrol, define, review, publish, authorise, accept; `done` hears of every step."""
    actor.require(Permission.ORGANIZATIONS_WRITE)
    _enrol(env, session, actor, OWNER, "Sobona (exempel)", "Sobona (example)")
    _enrol(
        env,
        session,
        actor,
        SECTOR,
        "Branschnämnden för fiber (påhittad)",
        "The fibre board (fictitious)",
    )
    networks = tuple(
        _enrol(env, session, actor, slug, f"{name} (påhittad)", f"{name} (fictitious)")
        for slug, name in zip(NETWORKS, ("Exempel Stadsnät", "Exempel Norrnät"), strict=True)
    )
    done("enrolled")
    owning = _person(env, session, actor, OWNER, "Ove Ägare", "owner")
    author = _person(env, session, actor, OWNER, "Frida Författare", "author")
    reviewer = _person(env, session, actor, SECTOR, "Gun Granskare", "reviewer")
    set_policy(env, session, owning, ReviewPolicyOrder(approvals=1, external_approvals=1))
    document = _document() | {"authorised_issuers": [OWNER]}
    (version, _, _), _ = define(env, session, author, document)
    submit(env, session, author, version.id, SubmitOrder(reviewers=[SECTOR]))
    done("defined")
    decide(env, session, reviewer, version.id, DecisionOrder(decision="approved"))
    found = publish(env, session, owning, version.id)
    done("approved")
    granted = []
    for network in networks:
        order = GrantOrder(issuer=network.slug, definitions=[CODE])
        row = grant(env, session, owning, order)
        acting = acting_for(network, actor)
        change(env, session, acting, row.id, DelegationStatusOrder(status="accepted"))
        granted.append(row)
    done("authorised")
    return Prepared(found, networks, tuple(granted))


def class_list(env: Environment, network: Organization, learners: int) -> bytes:
    """The Excel file of a class, as a coordinator fills it in."""
    assessed = (env.now() - timedelta(days=4)).astimezone(STOCKHOLM).date().isoformat()
    headings = [say("sv", f"table.column.{name}") for name in ("name", "email", "assessed_on")]
    rows = [
        [
            f"Deltagare Åäö {number}",
            f"deltagare{number}@{network.slug}.example",
            assessed,
            "sv",
        ]
        for number in range(1, learners + 1)
    ]
    columns = [Column(heading, "") for heading in (*headings, say("sv", "table.column.languages"))]
    return write_table("Klass", columns, rows)


def send_class(
    env: Environment, session: Session, actor: Actor, network: Organization, content: bytes
) -> tuple[Looked, Batch]:
    """A class that is issued to from its file."""
    acting = acting_for(network, actor)
    definition = f"{OWNER}/{CODE}"
    looked = look_through(env, session, acting, definition, read_file(definition, content))
    return looked, take_in(env, session, acting, definition, looked)


def withdraw(env: Environment, session: Session, actor: Actor, row: Delegation) -> Delegation:
    """The owner ends an authorisation."""
    owner = organizations.by_slug(session, OWNER)
    if owner is None:
        return row
    order = DelegationStatusOrder(status="withdrawn", reason="Avtalet är slut.")
    return change(env, session, acting_for(owner, actor), row.id, order)


def acting_for(organization: Organization, actor: Actor) -> Actor:
    """The same actor, acting for an organisation with all that one may do."""
    return Actor(actor.name, organization.id, ORGANIZATION)


def _enrol(
    env: Environment, session: Session, actor: Actor, slug: str, name_sv: str, name_en: str
) -> Organization:
    order = {
        "slug": slug,
        "name": {"sv": name_sv, "en": name_en},
        "url": f"https://{slug}.example/",
    }
    return enrol(env, session, actor, EnrolOrder.model_validate(order))


def _person(
    env: Environment, session: Session, actor: Actor, slug: str, name: str, role: str
) -> Actor:
    email = f"{name.partition(' ')[0].lower()}@{slug}.example"
    order = PersonOrder.model_validate({"name": name, "email": email, "roles": [role]})
    made = add_person(env, session, actor, slug, order)
    session.flush()
    return person_acting(session, made.person.id, slug)


def _document() -> dict[str, object]:
    for catalogue in catalogues():
        for document in catalogue["definitions"]:
            if document["code"] == CODE:
                return dict(document)
    raise KeyError(CODE)
