"""`kpass system` and `kpass webhook`: systems known by their keys, and addresses that are told of changes."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from kpass_vc.actions.oauth import (
    ClientOrder,
    KeysOrder,
    change_keys,
    clients,
    metadata,
    register_client,
    withdraw_client,
)
from kpass_vc.actions.webhooks import (
    ReplayOrder,
    WebhookOrder,
    add_webhook,
    end_webhook,
    own_webhooks,
    replay,
)
from kpass_vc.authz import SYSTEM
from kpass_vc.cli.console import CHOICE, acting_for, answer, opened, operator, say_line, table
from kpass_vc.model.field_errors import validated
from kpass_vc.records.oauth import OauthClient
from kpass_vc.records.webhook import Webhook

systems = typer.Typer(
    help="Systems with keys of their own (OAuth 2.0, private_key_jwt): add, keys, list, withdraw.",
    no_args_is_help=True,
)
webhooks = typer.Typer(
    help="Addresses of yours that are told of changes: add, list, replay, end.",
    no_args_is_help=True,
)
_Org = Annotated[str, typer.Argument(metavar="ORGANISATION", help="Its slug.")]
_Keys = Annotated[
    list[Path],
    typer.Option(
        "--key", help="A file with a public JWK or a JWK set; at most two keys.", exists=True
    ),
]
_Client = Annotated[str, typer.Argument(metavar="CLIENT", help="The id that `add` gave.")]
_Webhook = Annotated[str, typer.Argument(metavar="WEBHOOK", help="The id that `add` gave.")]


@systems.command("add")
def system_add(
    organization: _Org,
    label: Annotated[str, typer.Argument(help="What the system is called.")],
    key: _Keys,
    permission: Annotated[
        list[str] | None,
        typer.Option(help=f"One or several of {', '.join(sorted(SYSTEM))}; all if left out."),
    ] = None,
    *,
    test: Annotated[bool, typer.Option("--test", help="What it issues says TEST.")] = False,
) -> None:
    """Let a system in by its public key. Its private key stays where it is."""
    given = {"label": label, "keys": _jwks(key), "permissions": permission or None, "test": test}
    order = validated(ClientOrder, given)
    env = opened()
    with env.writing() as session, session.begin():
        row = register_client(env, session, operator(), organization, order)
    endpoint = metadata(env)["token_endpoint"]
    if CHOICE.as_json:
        answer({**_client(row), "tokenEndpoint": endpoint})
    else:
        say_line(f"{row.id}  {endpoint}")


@systems.command("keys")
def system_keys(client: _Client, key: _Keys) -> None:
    """The keys that a system signs with from now on: these and no others."""
    order = validated(KeysOrder, {"keys": _jwks(key)})
    env = opened()
    with env.writing() as session, session.begin():
        row = change_keys(env, session, operator(), client, order)
    _said(_client(row))


@systems.command("list")
def system_list(organization: _Org) -> None:
    """The systems of an organisation."""
    env = opened()
    with env.reading() as session:
        found = [_client(row) for row in clients(session, operator(), organization)]
    if CHOICE.as_json:
        answer({"clients": found})
    else:
        columns = ["Id", "System", "May", "Test", "Keys", "Withdrawn"]
        table(organization, columns, [[str(value) for value in row.values()] for row in found])


@systems.command("withdraw")
def system_withdraw(client: _Client) -> None:
    """Give a system no token any more; one that it has ends within five minutes."""
    env = opened()
    with env.writing() as session, session.begin():
        row = withdraw_client(env, session, operator(), client)
    _said(_client(row))


@webhooks.command("add")
def webhook_add(
    organization: _Org,
    url: Annotated[str, typer.Argument(help="An https address of yours.")],
    event: Annotated[
        list[str] | None, typer.Option(help="credential.issued, …; all if left out.")
    ] = None,
) -> None:
    """Have an address told of changes. The secret that signs them is shown this once."""
    order = validated(WebhookOrder, {"url": url, "events": event or []})
    env = opened()
    actor = acting_for(env, organization)
    with env.writing() as session, session.begin():
        row, secret = add_webhook(env, session, actor, order)
    answer({**_webhook(row), "secret": secret}) if CHOICE.as_json else say_line(
        f"{row.id}  {secret}"
    )


@webhooks.command("list")
def webhook_list(organization: _Org) -> None:
    """Your webhooks, how far each has been told, and what went wrong last."""
    env = opened()
    actor = acting_for(env, organization)
    with env.reading() as session:
        found = [_webhook(row) for row in own_webhooks(session, actor)]
    if CHOICE.as_json:
        answer({"webhooks": found})
    else:
        columns = ["Id", "Address", "Told to", "Failures", "Last error"]
        table(
            organization, columns, [[str(value or "") for value in row.values()] for row in found]
        )


@webhooks.command("replay")
def webhook_replay(
    organization: _Org,
    webhook: _Webhook,
    since: Annotated[int, typer.Option(min=0, help="A number of the change feed.")],
) -> None:
    """Have everything since a number sent again, under the same ids."""
    order = validated(ReplayOrder, {"since": since})
    env = opened()
    actor = acting_for(env, organization)
    with env.writing() as session, session.begin():
        row = replay(env, session, actor, webhook, order)
    _said(_webhook(row))


@webhooks.command("end")
def webhook_end(organization: _Org, webhook: _Webhook) -> None:
    """Tell an address nothing any more."""
    env = opened()
    actor = acting_for(env, organization)
    with env.writing() as session, session.begin():
        end_webhook(env, session, actor, webhook)
    _said({"id": webhook})


def _jwks(files: list[Path]) -> list[Any]:
    """The keys in the files, each a JWK or a set of them."""
    found: list[Any] = []
    for file in files:
        try:
            given = json.loads(file.read_bytes())
        except ValueError as error:
            raise typer.BadParameter(f"{file}: no JSON") from error
        several = isinstance(given, dict) and isinstance(given.get("keys"), list)
        found += given["keys"] if several else [given]
    return found


def _said(members: dict[str, object]) -> None:
    answer(members) if CHOICE.as_json else say_line("  ".join(str(v) for v in members.values()))


def _client(row: OauthClient) -> dict[str, object]:
    return {
        "id": row.id,
        "label": row.label,
        "permissions": " ".join(row.permissions),
        "test": row.is_test,
        "keys": len(row.keys),
        "revokedAt": row.revoked_at.isoformat() if row.revoked_at else "",
    }


def _webhook(row: Webhook) -> dict[str, object]:
    return {
        "id": row.id,
        "url": row.url,
        "position": row.position,
        "failures": row.failures,
        "lastError": row.last_error,
    }
