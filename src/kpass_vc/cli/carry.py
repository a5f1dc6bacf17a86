"""`kpass verify`, `kpass bake` and `kpass unbake`: a credential in whatever form it is carried."""

import sys
from pathlib import Path
from typing import Annotated, Final

import typer
from sqlalchemy.orm import Session

from kpass_vc.actions.bake import baked
from kpass_vc.actions.lint_badge import lint_badge
from kpass_vc.actions.recognise import find_credential
from kpass_vc.actions.verify import verify as act_verify
from kpass_vc.api.verifications import probe_reply, report_reply
from kpass_vc.authz import Permission
from kpass_vc.baking import Kind, bake_png, bake_svg, kind_of
from kpass_vc.baking import unbake as taken_out
from kpass_vc.cli import leave
from kpass_vc.cli.console import (
    CHOICE,
    acting_for_issuer_of,
    answer,
    opened,
    probe_table,
    report_table,
    say_line,
)
from kpass_vc.errors import KpassError, Malformed, NotFound, TooLarge
from kpass_vc.formats import FORMATS, recognise
from kpass_vc.language import LANGUAGES, say
from kpass_vc.links import read_code
from kpass_vc.model.document import MAX_PICTURE
from kpass_vc.records import award as awards
from kpass_vc.records.award import Award, Representation

_TYPED: Final = ("https://", "http://", "{", "ey")


def verify(
    given: Annotated[
        str,
        typer.Argument(
            metavar="FILE|URL|CODE|-",
            help="A file (JSON, JWT, PNG, SVG, a photograph of a QR code), an https link, "
            "the code of a share link; - for standard input.",
        ),
    ],
    offline: Annotated[
        Path | None,
        typer.Option(
            help="A file of `kpass export` or a folder of `kpass sunset`: no network, no database."
        ),
    ] = None,
) -> None:
    """Verify a credential in any form: exit status 0 verified, 1 refused, 3 unknown."""
    if offline is not None:
        secured = _secured(_handed_in(given))
        report = leave.offline(offline, secured)
        raise typer.Exit({"verified": 0, "refused": 1, "unknown": 3}[report.verdict])
    env = opened()
    found = find_credential(env, _handed_in(given))
    report = act_verify(env, found.secured)
    if CHOICE.as_json:
        answer(report_reply(report, CHOICE.language, found.route).model_dump())
    else:
        report_table(report, say(CHOICE.language, f"verdict.{report.verdict}"))
        say_line(say(CHOICE.language, "route.found", way=found.way(CHOICE.language)))
    raise typer.Exit({"verified": 0, "refused": 1, "unknown": 3}[report.verdict])


def lint(
    given: Annotated[
        str,
        typer.Argument(
            metavar="FILE|URL|CODE|-",
            help="A badge in any form that `kpass verify` takes; anybody's.",
        ),
    ],
) -> None:
    """What 1EdTech's public validator would say, probe by probe: exit status 0 nothing, 1 something."""
    env = opened()
    _, results = lint_badge(env, find_credential(env, _handed_in(given)).secured)
    if CHOICE.as_json:
        answer(
            {"probes": [probe_reply(result, CHOICE.language).model_dump() for result in results]}
        )
    else:
        probe_table(results)
    clean = all(result.level == "ok" for result in results)
    raise typer.Exit(0 if clean else 1)


def bake(
    credential: Annotated[
        str,
        typer.Argument(
            metavar="CREDENTIAL_FILE|ID",
            help="A credential as JSON or JWT, or the id that issuing gave.",
        ),
    ],
    picture: Annotated[
        Path | None,
        typer.Option(help="The PNG or SVG to put it into; the badge of our own if left out."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="The file to write; .svg gives the badge as SVG. - for standard output."),
    ] = None,
    edition: Annotated[
        str | None,
        typer.Option(
            help="sv or en: which edition of the credential with that id; Swedish if left out."
        ),
    ] = None,
    jwt: Annotated[
        bool, typer.Option("--jwt", help="The credential with that id as JWT, not as JSON.")
    ] = False,
) -> None:
    """Put a credential into a picture: it can be looked at, and handed in to be verified."""
    if edition is not None and edition not in LANGUAGES:
        raise typer.BadParameter("sv or en", param_hint="--edition")
    if Path(credential).is_file() or credential == "-":
        name = Path(credential).stem if credential != "-" else "credential"
        secured = _secured(_handed_in(credential))
        body = _into(_read(picture), secured) if picture else _own_badge(secured, _kind(out))
    else:
        name = credential
        body = _badge_of(credential, _kind(out), picture, edition, "jwt" if jwt else "json")
    _write(body, out, f"{name}.{kind_of(body)}")


