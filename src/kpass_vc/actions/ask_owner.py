"""Ask the owner elsewhere of a definition whether it has withdrawn the right to issue it.

An issuer that does not know of the withdrawal would hand out credentials that every verifier
refuses. So whoever issues asks first, before the transaction that issues, and not again for some
minutes. A withdrawal is kept, and then the rule is the one for a right that was withdrawn here.
What cannot be had decides nothing: verify is the judge.
"""

from datetime import timedelta
from typing import Final

from kpass_vc.actions.audit import audit
from kpass_vc.actions.verify import verify_by_evidence
from kpass_vc.authz import Actor, Permission
from kpass_vc.environment import Environment
from kpass_vc.records import definition as definitions
from kpass_vc.records import delegation as delegations
from kpass_vc.records.delegation import Delegation
from kpass_vc.verification.endorsement import ENDORSEMENT

ASKED_AGAIN_AFTER: Final = timedelta(minutes=5)
_SIGNED: Final = ("did", "key", "proof")
_ENDED: Final = frozenset({"revoked", "raised"})


def ask_owner(env: Environment, actor: Actor, definition: str) -> None:
    """Fetch whether the actor's organisation may still issue a definition, by the address of its document.

    Nothing is asked about definitions of this service. No database session is held meanwhile.
    """
    actor.require(Permission.CREDENTIALS_ISSUE)
    for row in _under(env, actor, definition):
        if _was_asked(env, row.id) or row.body is None or not _is_withdrawn(env, row.body):
            continue
        with env.writing() as session, session.begin():
            held = delegations.hold(
                session, organization_id=row.organization_id, delegation_id=row.id
            )
            if held is None or held.state != "active" or held.body != row.body:
                continue
            held.state, held.ended_at = "withdrawn", env.now()
            audit(
                env,
                session,
                actor,
                "delegation.found_withdrawn",
                held.id,
                organization_id=held.issuer_id,
                url=held.url,
            )


def is_elsewhere(env: Environment, definition: str) -> bool:
    """Whether a definition is named by an address that is none of this service's, so that there is somebody to ask."""
    return "://" in definition and not definition.startswith(f"{env.addresses.base}/")


def _under(env: Environment, actor: Actor, definition: str) -> list[Delegation]:
    """What the organisation holds for a definition from elsewhere."""
    if not is_elsewhere(env, definition):
        return []
    with env.reading() as session:
        found = definitions.by_document_url(session, definition)
        if found is None or not found[2].is_elsewhere:
            return []
        known = delegations.of_organization(session, organization_id=actor.own_organization())
        rows = [
            row
            for row in known
            if row.organization_id == found[2].id
            and row.state == "active"
            and row.covers(found[1].code)
        ]
        session.expunge_all()
        return rows


def _was_asked(env: Environment, delegation_id: str) -> bool:
    """Whether somebody in this process has just asked; if not, it is noted down that we do."""
    last = env.asked.get(delegation_id)
    if last is not None and env.now() - last < ASKED_AGAIN_AFTER:
        return True
    env.asked[delegation_id] = env.now()
    return False


def _is_withdrawn(env: Environment, body: bytes) -> bool:
    """Whether the owner's status list says so of an authorisation that the owner has signed."""
    report, _ = verify_by_evidence(env, body, ENDORSEMENT)
    found = {each.check: each for each in report.findings}
    is_signed = all(found[name].outcome == "passed" for name in _SIGNED)
    return is_signed and found["status"].code in _ENDED
