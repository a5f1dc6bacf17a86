"""The pinned contexts: the bytes that were pinned, or the service does not start."""

import hashlib
import tomllib

import pytest

from kpass_vc.errors import Unavailable, UnknownContext
from kpass_vc.jsonld.contexts import CREDENTIALS_V2, OPEN_BADGES_3, Contexts, Pin
from kpass_vc.resources import folder

PINS = tomllib.loads((folder("contexts") / "pins.toml").read_text("utf-8"))["context"]


def test_every_file_has_the_pinned_hash_and_no_file_lies_there_unpinned() -> None:
    found = {pin["file"]: pin["sha256"] for pin in PINS}

    hashes = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder("contexts").glob("*.json*")
    }

    assert hashes == found
    assert len({pin["url"] for pin in PINS}) == len(PINS)


def test_a_context_with_one_flipped_byte_stops_the_start() -> None:
    (pin,) = [
        Pin(entry["url"], entry["file"], entry["sha256"])
        for entry in PINS
        if entry["url"] == CREDENTIALS_V2
    ]
    body = bytearray((folder("contexts") / pin.file).read_bytes())
    assert Contexts.load((pin,), lambda _file: bytes(body)).document(CREDENTIALS_V2)
    body[len(body) // 2] ^= 1

    with pytest.raises(Unavailable) as caught:
        Contexts.load((pin,), lambda _file: bytes(body))

    assert caught.value.rule == "context_changed"
    assert pin.file in caught.value.sentence("en")


def test_a_url_is_known_by_its_exact_spelling_only(contexts: Contexts) -> None:
    assert contexts.document(OPEN_BADGES_3)

    for url in (OPEN_BADGES_3.upper(), OPEN_BADGES_3 + "?", OPEN_BADGES_3 + "#x", ""):
        with pytest.raises(UnknownContext):
            contexts.document(url)


def test_no_context_that_a_badge_may_have_takes_any_term_at_all(contexts: Contexts) -> None:
    for url in (CREDENTIALS_V2, OPEN_BADGES_3):
        context = contexts.document(url)["@context"]
        assert isinstance(context, dict)
        assert context.get("@vocab") is None
        assert context["@protected"] is True
