"""The verify page: what it answers, what it refuses, and that it keeps nothing."""

import json
import logging
import tempfile
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from kpass_vc.api.verifications import EXAMPLE
from kpass_vc.baking import bake_png
from kpass_vc.errors import Malformed
from kpass_vc.language import LANGUAGES, messages
from kpass_vc.links import written_code
from kpass_vc.model.document import MAX_PICTURE
from kpass_vc.pages.form import MAX_FORM, MOST_DISCARDED, read_multipart
from kpass_vc.pages.report import report_parts
from kpass_vc.verification import Finding, VerificationReport
from tests.actions.test_recognise import qr
from tests.api.http import PROBLEM, client_of, rows
from tests.pages.reading import Page, words
from tests.world import LEARNER, World, body_of

pytestmark = pytest.mark.sqlite

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
NAMES = {"text", "file", "language"}


@pytest.fixture
def http(world: World) -> TestClient:
    world.published_definition()
    return client_of(world.env)


def check(
    http: TestClient, body: bytes | str, language: str = "en", field: str | None = None
) -> Any:
    """The answer to a file (bytes) or a pasted text."""
    files: dict[str, Any] = (
        {"file": ("x.json", body)} if isinstance(body, bytes) else {"text": (None, body)}
    )
    if field:
        files["language"] = (None, field)
    return http.post(f"/verify?language={language}", files=files, headers=BROWSER)


def verdict(html: str) -> tuple[str, str]:
    """The word and the sentence."""
    page = Page(html)
    (box,) = [found["class"] for found in page.of("div") if "verdict" in found.get("class", "")]
    return box.removeprefix("verdict "), page.heading


def test_a_genuine_credential_is_verified_in_one_sentence(world: World, http: TestClient) -> None:
    reply = check(http, body_of(world.issued(), "en"))

    assert reply.status_code == 200
    word, sentence = verdict(reply.text)
    assert word == "verified"
    assert sentence.startswith(
        "The credential is genuine: Stadsnat-Exempel (example) issued it, nothing was changed,"
        " and it is valid until 20"
    )
    said = words(reply.text)
    for each in (
        "Verified", LEARNER, "Compare the name with an identity document.", "Nothing is stored.",
        "Fibre splicing in the field", "Sobona (example)", "All checks: 14 of 14 passed",
        "Is it genuine?", "Who issued it?", "Was the issuer authorised?", "Is it still valid?",
        "Sobona (example) owns the definition and lets Stadsnat-Exempel (example) issue it.",
        "Check another", "16 hours",
    ):  # fmt: skip
        assert each in said, each


@pytest.mark.parametrize("form", ["ldp_vc", "vc+jwt"])
@pytest.mark.parametrize("pasted", [True, False])
def test_both_forms_are_taken_pasted_and_as_a_file(
    world: World, http: TestClient, form: str, *, pasted: bool
) -> None:
    issued = world.issued()
    body = next(
        each.body
        for each in issued.representations
        if (each.format == "ldp_vc") == (form == "ldp_vc")
    )

    reply = check(http, f"\n  {body.decode()}\n" if pasted else body)

    assert verdict(reply.text)[0] == "verified"


@pytest.mark.parametrize("language", ["sv", "en"])
def test_the_answer_is_in_the_language_of_the_form(
    world: World, http: TestClient, language: str
) -> None:
    body = body_of(world.issued())

    by_address = check(http, body, language)
    by_field = check(http, body, "sv" if language == "en" else "en", language)

    for reply in (by_address, by_field):
        assert reply.headers["Content-Language"] == language
        assert {"sv": "Verifierat", "en": "Verified"}[language] in words(reply.text)


def test_an_answer_is_kept_nowhere(world: World, http: TestClient) -> None:
    body = body_of(world.issued())
    before = rows(world.env)

    reply = check(http, body)

    assert reply.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in reply.headers
    assert rows(world.env) == before


