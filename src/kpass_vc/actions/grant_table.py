"""Let many issue at once, from a table: all of its rows or none; looked at first, with every error at its cell."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from kpass_vc.actions.delegate import GrantOrder, grant
from kpass_vc.authz import Actor, Permission
from kpass_vc.delegation_table import GrantRow, in_cells, read_grants
from kpass_vc.environment import Environment
from kpass_vc.errors import Conflict, FieldError, InvalidInput, NotFound
from kpass_vc.model.field_errors import validated
from kpass_vc.spreadsheets import as_csv, read_table


@dataclass(frozen=True)
class Looked:
    """A table that was looked at: its heading, its rows, and what is wrong by the name of the cell."""

    heading: tuple[str, ...]
    rows: tuple[GrantRow, ...]
    faults: Mapping[str, tuple[FieldError, ...]]
    content: bytes
    """The table as CSV, for who has looked at it to send."""


def look_at_grants(
    env: Environment, session: Session, actor: Actor, content: bytes, *, keep: bool
) -> Looked:
    """The table with all that is wrong with it; granted if nothing is and it is to be kept, and else nothing is.

    InvalidInput for its heading, Malformed and TooLarge for what is no table that we read.
    """
    actor.require(Permission.DELEGATIONS_WRITE)
    table = read_table(content)
    rows, wrong = read_grants(table)
    if wrong:
        raise InvalidInput(*wrong)
    faults: dict[str, tuple[FieldError, ...]] = {}
    tried = session.begin_nested()
    for row in rows:
        for error in row.errors or _granted(env, session, actor, row):
            faults[error.field] = (*faults.get(error.field, ()), error)
    if keep and not faults:
        tried.commit()
    else:
        tried.rollback()
    heading = tuple(cell.text for cell in table[0] if cell.text.strip())
    return Looked(heading, tuple(rows), faults, as_csv(table))


def _granted(
    env: Environment, session: Session, actor: Actor, row: GrantRow
) -> tuple[FieldError, ...]:
    """What is wrong with a row; nothing if it is granted."""
    try:
        with session.begin_nested():
            grant(env, session, actor, validated(GrantOrder, row.item))
    except InvalidInput as error:
        return in_cells(row, error.fields)
    except NotFound:
        return in_cells(row, (FieldError("/issuer", "grant_issuer"),))
    except Conflict as error:
        said = {"sv": error.sentence("sv"), "en": error.sentence("en")}
        return in_cells(row, (FieldError("/issuer", "row_refused", **said),))
    return ()
