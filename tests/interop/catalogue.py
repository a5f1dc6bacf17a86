"""Every definition of the six catalogues, issued, and what the world can fetch of it."""

import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from kpass_vc.actions.define import define
from kpass_vc.actions.issue import Issued, IssueOrder, issue
from kpass_vc.actions.publish import publish
from kpass_vc.actions.verify import own_did_document
from kpass_vc.demo import catalogues
from kpass_vc.records import status_list as status_lists
from kpass_vc.records.organization import Organization
from kpass_vc.records.status_list import StatusList
from tests.interop.foreign import Foreign
from tests.world import World, actor_of, body_of

HOLDERS = ("Åsa Öberg", "Märta Åkesson", "Börje Sjöö")
SUSPENDABLE = "SOB-OPTO-90"


@dataclass(frozen=True)
class Edition:
    """One language of one award, in both its forms."""

    name: str
    award: Issued
    document: bytes
    jwt: bytes


@dataclass(frozen=True)
class Catalogue:
    """One installation, and what it issued."""

    world: World
    organizations: Mapping[str, Organization]
    editions: tuple[Edition, ...]
    """Of the catalogues' own definitions: one award of each, in Swedish and English."""
    suspendable: tuple[Edition, ...]
    """Of one more definition, whose status purpose is suspension."""
    publications: Mapping[str, bytes]
    """Each owner's signed word for a published definition, by code."""

    def foreign(self, *, lists_as_jwt: bool = True) -> Foreign:
        """Others' verifiers, who can fetch what we publish at this moment."""
        documents: dict[str, object] = dict(self.world.env.contexts.documents)
        jwt_lists: dict[str, str] = {}
        with self.world.reading() as session:
            for organization in self.organizations.values():
                documents[organization.did] = own_did_document(session, organization.did)
            for row in session.query(StatusList):
                publication = status_lists.publication(session, status_list_id=row.id)
                assert publication is not None
                documents[row.url] = json.loads(publication.body)
                jwt_lists[row.url] = publication.body_jwt.decode()
        return Foreign(documents, jwt_lists=jwt_lists if lists_as_jwt else None)


def issue_the_catalogue(world: World) -> Catalogue:
    """All organisations enrolled, all definitions published, one award of each issued."""
    found = catalogues()
    organizations = {
        each["id"]: world.organization(
            each["id"], name=each["name"], url=each.get("url"), email=each.get("email")
        )
        for entry in found
        for each in entry["organisations"]
    }
    definitions = [definition for entry in found for definition in entry["definitions"]]
    orders = itertools.count()
    return Catalogue(
        world=world,
        organizations=organizations,
        publications=_publish(world, organizations, definitions),
        editions=tuple(
            edition
            for definition in definitions
            for edition in _issue(world, organizations, definition, next(orders))
        ),
        suspendable=_suspendable(world),
    )


def _publish(
    world: World,
    organizations: Mapping[str, Organization],
    definitions: list[dict[str, object]],
) -> dict[str, bytes]:
    publications: dict[str, bytes] = {}
    with world.writing() as session:
        drafts = []
        for definition in definitions:
            owner = actor_of(organizations[str(definition["owner"])])
            (version, line, _), _ = define(world.env, session, owner, definition)
            drafts.append((owner, version.id, line.code))
        for owner, version_id, code in drafts:
            version, _, _ = publish(world.env, session, owner, version_id)
            assert version.publication is not None
            publications[code] = version.publication
    return publications


def _issue(
    world: World,
    organizations: Mapping[str, Organization],
    definition: Mapping[str, object],
    number: int,
) -> Iterator[Edition]:
    issuers = definition["authorised_issuers"]
    assert isinstance(issuers, list)
    code = str(definition["code"])
    order: dict[str, object] = {
        "definition": f"{definition['owner']}/{code}",
        "holder": {
            "name": HOLDERS[number % len(HOLDERS)],
            "email": f"Larande{number}@mejl.example",
            # what is made of others takes the same learner, whatever the name in it
            "reference": "larande",
        },
        "assessedOn": (datetime.now(UTC) - timedelta(days=3 + number % 20)).date().isoformat(),
    }
    if number % 2 == 0:
        order["evidence"] = [
            {
                "name": "Praktiskt prov",
                "narrative": "Utfört på plats, bedömt av två bedömare.",
                "genre": "Prov",
                "url": f"https://bevis.example/{number}",
            }
        ]
    if number % 3 == 0:
        order["externalReference"] = f"Ärende {number}/2026"
    with world.writing() as session:
        actor = actor_of(organizations[issuers[0]])
        issued = issue(world.env, session, actor, IssueOrder.model_validate(order))
    return _editions(code, issued)


def _suspendable(world: World) -> tuple[Edition, ...]:
    world.published_definition(code=SUSPENDABLE, status_purpose="suspension")
    issued = world.issued(definition=f"sobona/{SUSPENDABLE}")
    return tuple(_editions(SUSPENDABLE, issued))


def _editions(code: str, issued: Issued) -> Iterator[Edition]:
    for language in ("sv", "en"):
        yield Edition(
            name=f"{code} {language}",
            award=issued,
            document=body_of(issued, language),
            jwt=body_of(issued, language, "vc-jwt"),
        )
