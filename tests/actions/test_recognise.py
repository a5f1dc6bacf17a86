"""Whatever a credential is handed in as, it is found, or a sentence says why not."""

import io
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

import pytest
import segno
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from kpass_vc.actions.issue import Issued
from kpass_vc.actions.recognise import find_credential
from kpass_vc.baking import bake_png, bake_svg
from kpass_vc.environment import Environment
from kpass_vc.errors import KpassError, NotFetched, TooLarge
from kpass_vc.fetch import DOCUMENT, Fetched
from kpass_vc.links import written_code
from kpass_vc.model.document import MAX_PICTURE
from tests.test_baking import DRAWING, png
from tests.world import Clock, NothingElsewhere, World, body_of

ELSEWHERE = "https://annat.example"
JSON, JWT, HTML = "application/vc+ld+json", "application/jwt", "text/html"


@dataclass
class Web(NothingElsewhere):
    """What others serve, and what was asked of them."""

    pages: Mapping[str, tuple[str, bytes]]
    asked: list[str] = field(default_factory=list)

    def get(self, url: str, *, accept: str, limit: int = DOCUMENT) -> Fetched:
        self.asked.append(url)
        if url not in self.pages:
            raise NotFetched("unreachable", url=url)
        return Fetched(url, *self.pages[url])


def online(world: World, **pages: tuple[str, bytes]) -> tuple[Environment, Web]:
    """An environment in which others serve these pages under their names."""
    web = Web({f"{ELSEWHERE}/{name.replace('_', '.')}": page for name, page in pages.items()})
    return replace(world.env, fetcher=web), web


def qr(text: str, kind: str = "PNG") -> bytes:
    """A picture of a QR code on white paper, as a phone would make it."""
    code = io.BytesIO()
    segno.make_qr(text).save(code, kind="png", scale=6, border=6)
    written = io.BytesIO()
    Image.open(code).convert("RGB").save(written, kind)
    return written.getvalue()


def sought(env: Environment, handed_in: bytes) -> tuple[bytes, tuple[str, ...]]:
    found = find_credential(env, handed_in)
    return found.secured, found.route


def rule_of(env: Environment, handed_in: bytes) -> str:
    with pytest.raises(KpassError) as refused:
        find_credential(env, handed_in)
    assert refused.value.sentence("sv") != refused.value.title("sv")
    assert refused.value.sentence("en") != refused.value.title("en")
    return refused.value.rule


@pytest.fixture
def issued(world: World) -> Issued:
    world.published_definition()
    return world.issued()


@pytest.fixture
def document(issued: Issued) -> bytes:
    return body_of(issued)


@pytest.fixture
def jwt(issued: Issued) -> bytes:
    return body_of(issued, "sv", "vc-jwt")


# --- texts and pictures ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "around",
    [
        "{}",
        "\ufeff\r\n {}\n\n",
        "Hej! Här är mitt bevis:\n\n{}\n\nHälsningar Åsa",
        "```json\n{}\n```",
        "[{}]",
        "\u200b{}\u200b",
    ],
)
def test_json_and_jwt_are_found_with_what_people_paste_around_them(
    world: World, document: bytes, jwt: bytes, around: str
) -> None:
    for secured, kind in ((document, "json"), (jwt, "jwt")):
        pasted = around.replace("{}", secured.decode()).encode()

        assert sought(world.env, pasted) == (secured, (kind,))


def test_pictures_give_what_is_baked_into_them(world: World, document: bytes, jwt: bytes) -> None:
    for secured in (document, jwt):
        assert sought(world.env, bake_png(png(), secured)) == (secured, ("png",))
        assert sought(world.env, bake_svg(DRAWING, secured)) == (secured, ("svg",))


def test_a_broken_json_or_jwt_is_found_as_such_and_left_to_verification(world: World) -> None:
    assert find_credential(world.env, b'{"a": 1').route == ("json",)
    assert find_credential(world.env, b"eyJhbGciOiJFUzI1NiJ9.x").route == ("jwt",)


