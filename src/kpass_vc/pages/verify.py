"""The verify page: one form for whatever credentials reach a reader in, the answer, and its receipt.

Nothing that is handed in is kept: it is read in memory, checked and forgotten, and the
answer may be stored nowhere. It is handed in by POST alone: in an address it would stand
in histories and logs, and any page could make this service fetch things by a link.
What a receipt says is carried by the answer page itself, sealed.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request, Response

from kpass_vc.actions.hand_in import MOST, Answer, Answers, Checked, Unread, check_all
from kpass_vc.actions.receipt import receipt_pdf, sealed_receipt
from kpass_vc.edge import Env, RawBody
from kpass_vc.environment import Environment
from kpass_vc.errors import TooLarge
from kpass_vc.language import LANGUAGES, Language, say
from kpass_vc.model.dates import STOCKHOLM
from kpass_vc.model.document import MAX_PICTURE
from kpass_vc.model.text import shown
from kpass_vc.pages.form import (
    MOST_MEGABYTES,
    MOST_MEGABYTES_TOGETHER,
    read_body,
    read_texts,
    read_with_files,
)
from kpass_vc.pages.render import (
    SECURITY_HEADERS,
    chosen,
    html,
    in_each_language,
    places,
    render,
)
from kpass_vc.pages.report import ReportParts, probe_lines, report_parts
from kpass_vc.receipts import CheckedCheck, CheckedCredential, Receipt, Result

router = APIRouter(include_in_schema=False)

NO_STORE: Final = "no-store"
_FIELDS: Final = frozenset({"text", "language"})
_FILES: Final = "file"
_PICTURES: Final = frozenset({"png", "svg", "qr", "pdf"})
_ANSWER_IN: Final = "answer_in"
_LONGEST: Final = 300


@dataclass(frozen=True)
class Row:
    """One of several answers: its place, what it was called, how it went, and the report if it could be read."""

    number: int
    label: str
    result: Result
    word: str
    sentence: str
    way: str = ""
    parts: ReportParts | None = None


@router.api_route("/verify", methods=["GET", "HEAD"])
def ask(request: Request, env: Env, language: str | None = None) -> Response:
    """The form."""
    shown_in = chosen(language, request.headers.get("Accept-Language"))
    return html(form_page(env, shown_in), shown_in, vary="Accept-Language")


@router.post("/verify")
async def answer(request: Request, env: Env) -> Response:
    """The answer to what was handed in; what is none of what we take is a problem, shown with the form."""
    body = await read_body(request)
    return await run_sync(_answer, request, env, body)


@router.post("/verify/receipt")
def receipt(env: Env, body: RawBody) -> Response:
    """The receipt of an answer that a page of ours still shows, as PDF."""
    found, pdf = receipt_pdf(env, read_texts(body, "receipt")["receipt"])
    name = f"{say(found.language, 'receipt.file')}-{found.at.astimezone(STOCKHOLM):%Y%m%d-%H%M}.pdf"
    return Response(
        pdf,
        media_type="application/pdf",
        headers={
            **SECURITY_HEADERS,
            "Cache-Control": NO_STORE,
            "Content-Language": found.language,
            "Content-Disposition": f'attachment; filename="{name}"',
        },
    )


def language_of_form(request: Request) -> Language:
    """The language that the form was in, else the one asked for in the address, else the reader's."""
    found: Language | None = getattr(request.state, _ANSWER_IN, None)
    return found or chosen(
        request.query_params.get("language"), request.headers.get("Accept-Language")
    )


def form_page(env: Environment, language: Language, problem: dict[str, str] | None = None) -> str:
    """The form, under what was wrong with the last try if there was one."""
    return render(
        "verify.html",
        language,
        problem=problem,
        most=MOST_MEGABYTES,
        together=MOST_MEGABYTES_TOGETHER,
        many=MOST,
        elsewhere=_elsewhere(env),
        **places(env),
    )


def _answer(request: Request, env: Environment, body: bytes) -> Response:
    content_type = request.headers.get("Content-Type", "")
    fields, files = read_with_files(body, content_type, _FIELDS, _FILES)
    for known in LANGUAGES:
        if fields.get("language") == known.encode():
            setattr(request.state, _ANSWER_IN, known)
    language = language_of_form(request)
    text = fields.get("text", b"").strip()
    if len(text) > MAX_PICTURE:
        raise TooLarge("form", most=MOST_MEGABYTES)
    answers = check_all(env, text, [(file.name, bytes(file.body)) for file in files])
    page = (
        _one(env, answers.each[0], language)
        if len(answers.each) == 1
        else _several(env, answers, language)
    )
    return html(page, language, caching=NO_STORE)