def test_no_byte_of_a_large_file_touches_the_disk_or_the_log(
    http: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError

    for name in ("SpooledTemporaryFile", "TemporaryFile", "NamedTemporaryFile", "mkstemp"):
        monkeypatch.setattr(tempfile, name, refuse)
    secret = b"only-the-holder-knows " * 200_000

    with caplog.at_level(logging.DEBUG):
        reply = check(http, secret)

    assert reply.status_code in {200, 422}
    assert b"only-the-holder" not in reply.content
    assert "only-the-holder" not in caplog.text


def test_a_revoked_one_says_who_revoked_it(world: World, http: TestClient) -> None:
    issued = world.issued()
    world.set_status(issued, "revoked")

    word, sentence = verdict(check(http, body_of(issued)).text)

    assert word == "refused"
    assert sentence == (
        "Do not rely on this credential: Stadsnat-Exempel (exempel) has revoked it."
    )


def test_a_changed_one_is_refused_and_its_words_are_marked_as_a_claim(
    world: World, http: TestClient
) -> None:
    forged = body_of(world.issued()).replace(LEARNER.encode(), b"Anders Bedragare")

    reply = check(http, forged)

    word, sentence = verdict(reply.text)
    assert word == "refused"
    assert "it was changed, or" in sentence
    said = words(reply.text)
    assert "What the credential claims \N{EN DASH} do not rely on it" in said
    assert "Compare the name with" not in said


def test_one_that_ran_out_says_when(world: World, http: TestClient) -> None:
    body = body_of(world.issued())
    until = json.loads(body)["validUntil"][:10]
    world.clock.advance(days=366 * 4)

    word, sentence = verdict(check(http, body).text)

    assert word == "refused"
    assert sentence == f"The credential is no longer valid: it ran out on {until}."


def test_a_name_behind_which_stands_only_a_key_is_not_shown_as_verified(http: TestClient) -> None:
    reply = check(http, json.dumps(EXAMPLE).encode())

    word, sentence = verdict(reply.text)
    assert word == "unknown"
    assert sentence == (
        "The credential is unchanged and valid, but who goes by the name"
        " Nordiska Textilakademin (example) is not confirmed."
    )


def test_an_issuer_elsewhere_is_named_with_its_domain_and_unknown_is_not_verified(
    http: TestClient,
) -> None:
    foreign = EXAMPLE | {
        "issuer": {"id": "did:web:evil.example", "type": ["Profile"], "name": "Sobona"}
    }

    word, sentence = verdict(check(http, json.dumps(foreign).encode()).text)

    assert word in {"unknown", "refused"}
    assert "Sobona (evil.example)" in sentence


def test_marks_that_turn_a_text_around_are_shown_as_a_sign(http: TestClient) -> None:
    hidden = EXAMPLE | {"issuer": EXAMPLE["issuer"] | {"name": "abc\u202edef\u200bghi"}}

    text = check(http, json.dumps(hidden).encode()).text

    assert "\u202e" not in text
    assert "\u200b" not in text
    assert "abc\ufffddef\ufffdghi" in text


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"proof": "failed"}, "refused_not_genuine"),
        ({"did": "unknown"}, "unknown_not_genuine"),
        ({"terms": "failed"}, "refused_rules"),
        ({"status": "unknown"}, "unknown_status"),
        ({"status": "failed"}, "refused_status"),
        ({"definition": "failed"}, "refused_definition"),
        ({"achievement": "unknown"}, "unknown_definition"),
        ({"endorsements": "unknown"}, "unknown_endorsements"),
        ({"status": "unknown", "proof": "failed"}, "refused_not_genuine"),
        ({"dates": "failed", "status": "unknown"}, "refused_dates"),
        ({"reading": "failed", "status": "unknown"}, "refused_rules"),
    ],
)
def test_the_sentence_is_of_what_decides_the_verdict(
    world: World, change: dict[str, Any], key: str
) -> None:
    world.published_definition()
    report = world.verified(body_of(world.issued()))
    findings = tuple(
        Finding(each.check, change[each.check], "not_checked") if each.check in change else each
        for each in report.findings
    )

    for language in LANGUAGES:
        parts = report_parts(replace(report, findings=findings), language)

        expected = messages(language)[f"report.verdict.{key}"]
        assert parts.sentence.startswith(expected.partition("{")[0])
        assert parts.verdict == key.partition("_")[0]


def answered(report: VerificationReport) -> dict[str, str]:
    return {line.name: line.outcome for line in report_parts(report, "en").answers}


def test_each_question_is_answered_by_its_own_checks(world: World) -> None:
    world.published_definition()
    issued = world.issued()
    fine = answered(world.verified(body_of(issued)))
    world.set_status(issued, "revoked")
    revoked = answered(world.verified(body_of(issued)))
    forged = answered(world.verified(body_of(issued).replace(b"Amina", b"Anders")))

    respelled = VerificationReport(
        tuple(
            replace(each, outcome="failed", code="differs", data={"member": "/issuer"})
            if each.check == "reading"
            else each
            for each in world.verified(body_of(world.issued())).findings
        ),
        world.verified(body_of(world.issued())).presented,
    )

    assert answered(respelled)["Is it genuine?"] == "failed"
    assert set(fine.values()) == {"passed"}
    assert {name for name, outcome in revoked.items() if outcome != "passed"} == {
        "Is it still valid?"
    }
    assert forged["Is it genuine?"] == forged["Who issued it?"] == "failed"


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"text": (None, "")}, "Nothing was handed in."),
        ({"text": (None, " \n ")}, "Nothing was handed in."),
        ({"file": ("", b"")}, "Nothing was handed in."),
        ({"file": ("x.png", b""), "text": (None, "")}, "Nothing was handed in."),
        ({"language": (None, "en")}, "Nothing was handed in."),
        ({"other": (None, "x")}, "a field that does not belong here"),
        ([("text", (None, "x")), ("text", (None, "y"))], "twice"),
        ([("file", ("a", b"x"))] * 101, "more than 100 files"),
    ],
)
def test_what_cannot_be_taken_is_a_page_with_the_form_again(
    http: TestClient, files: Any, said: str
) -> None:
    reply = http.post("/verify?language=en", files=files, headers=BROWSER)

    assert reply.status_code == 422
    assert reply.headers["Content-Type"] == "text/html; charset=utf-8"
    page = Page(reply.text)
    assert page.heading == "It could not be checked"
    assert said.lower() in page.text.lower()
    assert "does not mean that the credential is false" in page.text
    assert [form["enctype"] for form in page.of("form")] == ["multipart/form-data"]
    assert "frame-ancestors 'none'" in reply.headers["Content-Security-Policy"]


