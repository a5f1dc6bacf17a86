"""VC-API issuer instances and what they have issued

Revision 0004, after 0003.
"""

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        'vc_api_issuer',
        sa.Column('id', sa.String(), nullable=False),
        sa.Column('name', sa.String(), nullable=False),
        sa.Column('organization_id', sa.String(), nullable=False),
        sa.Column('did', sa.String(), nullable=False),
        sa.Column('algorithm', sa.String(), nullable=False),
        sa.Column('securing', sa.String(), nullable=False),
        sa.Column('has_status', sa.Boolean(), nullable=False),
        sa.Column('is_open', sa.Boolean(), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ['organization_id'], ['organization.id'], name=op.f('fk_vc_api_issuer_organization_id_organization')
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_vc_api_issuer')),
        sa.UniqueConstraint('name', name=op.f('uq_vc_api_issuer_name')),
    )
    op.create_index(op.f('ix_vc_api_issuer_organization_id'), 'vc_api_issuer', ['organization_id'], unique=False)
    op.create_table(
        'vc_api_credential',
        sa.Column('id', sa.String(), nullable=False),
        sa.Column('issuer_id', sa.String(), nullable=False),
        sa.Column('organization_id', sa.String(), nullable=False),
        sa.Column('credential_id', sa.String(), nullable=True),
        sa.Column('sha256', sa.String(), nullable=False),
        sa.Column('status_list_id', sa.String(), nullable=True),
        sa.Column('status_index', sa.Integer(), nullable=True),
        sa.Column('is_revoked', sa.Boolean(), nullable=False),
        sa.Column('issued_at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ['issuer_id'], ['vc_api_issuer.id'], name=op.f('fk_vc_api_credential_issuer_id_vc_api_issuer')
        ),
        sa.ForeignKeyConstraint(
            ['organization_id'], ['organization.id'], name=op.f('fk_vc_api_credential_organization_id_organization')
        ),
        sa.ForeignKeyConstraint(
            ['status_list_id'], ['status_list.id'], name=op.f('fk_vc_api_credential_status_list_id_status_list')
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_vc_api_credential')),
    )
    op.create_index(op.f('ix_vc_api_credential_issuer_id'), 'vc_api_credential', ['issuer_id'], unique=False)
    op.create_index(op.f('ix_vc_api_credential_credential_id'), 'vc_api_credential', ['credential_id'], unique=False)


def downgrade() -> None:
    """Undo."""
    op.drop_table('vc_api_credential')
    op.drop_table('vc_api_issuer')
