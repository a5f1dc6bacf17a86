"""Every public artefact of some organisations: where it is asked for, and the file that a plain web server serves.

A file lies at the path of its address. Two addresses take more than that: a status list has a second form,
which lies beside it as .jwt; and a definition in all its versions is a folder as well, so that its page is
the `index.html` of the folder.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from kpass_vc.actions.profile import EXTENSIONS
from kpass_vc.compose.authorization import withdrawal_url
from kpass_vc.environment import Environment
from kpass_vc.language import LANGUAGES
from kpass_vc.records import audit as audits
from kpass_vc.records import award as awards
from kpass_vc.records import definition as definitions
from kpass_vc.records import delegation as delegations
from kpass_vc.records import image as images
from kpass_vc.records import organization as organizations
from kpass_vc.records import review as reviews
from kpass_vc.records import status_list as status_lists
from kpass_vc.records.organization import OPERATOR_SLUG, Organization

ANY: Final = "*/*"
JWT: Final = "application/vc+jwt"
INDEX: Final = "index.html"
STATIC: Final = ("kpass.css", "icon.svg")
"""What dresses the pages."""
_PAGE: Final = 200


@dataclass(frozen=True)
class Published:
    """What the service answers at an address."""

    media_type: str
    body: bytes


Ask = Callable[[str, str], Published | None]
"""What the service answers at an address to whoever accepts a media type; None if that is not there."""


@dataclass(frozen=True)
class Artefact:
    """One public artefact: where it is asked for and as what, and its file, relative to the web root."""

    address: str
    file: str
    accept: str = ANY


def artefacts(env: Environment, session: Session, owners: list[Organization]) -> Iterator[Artefact]:
    """Every public artefact of some organisations that lies here, each once; some may not be there: ask."""
    found: set[str] = set()
    for each in _artefacts(env, session, owners):
        if each.file not in found and each.address.startswith(f"{env.addresses.base}/"):
            found.add(each.file)
            yield each


def confirmations(env: Environment, session: Session) -> Iterator[Artefact]:
    """Whom the operator here has confirmed, and by what that is verified."""
    if organizations.the_operator(session) is not None:
        yield _at(env.addresses.did_document(OPERATOR_SLUG))
        yield _at(env.addresses.confirmed)


def credential_documents(session: Session, owner: Organization) -> Iterator[Artefact]:
    """What lies at the id of each credential that an organisation has issued."""
    last = ""
    while page := awards.after(session, organization_id=owner.id, award_id=last, limit=_PAGE):
        forms = awards.forms(session, award_ids=[award.id for award in page])
        for award in page:
            for address in dict.fromkeys(row.credential_id for row in forms.get(award.id, ())):
                yield _at(address)
        last = page[-1].id


def _artefacts(
    env: Environment, session: Session, owners: list[Organization]
) -> Iterator[Artefact]:
    yield _at(f"{env.addresses.base}/.well-known/jwks.json")
    for name in STATIC:
        yield _at(f"{env.addresses.base}/static/{name}")
    for owner in owners:
        yield from _of(env, session, owner)
        yield from _others_of(env, session, owner)


def _of(env: Environment, session: Session, owner: Organization) -> Iterator[Artefact]:
    yield _at(env.addresses.did_document(owner.slug))
    yield _at(env.addresses.keys(owner.slug))
    if owner.slug == OPERATOR_SLUG:
        yield _at(env.addresses.confirmed)
        yield _at(f"{env.addresses.organization(owner.slug)}/registry.json")
    yield from _lists(session, owner)
    yield from _image(env, session, owner)
    for version in definitions.with_publication(session, organization_id=owner.id):
        at = env.addresses.definition_at(version.document_url or "")
        yield Artefact(at.line, f"{_path(at.line)}/{INDEX}")
        for address in (at.document, at.publication, f"{at.folder}/endorsements.json"):
            yield _at(address)
        for language in LANGUAGES:
            for address in (
                at.achievement(language),
                at.page(language),
                at.badge(language),
                at.badge_svg(language),
                at.badge_small(language),
                at.badge_64(language),
            ):
                yield _at(address)
        for review in reviews.of_version(session, definition_version_id=version.id):
            if review.endorsement_url:
                yield _at(review.endorsement_url)
    for delegation in delegations.of_organization(session, organization_id=owner.id):
        yield from (_at(delegation.url), _at(withdrawal_url(delegation.url)))
    for head in audits.heads(session, organization_id=owner.id):
        yield _at(env.addresses.audit_head(owner.slug, head.day.isoformat()))


def _image(env: Environment, session: Session, owner: Organization) -> Iterator[Artefact]:
    found = images.of_organization(session, organization_id=owner.id)
    if found is not None:
        yield _at(env.addresses.image(owner.slug, EXTENSIONS[found.media_type]))


def _others_of(env: Environment, session: Session, owner: Organization) -> Iterator[Artefact]:
    """What it takes to verify what an organisation has issued of others' definitions."""
    for delegation in delegations.of_organization(session, organization_id=owner.id):
        other = organizations.by_id(session, delegation.organization_id)
        if other is None or other.id == owner.id or other.is_elsewhere:
            continue
        yield _at(env.addresses.did_document(other.slug))
        yield from _lists(session, other)
        for version in definitions.with_publication(session, organization_id=other.id):
            found = definitions.by_id(session, version.id)
            if found is None or not delegation.covers(found[1].code):
                continue
            at = env.addresses.definition_at(version.document_url or "")
            yield from (_at(at.document), _at(at.publication))
            for language in LANGUAGES:
                yield _at(at.achievement(language))


def _lists(session: Session, owner: Organization) -> Iterator[Artefact]:
    for row, _ in status_lists.every(session, organization_id=owner.id):
        yield _at(row.url)
        yield Artefact(row.url, f"{_path(row.url).removesuffix('.json')}.jwt", JWT)


def _at(address: str) -> Artefact:
    return Artefact(address, _path(address))


def _path(address: str) -> str:
    return urlsplit(address).path.lstrip("/")
