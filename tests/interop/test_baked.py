"""Every badge of the catalogues, PNG and SVG, in both languages and forms: what goes in comes out and verifies.

The pictures are read by openbadgeslib's own reader beside ours. Others may have
revoked some of these awards by now; `verified` holds all the same.
"""

from collections.abc import Iterator

import pytest
from openbadgeslib import baking as theirs
from openbadgeslib.errors import LibOpenBadgesException
from openbadgeslib.ob3 import OB3Verifier

from kpass_vc.actions.bake import baked
from kpass_vc.actions.lint_badge import lint_badge
from kpass_vc.actions.recognise import find_credential
from kpass_vc.baking import Kind, bake_png, bake_svg, unbake
from kpass_vc.errors import Malformed
from tests.interop.catalogue import Catalogue, Edition
from tests.interop.foreign import Verdict
from tests.interop.tampering import change_a_text, change_the_payload
from tests.interop.verdicts import judge_tokens

pytestmark = [pytest.mark.interop, pytest.mark.sqlite, pytest.mark.xdist_group("interop")]

KINDS: tuple[Kind, ...] = ("png", "svg")
FORMS = ("ldp_vc", "vc-jwt")
Pictures = dict[tuple[str, str, Kind], bytes]
"""By the edition's name, the form of the credential and the kind of picture."""


@pytest.fixture(scope="module")
def pictures(catalogue: Catalogue) -> Pictures:
    return dict(_bake_all(catalogue))


def test_every_badge_unbakes_to_the_very_bytes_that_were_signed_here_and_in_openbadgeslib(
    catalogue: Catalogue, pictures: Pictures
) -> None:
    signed = {(each.name, form): _body(each, form) for each in catalogue.editions for form in FORMS}

    assert len(pictures) == 63 * 2 * 2 * 2
    for (name, form, kind), picture in pictures.items():
        assert unbake(picture) == signed[name, form], (name, form, kind)
        assert _unbaked_by_openbadgeslib(picture, kind) == signed[name, form], (name, form, kind)


def test_every_unbaked_badge_verifies_here_and_in_openbadgeslib(
    catalogue: Catalogue, pictures: Pictures
) -> None:
    # PNG and SVG hold the same bytes (above), so each credential is judged once
    unbaked = {
        f"{name} {form}": _unbaked_by_openbadgeslib(picture, kind)
        for (name, form, kind), picture in pictures.items()
    }

    verdicts = judge_tokens(catalogue.world, catalogue.foreign(), unbaked)

    assert len(unbaked) == 63 * 2 * 2
    for verifier, found in verdicts.items():
        assert _not_verified(found) == {}, verifier


def test_one_changed_letter_in_a_badge_is_refused_here_and_in_openbadgeslib(
    catalogue: Catalogue, pictures: Pictures
) -> None:
    changed = {}
    for number, edition in enumerate(catalogue.editions):
        png, svg = (pictures[edition.name, "ldp_vc", kind] for kind in KINDS)
        document = change_a_text(edition.document, number)
        token = change_the_payload(edition.jwt, number)
        changed[f"{edition.name} ldp_vc"] = unbake(bake_png(png, document)) or b""
        changed[f"{edition.name} vc-jwt"] = unbake(bake_svg(svg, token)) or b""

    verdicts = judge_tokens(catalogue.world, catalogue.foreign(), changed)

    assert len(changed) == 63 * 2 * 2
    for verifier, found in verdicts.items():
        assert [name for name, each in found.items() if each.verified] == [], verifier
        assert found.keys() == changed.keys()


def test_one_changed_byte_in_a_png_is_seen_before_the_credential_is(pictures: Pictures) -> None:
    for number, ((_, _, kind), picture) in enumerate(pictures.items()):
        if kind == "png":
            at = picture.index(b"openbadgecredential") + 24 + number
            damaged = picture[:at] + bytes([picture[at] ^ 1]) + picture[at + 1 :]

            with pytest.raises(Malformed, match="checksum"):
                unbake(damaged)
            with pytest.raises(LibOpenBadgesException):
                OB3Verifier.extract_token_from_png(damaged)


def _bake_all(catalogue: Catalogue) -> Iterator[tuple[tuple[str, str, Kind], bytes]]:
    for edition in catalogue.editions:
        language = edition.name[-2:]
        for row in edition.award.representations:
            if row.language == language:
                for kind in KINDS:
                    with catalogue.world.reading() as session:
                        picture = baked(session, edition.award.award, row, kind)
                    yield (edition.name, row.format, kind), picture


def _body(edition: Edition, form: str) -> bytes:
    return edition.document if form == "ldp_vc" else edition.jwt


def _unbaked_by_openbadgeslib(picture: bytes, kind: Kind) -> bytes:
    if kind == "png":
        return str(OB3Verifier.extract_token_from_png(picture)).encode()
    found = theirs.extract_svg(picture, element=theirs.SVG_ELEMENT_OB3, text_fallback=True)
    assert found == OB3Verifier.extract_token_from_svg(picture)
    return str(found).encode()


def _not_verified(verdicts: dict[str, Verdict]) -> dict[str, str]:
    return {name: each.why for name, each in verdicts.items() if not each.verified}


def test_no_badge_earns_a_remark_from_any_of_the_public_validators_probes(
    catalogue: Catalogue, pictures: Pictures
) -> None:
    env = catalogue.world.env
    remarks: dict[tuple[str, str, str], list[str]] = {}
    seen = 0

    for (name, form, kind), picture in pictures.items():
        if not name.endswith("sv"):
            continue
        _, results = lint_badge(env, find_credential(env, picture).secured)
        found = [f"{each.probe} {each.code}" for each in results if each.level != "ok"]
        # another test may have revoked it, which the validator rightly says and then stops
        if not found or found[0] != "BitstringStatusListProbe revoked":
            seen += 1
            if found:
                remarks[name, form, kind] = found

    assert remarks == {}
    assert seen > 63 * 2
