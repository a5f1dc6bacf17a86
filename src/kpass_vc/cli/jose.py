"""`kpass jose`: secure and check documents by VC-JOSE-COSE with a key from a file."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from kpass_vc import resources
from kpass_vc.actions.jose import Feature, check_jose, secure_jose
from kpass_vc.errors import KpassError, NotJson
from kpass_vc.model.document import MAX_BYTES

app = typer.Typer(
    help="VC-JOSE-COSE with a key from a file: issue, verify. The result is JSON.",
    no_args_is_help=True,
)
Input = Annotated[Path, typer.Option("--input", help="The document, or what secures it.")]
Key = Annotated[
    Path, typer.Option("--key", help="A JsonWebKey verification method, or a JWK, as JSON.")
]
Form = Annotated[Feature, typer.Option("--feature", help="What is secured, and how.")]
Output = Annotated[
    Path | None, typer.Option("--output", help="Where the result goes; the terminal if left out.")
]


@app.command("issue")
def issue(
    source: Input,
    key: Key,
    feature: Form,
    output: Output = None,
    sd: Annotated[
        str, typer.Option("--sd", help='What to conceal: a JSON list of paths, as ["a.b[0]"].')
    ] = "[]",
) -> None:
    """Secure a credential or presentation. `result` is success, or failure with the reason."""
    try:
        paths = _paths(sd)
        data = secure_jose(
            feature,
            _read(source),
            _read(key),
            resources.contexts(),
            paths=paths,
            entropy=os.urandom,
        )
    except KpassError as error:
        _say(output, "failure", str(error))
    else:
        _say(output, "success", data)


@app.command("verify")
def verify(source: Input, key: Key, feature: Form, output: Output = None) -> None:
    """Check that a document is secured under a key; not whose key it is, nor whether it is valid today."""
    try:
        text = _read(source).decode("utf-8", "replace")
        document = check_jose(feature, text, _read(key), resources.contexts())
    except KpassError as error:
        _say(output, "failure", str(error))
    else:
        _say(output, "success", json.dumps(document, ensure_ascii=False))


def _paths(text: str) -> list[str]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise NotJson("syntax", line=1, column=1) from error
    if not isinstance(found, list) or not all(isinstance(path, str) for path in found):
        raise typer.BadParameter("a JSON list of texts", param_hint="--sd")
    return found


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise typer.BadParameter(f"{path}: {error.strerror}") from error


def _say(output: Path | None, result: str, data: str) -> None:
    """Write the result; exit with 1 for a failure."""
    text = json.dumps({"result": result, "data": data}, ensure_ascii=False)
    if output is None:
        typer.echo(text)
    else:
        output.write_text(text + "\n", "utf-8")
    if result != "success":
        raise typer.Exit(1)
