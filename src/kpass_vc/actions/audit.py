"""Write down what was done, in the transaction that does it."""

from sqlalchemy.orm import Session

from kpass_vc.authz import Actor
from kpass_vc.environment import Environment
from kpass_vc.records.audit import AuditEntry


def audit(
    env: Environment,
    session: Session,
    actor: Actor,
    action: str,
    subject: str,
    *,
    organization_id: str | None,
    **details: str,
) -> None:
    """Add an entry. `subject` and `details` hold ids and codes, never what a person is called."""
    session.add(
        AuditEntry(
            at=env.now(),
            organization_id=organization_id,
            actor=actor.name,
            action=action,
            subject=subject,
            details=details,
        )
    )
