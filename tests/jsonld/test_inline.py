"""Contexts that a document brings itself: refused on our own ways, and never a way to leave something unsigned."""

from typing import Any

import pytest

from kpass_vc.crypto.multibase import base64url_encode, multibase_encode
from kpass_vc.errors import DataLoss, KpassError, UnknownContext
from kpass_vc.jsonld import canonicalize
from kpass_vc.jsonld.contexts import CREDENTIALS_V2, Contexts
from kpass_vc.jsonld.expansion import to_quads

Json = dict[str, Any]
EX = "https://ex.example/"


def document(inline: object, **members: object) -> Json:
    return {
        "@context": [CREDENTIALS_V2, inline],
        "type": ["VerifiableCredential"],
        "credentialSubject": {"id": "urn:x:subject", **members},
    }


@pytest.mark.parametrize(
    "inline", [{"a": f"{EX}a"}, {}, {"@vocab": EX}, {"@context": {"a": f"{EX}a"}}]
)
def test_a_context_of_the_documents_own_is_refused_unless_allowed(
    inline: Json, contexts: Contexts
) -> None:
    members = {"a": "x"} if inline else {}
    given = document(inline, **members)

    with pytest.raises(DataLoss) as caught:
        to_quads(given, contexts)
    assert caught.value.rule == "inline_context"
    quads = to_quads(given, contexts.allowing_inline())
    assert any(EX in quad.predicate for quad in quads) is bool(inline)


def test_a_part_with_a_context_of_its_own_is_refused_unless_allowed(contexts: Contexts) -> None:
    given = document({}, part={"@context": {"a": f"{EX}a"}, "a": "x"})
    given["@context"] = [CREDENTIALS_V2, "https://www.w3.org/ns/credentials/examples/v2"]

    with pytest.raises(DataLoss) as caught:
        to_quads(given, contexts)
    assert caught.value.rule in {"nested_context", "inline_context"}
    assert any(f"<{EX}a>" == quad.predicate for quad in to_quads(given, contexts.allowing_inline()))


