"""POST /v1/verifications takes a credential in any form it is carried in, and says how it was found."""

import io

import pytest
import segno
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from kpass_vc.baking import bake_png, bake_svg
from tests.api.http import Service
from tests.test_baking import DRAWING, SIGNATURE, png, text_chunk
from tests.world import World, body_of


def photographed(text: str) -> bytes:
    """A QR code on paper, as a JPEG."""
    code, photograph = io.BytesIO(), io.BytesIO()
    segno.make_qr(text).save(code, kind="png", scale=6, border=6)
    Image.open(code).convert("RGB").save(photograph, "JPEG", quality=60)
    return photograph.getvalue()


@pytest.mark.parametrize("declared", ["image/png", "application/octet-stream", "text/plain", None])
def test_what_is_handed_in_is_told_by_its_bytes_and_the_report_says_how_it_was_found(
    service: Service, world: World, declared: str | None
) -> None:
    issued = world.issued()
    code = world.code_of(world.shared(issued.award.id))
    document, jwt = body_of(issued), body_of(issued, "sv", "vc-jwt")
    shared = world.env.addresses.share(code)
    headers = {"Content-Type": declared} if declared else {}

    for handed_in, route in (
        (document, ["json"]),
        (jwt, ["jwt"]),
        (bake_png(png(), document), ["png"]),
        (bake_svg(DRAWING, jwt), ["svg"]),
        (photographed(shared), ["qr", "share_link"]),
        (shared.encode(), ["share_link"]),
        (code.encode(), ["code"]),
    ):
        reply = service.http.post("/v1/verifications", content=handed_in, headers=headers)

        assert (reply.status_code, reply.headers["Cache-Control"]) == (200, "no-store")
        report = reply.json()
        assert (report["verified"], report["route"]) == (True, route)
        assert report["credential"]["id"] == issued.representations[0].credential_id


def test_a_revoked_credential_is_refused_by_whatever_way_it_is_found(
    service: Service, world: World
) -> None:
    issued = world.issued()
    code = world.code_of(world.shared(issued.award.id))
    world.set_status(issued, "revoked")

    for handed_in in (bake_png(png(), body_of(issued)), code.encode()):
        report = service.http.post("/v1/verifications", content=handed_in).json()

        assert report["verdict"] == "refused"


@pytest.mark.parametrize(
    ("rule", "status", "handed_in"),
    [
        ("two_credentials", 422, png(text_chunk(b"{}"), text_chunk(b"{}"))),
        ("png_cut", 422, SIGNATURE + b"\x7f\xff\xff\xffiTXt"),
        ("svg_dtd", 422, b"<!DOCTYPE svg [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>" + DRAWING),
        ("nothing_in_picture", 422, png()),
        ("unrecognised", 422, b"hej"),
        ("unreachable", 422, b"https://annat.example/bevis.json"),
        ("share_link", 404, b"7K3P-9QXM-2WTB"),
        ("", 413, b"x" * (5 * 1024 * 1024 + 1)),
    ],
)
def test_what_leads_to_no_credential_is_a_problem_with_its_rule_in_both_languages(
    service: Service, rule: str, status: int, handed_in: bytes
) -> None:
    said = set()
    for language in ("sv", "en"):
        asked = {"Accept-Language": language}
        reply = service.http.post("/v1/verifications", content=handed_in, headers=asked)
        assert reply.status_code == status, reply.text
        assert reply.headers["Content-Type"] == "application/problem+json"
        assert reply.json().get("rule", "") == rule
        said.add(reply.json()["detail"])

    assert len(said) == 2


@settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60
)
@given(st.sampled_from([b"", SIGNATURE, png()[:-8], DRAWING[:-6], b"\xff\xd8\xff", b"https://", b"{"]),
       st.binary(max_size=200))  # fmt: skip
def test_any_bytes_are_answered_with_a_report_or_a_problem_and_never_verified(
    service: Service, head: bytes, tail: bytes
) -> None:
    reply = service.http.post("/v1/verifications", content=head + tail)

    assert reply.status_code in {200, 404, 422}
    assert reply.json().get("verified", False) is False
    assert reply.json().get("rule") != ""
