"""`kpass backup` and `kpass restore`: everything in one file, and back."""

from pathlib import Path
from typing import Annotated

import typer

from kpass_vc.actions.backup import Merged, accept, lists_in
from kpass_vc.actions.backup import backup as act_backup
from kpass_vc.actions.backup import restore as act_restore
from kpass_vc.cli.console import CHOICE, answer, opened, operator, say_line
from kpass_vc.language import say
from kpass_vc.settings import Settings


def backup(file: Annotated[Path, typer.Argument(help="The file to write.")]) -> None:
    """Write everything that is stored into one file, from one moment, while the service runs.

    The encrypted keys are in it, the key-encryption key is not: keep that elsewhere.
    """
    operator()
    counts = act_backup(opened(), Settings.read(), file)
    if CHOICE.as_json:
        answer({"file": str(file), "rows": counts})
    else:
        say_line(say(CHOICE.language, "backup.done", file=file, rows=sum(counts.values())))


def restore(
    file: Annotated[
        Path | None, typer.Argument(help="The file of `kpass backup`; left out with --accept.")
    ] = None,
    published: Annotated[
        list[Path] | None,
        typer.Option(
            help="A status list as it was published last, or a folder of them (status/*.json, did.json)."
        ),
    ] = None,
    *,
    accepted: Annotated[
        bool,
        typer.Option("--accept", help="The database was put back by other means: close its lists."),
    ] = False,
) -> None:
    """Read a copy into an empty installation (`kpass init` first); or put right a database that was put back.

    Every status list that there was is closed, so that no index is given out twice, and published bits are
    merged, so that no revocation is lost. Exit status 1 if bits of a list were not at hand.
    """
    operator()
    if (file is None) != accepted:
        raise typer.BadParameter("a file, or --accept")
    env = opened()
    bodies = [
        body
        for path in published or []
        for body in (lists_in(path) if path.is_dir() else [path.read_bytes()])
    ]
    found = accept(env, bodies) if file is None else act_restore(env, Settings.read(), file, bodies)
    _show(found)
    raise typer.Exit(0 if all(each.merged for each in found) else 1)


def _show(found: list[Merged]) -> None:
    if CHOICE.as_json:
        lists = [
            {
                "url": m.url,
                "merged": m.merged,
                "raised": m.raised,
                "known": m.known,
                "vouched": m.vouched,
            }
            for m in found
        ]
        answer({"lists": lists})
        return
    for each in found:
        kind = "merged" if each.merged else "not_merged" if each.known else "unknown"
        words = {"url": each.url, "raised": each.raised}
        say_line(say(CHOICE.language, f"backup.{kind}", **words), "" if each.merged else "yellow")
        if each.vouched:
            say_line(say(CHOICE.language, "backup.vouched", url=each.url), "yellow")
    say_line(say(CHOICE.language, "backup.erasures"), "yellow")
