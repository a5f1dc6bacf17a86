"""Rules of the house that no other tool checks: sentences, the pure part, tenancy, secrets."""

import ast
import hashlib
import string
import tomllib
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest

from kpass_vc import errors
from kpass_vc.api.problems import PROBLEMS
from kpass_vc.errors import FieldError, KpassError
from kpass_vc.language import LANGUAGES, has, messages
from kpass_vc.resources import folder

PACKAGE = Path(str(resources.files("kpass_vc")))
ERRORS = {
    found.__name__: found
    for found in vars(errors).values()
    if isinstance(found, type) and issubclass(found, KpassError)
}
PURE = [
    "model", "crypto", "jsonld", "cryptosuites", "formats", "dids", "statuslist.py", "verification.py",
    "lint.py", "compose", "completeness.py", "addresses.py", "badges", "baking.py", "links.py", "qr.py",
]  # fmt: skip
# Addressed by what is public or already known to be the caller's; each says so in its docstring
TENANTS = ("award", "batch", "delegation", "delivery", "key", "learner", "status_list", "webhook")
WITHOUT_ORGANIZATION = {
    "award.count_under": "the delegation was looked up first",
    "award.forms": "the awards were looked up first",
    "award.claim_key": "the row names the organisation",
    "award.representations": "the award was looked up first",
    "award.organization_of": "tells whose an award is",
    "award.replacement_of": "the award was looked up first",
    "award.is_compromised": "the award was looked up first",
    "award.by_link": "a private link or a share link leads to it",
    "award.by_credential_id": "the public address of a credential",
    "delegation.by_url": "the public address of an authorisation",
    "delegation.by_urls": "the public addresses of authorisations",
    "learner.by_link": "a folder link leads to it",
    "key.by_method": "a DID URL names its DID",
    "key.compromised": "a DID names its organisation",
    "key.dids": "the organisations are given",
    "key.of_dids": "DIDs name their organisations",
    "key.owner": "a DID names its organisation",
    "key.owners": "seals all keys anew, and sees none of them",
    "webhook.due": "the worker tells every organisation's receivers",
    "status_list.of_issuer": "a DID names its organisation",
    "status_list.by_url": "the public address of a list",
    "status_list.marks": "how far the lists have come, and nothing of what is in them",
    "status_list.signed": "the public addresses of lists",
    "status_list.take": "the list was looked up first",
    "status_list.take_many": "the list was looked up first",
    "status_list.urls": "the authorisations that name them were looked up first",
    "status_list.publication": "the list was looked up first",
}


def sources(*parts: str) -> Iterator[tuple[Path, ast.Module]]:
    """Every module, or those of some parts of the package."""
    for part in parts or (".",):
        place = PACKAGE / part
        for path in [place] if place.is_file() else sorted(place.rglob("*.py")):
            yield path, ast.parse(path.read_text("utf-8"))


