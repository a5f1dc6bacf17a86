"""The organisation at the console: profile, a picture that is made anew, review policy, keys and own domain."""

import io
import re
import struct
from zlib import compress, crc32

import pytest
from PIL import Image

from kpass_vc.actions.confirm import ConfirmationOrder, confirm
from kpass_vc.authz import Role
from kpass_vc.errors import KpassError, Malformed, TooLarge
from kpass_vc.images import rebuilt
from tests.injections import INJECTIONS
from tests.pages.desk import Visitor, alerts, signed_in
from tests.world import OPERATOR_ACTOR, World

pytestmark = pytest.mark.sqlite
PROFILE = {"name_sv": "Nya namnet", "name_en": "The new name", "email": "info@exempel.se"}
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9" {more}>{inside}<path d="M0 0h9v9z" fill="#0a0"/></svg>'
HOSTILE = (
    "<script>alert(1)</script>", "<script href='data:,alert(1)'/>", "<g onload='alert(1)'/>",
    "<foreignObject><body xmlns='http://www.w3.org/1999/xhtml' onload='alert(1)'/></foreignObject>",
    "<image href='https://evil.example/x.png'/>", "<use href='https://evil.example/x.svg#a'/>",
    "<a href='javascript:alert(1)'><path d='M0 0'/></a>", "<style>@import url(//evil.example)</style>",
    "<rect style='background:url(//evil.example)' width='1'/>", "<rect fill='url(//evil.example#x)' width='1'/>",
    "<rect fill='url(javascript:alert(1))' width='1'/>", "<animate attributeName='href' to='javascript:alert(1)'/>",
    "<set attributeName='onmouseover' to='alert(1)'/>",
    "<iframe xmlns='http://www.w3.org/1999/xhtml' src='//evil.example'/>",
    "<handler xmlns='http://www.w3.org/2001/xml-events' event='load'>alert(1)</handler>",
    "<text>x</text><x:script xmlns:x='http://www.w3.org/1999/xhtml'>alert(1)</x:script>",
    "<filter id='f'><feImage href='//evil.example'/></filter>",
    "<title><![CDATA[</title><script>alert(1)</script>]]></title>",
)  # fmt: skip
"""What an SVG can do besides being looked at."""


@pytest.fixture
def owner(world: World) -> Visitor:
    return signed_in(world, "sobona", Role.OWNER)


def png(size: int = 20) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (size, size), "red").save(out, "PNG")
    return out.getvalue()


def test_a_profile_is_changed_but_not_the_name_that_the_operator_made_sure_of(
    world: World, owner: Visitor
) -> None:
    assert owner.post("/organization", PROFILE).status_code == 303
    assert world.organization("sobona").name_sv == "Nya namnet"
    with world.writing() as session:
        confirm(world.env, session, OPERATOR_ACTOR, "sobona", ConfirmationOrder(how="Ringt dem."))

    refused = owner.post("/organization", PROFILE | {"name_sv": "Arbetsförmedlingen"})

    assert (refused.status_code, "Arbetsförmedlingen" in refused.text) == (409, True)
    assert world.organization("sobona").name_sv == "Nya namnet"
    other = owner.post("/organization", PROFILE | {"url": "https://sobona.exempel.se/"})
    assert other.status_code == 303


def test_what_is_wrong_with_a_profile_is_said_at_its_field(owner: Visitor) -> None:
    reply = owner.post("/organization", {"name_sv": "811228-9874", "name_en": "X", "email": "nej"})

    assert reply.status_code == 422
    assert len(alerts(reply.text)) >= 1
    assert 'value="nej"' in reply.text


@pytest.mark.parametrize("hostile", HOSTILE)
def test_of_an_svg_nothing_is_left_but_shapes(hostile: str) -> None:
    _, body = rebuilt(SVG.format(inside=hostile, more="onload='alert(2)'").encode())

    text = body.decode()
    assert "alert" not in re.sub(r"<title>.*?</title>", "", text)
    assert "<script" not in text
    assert "evil" not in text
    assert not re.search(r"\son\w+=|href|style|javascript", text)
    assert 'd="M0 0h9v9z"' in text


def test_no_injection_is_left_of_an_svg() -> None:
    for each in INJECTIONS:
        for content in (each, SVG.format(inside=each, more=""), SVG.format(inside="", more=each)):
            try:
                _, body = rebuilt(content.encode())
            except KpassError:
                continue
            text = body.decode()
            assert "kpx" not in re.sub(r">[^<]*<", "><", text), each


