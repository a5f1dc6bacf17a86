"""Several credentials at once on the verify page, PDF and zip files, and the receipt of a check."""

import io
import json
import os
import re
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from PIL import Image
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject, NumberObject
from starlette.testclient import TestClient

from kpass_vc.actions import hand_in
from kpass_vc.actions.hand_in import MOST, Checked, Unread, check_all
from kpass_vc.actions.issue import Issued
from kpass_vc.archives import MOST_FILES
from kpass_vc.baking import bake_png
from kpass_vc.errors import Malformed
from kpass_vc.formats import FORMATS
from kpass_vc.formats.envelope import envelope
from kpass_vc.links import written_code
from kpass_vc.pdf import typeset
from kpass_vc.pdf_reading import read_pdf
from kpass_vc.receipts import LASTS
from tests.actions.test_recognise import qr
from tests.api.http import PROBLEM, client_of, rows
from tests.injections import INJECTIONS
from tests.pages.reading import Page, words
from tests.pages.test_injections import presented
from tests.pages.test_verify_page import BROWSER, verdict
from tests.world import LEARNER, World, body_of

pytestmark = pytest.mark.sqlite

OTHER = "Bo Bergström"


@pytest.fixture
def defined(world: World) -> World:
    world.published_definition()
    return world


@pytest.fixture
def http(defined: World) -> TestClient:
    return client_of(defined.env)


@pytest.fixture
def hers(defined: World) -> Issued:
    return defined.issued()


@pytest.fixture
def his(defined: World) -> Issued:
    return defined.issued(holder={"name": OTHER})


def hand(http: TestClient, *files: tuple[str, bytes], text: str = "", language: str = "en") -> Any:
    handed: list[Any] = [("file", each) for each in files]
    handed.append(("text", (None, text)))
    return http.post(f"/verify?language={language}", files=handed, headers=BROWSER)


