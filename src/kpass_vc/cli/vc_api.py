"""`kpass vc-api`: issuer instances of the VC-API."""

from typing import Annotated

import typer

from kpass_vc.actions.vc_api_issuers import SECURING, add_issuer, remove_issuer
from kpass_vc.cli.console import CHOICE, answer, opened, operator, say_line, table
from kpass_vc.crypto.keys import Algorithm
from kpass_vc.language import say
from kpass_vc.records import vc_api as records
from kpass_vc.records.vc_api import VcApiIssuer

app = typer.Typer(
    help="Issuer instances of the W3C VC-API: add, list, remove.", no_args_is_help=True
)


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="Stands in its address: /issuers/NAME/…")],
    organization: Annotated[str, typer.Option(help="The organisation's slug.")],
    securing: Annotated[
        str, typer.Option(help=f"One of {', '.join(SECURING)}.")
    ] = "eddsa-rdfc-2022",
    key: Annotated[
        Algorithm | None, typer.Option(help="The kind of key; the first that fits if left out.")
    ] = None,
    did: Annotated[
        str, typer.Option(help="key: a did:key of its own; web: the organisation's did:web.")
    ] = "key",
    *,
    status: Annotated[
        bool, typer.Option("--status", help="Give each credential a status entry.")
    ] = False,
    open_to_all: Annotated[
        bool, typer.Option("--open", help="Anybody may issue with it, without a token.")
    ] = False,
) -> None:
    """Make an instance that signs whole credentials of a system of the organisation's own."""
    env = opened()
    with env.writing() as session, session.begin():
        row = add_issuer(
            env,
            session,
            operator(),
            organization,
            name,
            securing=securing,
            algorithm=key,
            did_method=did,
            has_status=status,
            is_open=open_to_all,
        )
    _show([row])
    if row.is_open and not CHOICE.as_json:
        say_line(say(CHOICE.language, "vc_api.open", name=row.name), "yellow")


@app.command("list")
def listed() -> None:
    """All instances."""
    operator()
    env = opened()
    with env.reading() as session:
        rows = records.every(session)
    _show(rows)


@app.command("remove")
def remove(name: Annotated[str, typer.Argument(help="The instance's name.")]) -> None:
    """Remove an instance that has issued nothing."""
    env = opened()
    with env.writing() as session, session.begin():
        row = remove_issuer(env, session, operator(), name)
    _show([row])


def _show(rows: list[VcApiIssuer]) -> None:
    env = opened()
    found = [
        {
            "name": row.name,
            "url": f"{env.addresses.base}/issuers/{row.name}/credentials/issue",
            "did": row.did,
            "securing": row.securing,
            "key": row.algorithm,
            "status": row.has_status,
            "open": row.is_open,
        }
        for row in rows
    ]
    if CHOICE.as_json:
        answer({"issuers": found})
        return
    lines = [
        [
            str(each["name"]),
            str(each["securing"]),
            str(each["key"]),
            str(each["did"]),
            str(each["url"]),
        ]
        for each in found
    ]
    table("VC-API", ["Name", "Securing", "Key", "DID", "URL"], lines)