@pytest.mark.parametrize(
    "content",
    [
        b"", b"no picture", b"\x89PNG\r\n\x1a\nbroken", b"<svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b'<!DOCTYPE x [<!ENTITY a "b">]><svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0"/></svg>',
        b"x" * (1024 * 1024 + 1),
    ],
)  # fmt: skip
def test_what_is_no_picture_is_refused(owner: Visitor, content: bytes) -> None:
    reply = owner.post("/organization/image", files={"file": ("x", content)})

    assert (reply.status_code, len(alerts(reply.text))) == (422, 1)


def test_a_picture_is_served_as_one_that_may_do_nothing_else(world: World, owner: Visitor) -> None:
    svg = SVG.format(inside=HOSTILE[0], more="").encode()
    assert owner.post("/organization/image", files={"file": ("x.svg", svg)}).status_code == 303
    address = str(world.organization("sobona").image)
    reply = owner.http.get(address)
    assert (reply.status_code, reply.headers["Content-Type"]) == (200, "image/svg+xml")
    assert reply.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"

    owner.post("/organization/image", files={"file": ("x.png", png() + b"<script>hidden</script>")})

    assert owner.http.get(address).status_code == 404
    reply = owner.http.get(str(world.organization("sobona").image))
    assert reply.headers["Content-Type"] == "image/png"
    assert b"hidden" not in reply.content
    owner.post("/organization/image/removal")
    assert world.organization("sobona").image is None


def test_a_picture_of_too_many_pixels_is_not_unpacked(owner: Visitor) -> None:
    reply = owner.post("/organization/image", files={"file": ("x.png", png(5000))})

    assert (reply.status_code, "bildpunkter" in reply.text) == (422, True)


def test_a_small_file_that_says_it_has_a_hundred_million_pixels_is_refused() -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc32(kind + data))

    header = struct.pack(">IIBBBBB", 10_000, 10_000, 8, 0, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", compress(bytes(100))), (b"IEND", b""))

    with pytest.raises(TooLarge):
        rebuilt(b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts))


def test_a_photograph_of_very_many_scans_is_not_unpacked() -> None:
    out = io.BytesIO()
    Image.new("RGB", (64, 64), "white").save(out, "JPEG", progressive=True)
    whole = out.getvalue()
    scan = whole[whole.rindex(b"\xff\xda") : -2]
    assert rebuilt(whole)[0] == "image/png"

    with pytest.raises(Malformed):
        rebuilt(whole[:-2] + scan * 200 + whole[-2:])


def test_keys_are_changed_and_withdrawn_only_by_an_owner_who_has_just_proved_who_they_are(
    world: World, owner: Visitor
) -> None:
    assert owner.post("/organization/keys/rotation").status_code == 303
    page = owner.get("/organization/keys").text
    assert page.count("Skriver inte under längre") >= 2
    [key] = re.findall(r'<option value="(z[^"]+)">[^<]*Ed25519[^<]*Skriver under<', page)
    unsure = owner.post("/organization/keys/compromise", {"key": key})
    assert (unsure.status_code, "Bocka för" in unsure.text) == (422, True)
    sure = owner.post("/organization/keys/compromise", {"key": key, "sure": "yes"})
    assert sure.status_code == 303
    assert "Indragen" in owner.get("/organization/keys").text
    author = signed_in(
        world, "sobona", Role.AUTHOR, name="F", email="f@exempel.se", http=owner.http
    )
    assert author.post("/organization/keys/rotation").status_code == 403

    world.clock.advance(minutes=11)

    for place in ("keys/rotation", "keys/compromise", "domain", "domain/activation"):
        reply = owner.post(f"/organization/{place}", {"key": key, "sure": "yes"})
        assert "/console/prove?next=" in reply.headers["Location"], place
    assert "/prove" in owner.get("/organization/keys").headers["Location"]


def test_an_own_domain_is_prepared_and_not_used_before_its_document_is_there(
    world: World, owner: Visitor
) -> None:
    assert owner.post("/organization/domain", {"domain": "inte en domän"}).status_code == 422
    assert owner.post("/organization/domain", {"domain": "sobona.example"}).status_code == 303
    document = owner.get("/organization/domain/did.json").json()
    assert document["id"] == "did:web:sobona.example"

    reply = owner.post("/organization/domain/activation")

    assert reply.status_code == 422
    assert world.organization("sobona").did != "did:web:sobona.example"


def test_the_review_policy_is_kept_and_checked(world: World, owner: Visitor) -> None:
    given = {"approvals": "2", "externalApprovals": "1", "graceDays": "90"}
    assert owner.post("/organization/policy", given).status_code == 303
    assert world.organization("sobona").approvals == 2

    refused = owner.post("/organization/policy", given | {"approvals": "många"})

    assert (refused.status_code, 'value="många"' in refused.text) == (422, True)