def test_a_program_that_hands_in_nothing_gets_a_problem(http: TestClient) -> None:
    reply = http.post("/verify", files={"text": (None, "")})

    assert (reply.status_code, reply.headers["Content-Type"]) == (422, PROBLEM)
    assert reply.json()["rule"] == "form_nothing"


@pytest.mark.parametrize("size", [MAX_FORM + 1, MAX_FORM + 2_000_000, MOST_DISCARDED + 1_000_000])
def test_too_much_is_a_page_that_says_how_much_is_taken(http: TestClient, size: int) -> None:
    reply = check(http, b"x" * size)

    assert reply.status_code == 413
    assert reply.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "at most 20 MB" in words(reply.text)


def test_a_file_of_five_megabytes_is_taken(http: TestClient) -> None:
    whole = b"{" + b" " * (MAX_PICTURE - 2) + b"}"

    taken, refused = check(http, whole), check(http, whole + b" ")

    assert taken.status_code == 200
    assert (refused.status_code, "at most 5 MB" in words(refused.text)) == (413, True)


@pytest.mark.parametrize(
    "content_type",
    [
        "", "text/plain", "application/json", "multipart/form-data", "multipart/form-data; boundary=",
        "multipart/mixed; boundary=x", "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=" + "x" * 4000, "multipart/form-data; boundary*=utf-8''x",
    ],
)  # fmt: skip
def test_a_body_that_is_no_form_is_refused(http: TestClient, content_type: str) -> None:
    headers = {"Content-Type": content_type, **BROWSER}

    reply = http.post("/verify", content=b"--x\r\n\r\n--x--", headers=headers)

    assert reply.status_code == 422
    assert reply.headers["Content-Type"] == "text/html; charset=utf-8"


def part(name: str, value: bytes, *headers: bytes) -> bytes:
    lines = [f'Content-Disposition: form-data; name="{name}"'.encode(), *headers]
    return b"--x\r\n" + b"\r\n".join(lines) + b"\r\n\r\n" + value + b"\r\n"


END = b"--x--\r\n"
TYPE = "multipart/form-data; boundary=x"


def test_a_form_is_read_to_its_last_byte() -> None:
    body = part("text", b"\x00\xff\r\n-- x") + part("language", b"sv") + END

    assert read_multipart(body, TYPE, NAMES) == {"text": b"\x00\xff\r\n-- x", "language": b"sv"}


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        (b"", "form"),
        (b"x", "form"),
        (END, None),
        (part("text", b"x"), "form"),
        (part("text", b"x")[:-5], "form"),
        (part("text", b"x") + part("text", b"y") + END, "form_twice"),
        (part("other", b"x") + END, "form_field"),
        (part("", b"x") + END, "form_field"),
        (part("te\xffxt", b"x") + END, "form_field"),
        (b"--x\r\n\r\nx\r\n" + END, "form_field"),
        (b"--x\r\nContent-Disposition: attachment; name=text\r\n\r\nx\r\n" + END, "form_field"),
        (part("text", b"x", b"Content-Disposition: form-data; name=file") + END, "form"),
        (part("text", b"x", b"A: " + b"y" * 9000) + END, "form"),
        (part("text", b"x", *(b"A: y" for _ in range(200))) + END, "form"),
        (part("text", b"x", b"no colon here") + END, "form"),
        (b"\r\n" * 1000 + part("text", b"x") + END, None),
    ],
)
def test_a_broken_form_is_malformed_and_nothing_else(body: bytes, rule: str | None) -> None:
    if rule is None:
        assert set(read_multipart(body, TYPE, NAMES)) <= NAMES
        return
    with pytest.raises(Malformed) as caught:
        read_multipart(body, TYPE, NAMES)

    assert caught.value.rule == rule


