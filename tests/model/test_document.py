"""The strict JSON reader: what it refuses, with which rule and where."""

import json
import time
from contextlib import suppress
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpass_vc.errors import KpassError, Malformed, NotJson, TooLarge
from kpass_vc.language import LANGUAGES
from kpass_vc.model.document import (
    MAX_BYTES,
    MAX_INTEGER,
    check_text,
    compact,
    compact_without_floats,
    pointer,
    read_json,
)

NONCHARACTERS = [0xFDD0, 0xFDEF, 0xFFFE, 0xFFFF] + [
    plane * 0x10000 + last for plane in range(1, 17) for last in (0xFFFE, 0xFFFF)
]
REFUSED = [*range(9), 0x0B, 0x0C, *range(0x0E, 0x20), 0x7F, 0xD800, 0xDBFF, 0xDC00, 0xDFFF]


def nested(depth: int, opening: str = '{"a":', closing: str = "}") -> bytes:
    return (opening * depth + "1" + closing * depth).encode()


def test_a_plain_document_is_read_as_it_stands() -> None:
    text = '{"a": [1, -2, 0.5, true, false, null, "å\\n\\t\\r😀"], "b": {"c": {}}}'

    assert read_json(text.encode()) == {
        "a": [1, -2, 0.5, True, False, None, "å\n\t\r😀"],
        "b": {"c": {}},
    }


@pytest.mark.parametrize(
    ("body", "rule", "data"),
    [
        (b'{"a":1,"a":2}', "duplicate_key", {"key": "a"}),
        (b'{"x":{"a":1,"b":2,"a":1}}', "duplicate_key", {"key": "a"}),
        (b'{"a":1,"\\u0061":2}', "duplicate_key", {"key": "a"}),
        (b'{"\\ud800":1,"\\ud800":2}', "duplicate_key", {"key": "\\ud800"}),
        (b'{"a":NaN}', "number", {"number": "NaN"}),
        (b'{"a":Infinity}', "number", {"number": "Infinity"}),
        (b'{"a":-Infinity}', "number", {"number": "-Infinity"}),
        (b'{"a":1e400}', "number", {"number": "1e400"}),
        (b'{"a":-1e400}', "number", {"number": "-1e400"}),
        (b'{"a":9007199254740992}', "number", {"number": "9007199254740992"}),
        (b'{"a":-9007199254740992}', "number", {"number": "-9007199254740992"}),
        (b'{"a":' + b"9" * 5000 + b"}", "number", {"number": "9" * 40}),
        (nested(33), "depth", {"limit": 32}),
        (nested(1_000), "depth", {"limit": 32}),
        (nested(100_000), "depth", {"limit": 32}),
        (b'{"a":' + nested(1_000, "[", "]") + b"}", "depth", {"limit": 32}),
        (b'{"a":' + b"[" * 100_000, "depth", {"limit": 32}),
        (b"", "syntax", {"line": 1, "column": 1}),
        (b"  \n", "syntax", {}),
        (b'{"a":1} x', "syntax", {"line": 1, "column": 9}),
        (b'{"a":1}{}', "syntax", {}),
        (b'{"a":1,}', "syntax", {}),
        (b"{'a':1}", "syntax", {}),
        (b'{"a":01}', "syntax", {}),
        (b'{"a":"\n"}', "syntax", {}),
        (b'{"a":"\x00"}', "syntax", {}),
        (b'\xef\xbb\xbf{"a":1}', "syntax", {}),
        ('{"a":1}'.encode("utf-16"), "encoding", {"position": 0}),
        ('{"a":1}'.encode("utf-16-le"), "syntax", {}),
        (b'{"a":"\xff"}', "encoding", {"position": 6}),
        (b'{"a":"\xed\xa0\x80"}', "encoding", {"position": 6}),
        (b'{"a":"\xc0\x80"}', "encoding", {"position": 6}),
        (b"[]", "not_object", {}),
        (b'[{"a":1}]', "not_object", {}),
        (b'"a"', "not_object", {}),
        (b"1", "not_object", {}),
        (b"null", "not_object", {}),
    ],
)
def test_what_two_parsers_could_read_differently_is_not_json_here(
    body: bytes, rule: str, data: dict[str, object]
) -> None:
    with pytest.raises(NotJson) as caught:
        read_json(body)

    assert caught.value.rule == rule
    assert caught.value.data | data == caught.value.data
    assert len({caught.value.sentence(language) for language in LANGUAGES}) == len(LANGUAGES)