@pytest.mark.parametrize(
    ("rule", "handed_in"),
    [
        ("unrecognised", b""),
        ("unrecognised", b" \n"),
        ("unrecognised", b"hello"),
        ("unrecognised", b"%PDF-1.7 ..."),
        ("unrecognised", b"PK\x03\x04\x00\x00"),
        ("unrecognised", b"<!doctype html><p>Inloggning</p>"),
        ("unrecognised", b"data:image/png;base64,AAAA"),
        ("unrecognised", "{smile}".encode("utf-16")),
        ("unrecognised", b"ftp://annat.example/a"),
        ("unrecognised", b"did:web:annat.example"),
        ("nothing_in_picture", png()),
        ("nothing_in_picture", DRAWING),
        ("png_cut", png()[:-5]),
        ("share_link", b"7K3P-9QXM-2WTB"),
    ],
)
def test_what_is_no_credential_is_refused_in_a_sentence_that_says_what_is_taken(
    world: World, rule: str, handed_in: bytes
) -> None:
    assert rule_of(world.env, handed_in) == rule


def test_more_than_we_take_is_refused_unread(world: World) -> None:
    with pytest.raises(TooLarge):
        find_credential(world.env, b"{" * (MAX_PICTURE + 1))


# --- our own links and codes ----------------------------------------------------------------------


def test_our_own_links_and_codes_are_answered_from_our_records_and_nobody_is_asked(
    world: World, issued: Issued
) -> None:
    link = world.shared(issued.award.id, language="en")
    code = world.code_of(link)
    env, web = online(world)
    at, token = env.addresses, world.token_of(issued.award.id)
    shared, host = at.share(code), at.share(code).partition("://")[2]
    document, jwt = body_of(issued, "en"), body_of(issued, "en", "vc-jwt")

    found = {
        code: ("code", document),
        written_code(code).lower(): ("code", document),
        f"Koden är {written_code(code)} på sidan": ("code", document),
        shared: ("share_link", document),
        at.share(written_code(code)): ("share_link", document),
        f"Se {shared}.": ("share_link", document),
        f"{shared}?utm_source=mejl#a": ("share_link", document),
        host: ("share_link", document),
        f"{shared}/credential.json": ("share_link", document),
        f"{shared}/credential.jwt": ("share_link", jwt),
        f"{shared}/image.png": ("share_link", document),
        at.holder_page(token): ("holder_link", body_of(issued, "sv")),
    }

    for handed_in, (way, secured) in found.items():
        assert sought(env, handed_in.encode()) == (secured, (way,)), handed_in
    assert web.asked == []


def test_a_link_that_ended_and_addresses_of_ours_without_a_credential_open_nothing(
    world: World, issued: Issued, clock: Clock
) -> None:
    code = world.code_of(world.shared(issued.award.id, lasts="day"))
    env, web = online(world)
    clock.advance(days=2)
    base = env.addresses.base

    assert rule_of(env, code.encode()) == "share_link_ended"
    assert rule_of(env, env.addresses.share(code).encode()) == "share_link_ended"
    assert rule_of(env, env.addresses.holder_page("A" * 43).encode()) == "holder_link"
    for path in ("/", "/s", "/s/", "/c/", "/verify", "/o/sobona/did.json", "/..", "//s/x", "/%00"):
        assert rule_of(env, f"{base}{path}".encode()), path
    assert web.asked == []


def test_what_only_looks_like_our_address_is_asked_of_whoever_it_is(world: World) -> None:
    env, web = online(world)
    scheme, _, host = env.addresses.base.partition("://")
    name = host.partition(":")[0]

    for url in (
        f"{scheme}://me@{host}/s/x",
        f"{scheme}://{name}.evil.example/s/x",
        f"https://{name}:1/s/x",
    ):
        assert rule_of(env, url.encode()) == "unreachable"
        assert web.asked.pop() == url


# --- links to others ------------------------------------------------------------------------------


