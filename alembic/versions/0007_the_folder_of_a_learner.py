"""The folder link of a learner, which is renewed with the private links

Revision 0007, after 0006.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("learner") as table:
        table.add_column(
            sa.Column("link_generation", sa.Integer(), server_default="0", nullable=False)
        )


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("learner") as table:
        table.drop_column("link_generation")
