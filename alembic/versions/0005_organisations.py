"""Organisations working together: people, reviews, delegations, batches, deliveries, learners

Revision 0005, after 0004.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "audit_chain",
        sa.Column("organization_key", sa.String(), nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("head", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("organization_key", name=op.f("pk_audit_chain")),
    )
    op.create_table(
        "person",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("email", name=op.f("uq_person_email")),
    )
    op.create_table(
        "audit_head",
        sa.Column("organization_id", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("head", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_audit_head_organization_id_organization"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "day", name=op.f("pk_audit_head")),
    )
    op.create_table(
        "learner",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("organization_id", sa.String(), nullable=False),
        sa.Column("reference_index", sa.String(), nullable=True),
        sa.Column("sealed_contact", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_learner_organization_id_organization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_learner")),
        sa.UniqueConstraint(
            "organization_id",
            "reference_index",
            name=op.f("uq_learner_organization_id_reference_index"),
        ),
    )
    with op.batch_alter_table("learner") as table:
        table.create_index(table.f("ix_learner_organization_id"), ["organization_id"], unique=False)

    op.create_table(
        "membership",
        sa.Column("organization_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("granted_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_membership_organization_id_organization"),
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_membership_person_id_person")
        ),
        sa.PrimaryKeyConstraint("organization_id", "person_id", "role", name=op.f("pk_membership")),
    )
    with op.batch_alter_table("membership") as table:
        table.create_index(table.f("ix_membership_person_id"), ["person_id"], unique=False)

    op.create_table(
        "oauth_client",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("organization_id", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("keys", sa.JSON(), nullable=False),
        sa.Column("permissions", sa.JSON(), nullable=False),
        sa.Column("is_test", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_oauth_client_organization_id_organization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oauth_client")),
    )
    with op.batch_alter_table("oauth_client") as table:
        table.create_index(
            table.f("ix_oauth_client_organization_id"), ["organization_id"], unique=False
        )

    op.create_table(
        "webhook",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("organization_id", sa.String(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=False),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_webhook_organization_id_organization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook")),
    )
    with op.batch_alter_table("webhook") as table:
        table.create_index(table.f("ix_webhook_organization_id"), ["organization_id"], unique=False)

    op.create_table(
        "delegation",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("organization_id", sa.String(), nullable=False),
        sa.Column("issuer_id", sa.String(), nullable=True),
        sa.Column("issuer_did", sa.String(), nullable=False),
        sa.Column("codes", sa.JSON(), nullable=False),
        sa.Column("families", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("quota", sa.Integer(), nullable=True),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("renews_id", sa.String(), nullable=True),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("status_list_id", sa.String(), nullable=True),
        sa.Column("status_index", sa.Integer(), nullable=True),
        sa.Column("withdrawal", sa.LargeBinary(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["issuer_id"], ["organization.id"], name=op.f("fk_delegation_issuer_id_organization")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_delegation_organization_id_organization"),
        ),
        sa.ForeignKeyConstraint(
            ["renews_id"], ["delegation.id"], name=op.f("fk_delegation_renews_id_delegation")
        ),
        sa.ForeignKeyConstraint(
            ["status_list_id"],
            ["status_list.id"],
            name=op.f("fk_delegation_status_list_id_status_list"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delegation")),
        sa.UniqueConstraint("url", name=op.f("uq_delegation_url")),
    )
    with op.batch_alter_table("delegation") as table:
        table.create_index(table.f("ix_delegation_issuer_did"), ["issuer_did"], unique=False)
        table.create_index(table.f("ix_delegation_issuer_id"), ["issuer_id"], unique=False)
        table.create_index(
            table.f("ix_delegation_organization_id"), ["organization_id"], unique=False
        )

    op.create_table(
        "used_assertion",
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("jti_sha256", sa.String(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["oauth_client.id"],
            name=op.f("fk_used_assertion_client_id_oauth_client"),
        ),
        sa.PrimaryKeyConstraint("client_id", "jti_sha256", name=op.f("pk_used_assertion")),
    )
    op.create_table(
        "batch",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("organization_id", sa.String(), nullable=False),
        sa.Column("definition_version_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("permissions", sa.JSON(), nullable=False),
        sa.Column("is_test", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("sends_mail", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["definition_version_id"],
            ["definition_version.id"],
            name=op.f("fk_batch_definition_version_id_definition_version"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_batch_organization_id_organization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batch")),
    )
    with op.batch_alter_table("batch") as table:
        table.create_index(table.f("ix_batch_organization_id"), ["organization_id"], unique=False)

    op.create_table(
        "review",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("definition_version_id", sa.String(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("organization_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("decision", sa.String(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("digest_sri", sa.String(), nullable=False),
        sa.Column("endorsement", sa.LargeBinary(), nullable=True),
        sa.Column("endorsement_url", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["definition_version_id"],
            ["definition_version.id"],
            name=op.f("fk_review_definition_version_id_definition_version"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_review_organization_id_organization"),
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_review_person_id_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review")),
        sa.UniqueConstraint(
            "definition_version_id",
            "round",
            "person_id",
            name=op.f("uq_review_definition_version_id_round_person_id"),
        ),
        sa.UniqueConstraint("endorsement_url", name=op.f("uq_review_endorsement_url")),
    )
    with op.batch_alter_table("review") as table:
        table.create_index(
            table.f("ix_review_definition_version_id"), ["definition_version_id"], unique=False
        )
        table.create_index(table.f("ix_review_organization_id"), ["organization_id"], unique=False)

    op.create_table(
        "review_comment",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("definition_version_id", sa.String(), nullable=False),
        sa.Column("organization_id", sa.String(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["definition_version_id"],
            ["definition_version.id"],
            name=op.f("fk_review_comment_definition_version_id_definition_version"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_review_comment_organization_id_organization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_comment")),
    )
    with op.batch_alter_table("review_comment") as table:
        table.create_index(
            table.f("ix_review_comment_definition_version_id"),
            ["definition_version_id"],
            unique=False,
        )

    op.create_table(
        "review_request",
        sa.Column("definition_version_id", sa.String(), nullable=False),
        sa.Column("organization_id", sa.String(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["definition_version_id"],
            ["definition_version.id"],
            name=op.f("fk_review_request_definition_version_id_definition_version"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_review_request_organization_id_organization"),
        ),
        sa.PrimaryKeyConstraint(
            "definition_version_id", "organization_id", name=op.f("pk_review_request")
        ),
    )
    with op.batch_alter_table("review_request") as table:
        table.create_index(
            table.f("ix_review_request_organization_id"), ["organization_id"], unique=False
        )

    op.create_table(
        "batch_row",
        sa.Column("batch_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("organization_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("sealed_order", sa.LargeBinary(), nullable=True),
        sa.Column("status_list_id", sa.String(), nullable=True),
        sa.Column("status_index", sa.Integer(), nullable=True),
        sa.Column("award_id", sa.String(), nullable=True),
        sa.Column("errors", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(
            ["award_id"], ["award.id"], name=op.f("fk_batch_row_award_id_award")
        ),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["batch.id"], name=op.f("fk_batch_row_batch_id_batch")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_batch_row_organization_id_organization"),
        ),
        sa.ForeignKeyConstraint(
            ["status_list_id"],
            ["status_list.id"],
            name=op.f("fk_batch_row_status_list_id_status_list"),
        ),
        sa.PrimaryKeyConstraint("batch_id", "number", name=op.f("pk_batch_row")),
    )
    with op.batch_alter_table("batch_row") as table:
        table.create_index(table.f("ix_batch_row_award_id"), ["award_id"], unique=False)
        table.create_index("ix_batch_row_state", ["batch_id", "state", "number"], unique=False)
        table.create_index(
            "uq_batch_row_issued",
            ["organization_id", "fingerprint"],
            unique=True,
            sqlite_where=sa.text("state = 'issued'"),
            postgresql_where=sa.text("state = 'issued'"),
        )

    op.create_table(
        "delivery",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("organization_id", sa.String(), nullable=False),
        sa.Column("award_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("sealed_contact", sa.LargeBinary(), nullable=True),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["award_id"], ["award.id"], name=op.f("fk_delivery_award_id_award")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_delivery_organization_id_organization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint("message_id", name=op.f("uq_delivery_message_id")),
    )
    with op.batch_alter_table("delivery") as table:
        table.create_index(table.f("ix_delivery_award_id"), ["award_id"], unique=False)
        table.create_index(
            table.f("ix_delivery_organization_id"), ["organization_id"], unique=False
        )

    op.create_table(
        "letter_code",
        sa.Column("award_id", sa.String(), nullable=False),
        sa.Column("code_sha256", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["award_id"], ["award.id"], name=op.f("fk_letter_code_award_id_award")
        ),
        sa.PrimaryKeyConstraint("award_id", name=op.f("pk_letter_code")),
        sa.UniqueConstraint("code_sha256", name=op.f("uq_letter_code_code_sha256")),
    )
    with op.batch_alter_table("api_token") as table:
        table.add_column(sa.Column("person_id", sa.String(), nullable=True))
        table.add_column(
            sa.Column("is_test", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
        table.create_index(table.f("ix_api_token_person_id"), ["person_id"], unique=False)
        table.create_foreign_key(
            table.f("fk_api_token_person_id_person"), "person", ["person_id"], ["id"]
        )

    with op.batch_alter_table("audit_entry") as table:
        table.add_column(sa.Column("number", sa.Integer(), nullable=True))
        table.add_column(sa.Column("entry_hash", sa.String(), nullable=True))
        table.create_index("ix_audit_entry_number", ["organization_id", "number"], unique=True)
        table.create_index("ix_audit_entry_subject", ["organization_id", "subject"], unique=False)
        table.create_index(
            "ix_audit_entry_unchained",
            ["organization_id"],
            unique=False,
            sqlite_where=sa.text("number IS NULL"),
            postgresql_where=sa.text("number IS NULL"),
        )

    with op.batch_alter_table("award") as table:
        table.add_column(sa.Column("learner_id", sa.String(), nullable=True))
        table.add_column(sa.Column("delegation_id", sa.String(), nullable=True))
        table.add_column(sa.Column("replaces_id", sa.String(), nullable=True))
        table.add_column(
            sa.Column("is_test", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
        table.add_column(sa.Column("channel", sa.String(), server_default="api", nullable=False))
        table.add_column(sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))
        table.add_column(sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True))
        table.create_index(table.f("ix_award_delegation_id"), ["delegation_id"], unique=False)
        table.create_index(table.f("ix_award_learner_id"), ["learner_id"], unique=False)
        table.create_index(table.f("ix_award_replaces_id"), ["replaces_id"], unique=False)
        table.create_foreign_key(
            table.f("fk_award_learner_id_learner"), "learner", ["learner_id"], ["id"]
        )
        table.create_foreign_key(
            table.f("fk_award_delegation_id_delegation"), "delegation", ["delegation_id"], ["id"]
        )
        table.create_foreign_key(
            table.f("fk_award_replaces_id_award"), "award", ["replaces_id"], ["id"]
        )
    _index_references("organization_id", "external_reference", "is_test")

    with op.batch_alter_table("definition_version") as table:
        table.add_column(sa.Column("authors", sa.JSON(), server_default="[]", nullable=False))
        table.add_column(
            sa.Column("review_round", sa.Integer(), server_default="0", nullable=False)
        )
        table.add_column(sa.Column("review_due", sa.Date(), nullable=True))

    with op.batch_alter_table("organization") as table:
        table.add_column(sa.Column("approvals", sa.Integer(), server_default="0", nullable=False))
        table.add_column(
            sa.Column("external_approvals", sa.Integer(), server_default="0", nullable=False)
        )
        table.add_column(
            sa.Column("review_grace_days", sa.Integer(), server_default="180", nullable=False)
        )
        table.add_column(sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True))
        table.add_column(sa.Column("confirmed_by", sa.String(), nullable=True))
        table.add_column(
            sa.Column("is_elsewhere", sa.Boolean(), server_default=sa.false(), nullable=False)
        )

    with op.batch_alter_table("service") as table:
        table.add_column(sa.Column("confirmed", sa.LargeBinary(), nullable=True))
        table.add_column(sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True))
        table.add_column(sa.Column("sunset_at", sa.DateTime(timezone=True), nullable=True))
        table.add_column(sa.Column("lists_from", sa.Integer(), server_default="0", nullable=False))


def _index_references(*columns: str) -> None:
    """The index that lets a reference be used once, over these columns."""
    open_ones = sa.text("state != 'revoked'")
    op.drop_index("uq_award_external_reference", table_name="award")
    op.create_index(
        "uq_award_external_reference",
        "award",
        list(columns),
        unique=True,
        sqlite_where=open_ones,
        postgresql_where=open_ones,
    )


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("service") as table:
        table.drop_column("lists_from")
        table.drop_column("sunset_at")
        table.drop_column("confirmed_at")
        table.drop_column("confirmed")

    with op.batch_alter_table("organization") as table:
        table.drop_column("is_elsewhere")
        table.drop_column("confirmed_by")
        table.drop_column("confirmed_at")
        table.drop_column("review_grace_days")
        table.drop_column("external_approvals")
        table.drop_column("approvals")

    with op.batch_alter_table("definition_version") as table:
        table.drop_column("review_due")
        table.drop_column("review_round")
        table.drop_column("authors")

    op.execute(sa.text("UPDATE award SET external_reference = NULL WHERE is_test"))
    _index_references("organization_id", "external_reference")
    with op.batch_alter_table("award") as table:
        table.drop_constraint(table.f("fk_award_replaces_id_award"), type_="foreignkey")
        table.drop_constraint(table.f("fk_award_delegation_id_delegation"), type_="foreignkey")
        table.drop_constraint(table.f("fk_award_learner_id_learner"), type_="foreignkey")
        table.drop_index(table.f("ix_award_replaces_id"))
        table.drop_index(table.f("ix_award_learner_id"))
        table.drop_index(table.f("ix_award_delegation_id"))
        table.drop_column("claimed_at")
        table.drop_column("erased_at")
        table.drop_column("channel")
        table.drop_column("is_test")
        table.drop_column("replaces_id")
        table.drop_column("delegation_id")
        table.drop_column("learner_id")

    with op.batch_alter_table("audit_entry") as table:
        table.drop_index(
            "ix_audit_entry_unchained",
            sqlite_where=sa.text("number IS NULL"),
            postgresql_where=sa.text("number IS NULL"),
        )
        table.drop_index("ix_audit_entry_subject")
        table.drop_index("ix_audit_entry_number")
        table.drop_column("entry_hash")
        table.drop_column("number")

    with op.batch_alter_table("api_token") as table:
        table.drop_constraint(table.f("fk_api_token_person_id_person"), type_="foreignkey")
        table.drop_index(table.f("ix_api_token_person_id"))
        table.drop_column("is_test")
        table.drop_column("person_id")

    op.drop_table("letter_code")
    with op.batch_alter_table("delivery") as table:
        table.drop_index(table.f("ix_delivery_organization_id"))
        table.drop_index(table.f("ix_delivery_award_id"))

    op.drop_table("delivery")
    with op.batch_alter_table("batch_row") as table:
        table.drop_index(
            "uq_batch_row_issued",
            sqlite_where=sa.text("state = 'issued'"),
            postgresql_where=sa.text("state = 'issued'"),
        )
        table.drop_index("ix_batch_row_state")
        table.drop_index(table.f("ix_batch_row_award_id"))

    op.drop_table("batch_row")
    with op.batch_alter_table("review_request") as table:
        table.drop_index(table.f("ix_review_request_organization_id"))

    op.drop_table("review_request")
    with op.batch_alter_table("review_comment") as table:
        table.drop_index(table.f("ix_review_comment_definition_version_id"))

    op.drop_table("review_comment")
    with op.batch_alter_table("review") as table:
        table.drop_index(table.f("ix_review_organization_id"))
        table.drop_index(table.f("ix_review_definition_version_id"))

    op.drop_table("review")
    with op.batch_alter_table("batch") as table:
        table.drop_index(table.f("ix_batch_organization_id"))

    op.drop_table("batch")
    op.drop_table("used_assertion")
    with op.batch_alter_table("delegation") as table:
        table.drop_index(table.f("ix_delegation_organization_id"))
        table.drop_index(table.f("ix_delegation_issuer_id"))
        table.drop_index(table.f("ix_delegation_issuer_did"))

    op.drop_table("delegation")
    with op.batch_alter_table("webhook") as table:
        table.drop_index(table.f("ix_webhook_organization_id"))

    op.drop_table("webhook")
    with op.batch_alter_table("oauth_client") as table:
        table.drop_index(table.f("ix_oauth_client_organization_id"))

    op.drop_table("oauth_client")
    with op.batch_alter_table("membership") as table:
        table.drop_index(table.f("ix_membership_person_id"))

    op.drop_table("membership")
    with op.batch_alter_table("learner") as table:
        table.drop_index(table.f("ix_learner_organization_id"))

    op.drop_table("learner")
    op.drop_table("audit_head")
    op.drop_table("person")
    op.drop_table("audit_chain")
