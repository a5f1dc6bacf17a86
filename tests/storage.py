"""`python -m tests.storage`: what a batch takes up on disk, by table and index (docs/scaling.md).

python -m tests.storage --rows 1000
python -m tests.storage --rows 1000 --url postgresql://kpass@localhost/an_empty_database
"""

import argparse
import os
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, text

from kpass_vc.actions.batch import look_through, read_items, take_in
from kpass_vc.actions.chain import chain_all
from kpass_vc.actions.initialise import initialise
from kpass_vc.records.batch import Batch
from kpass_vc.workflows import start_work, stop_work
from tests.conftest import settings_for
from tests.world import Clock, World, actor_of, open_test_environment

ISSUER, DEFINITION = "stadsnat-exempel", "sobona/SOB-OPTO-01"
SIZES = (
    "SELECT relname, pg_relation_size(oid) + CASE WHEN reltoastrelid = 0 THEN 0"
    " ELSE pg_total_relation_size(reltoastrelid) END FROM pg_class"
    " WHERE relkind IN ('r', 'i') AND relnamespace = 'public'::regnamespace"
)


def sizes(engine: Engine) -> dict[str, int]:
    """Bytes by table and index on PostgreSQL; of the whole file on SQLite, whose library does not count them."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            return {row[0]: int(row[1]) for row in connection.execute(text(SIZES))}
        cursor = connection.connection.cursor()
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        cursor.close()
        return {"the file": Path(str(engine.url.database)).stat().st_size}


def issue_batch(world: World, rows: int, languages: list[str]) -> None:
    """Issue to so many learners, and chain what the log says of it."""
    day = (datetime.now(UTC) - timedelta(days=4)).date().isoformat()
    items: list[dict[str, object]] = [
        {
            "holder": {"name": f"Förnamn Efternamnsson {number}"},
            "assessedOn": day,
            "languages": languages,
            "externalReference": f"kurs-2026-{number}",
        }
        for number in range(rows)
    ]
    actor = actor_of(world.organization(ISSUER))
    with world.writing() as session:
        looked = look_through(world.env, session, actor, DEFINITION, read_items(DEFINITION, items))
        batch = take_in(world.env, session, actor, DEFINITION, looked)
    start_work(world.env, "storage")
    try:
        state = ""
        while state != "finished":
            time.sleep(0.5)
            with world.reading() as session:
                state = session.get_one(Batch, batch.id).state
    finally:
        stop_work()
    chain_all(world.env)


def main() -> None:
    """Measure it on a new installation of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--languages", default="sv")
    parser.add_argument("--url", help="an empty PostgreSQL database; SQLite if left out")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = settings_for(given.url or f"sqlite:///{folder}/kpass.db", folder)
        initialise(settings)
        world = World(open_test_environment(settings, Clock()), Clock())
        world.env = replace(world.env, entropy=os.urandom, clock=lambda: datetime.now(UTC))
        world.published_definition()
        world.issued()
        before = sizes(world.env.engine)
        issue_batch(world, given.rows, given.languages.split(","))
        grown = {each: size - before[each] for each, size in sizes(world.env.engine).items()}
        world.env.engine.dispose()
    for each, size in sorted(grown.items(), key=lambda item: -item[1]):
        if size >= 10 * given.rows:
            sys.stdout.write(f"{size / given.rows:8.0f} B  {each}\n")
    sys.stdout.write(f"{sum(grown.values()) / given.rows:8.0f} B  in all, for each award\n")


if __name__ == "__main__":
    main()