def calls(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    """Every call with the last part of what is called."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            match node.func:
                case ast.Name(id=name) | ast.Attribute(attr=name):
                    yield name, node
                case _:
                    continue


def text(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def given(call: ast.Call) -> set[str] | None:
    """The names of the keyword arguments, or None if some are not written out."""
    names = {keyword.arg for keyword in call.keywords}
    return None if None in names else {name for name in names if name}


def place_of(path: Path, node: ast.AST) -> str:
    return f"{path.relative_to(PACKAGE)}:{getattr(node, 'lineno', 0)}"


def test_both_languages_have_the_same_sentences_with_the_same_placeholders() -> None:
    swedish, english = messages("sv"), messages("en")

    assert swedish.keys() == english.keys()
    for key, sentence in swedish.items():
        assert placeholders(sentence) == placeholders(english[key]), key
        assert sentence.strip(), key
        assert english[key].strip(), key


def test_every_kind_of_error_has_a_title_and_a_code_of_its_own() -> None:
    codes = [found.code for found in ERRORS.values()]

    assert len(set(codes)) == len(codes)
    for code in codes:
        assert has(f"error.{code}.title"), code


def test_every_kind_of_error_has_a_row_in_the_table_of_problems() -> None:
    assert set(ERRORS.values()) - {KpassError} == set(PROBLEMS)


def test_every_rule_in_the_code_has_its_sentence_and_gives_what_the_sentence_needs() -> None:
    missing: list[str] = []
    seen = 0
    for path, tree in sources():
        for name, call in calls(tree):
            if name == "FieldError" and len(call.args) > 1:
                rule, always = text(call.args[1]), {"field", "said"}
                key = f"rule.{rule}"
            elif name == "broken" and call.args:
                rule, always = text(call.args[0]), {"field"}
                key = f"rule.{rule}"
            elif name in ERRORS and name not in {"InvalidInput", "DefinitionIncomplete"}:
                rule, always = text(call.args[0]) if call.args else "title", set()
                key = f"error.{ERRORS[name].code}.{rule}"
            else:
                continue
            if rule is None:
                continue
            seen += 1
            names = given(call)
            if not has(key):
                missing.append(f"{place_of(path, call)} {key}")
            elif names is not None and not placeholders(messages("en")[key]) <= names | always:
                missing.append(
                    f"{place_of(path, call)} {key} needs {placeholders(messages('en')[key]) - names}"
                )

    assert missing == []
    assert seen > 100


def test_every_finding_in_the_code_has_its_sentence() -> None:
    found = [call for _, tree in sources("verification") for call in calls(tree)]
    missing = []
    seen = 0
    for name, call in found:
        check, code = (
            (text(argument) for argument in (*call.args[:1], *call.args[2:3]))
            if name == "Finding" and len(call.args) > 2
            else (None, None)
        )
        if check is None or code is None:
            continue
        seen += 1
        key = f"check.{check}.{code}"
        data = call.args[3] if len(call.args) > 3 else None
        names = {text(each) for each in data.keys} if isinstance(data, ast.Dict) else set()
        if not has(key):
            missing.append(f"{key} at {call.lineno}")
        elif (data is None or isinstance(data, ast.Dict)) and not placeholders(
            messages("en")[key]
        ) <= names | {"reason"}:
            missing.append(f"{key} at {call.lineno}: {placeholders(messages('en')[key])}")

    assert missing == []
    assert seen > 25


def test_a_rule_without_a_sentence_would_be_found() -> None:
    with pytest.raises(KeyError):
        FieldError("/x", "no_such_rule").sentence("sv")


def test_the_pinned_contexts_have_their_hashes() -> None:
    place = folder("contexts")
    pins = tomllib.loads((place / "pins.toml").read_text("utf-8"))["context"]

    assert len(pins) > 5
    for pin in pins:
        assert hashlib.sha256((place / pin["file"]).read_bytes()).hexdigest() == pin["sha256"]


def test_the_pure_part_asks_neither_clock_nor_chance_nor_disk() -> None:
    forbidden = {
        "now", "utcnow", "today", "time", "monotonic", "uuid1", "uuid4", "open", "urandom",
        "token_bytes", "token_hex", "randbytes", "getrandbits", "getenv", "read_text", "read_bytes",
        "write_text", "write_bytes", "print", "input", "eval", "exec",
    }  # fmt: skip
    allowed = {
        ("model/dates.py", "time"),  # datetime.time, a time of day
        ("qr.py", "open"),  # of bytes in memory
    }

    found = [
        place_of(path, call) + f" {name}"
        for path, tree in sources(*PURE)
        for name, call in calls(tree)
        if name in forbidden and (str(path.relative_to(PACKAGE)), name) not in allowed
    ]

    # The badge renderer reads its own font, which ships with it
    assert [each for each in found if not each.startswith("badges/lettering.py")] == []


def test_every_query_for_rows_of_a_tenant_asks_for_the_organisation() -> None:
    without = []
    for module in TENANTS:
        for _, tree in sources(f"records/{module}.py"):
            for node in tree.body:
                if not isinstance(node, ast.FunctionDef) or node.name.startswith("_"):
                    continue
                positional = [argument.arg for argument in node.args.args]
                keywords = [argument.arg for argument in node.args.kwonlyargs]
                if "session" in positional and "organization_id" not in keywords:
                    without.append(f"{module}.{node.name}")

    assert sorted(without) == sorted(WITHOUT_ORGANIZATION)


SECRET_WORDS = ("secret", "token", "password", "kek", "private", "permutation_key")


def names_in(node: ast.expr) -> Iterator[str]:
    """The names an expression is about; a length is about none."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            yield name
        case ast.Call(func=ast.Name(id="len")):
            return
        case ast.Call():
            yield from (name for argument in node.args for name in names_in(argument))
            yield from names_in(node.func)
        case _:
            return


def secret_comparisons(tree: ast.Module) -> Iterator[ast.Compare]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and any(
            isinstance(each, ast.Eq | ast.NotEq) for each in node.ops
        ):
            about = [
                name.lower()
                for side in (node.left, *node.comparators)
                for name in names_in(side)
                if not name.isupper()
            ]
            if any(word in name for name in about for word in SECRET_WORDS):
                yield node


def test_no_secret_is_compared_with_the_equals_sign() -> None:
    found = [place_of(path, node) for path, tree in sources() for node in secret_comparisons(tree)]

    assert found == []
    assert list(secret_comparisons(ast.parse("if row.secret_sha256 == given: pass")))
    assert list(secret_comparisons(ast.parse("if _hash(token) != known: pass")))


def test_messages_have_no_file_in_one_language_only() -> None:
    files = [
        {path.name for path in (PACKAGE / "messages" / language).glob("*.toml")}
        for language in LANGUAGES
    ]

    assert files[0] == files[1] != set()
