"""Signing in by an OpenID provider

Revision 0008, after 0007.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "oidc_attempt",
        sa.Column("state_sha256", sa.String(), nullable=False),
        sa.Column("browser_sha256", sa.String(), nullable=False),
        sa.Column("nonce", sa.String(), nullable=False),
        sa.Column("verifier", sa.String(), nullable=False),
        sa.Column("next_path", sa.String(), nullable=False),
        sa.Column("invitation_id", sa.String(), nullable=True),
        sa.Column("prover_id", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["invitation_id"], ["invitation.id"], name=op.f("fk_oidc_attempt_invitation_id_invitation")
        ),
        sa.ForeignKeyConstraint(
            ["prover_id"], ["person.id"], name=op.f("fk_oidc_attempt_prover_id_person")
        ),
        sa.PrimaryKeyConstraint("state_sha256", name=op.f("pk_oidc_attempt")),
    )
    op.create_index(op.f("ix_oidc_attempt_expires_at"), "oidc_attempt", ["expires_at"])
    op.create_table(
        "oidc_identity",
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("linked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_oidc_identity_person_id_person")
        ),
        sa.PrimaryKeyConstraint("issuer", "subject", name=op.f("pk_oidc_identity")),
        sa.UniqueConstraint(
            "person_id", "issuer", name=op.f("uq_oidc_identity_person_id_issuer")
        ),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("oidc_identity")
    op.drop_table("oidc_attempt")
