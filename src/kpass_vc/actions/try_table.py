"""Look at a table of learners before anything is sent: as it was read, with what is wrong at its cell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from kpass_vc.actions.ask_owner import ask_owner
from kpass_vc.actions.batch import Looked, each_error, look_through, read_file
from kpass_vc.actions.issuable import require_issuable
from kpass_vc.authz import Actor
from kpass_vc.environment import Environment
from kpass_vc.errors import FieldError
from kpass_vc.spreadsheets import Cell, as_csv, column_letter, read_table


@dataclass(frozen=True)
class Tried:
    """A table that was looked at."""

    rows: Sequence[Sequence[Cell]]
    """Its heading, and every row under it."""
    looked: Looked
    faults: Mapping[str, tuple[FieldError, ...]]
    """What is wrong, by the name of the cell."""
    content: bytes
    """The table as CSV, with what was written in its cells since."""
    room: int | None
    """How many may be issued, where the definition's owner has set a bound."""

    @property
    def wrong_rows(self) -> list[list[str]]:
        """The texts of the rows with something wrong, to be mended elsewhere."""
        return [[cell.text for cell in self.rows[row.number - 1]] for row in self.looked.bad]


def try_table(
    env: Environment,
    session: Session,
    actor: Actor,
    definition: str,
    content: bytes,
    written: Mapping[str, str],
) -> Tried:
    """The table with other texts in some cells, looked through; nothing is stored.

    InvalidInput for its heading, Malformed and TooLarge for what is no table that we read; Forbidden or Conflict
    if none of it may be issued, whatever stands in it.
    """
    ask_owner(env, actor, definition)
    left = require_issuable(env, session, actor, definition)
    rows = _with(read_table(content), written)
    changed = as_csv(rows)
    looked = look_through(env, session, actor, definition, read_file(definition, changed))
    faults: dict[str, tuple[FieldError, ...]] = {}
    for _, error in each_error(looked):
        faults[error.field] = (*faults.get(error.field, ()), error)
    return Tried(rows, looked, faults, changed, left)


def _with(rows: Sequence[Sequence[Cell]], written: Mapping[str, str]) -> list[list[Cell]]:
    """The rows, as wide as the heading, with what was written in some cells in place of what stood there."""
    width = len(rows[0]) if rows else 0
    found = []
    for number, row in enumerate(rows, 1):
        known = {cell.name: _shown(cell) for cell in row}
        names = [f"{column_letter(place)}{number}" for place in range(max(width, len(row)))]
        texts = [(name, known.get(name, "")) for name in names]
        is_empty = number > 1 and not any(text for _, text in texts)
        found.append(
            []
            if is_empty
            else [
                Cell(name, " ".join(written[name].split()) if name in written else text)
                for name, text in texts
            ]
        )
    return found


def _shown(cell: Cell) -> str:
    """The text of a cell; of a formula, which is never taken in, what the next look knows one by."""
    return cell.text or ("=" if cell.is_formula else "")
