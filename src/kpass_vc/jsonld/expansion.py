"""From a JSON-LD document to RDF quads, as PyLD reads it, with nothing lost on the way.

PyLD drops what no context defines and says nothing (its `on_property_dropped`
sees only some of it): an undefined term, a relative type or id, null, a blank
node property would all go unsigned. So the document is checked before it is
expanded, while it is, and after.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from pyld import jsonld as pyld

from kpass_vc.errors import DataLoss, KpassError
from kpass_vc.jsonld.contexts import Contexts
from kpass_vc.jsonld.rdfc import Quad, literal
from kpass_vc.jsonld.terms import IRI, ONE_AT_A_TIME
from kpass_vc.model.document import pointer

_LANGUAGE: Final = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*\Z")
_KEYWORDS: Final = frozenset({"@id", "@type", "@value", "@language", "@direction", "@list", "@set"})
_I18N: Final = "https://www.w3.org/ns/i18n#"
_EXPANDED: Final = frozenset({"@id", "@type", "@value", "@language", "@list", "@graph"})


def to_quads(document: Mapping[str, object], contexts: Contexts) -> tuple[Quad, ...]:
    """The quads of a document; DataLoss names the first part that would be dropped."""
    return quads_of(expand(document, contexts))


def expand(document: Mapping[str, object], contexts: Contexts) -> list[dict[str, Any]]:
    """A document in expanded form, one node; DataLoss names the first part that would be dropped."""
    _check_contexts(document.get("@context"), inline=contexts.inline)
    _check_members(document, (), document.get("@context"), inline=contexts.inline)
    expanded = _expand(document, contexts)
    if len(expanded) != 1:
        raise DataLoss("shape", part="/")
    _check_expanded(expanded)
    return expanded


def quads_of(expanded: list[dict[str, Any]]) -> tuple[Quad, ...]:
    """The quads of an expanded document that `expand` has checked."""
    dataset = pyld.to_rdf(
        expanded, {"base": None, "documentLoader": _refuse, "rdfDirection": "i18n-datatype"}
    )
    return tuple(
        Quad(
            _term(triple["subject"]),
            _term(triple["predicate"]),
            _term(triple["object"]),
            _graph(name),
        )
        for name, triples in dataset.items()
        for triple in triples
    )


def compact(
    expanded: list[dict[str, Any]], context: object, contexts: Contexts
) -> dict[str, object]:
    """An expanded document in the terms of a context, as JSON-LD 1.1 compacts it."""
    options = {
        "base": None,
        "documentLoader": _loader(contexts),
        "processingMode": "json-ld-1.1",
    }
    try:
        with ONE_AT_A_TIME:
            compacted: dict[str, object] = pyld.compact(expanded, context, options)
    except pyld.JsonLdError as error:
        raise _cause(error) from error
    except (TypeError, ValueError, AttributeError, KeyError, RecursionError) as error:
        raise DataLoss("json_ld", part="@context", reason=type(error).__name__) from error
    return compacted


def _loader(contexts: Contexts) -> Callable[[str, object], dict[str, Any]]:
    def load(url: str, _options: object) -> dict[str, Any]:
        return {
            "contentType": "application/ld+json",
            "contextUrl": None,
            "documentUrl": url,
            "document": contexts.document(url),
            "tag": "static",
        }

    return load


def _expand(document: Mapping[str, object], contexts: Contexts) -> list[dict[str, Any]]:
    dropped: list[str] = []

    try:
        with ONE_AT_A_TIME:
            expanded: list[dict[str, Any]] = pyld.expand(
                dict(document),
                {
                    "base": None,
                    "documentLoader": _loader(contexts),
                    "processingMode": "json-ld-1.1",
                },
                on_property_dropped=lambda term: dropped.append(str(term)),
            )
    except pyld.JsonLdError as error:
        raise _cause(error) from error
    except (TypeError, ValueError, AttributeError, KeyError, RecursionError) as error:
        # PyLD checks the types of a context's and a document's parts only in places
        raise DataLoss("json_ld", part="@context", reason=type(error).__name__) from error
    if dropped:
        raise DataLoss("undefined_term", part=dropped[0][:200])
    return expanded


def _cause(error: pyld.JsonLdError) -> KpassError:
    """Our own error if one is at the bottom, else DataLoss with JSON-LD's name for what is wrong."""
    cause: BaseException | None = error
    code = ""
    while cause is not None:
        if isinstance(cause, KpassError):
            return cause
        if isinstance(cause, pyld.JsonLdError):
            code = str(cause.code or code)
        cause = getattr(cause, "cause", None) or cause.__cause__
    return DataLoss("json_ld", part="", reason=(code or "invalid")[:200])


def _refuse(url: str, _options: object) -> dict[str, Any]:
    raise DataLoss("json_ld", part=url[:200], reason="loading document failed")