def test_a_link_to_a_file_or_a_picture_of_another_is_followed(
    world: World, document: bytes, jwt: bytes
) -> None:
    env, _ = online(
        world,
        a_json=(JSON, document),
        a_jwt=(JWT, b"\n" + jwt + b"\n"),
        a_png=("image/png", bake_png(png(), document)),
        a_svg=("image/svg+xml", bake_svg(DRAWING, jwt)),
    )

    for name, secured, route in (
        ("a.json", document, ("url", "json")),
        ("a.jwt", jwt, ("url", "jwt")),
        ("a.png", document, ("url", "png")),
        ("a.svg", jwt, ("url", "svg")),
    ):
        handed_in = f"{ELSEWHERE}/{name}".encode()
        assert sought(env, handed_in) == (secured, route)


@pytest.mark.parametrize(
    "link",
    [
        '<link rel="alternate" type="application/vc+ld+json" href="/a.json">',
        "<LINK HREF='a.json' TYPE='application/vc+ld+json' REL='nofollow Alternate'/>",
        f"<link type=application/vc+ld+json rel=alternate href={ELSEWHERE}/a.json>",
        (
            '<link rel="stylesheet" href="/x.css"><link rel="alternate" type="application/vc+ld+json" '
            'href="a.json?a=1&amp;b=2">'
        ),
    ],
)
def test_a_page_leads_to_the_credential_that_it_names(
    world: World, document: bytes, link: str
) -> None:
    page = f"<!doctype html><html><head>{link}</head><body>{{}}</body></html>".encode()
    env, web = online(world, a_html=(HTML, page), a_json=(JSON, document))
    web.pages = {**web.pages, f"{ELSEWHERE}/a.json?a=1&b=2": (JSON, document)}

    found = sought(env, f"{ELSEWHERE}/a.html".encode())

    assert found == (document, ("url", "json"))
    assert len(web.asked) == 2


@pytest.mark.parametrize(
    "href",
    [
        "https://tredje.example/a.json",
        "//tredje.example/a.json",
        "http://annat.example/a.json",
        "https://annat.example:8443/a.json",
        "https://me@annat.example/a.json",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "https://[::1",
        "",
    ],
)
def test_a_page_leads_to_no_other_origin(world: World, href: str) -> None:
    page = f'<link rel="alternate" type="application/vc+ld+json" href="{href}">'.encode()
    env, web = online(world, a_html=(HTML, page))

    assert rule_of(env, f"{ELSEWHERE}/a.html".encode()) == "nothing_behind_link"
    assert web.asked == [f"{ELSEWHERE}/a.html"]


def test_a_page_leads_to_a_credential_and_not_to_a_page_that_names_another(world: World) -> None:
    page = b'<link rel="alternate" type="application/vc+ld+json" href="/b.html">'
    env, web = online(world, a_html=(HTML, page), b_html=(HTML, page.replace(b"/b", b"/c")))

    assert rule_of(env, f"{ELSEWHERE}/a.html".encode()) == "nothing_behind_link"
    assert len(web.asked) == 2


def test_neither_a_text_nor_a_qr_code_behind_a_link_leads_on(world: World) -> None:
    there = f"{ELSEWHERE}/b.json"
    env, web = online(
        world,
        a_txt=("text/plain", there.encode()),
        a_png=("image/png", qr(there)),
        b_json=(JSON, b"{}"),
    )

    for name in ("a.txt", "a.png"):
        assert rule_of(env, f"{ELSEWHERE}/{name}".encode()) == "nothing_behind_link"
    assert web.asked == [f"{ELSEWHERE}/a.txt", f"{ELSEWHERE}/a.png"]


def test_a_link_that_cannot_be_fetched_says_why(world: World) -> None:
    env, _ = online(world)

    with pytest.raises(NotFetched):
        find_credential(env, f"{ELSEWHERE}/a.json".encode())
    with pytest.raises(NotFetched):
        find_credential(env, b"https://[::1")


