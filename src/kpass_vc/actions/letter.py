"""Write letters to learners without e-mail, and open a learner's page by the code of one.

The private link stands in no QR and on no paper. The letter has the address of a page and
a code to type there, which works once and for ninety days: whoever finds the letter later
finds nothing.
"""

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Final, cast

from sqlalchemy.orm import Session

from kpass_vc.actions.audit import audit
from kpass_vc.actions.picture import marked
from kpass_vc.actions.share import private_link
from kpass_vc.authz import Actor, Permission
from kpass_vc.environment import Environment
from kpass_vc.errors import Conflict, NotFound
from kpass_vc.language import Language, say
from kpass_vc.letters import Letter, write_letters
from kpass_vc.links import new_code, read_code, written_code
from kpass_vc.model.dates import day_text
from kpass_vc.records import award as awards
from kpass_vc.records import batch as batches
from kpass_vc.records import definition as definitions
from kpass_vc.records import learner as learners
from kpass_vc.records import letter as records
from kpass_vc.records import organization as organizations
from kpass_vc.records.award import Award
from kpass_vc.records.letter import LetterCode

LASTS: Final = timedelta(days=90)
MOST: Final = 1000
"""Letters in one file."""


def letter(
    env: Environment, session: Session, actor: Actor, award_ids: Sequence[str], language: Language
) -> bytes:
    """A PDF with a letter for each award of the actor's organisation, in a language that it has, else in its own.

    Each has a new code; that of an earlier letter opens nothing any more.
    """
    actor.require(Permission.CREDENTIALS_ISSUE)
    found = []
    for award_id in dict.fromkeys(award_ids):
        award = awards.by_id(
            session,
            organization_id=actor.own_organization(),
            award_id=award_id,
            tests_only=actor.is_test,
            for_update=True,
        )
        if award is None or award.erased_at is not None:
            raise NotFound("credential", credential=award_id)
        found.append(_letter(env, session, actor, award, language))
    if not found:
        raise Conflict("no_letters")
    return write_letters(found, env.now())


def batch_letters(
    env: Environment,
    session: Session,
    actor: Actor,
    batch_id: str,
    language: Language,
    part: int = 1,
) -> bytes:
    """Letters for the learners of a batch who left no e-mail address, the first thousand of them or a later one.

    Who has been erased, and whose credential is revoked, gets none. Conflict where there is nobody (more), and
    while rows still wait: letters that are written anew end the codes of those before.
    """
    actor.require(Permission.CREDENTIALS_ISSUE)
    organization_id = actor.own_organization()
    batch = batches.by_id(
        session, organization_id=organization_id, batch_id=batch_id, tests_only=actor.is_test
    )
    if batch is None:
        raise NotFound("batch", batch=batch_id)
    if batch.state == "running":
        raise Conflict("batch_running", batch=batch_id)
    rows = batches.rows(
        session, organization_id=organization_id, batch_id=batch_id, states=("issued",)
    )
    ids = [row.award_id for row in rows if row.award_id is not None]
    found = [
        award.id
        for award_id in ids
        if (award := awards.by_id(session, organization_id=organization_id, award_id=award_id))
        and award.erased_at is None
        and award.state != "revoked"
        and not _has_address(session, award)
    ]
    return letter(env, session, actor, found[(part - 1) * MOST : part * MOST], language)


def _has_address(session: Session, award: Award) -> bool:
    if award.learner_id is None:
        return False
    found = learners.by_id(
        session, organization_id=award.organization_id, learner_id=award.learner_id
    )
    return found is not None and found.sealed_contact is not None


def open_letter(env: Environment, session: Session, typed: str) -> str:
    """The learner's private link, for the code of a letter; NotFound for one that is wrong, used or too old."""
    code = read_code(typed)
    row = records.by_code(session, code_sha256=letter_hash(code)) if code else None
    award = awards.by_link(session, award_id=row.award_id) if row else None
    if row is None or award is None or row.used_at is not None or row.expires_at <= env.now():
        raise NotFound("letter_code")
    row.used_at = env.now()
    audit(
        env,
        session,
        Actor("holder", award.organization_id, frozenset()),
        "credential.letter_opened",
        award.id,
        organization_id=award.organization_id,
    )
    return private_link(env, award)


def _letter(
    env: Environment, session: Session, actor: Actor, award: Award, wanted: Language
) -> Letter:
    found = definitions.by_id(session, award.definition_version_id)
    issuer = organizations.by_id(session, award.organization_id)
    if found is None or issuer is None:
        raise NotFound("credential", credential=award.id)
    editions = [row.language for row in awards.representations(session, award_id=award.id)]
    language = wanted if wanted in editions else cast("Language", editions[0])
    code = new_code(env.entropy(8))
    now = env.now()
    row = records.of_award(session, award_id=award.id)
    if row is None:
        row = LetterCode(award_id=award.id, code_sha256="", made_at=now, expires_at=now)
        session.add(row)
    row.code_sha256, row.made_at, row.expires_at, row.used_at = (
        letter_hash(code),
        now,
        now + LASTS,
        None,
    )
    session.flush()
    audit(
        env,
        session,
        actor,
        "credential.letter_written",
        award.id,
        organization_id=award.organization_id,
    )
    words = {
        "name": award.holder_name or say(language, "mail.you"),
        "title": marked(found[0].title(language), language, is_test=award.is_test),
        "issuer": issuer.name(language),
        "owner": found[2].name(language),
        "assessed": award.assessed_on.isoformat(),
        "until": day_text(row.expires_at),
    }

    def sentence(key: str) -> str:
        return say(language, f"letter.{key}", **words)

    return Letter(
        language=language,
        issuer=issuer.name(language),
        day=day_text(now),
        title=sentence("title"),
        greeting=sentence("greeting"),
        lines=(sentence("what"), sentence("means")),
        how=sentence("how"),
        steps=(sentence("step_1"), sentence("step_2"), sentence("step_3")),
        address=env.addresses.letter,
        addresslabel=sentence("address"),
        code=written_code(code),
        codelabel=sentence("code"),
        until=sentence("until"),
        qrtext=sentence("qr"),
        ends=(sentence("secret"), sentence("help")),
    )


def letter_hash(code: str) -> str:
    """What is kept of a letter's code."""
    return hashlib.sha256(f"letter\0{code}".encode()).hexdigest()