def test_the_greatest_numbers_and_the_greatest_depth_are_still_read() -> None:
    assert read_json(f'{{"a":{MAX_INTEGER},"b":{-MAX_INTEGER}}}'.encode()) == {
        "a": MAX_INTEGER,
        "b": -MAX_INTEGER,
    }
    assert read_json(nested(32))


def test_one_byte_more_than_the_limit_is_too_large_and_is_not_parsed() -> None:
    head, tail = b'{"a":"', b'"}'
    filling = b"x" * (MAX_BYTES - len(head) - len(tail))
    assert read_json(head + filling + tail)

    with pytest.raises(TooLarge) as caught:
        read_json(head + filling + b"x" + tail)

    assert caught.value.data == {"limit": MAX_BYTES}


def test_twenty_mebibytes_are_refused_at_once() -> None:
    body = b'{"a":"' + b"x" * (20 * 1024 * 1024) + b'"}'
    started = time.monotonic()

    with pytest.raises(TooLarge):
        read_json(body)

    assert time.monotonic() - started < 1


@pytest.mark.parametrize("code", [*REFUSED, *NONCHARACTERS], ids=lambda code: f"U+{code:04X}")
def test_a_refused_character_is_named_with_its_place(code: int) -> None:
    if code > 0xFFFF:
        high, low = 0xD800 + ((code - 0x10000) >> 10), 0xDC00 + ((code - 0x10000) & 0x3FF)
        escaped = f"\\u{high:04x}\\u{low:04x}"
    else:
        escaped = f"\\u{code:04x}"

    with pytest.raises(Malformed) as value:
        read_json(f'{{"a":{{"b/c":["x","y{escaped}"]}}}}'.encode())
    with pytest.raises(Malformed) as key:
        read_json(f'{{"a":{{"b{escaped}":1}}}}'.encode())

    assert (value.value.rule, value.value.data) == (
        "character",
        {"field": "/a/b~1c/1", "character": f"U+{code:04X}"},
    )
    assert (key.value.rule, key.value.data["field"]) == ("character", "/a")


@pytest.mark.parametrize("code", NONCHARACTERS, ids=lambda code: f"U+{code:04X}")
def test_a_noncharacter_that_is_not_escaped_is_refused_too(code: int) -> None:
    with pytest.raises(Malformed) as caught:
        read_json(f'{{"a":"{chr(code)}"}}'.encode())

    assert caught.value.data == {"field": "/a", "character": f"U+{code:04X}"}


@pytest.mark.parametrize(
    "text", ["\t\r\n", "åäö", "\u0080", "\ufdcf", "\ufffd", "😀", "\U0010fffd"]
)
def test_other_characters_pass(text: str) -> None:
    check_text(text, "/a")

    assert read_json(json.dumps({"a": text}).encode()) == {"a": text}


def test_pointer_escapes_what_rfc_6901_reserves() -> None:
    assert pointer("a/b", 0, "c~d", "~1") == "/a~1b/0/c~0d/~01"
    assert pointer() == ""


@settings(max_examples=300)
@given(
    st.binary(max_size=200)
    | st.text(max_size=100).map(lambda text: text.encode("utf-8", "replace"))
)
def test_random_bytes_give_a_document_or_an_error_of_ours(body: bytes) -> None:
    error: KpassError | None = None
    try:
        found = read_json(body)
    except KpassError as caught:
        error = caught

    assert (
        isinstance(found, dict) if error is None else error.sentence("sv") and error.sentence("en")
    )


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-MAX_INTEGER, MAX_INTEGER)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("abc{}[]", max_size=3), inner)
    ),
    max_leaves=10,
)


@settings(max_examples=200)
@given(st.dictionaries(st.text("abc", max_size=3), JSON), st.data())
def test_what_is_well_formed_is_read_back_and_what_is_cut_off_is_refused(
    document: dict[str, object], data: st.DataObject
) -> None:
    body = json.dumps(document).encode()

    assert read_json(body) == document
    with pytest.raises(NotJson):
        read_json(body[: data.draw(st.integers(0, len(body) - 1))])


# ---- held against plain rules: the quick ways of the reader give no other answer

