"""Alembic runs this: on the connection it was handed, or on KPASS_DATABASE_URL."""

import os
from typing import Literal

from alembic import context
from sqlalchemy import Connection

from kpass_vc.records import Base
from kpass_vc.records.base import UtcDateTime, changing_tables, open_engine


def render_item(kind: str, item: object, _autogen: object) -> str | Literal[False]:
    """Our own column type as the one it is in the database."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False


def include_name(name: str | None, kind: str, _parents: object) -> bool:
    """Only our own tables: those of the durable workflows are their library's."""
    return kind != "table" or name in Base.metadata.tables


def migrate(connection: Connection) -> None:
    """Run the migrations on one connection, in one transaction."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_type=True,
        render_item=render_item,
        include_name=include_name,
    )
    with context.begin_transaction():
        context.run_migrations()


handed = context.config.attributes.get("connection")
if handed is not None:
    migrate(handed)
else:
    url = os.environ.get("KPASS_DATABASE_URL", "sqlite:///var/kpass.db")
    with changing_tables(open_engine(url)) as opened:
        migrate(opened)
