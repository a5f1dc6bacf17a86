"""The folder of a learner: all that one organisation has given her, behind one private link.

The organisation knows a learner again by its own reference. Who has the folder link may do
with each award what its private link lets her do, so it is as secret as those are, and is
renewed together with them.
"""

import hmac
import io
import zipfile
from dataclasses import dataclass

from sqlalchemy.orm import Session

from kpass_vc.actions.learner_export import pack
from kpass_vc.actions.share import private_link, renew_links
from kpass_vc.authz import Actor
from kpass_vc.environment import Environment
from kpass_vc.errors import NotFound
from kpass_vc.links import folder_token, id_of
from kpass_vc.records import award as awards
from kpass_vc.records import definition as definitions
from kpass_vc.records import learner as learners
from kpass_vc.records.award import Award
from kpass_vc.records.learner import Learner


@dataclass(frozen=True)
class Kept:
    """One award in a folder."""

    award: Award
    link: str
    """Its private link."""
    compromised: bool
    newer: str | None
    """The private link of the award that took its place, where it was corrected."""


@dataclass(frozen=True)
class Folder:
    """What one organisation has given a learner, newest first; tests are apart."""

    learner: Learner
    awards: tuple[Kept, ...]
    tests: tuple[Kept, ...]


def folder_link(env: Environment, session: Session, award: Award) -> str | None:
    """The address of the folder that an award lies in.

    None where the organisation keeps nothing of its learner, and where the award was somebody else's.
    """
    if award.learner_id is None or award.was_anothers:
        return None
    learner = learners.by_id(
        session, organization_id=award.organization_id, learner_id=award.learner_id
    )
    return None if learner is None or learner.erased_at is not None else _link(env, learner)


def open_folder(env: Environment, session: Session, token: str) -> Folder:
    """What a folder link opens; NotFound if there is none, or a newer one, or the learner was forgotten."""
    learner = _learner(env, session, token)
    kept = [
        _kept(env, session, award)
        for is_test in (False, True)
        for award in _awards(session, learner, is_test=is_test)
    ]
    if not kept:
        raise NotFound("folder_link")
    return Folder(
        learner,
        tuple(each for each in kept if not each.award.is_test),
        tuple(each for each in kept if each.award.is_test),
    )


def renew_folder(env: Environment, session: Session, token: str) -> str:
    """The new folder link; the one that was used and the private links of all that is in it open nothing any more."""
    learner = _learner(env, session, token)
    held = _awards(session, learner, is_test=False) or _awards(session, learner, is_test=True)
    if not held:
        raise NotFound("folder_link")
    renew_links(env, session, Actor("holder", learner.organization_id, frozenset()), held[0])
    session.flush()
    return _link(env, learner)


def folder_export(env: Environment, session: Session, token: str) -> bytes:
    """All that lies in a folder as a zip, a numbered folder for each award, the newest first."""
    opened = open_folder(env, session, token)
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w", zipfile.ZIP_DEFLATED) as packed:
        for number, kept in enumerate([*opened.awards, *opened.tests], 1):
            version = definitions.by_id(session, kept.award.definition_version_id)
            code = version[1].code if version else "credential"
            pack(env, session, kept.award, packed, f"{number:02}-{code}/", by_learner=True)
    return found.getvalue()


def _learner(env: Environment, session: Session, token: str) -> Learner:
    learner_id = id_of(token)
    learner = learners.by_link(session, learner_id=learner_id) if learner_id else None
    if (
        learner is None
        or learner.erased_at is not None
        or not hmac.compare_digest(
            folder_token(env.link_key, learner.id, learner.link_generation), token
        )
    ):
        raise NotFound("folder_link")
    return learner


def _awards(session: Session, learner: Learner, *, is_test: bool) -> list[Award]:
    """A learner's awards, less those that turned out to be somebody else's."""
    found = awards.of_holder(
        session,
        organization_id=learner.organization_id,
        learner_id=learner.id,
        did=None,
        is_test=is_test,
    )
    return [award for award in found if award.erased_at is None and not award.was_anothers]


def _kept(env: Environment, session: Session, award: Award) -> Kept:
    newer = awards.replacement_of(session, award_id=award.id)
    return Kept(
        award,
        private_link(env, award),
        awards.is_compromised(session, award_id=award.id),
        private_link(env, newer) if newer else None,
    )


def _link(env: Environment, learner: Learner) -> str:
    return env.addresses.folder(folder_token(env.link_key, learner.id, learner.link_generation))
