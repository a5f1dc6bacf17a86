"""A key and a status list belong to one DID; a key may be compromised

Revision 0003, after 0002.
"""

import sqlalchemy as sa
from alembic import op


revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply. What is there belongs to the only DID that its organisation has had."""
    with op.batch_alter_table('signing_key') as table:
        table.add_column(sa.Column('did', sa.String(), nullable=True))
        table.add_column(sa.Column('compromised_at', sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table('status_list') as table:
        table.add_column(sa.Column('issuer', sa.String(), nullable=True))
    for table_name, column in (('signing_key', 'did'), ('status_list', 'issuer')):
        op.execute(
            f"UPDATE {table_name} SET {column} = "
            f"(SELECT did FROM organization WHERE organization.id = {table_name}.organization_id)"
        )
    with op.batch_alter_table('signing_key') as table:
        table.alter_column('did', existing_type=sa.String(), nullable=False)
        table.create_index(op.f('ix_signing_key_did'), ['did'], unique=False)
    with op.batch_alter_table('status_list') as table:
        table.alter_column('issuer', existing_type=sa.String(), nullable=False)
    op.create_index(
        op.f('ix_representation_verification_method'), 'representation', ['verification_method'], unique=False
    )


def downgrade() -> None:
    """Undo."""
    op.drop_index(op.f('ix_representation_verification_method'), table_name='representation')
    with op.batch_alter_table('status_list') as table:
        table.drop_column('issuer')
    with op.batch_alter_table('signing_key') as table:
        table.drop_index(op.f('ix_signing_key_did'))
        table.drop_column('compromised_at')
        table.drop_column('did')