def _check_contexts(context: object, *, inline: bool) -> None:
    """Refuse contexts of the document's own unless allowed, and `@base` and `@import` in them always."""
    for entry in context if isinstance(context, list) else [context]:
        if isinstance(entry, str) or entry is None:
            continue
        if not inline or not isinstance(entry, dict):
            raise DataLoss("inline_context", part="/@context")
        if {"@base", "@import"} & entry.keys():
            raise DataLoss("json_ld", part="/@context", reason="@base or @import in a context")
        for name, meaning in entry.items():
            if name == "@context":
                _check_contexts(meaning, inline=inline)
            elif isinstance(meaning, dict):
                _check_definition(name, meaning)


def _check_definition(name: str, meaning: dict[str, Any]) -> None:
    """Refuse a term whose values lose their key, or say something of another node than theirs."""
    containers = meaning.get("@container")
    found = containers if isinstance(containers, list) else [containers]
    lost = "@reverse" in meaning or "@id" in found or "@index" in found
    if lost or "@index" in meaning:
        raise DataLoss("json_ld", part="/@context", reason=f"the definition of {name}"[:200])
    if "@context" in meaning:
        _check_contexts(meaning["@context"], inline=True)


def _check_members(
    value: object, place: tuple[str | int, ...], context: object, *, inline: bool
) -> None:
    """Refuse what expansion drops without a word: null, and keywords that carry no triple.

    A part may repeat the document's own `context`, as an embedded endorsement must; any context if `inline`.
    """
    if value is None:
        raise DataLoss("null", part=pointer(*place))
    if isinstance(value, list):
        for number, member in enumerate(value):
            _check_members(member, (*place, number), context, inline=inline)
    elif isinstance(value, dict):
        _check_keywords(value, place)
        for key, member in value.items():
            if key == "@context":
                if place and not inline and member != context:
                    raise DataLoss("nested_context", part=pointer(*place, key))
                _check_contexts(member, inline=inline)
                continue
            if not key or (key.startswith("@") and key not in _KEYWORDS):
                raise DataLoss("keyword", part=pointer(*place, key)[:200])
            _check_members(member, (*place, key), context, inline=inline)


def _check_keywords(value: dict[str, object], place: tuple[str | int, ...]) -> None:
    """Refuse @language without a value, and @set or @list beside other members: PyLD drops them or the others."""
    lost = bool({"@language", "@direction"} & value.keys()) and "@value" not in value
    if lost or (("@set" in value or "@list" in value) and len(value) > 1):
        raise DataLoss(
            "keyword", part=pointer(*place, min(name for name in value if name[:1] == "@"))
        )


def _check_expanded(value: object) -> None:
    """Refuse what is left relative after expansion: the step to RDF would drop it."""
    if isinstance(value, list):
        for member in value:
            _check_expanded(member)
    elif isinstance(value, dict) and "@value" in value:
        _check_value(value)
    elif isinstance(value, dict):
        for key, member in value.items():
            _check_entry(key, member)


def _check_entry(key: str, member: Any) -> None:  # noqa: ANN401 - whatever PyLD made of a member
    if key == "@type":
        for kind in member:
            _require_iri(kind, "relative_type")
    elif key == "@id":
        _require_iri(member, "relative_id")
    elif key.startswith("@") and key not in _EXPANDED:
        raise DataLoss("keyword", part=key)
    elif not key.startswith("@") and not IRI.match(key):
        raise DataLoss("undefined_term", part=key[:200])
    else:
        _check_expanded(member)


def _check_value(value: dict[str, Any]) -> None:
    lost = value.keys() - {"@value", "@type", "@language", "@direction"}
    if lost:
        raise DataLoss("keyword", part=", ".join(sorted(lost)))
    if "@language" in value and not _LANGUAGE.match(str(value["@language"])):
        raise DataLoss("language", part=str(value["@language"])[:80])
    if "@type" in value and value["@type"] != "@json" and not IRI.match(str(value["@type"])):
        raise DataLoss("relative_type", part=str(value["@type"])[:200])


def _require_iri(value: object, rule: str) -> None:
    if not isinstance(value, str) or not (IRI.match(value) or value.startswith("_:")):
        raise DataLoss(rule, part=str(value)[:200])


def _graph(name: str) -> str:
    if name == "@default":
        return ""
    return name if name.startswith("_:") else f"<{name}>"


def _term(term: dict[str, Any]) -> str:
    match term["type"]:
        case "IRI":
            return f"<{term['value']}>"
        case "blank node":
            return str(term["value"])
        case _:
            datatype = str(term["datatype"])
            if datatype.startswith(_I18N):
                datatype = datatype.lower()  # JSON-LD 1.1 API section 8.6, step 13
            return literal(term["value"], datatype, term.get("language"))