PIECES = st.sampled_from(
    [
        b"--x", b"--x--", b"\r\n", b"\n", b"\r", b"--", b":", b";", b'"', b"=", b"\x00", b"\xff",
        b"Content-Disposition: form-data; name=text", b'Content-Disposition: form-data; name="file";',
        b' filename="x"', b"Content-Type: text/plain", b"Content-Transfer-Encoding: base64", b"{}",
        b"name*=utf-8''text", b"%00", b"\\", b"a" * 3000,
    ]
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(PIECES, max_size=30).map(b"".join) | st.binary(max_size=300))
def test_no_form_whatever_makes_the_reader_raise_anything_else(body: bytes) -> None:
    for whole in (body, part("text", body) + END, b"--x\r\n" + body + b"\r\n\r\nx\r\n" + END):
        try:
            found = read_multipart(whole, TYPE, NAMES)
        except Malformed:
            continue
        assert set(found) <= NAMES


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(PIECES, max_size=20).map(b"".join), st.text(max_size=40))
def test_no_body_and_no_content_type_makes_a_500(
    http: TestClient, body: bytes, content_type: str
) -> None:
    plain = content_type.encode("latin-1", "replace").replace(b"\n", b" ").replace(b"\r", b" ")
    for declared in (TYPE.encode(), plain):
        reply = http.post("/verify", content=body, headers={b"Content-Type": declared})

        assert reply.status_code in {200, 404, 413, 422}


def test_a_link_a_code_a_picture_and_a_photograph_lead_to_the_same_answer(
    world: World, http: TestClient
) -> None:
    issued = world.issued()
    code = world.code_of(world.shared(issued.award.id, language="en"))
    link = world.env.addresses.share(code)
    badge = http.get("/o/sobona/definitions/SOB-OPTO-01/1.0.0/badge.en.png").content
    handed_in: dict[str, str | bytes] = {
        "share link": link,
        "code": written_code(code),
        "code ": f" {code.lower()} ",
        "PNG picture": bake_png(badge, body_of(issued, "en")),
        "QR code \N{RIGHTWARDS ARROW} share link": qr(link, "JPEG"),
    }

    for route, given_in in handed_in.items():
        reply = check(http, given_in)

        assert verdict(reply.text)[0] == "verified", route
        said = words(reply.text)
        assert f"How the credential was found: {route.strip()}." in said
        assert ("rely on what this page says" in said) == isinstance(given_in, bytes), route
        assert LEARNER in said


def test_what_leads_to_no_credential_is_a_page_in_plain_words_with_the_form_again(
    world: World, http: TestClient
) -> None:
    issued = world.issued()
    ended = world.code_of(world.shared(issued.award.id, lasts="day"))
    world.clock.advance(days=2)
    badge = http.get("/o/sobona/definitions/SOB-OPTO-01/1.0.0/badge.sv.png").content
    handed_in: list[tuple[str | bytes, int, str]] = [
        ("hello", 422, "This is no credential that is recognised here."),
        ("7K3P-9QXM-2WTB", 404, "There is no share link with that code."),
        (written_code(ended), 404, "The link is no longer valid."),
        (badge, 422, "neither a credential in it nor a QR code"),
        (qr("hello"), 422, "The QR code leads to no credential."),
        (badge[:200], 422, ""),
        ("https://annat.example/badge", 422, "https://annat.example/badge"),
        ("http://localhost:8000/catalogue", 404, "There is no credential behind the link"),
    ]

    for given_in, status, said in handed_in:
        for language in LANGUAGES:
            reply = check(http, given_in, language)
            page = Page(reply.text)

            assert reply.status_code == status, said
            assert reply.headers["Content-Language"] == language
            assert len(page.of("form")) == 1
            assert page.heading == {
                "sv": "Det gick inte att kontrollera", "en": "It could not be checked",
            }[language]  # fmt: skip
            if language == "en":
                assert said in " ".join(page.text.split())


@pytest.mark.parametrize("query", ["?code=7K3P-9QXM-2WTB", "?url=https://example.org/x", "?text=x"])
def test_nothing_is_checked_by_following_a_link(http: TestClient, query: str) -> None:
    reply = http.get(f"/verify{query}&language=en")

    assert reply.status_code == 200
    assert Page(reply.text).heading == "Check a credential"


@pytest.mark.parametrize("language", ["sv", "en"])
def test_the_form_says_what_can_be_handed_in_and_that_nothing_is_stored(
    http: TestClient, language: str
) -> None:
    said = words(http.get(f"/verify?language={language}").text)

    for each in ("JSON", "JWT", "PNG", "SVG", "QR", "7K3P-9QXM-2WTB", "5 MB"):
        assert each in said
    assert {"sv": "Inget sparas.", "en": "Nothing is stored."}[language] in said