DEPTH, VALUES, ITEMS = 4, 14, 4
PIECES = [
    *("a", "b", "åäö", "😀", "\U0010fffd", "\ufdcf", "\ufffd", "\u0080", " ", ":", "{", "]", ","),
    *("\x7f", "\ufdd0", "\ufffe", "\U0001ffff", "\U000afffe", "\t", "\x00", "\u2028"),
    *(
        r"\n",
        r"\t",
        r"\r",
        r"\b",
        r"\f",
        r"\\b",
        r"\\",
        r"\/",
        r"\"",
        r"\u0061",
        r"\u0000",
        r"\u007F",
    ),
    *(
        r"\u00e5",
        r"\ufffe",
        r"\uFDEF",
        r"\ud800",
        r"\udc00",
        r"\ud83d\ude00",
        r"\udbff\udfff",
        r"\x",
    ),
]
NUMBERS = [
    *("0", "-0", "1", "1.0", "-1.5e3", "1e400", "-1e999", "1e-400", "01", "1.", "+1", "0x1"),
    *(str(MAX_INTEGER), str(MAX_INTEGER + 1), str(-MAX_INTEGER - 1), "9" * 17, "9" * 18, "1E2"),
    *("true", "false", "null", "NaN", "Infinity", "-Infinity", "nul"),
]


def written(source: Random, depth: int = 0) -> str:
    """A value as somebody hostile may write it."""
    kind = source.random()
    if depth < DEPTH + 2 and kind < 0.35:
        members = [written(source, depth + 1) for _ in range(source.choice((0, 1, 2, 2, 3, 5)))]
        return "[" + source.choice((",", " , ")).join(members) + "]"
    if depth < DEPTH + 2 and kind < 0.75:
        keys = [written_text(source, 2) for _ in range(source.choice((0, 1, 2, 2, 3)))]
        members = [f"{key}{source.choice((':', ' :'))}{written(source, depth + 1)}" for key in keys]
        return "{" + ",".join(members) + "}"
    return written_text(source, 3) if kind < 0.92 else source.choice(NUMBERS)


def written_text(source: Random, most: int) -> str:
    if source.random() < 0.9:
        return f'"{source.randrange(100)}å"'
    return '"' + "".join(source.choices(PIECES, k=source.randrange(most + 1))) + '"'


class Pairs(list[tuple[str, object]]):
    """An object as it is written, each member in its place."""


def is_refused_by_plain_rules(body: bytes) -> bool:
    """Whether a body breaks one of the reader's rules, each looked at by itself in the plainest way."""
    numbers: list[str] = []

    def number(text: str) -> str:
        numbers.append(text)
        return text

    try:
        found = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=Pairs,
            parse_constant=number,
            parse_float=number,
            parse_int=number,
        )
    except ValueError:
        return True
    values = 0

    def breaks(value: object, depth: int) -> bool:
        nonlocal values
        values += 1
        if isinstance(value, str):
            return any(ord(char) in REFUSED or is_noncharacter(char) for char in value)
        if not isinstance(value, list):
            return False
        members = [member for _, member in value] if isinstance(value, Pairs) else value
        keys = [key for key, _ in value] if isinstance(value, Pairs) else []
        inside = [breaks(each, depth + 1) for each in members]
        characters = [breaks(key, depth) for key in keys]
        values -= len(keys)
        return (
            depth >= DEPTH
            or len(set(keys)) < len(keys)
            or (not isinstance(value, Pairs) and len(value) > ITEMS)
            or any(inside)
            or any(characters)
        )

    return (
        not isinstance(found, Pairs)
        or breaks(found, 0)
        or values > VALUES
        or any(is_refused_number(each) for each in numbers)
    )


def is_noncharacter(char: str) -> bool:
    code = ord(char)
    return 0xFDD0 <= code <= 0xFDEF or code & 0xFFFE == 0xFFFE or 0xD800 <= code <= 0xDFFF


def is_refused_number(text: str) -> bool:
    if text in {"NaN", "Infinity", "-Infinity"}:
        return True
    if any(sign in text for sign in ".eE"):
        return float(text) in {float("inf"), float("-inf")}
    return abs(int(text)) > MAX_INTEGER