LOSSES: list[tuple[str, object, Json]] = [
    ("an undefined term", {}, {"a": "x"}),
    ("a term that is taken away", {"name": None}, {"name": "x"}),
    ("no vocabulary", {"@vocab": None}, {"a": "x"}),
    ("a base", {"@base": EX}, {"id": "relative"}),
    ("an import", {"@import": EX}, {}),
    ("an index that is dropped", {"a": {"@id": f"{EX}a", "@container": "@index"}}, {"a": {"k": "x"}}),
    ("an id that is dropped", {"a": {"@id": f"{EX}a", "@container": "@id"}}, {"a": {f"{EX}1": {"id": f"{EX}2"}}}),
    ("a reverse property", {"a": {"@reverse": f"{EX}a"}}, {"a": {"id": f"{EX}1"}}),
    ("a name for @index", {"i": "@index", "a": f"{EX}a"}, {"a": {"i": "k", "@value": "x"}}),
    ("a name for @included", {"i": "@included"}, {"i": [{"id": f"{EX}1"}]}),
    ("a name for @reverse", {"r": "@reverse", "a": f"{EX}a"}, {"r": {"a": {"id": f"{EX}1"}}}),
    ("a scoped reverse", {"b": {"@id": f"{EX}b", "@context": {"a": {"@reverse": f"{EX}a"}}}},
     {"b": {"a": {"id": f"{EX}1"}}}),
    ("a type of nowhere", {"T": "https ://not-a-url/T"}, {"type": "T"}),
    ("a relative type", {}, {"type": "T"}),
    ("a property of a blank node", {"a": "_:a"}, {"a": "x"}),
    ("a relative property", {"a": "relative"}, {"a": "x"}),
    ("null", {"a": f"{EX}a"}, {"a": None}),
    ("a direction of nothing", {"a": f"{EX}a"}, {"a": {"@direction": "ltr"}}),
    ("a language that is none", {"a": f"{EX}a"}, {"a": {"@value": "x", "@language": "no language"}}),
    ("another meaning of a protected term", {"name": f"{EX}other"}, {"name": "x"}),
    ("another meaning of VerifiableCredential", {"VerifiableCredential": f"{EX}other"}, {}),
    ("a protected term of its own, twice", [{"@protected": True, "a": f"{EX}a"}, {"a": f"{EX}b"}], {"a": "x"}),
    ("a number as context", 5, {}),
    ("a definition that is none", {"a": 5}, {"a": "x"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("inline", "members"), [row[1:] for row in LOSSES], ids=[row[0] for row in LOSSES]
)
def test_nothing_is_left_out_of_what_is_signed(
    inline: object, members: Json, contexts: Contexts
) -> None:
    given = document({}, **members)
    given["@context"] = [CREDENTIALS_V2, *(inline if isinstance(inline, list) else [inline])]

    with pytest.raises(DataLoss):
        canonicalize(given, contexts.allowing_inline())


@pytest.mark.parametrize(
    "url", ["https://evil.example/v1", "https ://not-a-url/", "relative", "", "file:///etc/passwd"]
)
def test_an_unknown_address_is_refused_wherever_contexts_are_allowed(
    url: str, contexts: Contexts
) -> None:
    for given in (
        document(url),
        document({"a": {"@id": f"{EX}a", "@context": url}}, a={"id": f"{EX}1"}),
    ):
        with pytest.raises(KpassError) as caught:
            to_quads(given, contexts.allowing_inline())
        assert isinstance(caught.value, UnknownContext | DataLoss)


def test_two_meanings_of_a_word_are_two_documents(contexts: Contexts) -> None:
    one, two = ({"word": f"{EX}{meaning}"} for meaning in ("one", "two"))
    vocabularies = ({"@vocab": f"{EX}one/"}, {"@vocab": f"{EX}two/"})

    for first, second in ((one, two), vocabularies):
        texts = [
            canonicalize(document(inline, word="x"), contexts.allowing_inline())
            for inline in (first, second)
        ]
        assert texts[0] != texts[1]


def test_a_text_is_signed_with_its_language_and_direction(contexts: Contexts) -> None:
    given = {
        "@context": [CREDENTIALS_V2],
        "type": ["VerifiableCredential"],
        "name": {"@value": "x", "@language": "AR", "@direction": "rtl"},
        "credentialSubject": {"id": "urn:x:1"},
    }

    assert '"x"^^<https://www.w3.org/ns/i18n#ar_rtl>' in canonicalize(given, contexts)


def test_a_digest_is_known_now_and_as_it_was(contexts: Contexts) -> None:
    before = "sha384-NSOcNpmdIVUxIJGvGUoe22FjTWrXiaXlsZ8q6912LdnR3KraQO2n75Ica4wK4Qeg"
    now = "59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734"
    raw = bytes.fromhex(now)
    for text in (
        f"u{base64url_encode(raw)}",
        multibase_encode(b"\x12\x20" + raw),
        multibase_encode(raw),
    ):
        assert contexts.digest_known(CREDENTIALS_V2, "digestMultibase", text) is True
    assert contexts.digest_known(CREDENTIALS_V2, "digestSRI", before) is True
    assert contexts.digest_known(CREDENTIALS_V2, "digestSRI", f"sha256-AAAA {before}") is True
    for wrong in ("sha384-AAAA", "md5-AAAA", "", "sha384-%%%"):
        assert contexts.digest_known(CREDENTIALS_V2, "digestSRI", wrong) is False
    for wrong in ("", "u", "zz0", "uAAAA"):
        assert contexts.digest_known(CREDENTIALS_V2, "digestMultibase", wrong) is False
    assert contexts.digest_known("https://elsewhere.example/", "digestSRI", before) is None