def _one(env: Environment, only: Answer, language: Language) -> str:
    """The answer to one thing; what is wrong with it if it cannot be read."""
    if isinstance(only, Unread):
        raise only.problem
    parts = report_parts(only.report, language, home=env.addresses.base)
    return render(
        "verified.html",
        language,
        parts=parts,
        probes=probe_lines(only.probes, language),
        way=only.found.way(language),
        elsewhere=_elsewhere(env),
        from_picture=bool(_PICTURES.intersection(only.found.route)),
        receipt=sealed_receipt(
            env,
            Receipt(
                at=env.now(),
                language=language,
                result=parts.verdict,
                word=parts.word,
                sentence=parts.sentence,
                credentials=(_of_one(only, parts, language),),
            ),
        ),
        **places(env),
    )


def _several(env: Environment, answers: Answers, language: Language) -> str:
    """The answers to several things: a sentence for all, a table, and each under it."""
    rows = [_row(env, number, each, language) for number, each in enumerate(answers.each, 1)]
    result, sentence = _summary(rows, language)
    word = say(language, f"several.word.{result}")
    facts = [
        _of_one(each, row.parts, language, row.label)
        if isinstance(each, Checked) and row.parts
        else CheckedCredential(label=row.label, result="unread", sentence=row.sentence)
        for each, row in zip(answers.each, rows, strict=True)
    ]
    return render(
        "several.html",
        language,
        rows=rows,
        result=result,
        word=word,
        sentence=sentence,
        more=answers.more,
        most=MOST,
        elsewhere=_elsewhere(env),
        receipt=sealed_receipt(
            env,
            Receipt(
                at=env.now(),
                language=language,
                result=result,
                word=word,
                sentence=sentence,
                more=answers.more,
                credentials=tuple(facts),
            ),
        ),
        **places(env),
    )


def _row(env: Environment, number: int, answer: Answer, language: Language) -> Row:
    if isinstance(answer, Unread):
        reason = shown(answer.problem.sentence(language)[:_LONGEST])
        sentence = say(language, "several.unread", reason=reason)
        word = say(language, "report.word.unread")
        return Row(number, answer.label, "unread", word, sentence)
    parts = report_parts(answer.report, language, home=env.addresses.base)
    way = answer.found.way(language)
    return Row(number, answer.label, parts.verdict, parts.word, parts.sentence, way, parts)


def _summary(rows: Sequence[Row], language: Language) -> tuple[Result, str]:
    """How it went with all of them together, and the sentence that says how many are genuine and valid."""
    good = sum(row.result == "verified" for row in rows)
    kind = "all" if good == len(rows) else "some" if good else "none"
    refused = any(row.result == "refused" for row in rows)
    result: Result = "verified" if kind == "all" else "refused" if refused else "unknown"
    return result, say(language, f"several.{kind}", good=good, count=len(rows))


def _of_one(
    answer: Checked, parts: ReportParts, language: Language, label: str = ""
) -> CheckedCredential:
    """What a receipt says of one credential."""
    said, report = parts.said, answer.report
    document = report.presented.document if report.presented else {}
    identifier = document.get("id")
    return CheckedCredential(
        label=label,
        result=parts.verdict,
        sentence=parts.sentence,
        names=said.names if said else (),
        achievement=said.achievement if said else "",
        issuer=said.issuer if said else "",
        issuer_id=said.issuer_id if said else "",
        id=shown(identifier[:_LONGEST]) if isinstance(identifier, str) else "",
        sha256=hashlib.sha256(answer.found.secured).hexdigest(),
        checks=tuple(
            CheckedCheck(
                check=finding.check,
                outcome=finding.outcome,
                found=""
                if finding.outcome == "passed"
                else shown(finding.sentence(language)[:_LONGEST]),
            )
            for finding in report.findings
        ),
    )


def _elsewhere(env: Environment) -> dict[str, str]:
    """The form in each language: an answer cannot be asked for again by its address."""
    return in_each_language(f"{env.addresses.base}/verify")
