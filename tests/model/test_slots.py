"""Texts that stand in JSON and in N-Quads as they are, and those that do not."""

import json

import pytest

from kpass_vc.jsonld.quads import escaped
from kpass_vc.model.slots import plain_texts


@pytest.mark.parametrize("text", ["", "Åsa Öst", "https://a.example/?q=å#1", "中 😀", "a/b<c>&'"])
def test_a_plain_text_is_written_as_it_is_in_both(text: str) -> None:
    assert plain_texts([text, "x"]) == [text.encode(), b"x"]
    assert escaped(text) == text
    assert json.dumps(text, ensure_ascii=False) == f'"{text}"'


@pytest.mark.parametrize("text", ["\\", 'a"b', "\n", "\x00", "\x7f", "\x85", "\u2028", "\ud800"])
def test_one_text_that_may_be_escaped_and_none_is_taken_for_plain(text: str) -> None:
    assert plain_texts(["x", text]) is None