def unbake(
    picture: Annotated[
        Path, typer.Argument(help="A PNG or SVG with a credential; - for standard input.")
    ],
    out: Annotated[
        Path | None, typer.Option(help="The file to write; standard output if left out.")
    ] = None,
) -> None:
    """Take the credential out of a picture, byte for byte. This says nothing of whether it is true."""
    secured = _baked_in(_read(picture))
    form = "json" if secured.startswith(b"{") else "jwt"
    if out is not None:
        _write(secured, out, "")
    elif CHOICE.as_json:
        answer({"format": form, "credential": secured.decode()})
    else:
        _write(secured, Path("-"), "")


def _baked_in(picture: bytes) -> bytes:
    """The credential in a picture; Malformed if there is none."""
    secured = taken_out(picture)
    if secured is None:
        raise Malformed("nothing_baked")
    return secured


def _secured(given: bytes) -> bytes:
    return _baked_in(given) if kind_of(given) is not None else given.strip()


def _into(picture: bytes, secured: bytes) -> bytes:
    return bake_svg(picture, secured) if kind_of(picture) == "svg" else bake_png(picture, secured)


def _own_badge(secured: bytes, kind: Kind) -> bytes:
    """The badge of a credential that was issued here, with these bytes in it; Malformed for another's."""
    env = opened()
    with env.reading() as session:
        for award, row in _issued(session, secured):
            if row.body == secured:
                return baked(session, award, row, kind)
    raise Malformed("picture_wanted")


def _issued(session: Session, secured: bytes) -> list[tuple[Award, Representation]]:
    try:
        claimed = recognise(secured).read(secured).document.get("id")
    except KpassError as error:
        raise Malformed("baked_text") from error
    found = awards.by_credential_id(session, claimed) if isinstance(claimed, str) else None
    if found is None:
        return []
    return [(found[0], row) for row in awards.representations(session, award_id=found[0].id)]


def _badge_of(
    award_id: str, kind: Kind, picture: Path | None, edition: str | None, extension: str
) -> bytes:
    """The badge of an award, or the picture, with one of its editions in it."""
    env = opened()
    actor = acting_for_issuer_of(env, award_id)
    actor.require(Permission.CREDENTIALS_READ)
    with env.reading() as session:
        award = awards.by_id(session, organization_id=actor.own_organization(), award_id=award_id)
        if award is None:
            raise NotFound("credential", credential=award_id)
        rows = [
            row
            for row in awards.representations(session, award_id=award.id)
            if edition in {None, row.language} and FORMATS[row.format].extension == extension
        ]
        if not rows:
            raise NotFound("credential", credential=f"{award_id}.{edition}.{extension}")
        if picture is not None:
            return _into(_read(picture), rows[0].body)
        return baked(session, award, rows[0], kind)


def _kind(out: Path | None) -> Kind:
    return "svg" if out is not None and out.suffix.lower() == ".svg" else "png"


def _handed_in(given: str) -> bytes:
    """The bytes of a file or of standard input, or the text that stands for itself."""
    if given.startswith(_TYPED) or (read_code(given) and not Path(given).exists()):
        return given.encode()
    return _read(Path(given))


def _read(file: Path) -> bytes:
    """The bytes of a file; TooLarge for more than a picture may have."""
    try:
        if str(file) == "-":
            found = sys.stdin.buffer.read(MAX_PICTURE + 1)
        else:
            with file.open("rb") as opened_file:
                found = opened_file.read(MAX_PICTURE + 1)
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) else str(error)
        raise typer.BadParameter(f"{str(file)[:200]}: {said}") from error
    if len(found) > MAX_PICTURE:
        raise TooLarge(limit=MAX_PICTURE)
    return found


def _write(body: bytes, out: Path | None, name: str) -> None:
    """Write the file that is asked for, or one of that name where there is none yet."""
    if out is not None and str(out) == "-":
        sys.stdout.buffer.write(body)
        sys.stdout.buffer.flush()
        return
    try:
        if out is None:
            with Path(name).open("xb") as file:
                file.write(body)
        else:
            out.write_bytes(body)
    except FileExistsError as error:
        raise typer.BadParameter(f"{name} exists; name a file", param_hint="--out") from error
    except OSError as error:
        raise typer.BadParameter(f"{out or name}: {error.strerror}", param_hint="--out") from error
    if CHOICE.as_json:
        answer({"file": str(out or name), "bytes": len(body)})
    else:
        say_line(str(out or name))