def test_the_reader_refuses_what_the_plain_rules_refuse_and_nothing_else() -> None:
    source = Random(20261129)
    answers = {True: 0, False: 0}

    for _ in range(20_000):
        body = bytearray(f'{{"a":{written(source, 1)}}}'.encode("utf-8", "surrogatepass"))
        if source.random() < 0.05:
            body[source.randrange(len(body))] = source.randrange(256)
        is_refused = is_refused_by_plain_rules(bytes(body))
        answers[is_refused] += 1
        error: Malformed | None = None
        try:
            found = read_json(bytes(body), max_depth=DEPTH, max_values=VALUES, max_items=ITEMS)
        except Malformed as caught:
            error = caught

        assert (error is not None) is is_refused, bytes(body)
        if error is None:
            assert repr(found) == repr(json.loads(body)), bytes(body)

    assert min(answers.values()) > 5_000


@pytest.mark.parametrize("code", [*REFUSED, *NONCHARACTERS], ids=lambda code: f"U+{code:04X}")
def test_a_refused_character_is_found_wherever_it_stands_in_a_text(code: int) -> None:
    for text in (chr(code), f"a{chr(code)}", f"😀å{chr(code)}b", f"{chr(code)}\ufffd\U0010fffd"):
        with pytest.raises(Malformed) as caught:
            check_text(text, "/a")

        assert caught.value.data == {"field": "/a", "character": f"U+{code:04X}"}


def test_the_bounds_are_the_last_that_pass() -> None:
    bounds = {"max_depth": DEPTH, "max_values": VALUES, "max_items": ITEMS}
    deep, wide = '{"a":' * DEPTH + "1" + "}" * DEPTH, {"a": [1] * ITEMS, "b": [1] * ITEMS}
    many = wide | {"c": [1, 2]}

    for text in (deep, json.dumps(wide), json.dumps(many)):
        assert read_json(text.encode(), **bounds) == json.loads(text)
    for text, rule in (
        (f'{{"a":{deep}}}', "depth"),
        (json.dumps(wide | {"a": [1] * (ITEMS + 1)}), "items"),
        (json.dumps(many | {"d": 1}), "values"),
    ):
        with pytest.raises(NotJson) as caught:
            read_json(text.encode(), **bounds)
        assert caught.value.rule == rule


def outcome_of(body: bytes) -> str:
    """What comes of reading it within the small bounds of these tests."""
    try:
        return repr(read_json(body, max_depth=DEPTH, max_values=VALUES, max_items=ITEMS))
    except Malformed as error:
        where = {name: said for name, said in error.data.items() if name != "column"}
        return f"{type(error).__name__} {error.rule} {where}"


def test_compact_json_is_read_as_the_same_with_a_space_at_its_end_is() -> None:
    source = Random(20261130)
    counts = {"read": 0, "refused": 0}

    for _ in range(20_000):
        body = f'{{"a":{written(source, 1)}}}'.encode("utf-8", "surrogatepass")
        with suppress(ValueError):
            body = json.dumps(
                json.loads(body), ensure_ascii=False, separators=(",", ":"), allow_nan=False
            ).encode("utf-8", "surrogatepass")
        if source.random() < 0.5:
            changed = bytearray(body)
            changed[source.randrange(len(changed))] = source.choice(b'{}[]",:0123456789.eE-\\ab')
            body = bytes(changed)

        found = outcome_of(body)

        assert found == outcome_of(body + b" "), body
        counts["read" if found.startswith("{") else "refused"] += 1

    assert min(counts.values()) > 3_000


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":1,"a":1}',
        b'{"a":{"b":"x","c":1,"b":"x"}}',
        b'{"a":9007199254740991}',
        b'{"a":9007199254740992}',
        b'{"a":-9007199254740992}',
        b'{"a":18446744073709551615}',
        b'{"a":18446744073709551616}',
        b'{"a":1e400}',
        b'{"a":1.5}',
        b'{"a":-0.0}',
        b'{"a":1e22}',
        b'{"a":"0000000000000000000000"}',
        b"[1]",
        b'"a"',
        b"",
    ],
)
def test_compact_json_has_no_rules_of_its_own(body: bytes) -> None:
    assert outcome_of(body) == outcome_of(body + b" ")


def test_compact_without_floats_is_compact() -> None:
    text = "".join(map(chr, [*range(0x20), 0x22, 0x5C, 0x7F, 0x85, 0x2028, 0xE5, 0x1F600]))
    documents: list[dict[str, object]] = [
        {"a": text, text: [None, True, False, {}, [], ""]},
        {"a": [2**53, -(2**63), 2**64, 2**70, 0]},
        {"a": "\ufffe/"},
    ]

    for document in documents:
        assert compact_without_floats(document) == compact(document)