# --- QR codes -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_a_picture_of_a_qr_code_leads_where_the_code_leads(
    world: World, issued: Issued, kind: str
) -> None:
    code = world.code_of(world.shared(issued.award.id))
    document = body_of(issued)
    env, web = online(
        world, a_json=(JSON, document), b_png=("image/png", bake_png(png(), document))
    )

    for text, route in (
        (env.addresses.share(code), ("qr", "share_link")),
        (code, ("qr", "code")),
        (f"{ELSEWHERE}/a.json", ("qr", "url", "json")),
        (f"{ELSEWHERE}/b.png", ("qr", "url", "png")),
    ):
        assert sought(env, qr(text, kind)) == (document, route)
    assert web.asked == [f"{ELSEWHERE}/a.json", f"{ELSEWHERE}/b.png"]


def test_a_baked_credential_counts_before_the_qr_code_in_the_same_picture(
    world: World, document: bytes
) -> None:
    env, web = online(world)

    found = sought(env, bake_png(qr(f"{ELSEWHERE}/other"), document))

    assert found == (document, ("png",))
    assert web.asked == []


def test_a_qr_code_that_leads_nowhere_is_told_from_a_picture_without_one(world: World) -> None:
    assert rule_of(world.env, qr("WIFI:S:kontoret;;", "JPEG")) == "qr_without_credential"


def test_of_several_qr_codes_ours_counts_and_others_are_not_guessed_among(
    world: World, issued: Issued
) -> None:
    code = world.code_of(world.shared(issued.award.id))
    env, web = online(world)
    ours, other, third = env.addresses.share(code), f"{ELSEWHERE}/b", f"{ELSEWHERE}/c"

    found = sought(env, _side_by_side(other, ours, "tel:112"))

    assert found == (body_of(issued), ("qr", "share_link"))
    assert rule_of(env, _side_by_side(other, third)) == "several_qr_codes"
    assert web.asked == []


# --- any bytes ------------------------------------------------------------------------------------

_PIECES = st.sampled_from(
    [
        b"{", b"}", b'"', b"[", b"ey", b".", b"https://", b"http://localhost:8000/s/", b"/c/",
        b"<link rel=alternate type=application/vc href=", b">", b"\x89PNG\r\n\x1a\n", b"<svg ",
        b"\xff\xd8\xff", b"RIFF", b"WEBP", b"GIF89a", b"7K3P-9QXM-2WTB", b"\xff\xfe", b"\x00",
    ]
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary()
    | st.text().map(str.encode)
    | st.lists(_PIECES | st.binary(max_size=9)).map(b"".join)
)
def test_any_bytes_are_found_or_refused_by_name(world: World, handed_in: bytes) -> None:
    with suppress(KpassError):
        find_credential(world.env, handed_in)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary() | st.lists(_PIECES | st.binary(max_size=9)).map(b"".join))
def test_whatever_another_serves_is_found_or_refused_by_name(world: World, body: bytes) -> None:
    env, _ = online(world, a=(HTML, body))

    with suppress(KpassError):
        find_credential(env, f"{ELSEWHERE}/a".encode())


@pytest.mark.parametrize(
    "handed_in",
    [
        b"ey" * 2_000_000,
        b"eyaaaaaaaaa." * 400_000,
        b"http://" * 700_000,
        b"{" * 2_000_000,
        b"[" * 2_000_000,
        b"x {" + b"[" * 900_000 + b"}",
        b"AAAA-" * 1_000_000,
        b" " * 5_000_000 + b"x",
        b"\xe2\x80\x8b" * 1_000_000,
    ],
    ids=lambda each: each[:8].decode(errors="replace"),
)
def test_five_megabytes_of_almost_something_are_refused_without_trying_every_way(
    world: World, handed_in: bytes
) -> None:
    with suppress(KpassError):
        assert find_credential(world.env, handed_in).route in {("json",), ("jwt",)}


def _side_by_side(*texts: str) -> bytes:
    codes = [Image.open(io.BytesIO(qr(text))) for text in texts]
    sheet = Image.new(
        "RGB", (sum(code.width for code in codes), max(c.height for c in codes)), "white"
    )
    left = 0
    for code in codes:
        sheet.paste(code, (left, 0))
        left += code.width
    written = io.BytesIO()
    sheet.save(written, "JPEG")
    return written.getvalue()