def zipped(*files: tuple[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as zipping:
        for name, body in files:
            zipping.writestr(name, body)
    return packed.getvalue()


def pdf(
    *pictures: bytes, text: str = "", attached: tuple[bytes, ...] = (), password: str = ""
) -> bytes:
    """A PDF with a page for each picture, a text, attachments."""
    pages = [Image.open(io.BytesIO(each)).convert("RGB") for each in pictures]
    pages = pages or [Image.new("RGB", (20, 20), "white")]
    written = io.BytesIO()
    pages[0].save(written, "PDF", save_all=True, append_images=pages[1:])
    writer = PdfWriter(clone_from=io.BytesIO(written.getvalue()))
    if text:
        shown = PdfReader(io.BytesIO(text_pdf(text)))
        writer.append_pages_from_reader(shown)
    for number, each in enumerate(attached):
        writer.add_attachment(f"bevis{number}.json", each)
    if password:
        writer.encrypt(password)
    done = io.BytesIO()
    writer.write(done)
    return done.getvalue()


def text_pdf(text: str) -> bytes:
    """Our own typesetter's PDF of a text."""
    facts = [{"label": "x", "text": text}]
    data = {
        "language": "sv", "title": "x", "author": "x", "result": "unknown", "word": "x", "when": "x",
        "sentence": "x", "moment": "x", "more": "", "about": "x", "ends": [],
        "credentials": [{
            "title": "x", "word": "", "sentence": "", "facts": facts, "checked": "", "checks": [],
        }],
    }  # fmt: skip
    return typeset("receipt.typ", data, datetime(2026, 1, 1, tzinfo=UTC))


def results(reply: Any) -> list[str]:
    """The word of each row of the table."""
    assert reply.status_code == 200, words(reply.text)
    found = re.findall(r'<span class="result (\w+)">', reply.text)
    assert found
    return found


# --- several --------------------------------------------------------------------------------------


def test_a_stack_of_every_kind_is_answered_in_one_sentence_and_a_table(
    world: World, http: TestClient, hers: Issued, his: Issued
) -> None:
    revoked = world.issued(holder={"name": "Cia Återkallad"})
    world.set_status(revoked, "revoked")
    link = world.env.addresses.share(world.code_of(world.shared(his.award.id)))
    code = written_code(world.code_of(world.shared(hers.award.id)))

    reply = hand(
        http,
        ("a.json", body_of(hers)),
        ("stack/foto.jpg", qr(link, "JPEG")),
        ("c.jwt", body_of(revoked, "sv", "vc-jwt")),
        ("semester.txt", b"hej"),
        ("d.pdf", pdf(attached=(body_of(his),))),
        text=f"{code}\n{link}",
    )

    assert verdict(reply.text) == ("refused", "5 of 7 credentials are genuine and valid.")
    assert results(reply) == [
        "verified", "verified", "verified", "verified", "refused", "unread", "verified",
    ]  # fmt: skip
    said = words(reply.text)
    for each in (
        "Do not rely on all", "Compare each name with an identity document.", "Nothing is stored.",
        "Handed in as: foto.jpg", "Handed in as: semester.txt", LEARNER, OTHER, "Cia Återkallad",
        "has revoked it", "This cannot be read as a credential.", "Cannot be read",
        "QR code \N{RIGHTWARDS ARROW} share link", "PDF \N{RIGHTWARDS ARROW} JSON",
        "lets Stadsnat-Exempel (exempel) issue it", code,
    ):  # fmt: skip
        assert each in said, each
    assert link not in said
    page = Page(reply.text)
    ids = page.all("id")
    assert len(set(ids)) == len(ids)
    assert {each[1:] for each in page.all("href") if each.startswith("#")} <= set(ids)
    assert [each["scope"] for each in page.of("th")] == ["col"] * 4 + ["row"] * 7
    assert page.heading.startswith("5 of 7")
    assert reply.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("language", ["sv", "en"])
def test_when_all_are_well_the_page_says_so(
    http: TestClient, hers: Issued, his: Issued, language: str
) -> None:
    reply = hand(http, ("a", body_of(hers)), ("b", body_of(his)), language=language)

    assert verdict(reply.text) == (
        "verified",
        {
            "sv": "Alla 2 bevis är äkta och gäller.",
            "en": "All 2 credentials are genuine and valid.",
        }[language],
    )


def test_nothing_of_several_is_kept(
    world: World, http: TestClient, hers: Issued, his: Issued
) -> None:
    before = rows(world.env)

    reply = hand(http, ("a.zip", zipped(("a", body_of(hers)), ("b", body_of(his)))))

    assert results(reply) == ["verified", "verified"]
    assert rows(world.env) == before


@pytest.mark.parametrize(
    "text",
    [
        "{json}\n\n{jwt}",
        "[{json}, {json2}]",
        "{link}\n{code}\n",
        "1. {link}\r\n2) {code}",
        "Amina\t{link}\nBo\t{link2}",
        "Deltagare på kursen\n\n- {code}\n- {code2}",
    ],
)
def test_a_list_is_taken_line_by_line(
    world: World, http: TestClient, hers: Issued, his: Issued, text: str
) -> None:
    codes = [world.code_of(world.shared(each.award.id)) for each in (hers, his)]
    for name, value in {
        "json2": body_of(his).decode(),
        "json": body_of(hers).decode(),
        "jwt": body_of(his, "sv", "vc-jwt").decode(),
        "link2": world.env.addresses.share(codes[1]),
        "link": world.env.addresses.share(codes[0]),
        "code2": written_code(codes[1]),
        "code": written_code(codes[0]).lower(),
    }.items():
        text = text.replace(f"{{{name}}}", value)

    found = results(hand(http, text=text))

    assert found.count("verified") == 2
    assert found == ["unread"] * (len(found) - 2) + ["verified"] * 2


def test_a_letter_with_links_in_it_and_a_document_that_is_indented_are_one_thing_each(
    world: World, http: TestClient, hers: Issued
) -> None:
    link = world.env.addresses.share(world.code_of(world.shared(hers.award.id)))
    letter = (
        f"Hej!\n\nHär är mitt bevis:\n{link}\n\nMer om kursen står på\n"
        "https://annat.example/kurs\n\nHa det bra\nÅsa"
    )
    indented = json.dumps(json.loads(body_of(hers)), indent=2)

    for text in (letter, indented, f"Hej!\n\n{indented}\n\nHälsningar"):
        assert verdict(hand(http, text=text).text)[0] == "verified"
        assert "Handed in as" not in hand(http, text=text).text


def test_each_credential_of_a_presentation_is_answered(
    http: TestClient, hers: Issued, his: Issued
) -> None:
    shown = {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiablePresentation"],
        "verifiableCredential": [
            json.loads(body_of(hers)),
            envelope(body_of(his, "sv", "vc-jwt"), FORMATS["vc-jwt"].media_type),
        ],
    }

    reply = hand(http, ("p.json", json.dumps(shown).encode()))
    only = hand(
        http, text=json.dumps(shown | {"verifiableCredential": shown["verifiableCredential"][0]})
    )

    assert results(reply) == ["verified", "verified"]
    assert "presentation \N{RIGHTWARDS ARROW} JSON" in words(reply.text)
    assert verdict(only.text)[0] == "verified"


def test_no_more_than_fifty_are_checked_and_what_is_past_it_is_said(
    http: TestClient,
) -> None:
    codes = "\n".join(f"7K3P-9QXM-2W{n:02}" for n in range(MOST + 3))

    reply = hand(http, text=codes)

    assert results(reply) == ["unread"] * MOST
    assert f"The first {MOST} are checked." in words(reply.text)
    assert verdict(reply.text)[0] == "unknown"


def test_of_many_that_are_well_each_takes_little_of_the_page(
    http: TestClient, hers: Issued
) -> None:
    body = body_of(hers, "sv", "vc-jwt").decode()
    two, ten = (hand(http, text="\n".join([body] * many)) for many in (2, 10))

    assert verdict(ten.text)[1] == "All 10 credentials are genuine and valid."
    assert len(ten.content) - len(two.content) < 8 * 6_500
    assert receipt(http, ten).status_code == 200


def test_after_a_while_nothing_more_is_begun_and_the_answer_says_so(
    world: World, hers: Issued
) -> None:
    answers = check_all(world.env, body_of(hers), [("a", body_of(hers))], seconds=-1.0)

    assert [each.problem.rule for each in answers.each if isinstance(each, Unread)] == [
        "no_time"
    ] * 2


def test_nothing_that_is_handed_in_among_others_changes_the_shape_of_the_page(
    http: TestClient,
) -> None:
    def answer(*texts: str) -> Page:
        names = [text.encode("latin-1", "replace").decode("latin-1") for text in texts]
        files = [(name, presented(text)) for name, text in zip(names, texts, strict=True)]
        return Page(hand(http, *files, *((name, b"x") for name in names)).text)

    sample = INJECTIONS[::9]
    shown = answer(*sample)

    assert shown.shape == answer(*["Plain"] * len(sample)).shape
    assert shown.comments == []
    assert all(shown.text.count(text) >= 3 for text in sample)


# --- zip ------------------------------------------------------------------------------------------


def test_a_zip_is_opened_and_what_a_computer_put_there_is_left(
    http: TestClient, hers: Issued, his: Issued
) -> None:
    packed = zipped(
        ("bevis/../../etc/a.json", body_of(hers)),
        ("bevis\\b.jwt", body_of(his, "sv", "vc-jwt")),
        ("__MACOSX/bevis/._a.json", b"x"),
        (".DS_Store", b"x"),
    )

    reply = hand(http, ("bevis.zip", packed))

    assert results(reply) == ["verified", "verified"]
    said = words(reply.text)
    assert "Handed in as: a.json" in said
    assert "Handed in as: b.jwt" in said
    assert "etc/" not in said
    assert verdict(hand(http, ("en.zip", zipped(("a", body_of(hers))))).text)[0] == "verified"


def test_a_document_of_another_kind_in_a_zip_is_not_called_a_false_credential(
    http: TestClient, hers: Issued
) -> None:
    packed = zipped(("a.json", body_of(hers)), ("list.json", b'{"files": 1}'), ("LÄS.txt", b"hej"))

    assert results(hand(http, ("a.zip", packed))) == ["verified", "unread", "unread"]


def encrypted() -> bytes:
    """A zip whose entry says that it is locked: bit 0 of its flags, in both headers."""
    body = bytearray(zipped(("a", b"{}")))
    body[6] |= 1
    body[body.index(b"PK\x01\x02") + 8] |= 1
    return bytes(body)


HARMFUL: dict[str, tuple[Callable[[], bytes], str]] = {
    "many": (lambda: zipped(*((f"{n}", b"{}") for n in range(MOST_FILES + 1))), "more than 50"),
    "very many": (lambda: zipped(*((f"{n}", b"") for n in range(2001))), "more than 50"),
    "large": (lambda: zipped(("a", bytes(50 * 1024**2))), "too large unpacked"),
    "large together": (
        lambda: zipped(*((f"{n}", bytes(1024**2)) for n in range(45))),
        "too large unpacked",
    ),
    "empty": (zipped, "empty"),
    "nested": (lambda: zipped(("inner.zip", zipped(("a", b"{}")))), "inside a zip file"),
    "locked": (encrypted, "password"),
    "cut off": (lambda: zipped(("a", b"{}"))[:-30], "broken"),
    "no zip": (lambda: b"PK\x03\x04" + bytes(100), "broken"),
    "office": (
        lambda: zipped(("[Content_Types].xml", b"<x/>"), ("word/document.xml", b"<x/>")),
        "office program",
    ),
}


@pytest.mark.parametrize("name", HARMFUL)
def test_a_zip_that_is_no_harmless_one_is_refused_in_words(http: TestClient, name: str) -> None:
    packed, said = HARMFUL[name]

    alone = hand(http, ("a.zip", packed()))

    assert alone.status_code in {413, 422}
    assert said in words(alone.text)
    assert len(Page(alone.text).of("form")) == 1


def test_a_bad_file_among_good_ones_does_not_take_them_along(
    http: TestClient, hers: Issued
) -> None:
    reply = hand(
        http,
        ("a.zip", encrypted()),
        ("b.json", body_of(hers)),
        ("c.zip", zipped(("in.zip", zipped(("a", b"{}"))), ("d.json", body_of(hers)))),
        ("e.png", b"\x89PNG\r\n\x1a\n" + bytes(50)),
        ("f.pdf", b"%PDF-1.7 nothing"),
        ("g.jpg", b"\xff\xd8\xff" + bytes(5 * 1024**2)),
    )

    assert results(reply) == [
        "unread",
        "verified",
        "unread",
        "verified",
        "unread",
        "unread",
        "unread",
    ]


# --- PDF and pictures -----------------------------------------------------------------------------


def test_a_pdf_leads_to_its_credential_by_attachment_code_link_and_words(
    world: World, http: TestClient, hers: Issued
) -> None:
    code = world.code_of(world.shared(hers.award.id))
    link = world.env.addresses.share(code)
    badge = http.get(f"/s/{code}/image.png").content
    kinds = {
        "PDF \N{RIGHTWARDS ARROW} JSON": pdf(attached=(b"annat", body_of(hers))),
        "PDF \N{RIGHTWARDS ARROW} JWT": pdf(attached=(body_of(hers, "sv", "vc-jwt"),)),
        "PDF \N{RIGHTWARDS ARROW} PNG picture": pdf(attached=(bake_png(badge, body_of(hers)),)),
        "PDF \N{RIGHTWARDS ARROW} QR code \N{RIGHTWARDS ARROW} share link": pdf(
            qr(link), text="hej"
        ),
        "PDF \N{RIGHTWARDS ARROW} share link": pdf(text=f"Se {link}. Eller https://annat.example"),
        "PDF \N{RIGHTWARDS ARROW} code": pdf(text=f"Koden är {written_code(code)}."),
    }

    reply = hand(http, *(("a.pdf", body) for body in kinds.values()))

    assert results(reply) == ["verified"] * len(kinds)
    said = words(reply.text)
    assert [way for way in kinds if f"{way}." not in said] == []
    alone = hand(http, ("a.pdf", kinds["PDF \N{RIGHTWARDS ARROW} code"]))
    assert "rely on what this page says" in words(alone.text)


def test_a_pdf_of_several_pages_gives_an_answer_for_each(
    world: World, http: TestClient, hers: Issued, his: Issued
) -> None:
    links = [
        world.env.addresses.share(world.code_of(world.shared(each.award.id)))
        for each in (hers, his)
    ]

    reply = hand(http, ("stack.pdf", pdf(*(qr(link) for link in links))))

    assert results(reply) == ["verified", "verified"]
    assert "stack.pdf (2)" in words(reply.text)


@pytest.mark.parametrize("mode", ["L", "P", "RGB", "CMYK"])
def test_a_code_in_a_pdf_is_read_whatever_kind_its_picture_is_of(mode: str) -> None:
    written = io.BytesIO()
    Image.open(io.BytesIO(qr("https://annat.example/x"))).convert(mode).save(written, "PDF")

    (picture,) = read_pdf(written.getvalue()).pictures

    assert hand_in._codes(picture) == ("https://annat.example/x",)


def test_a_code_within_a_drawing_of_raw_pixels_is_found_in_a_pdf() -> None:
    written = io.BytesIO()
    grey = Image.open(io.BytesIO(qr("https://annat.example/x"))).convert("L")
    writer = PdfWriter()
    page = writer.add_blank_page(300, 300)
    raw = DecodedStreamObject()
    raw.set_data(grey.tobytes())
    raw.update(
        {
            NameObject("/Type"): NameObject("/XObject"),
            NameObject("/Subtype"): NameObject("/Image"),
            NameObject("/Width"): NumberObject(grey.width),
            NameObject("/Height"): NumberObject(grey.height),
            NameObject("/BitsPerComponent"): NumberObject(8),
            NameObject("/ColorSpace"): NameObject("/DeviceGray"),
        }
    )
    image = writer._add_object(raw.flate_encode())
    form = DecodedStreamObject()
    form.set_data(b"/I Do")
    held = writer._add_object(form)
    for place, name, what in ((form, "/I", image), (page, "/F", held)):
        place[NameObject("/Resources")] = DictionaryObject(
            {NameObject("/XObject"): DictionaryObject({NameObject(name): what})}
        )
    form[NameObject("/Subtype")] = NameObject("/Form")
    writer.write(written)

    (picture,) = read_pdf(written.getvalue()).pictures

    assert hand_in._codes(picture) == ("https://annat.example/x",)


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        (b"%PDF-1.7", "pdf_broken"),
        (b"%PDF-1.7\n" + os.urandom(3000), "pdf_broken"),
        (pdf(text="hej", password="x"), "pdf_encrypted"),
    ],
)
def test_a_pdf_that_cannot_be_read_is_malformed(body: bytes, rule: str) -> None:
    with pytest.raises(Malformed) as caught:
        read_pdf(body)

    assert caught.value.rule == rule


