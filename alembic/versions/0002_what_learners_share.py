"""What learners share and dispute

Revision 0002, after 0001.
"""

import sqlalchemy as sa
from alembic import op


revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column('award', sa.Column('link_generation', sa.Integer(), server_default='0', nullable=False))
    op.create_table('share_link',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('award_id', sa.String(), nullable=False),
    sa.Column('language', sa.String(), nullable=False),
    sa.Column('code_sha256', sa.String(), nullable=False),
    sa.Column('label', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['award_id'], ['award.id'], name=op.f('fk_share_link_award_id_award')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_share_link')),
    sa.UniqueConstraint('code_sha256', name=op.f('uq_share_link_code_sha256'))
    )
    op.create_index(op.f('ix_share_link_award_id'), 'share_link', ['award_id'], unique=False)
    op.create_table('dispute',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('award_id', sa.String(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('text', sa.String(), nullable=False),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('answer', sa.String(), nullable=True),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['award_id'], ['award.id'], name=op.f('fk_dispute_award_id_award')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_dispute'))
    )
    op.create_index(op.f('ix_dispute_award_id'), 'dispute', ['award_id'], unique=False)
    op.create_index('uq_dispute_open', 'dispute', ['award_id'], unique=True, sqlite_where=sa.text("state = 'open'"), postgresql_where=sa.text("state = 'open'"))


def downgrade() -> None:
    """Undo."""
    op.drop_table('dispute')
    op.drop_table('share_link')
    op.drop_column('award', 'link_generation')