def test_a_pdf_in_which_nothing_leads_anywhere_says_what_to_try(http: TestClient) -> None:
    reply = hand(http, ("a.pdf", pdf(text="Ett intyg utan något")))

    assert reply.status_code == 422
    assert "has neither a credential nor a QR code" in words(reply.text)


def test_a_pdf_that_is_cut_anywhere_is_answered_and_logs_nothing(
    hers: Issued, caplog: pytest.LogCaptureFixture
) -> None:
    whole = pdf(qr("https://annat.example/x"), text="hej", attached=(body_of(hers),))

    for end in range(20, len(whole), len(whole) // 60):
        for body in (whole[:end], whole[: end - 9] + b"<</A 1>> [" + whole[end:]):
            with suppress(Malformed):
                read_pdf(body)
    assert "pypdf" not in {record.name.partition(".")[0] for record in caplog.records}


def test_a_screenshot_in_which_the_share_image_is_one_thing_among_many_is_enough(
    world: World, http: TestClient, hers: Issued
) -> None:
    code = world.code_of(world.shared(hers.award.id))
    image = Image.open(io.BytesIO(http.get(f"/s/{code}/image.png").content)).convert("RGB")
    screen = Image.new("RGB", (1170, 2532), (245, 245, 247))
    for top in range(60, 900, 90):
        screen.paste((90, 140, 200), (40, top, 1100 - top // 2, top + 40))
    screen.paste(image.resize((880, 1100)), (140, 1000))
    for form in ("PNG", "JPEG"):
        written = io.BytesIO()
        screen.save(written, form)

        reply = hand(http, (f"Skärmavbild 1.{form}", written.getvalue()))

        assert verdict(reply.text)[0] == "verified", form
        assert LEARNER in words(reply.text)


def test_a_photograph_of_two_papers_gives_both(
    world: World, http: TestClient, hers: Issued, his: Issued
) -> None:
    links = [
        world.env.addresses.share(world.code_of(world.shared(each.award.id)))
        for each in (hers, his)
    ]
    codes = [Image.open(io.BytesIO(qr(link))) for link in links]
    table = Image.new("RGB", (1600, 900), (120, 90, 60))
    for left, each in zip((100, 900), codes, strict=True):
        table.paste(each.resize((500, 500)), (left, 200))
    written = io.BytesIO()
    table.save(written, "JPEG")

    assert results(hand(http, ("foto.jpg", written.getvalue()))) == ["verified", "verified"]


# --- the receipt ----------------------------------------------------------------------------------


def sealed(reply: Any) -> str:
    (field,) = [each for each in Page(reply.text).of("input") if each.get("name") == "receipt"]
    assert field["type"] == "hidden"
    return field["value"]


def receipt(http: TestClient, reply: Any) -> Any:
    return http.post(
        "/verify/receipt?language=en", data={"receipt": sealed(reply)}, headers=BROWSER
    )


def tags(root: Any) -> set[str]:
    """The roles of all elements of a PDF's structure."""
    found: set[str] = set()
    waiting = [root["/StructTreeRoot"]]
    while waiting:
        each = waiting.pop().get_object()
        if isinstance(each, list):
            waiting += each
        elif isinstance(each, dict):
            found.add(str(each.get("/S", "")).removeprefix("/"))
            if "/K" in each and not isinstance(each["/K"], int):
                waiting.append(each["/K"])
    return found


@pytest.mark.parametrize("language", ["sv", "en"])
def test_the_receipt_says_the_answer_the_time_and_every_check_and_has_tags(
    http: TestClient, hers: Issued, language: str
) -> None:
    reply = receipt(http, hand(http, ("a", body_of(hers, language)), language=language))

    assert (reply.status_code, reply.headers["Content-Type"]) == (200, "application/pdf")
    assert reply.headers["Cache-Control"] == "no-store"
    name = {"sv": "kvitto", "en": "receipt"}[language]
    assert re.fullmatch(
        rf'attachment; filename="{name}-\d{{8}}-\d{{4}}\.pdf"', reply.headers["Content-Disposition"]
    )
    reader = PdfReader(io.BytesIO(reply.content))
    said = " ".join(" ".join(page.extract_text() for page in reader.pages).split())
    told = {
        "sv": ("Kvitto på kontroll", "Verifierat", "Beviset är äkta", "Godkänd.", "svensk tid",
               "bara det ögonblicket", "Jämför namnet med en id-handling", "Underskrift"),
        "en": ("Receipt of a check", "Verified", "The credential is genuine", "Passed.", "Swedish time",
               "that moment only", "Compare the name with an identity document", "Signature"),
    }[language]  # fmt: skip
    document = json.loads(body_of(hers, language))
    for each in (*told, LEARNER, document["id"], document["issuer"]["id"]):
        assert each.replace(" ", "") in said.replace(" ", ""), each
    root: Any = reader.trailer["/Root"]
    assert {"H1", "H2", "H3", "P", "L", "LI"} <= tags(root)
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == language
    assert reader.xmp_metadata is not None
    assert b"pdfuaid" in reply.content


def test_the_receipt_of_several_has_each_with_what_is_wrong(
    world: World, http: TestClient, hers: Issued, his: Issued
) -> None:
    world.set_status(his, "revoked")
    reply = hand(http, ("a", body_of(hers)), ("b", body_of(his)), ("c.txt", b"hej"))

    reader = PdfReader(io.BytesIO(receipt(http, reply).content))

    said = " ".join(" ".join(page.extract_text() for page in reader.pages).split())
    for each in (
        "1 of 3 credentials are genuine and valid.", LEARNER, OTHER, "has revoked it", "c.txt",
        "This cannot be read as a credential.",
    ):  # fmt: skip
        assert each in said, each


def test_no_receipt_is_written_that_was_not_sealed_here_or_is_older_than_an_hour(
    world: World, http: TestClient, hers: Issued
) -> None:
    answer = hand(http, ("a", body_of(hers)))
    value = sealed(answer)
    middle = len(value) // 2
    changed = value[:middle] + ("A" if value[middle] != "A" else "B") + value[middle + 1 :]
    elsewhere = client_of(replace(world.env, link_key=b"x" * 32))

    for forged in ("", "x", "ä", "A" * 400, changed, value[:-4], value + "AAAA", value * 2):
        reply = http.post("/verify/receipt", data={"receipt": forged})

        assert (reply.status_code, reply.headers["Content-Type"]) == (422, PROBLEM), forged
        assert reply.json()["rule"] == "receipt"
    assert receipt(elsewhere, answer).status_code == 422
    world.clock.advance(seconds=LASTS.total_seconds())
    assert receipt(http, answer).status_code == 200
    world.clock.advance(seconds=1)
    late = receipt(http, answer)
    assert late.status_code == 422
    assert late.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "more than an hour old" in words(late.text)


def test_a_receipt_in_passing_says_nothing_to_who_reads_the_page(
    http: TestClient, hers: Issued
) -> None:
    first, second = (sealed(hand(http, ("a", body_of(hers)))) for _ in range(2))

    assert first != second
    assert LEARNER not in first


def test_no_text_of_a_credential_breaks_the_receipt(http: TestClient) -> None:
    texts = [
        *INJECTIONS[::40],
        '#import "x"',
        "$x$",
        "= x",
        "\u202eabc",
        "محمد",
        "名前",
        "🙂",
        "\\",
        "*_`",
    ]

    reply = hand(http, *((f"{n}", presented(text)) for n, text in enumerate(texts)))
    written = receipt(http, reply)

    assert written.status_code == 200
    said = "".join(page.extract_text() for page in PdfReader(io.BytesIO(written.content)).pages)
    assert '#import "x"' in said


def test_one_piece_is_judged_by_the_probes_as_well(world: World, hers: Issued) -> None:
    (one,) = check_all(world.env, body_of(hers), []).each
    two = check_all(world.env, body_of(hers), [("a", body_of(hers))]).each

    assert isinstance(one, Checked)
    assert one.probes
    assert not any(each.probes for each in two if isinstance(each, Checked))
