"""A verification as a person reads it: verdict, questions, checks, and what the credential says.

What a credential says is not believed by being shown: it may be anything at all, of any type
and length. It is read leniently, shortened, and marked as a claim where it is not verified.

An issuer's name is its own word. A note says who has confirmed it, if anybody; with a did:web
from elsewhere stands its address, which is all that its own word is worth; and where the identity is only a key,
the page says "unknown" though every check passed: a green page would lend the name our word.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

from markupsafe import Markup

from kpass_vc.language import Language, say
from kpass_vc.model.dates import day_text, parse_date_time
from kpass_vc.model.document import JsonObject
from kpass_vc.model.status import only
from kpass_vc.model.text import shown
from kpass_vc.pages.render import strangers_markdown
from kpass_vc.probes import ProbeResult
from kpass_vc.verification import Finding, Outcome, Verdict, VerificationReport, in_terms_of_2

_LONGEST: Final = 300
_LONGEST_TEXT: Final = 12_000
_MOST_NAMES: Final = 5
_LANGUAGE_TAG: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")
_RULES: Final = ("contexts", "structure", "terms", "reading")
_SIGNED: Final = ("did", "key", "proof")
_GENUINE: Final = ("parsed", *_RULES, *_SIGNED)
_AUTHORISED: Final = ("definition", "achievement", "authorization")
_VALID: Final = ("dates", "status")
_KNOWN_REASONS: Final = {
    ("key", "compromised"): "compromised",
    ("status", "revoked"): "revoked",
    ("status", "suspended"): "suspended",
    ("dates", "expired"): "expired",
    ("dates", "not_yet_valid"): "not_yet_valid",
    ("authorization", "none"): "not_authorised",
    ("authorization", "withdrawn"): "withdrawn",
}


@dataclass(frozen=True)
class Line:
    """One question or check: its name, how it went, the word for that, and the sentence."""

    name: str
    outcome: Outcome
    word: str
    sentence: str


@dataclass(frozen=True)
class Said:
    """What the credential says, as text; nothing of it is markup but the narrative, which is escaped."""

    names: tuple[str, ...]
    achievement: str
    description: str
    issuer: str
    issuer_id: str
    domain: str
    """The domain of a did:web that is not one of this service; else empty."""
    owner: str
    code: str
    version: str
    awarded: str
    valid_from: str
    valid_until: str
    narrative: Markup | None
    language: str
    page: str
    """The page of the definition, if the credential names one of this service; else empty."""


@dataclass(frozen=True)
class ReportParts:
    """A report, ready for the macros in templates/report.html."""

    verdict: Verdict
    word: str
    sentence: str
    answers: tuple[Line, ...]
    checks: tuple[Line, ...]
    notes: tuple[str, ...]
    said: Said | None

    @property
    def passed(self) -> int:
        """How many checks passed."""
        return sum(check.outcome == "passed" for check in self.checks)


def report_parts(report: VerificationReport, language: Language, *, home: str = "") -> ReportParts:
    """The parts of a report in one language; `home` is our public URL, the one place that is linked to."""
    said = _said(report.presented.document, home) if report.presented else None
    verdict = "unknown" if _unconfirmed(report) else report.verdict
    return ReportParts(
        verdict=verdict,
        word=say(language, f"report.word.{verdict}"),
        sentence=_sentence(report, said, language),
        answers=_answers(report, said, language) if said else (),
        checks=tuple(_line(finding, language) for finding in report.findings),
        notes=tuple(shown(note.sentence(language)) for note in report.notes),
        said=said,
    )


def probe_lines(results: Sequence[ProbeResult], language: Language) -> tuple[Line, ...]:
    """What the public validator would say, as lines of the report."""
    outcomes: dict[str, Outcome] = {"ok": "passed", "error": "failed", "fatal": "failed"}
    return tuple(
        Line(
            name=result.probe,
            outcome=outcomes.get(result.level, "unknown"),
            word=say(language, f"probe.level.{result.level}"),
            sentence=shown(result.sentence(language)[:2000]),
        )
        for result in results
    )


def _sentence(report: VerificationReport, said: Said | None, language: Language) -> str:
    """The verdict: what decides it, in one sentence."""
    words = {
        "issuer": _name_of_issuer(said, language),
        "owner": (said.owner if said else "") or say(language, "report.the_owner"),
        "until": said.valid_until if said else "",
        "since": said.valid_from if said else "",
    }
    return say(language, f"report.verdict.{_reason(report)}", **words)


def _reason(report: VerificationReport) -> str:
    """The key of the sentence: the verdict and what decides it."""
    found = {finding.check: finding for finding in report.findings}
    if _unconfirmed(report):
        return "unknown_unconfirmed"
    if report.verdict == "verified":
        return f"verified_{'no_end' if found['dates'].code == 'no_end' else 'until'}"
    wanted: Outcome = "failed" if report.verdict == "refused" else "unknown"
    order = (
        ("unreadable", ("parsed",)),
        ("not_genuine", _SIGNED),
        ("rules", _RULES),
        ("status", ("status",)),
        ("dates", ("dates",)),
        ("definition", _AUTHORISED),
        ("endorsements", ("endorsements",)),
    )
    for reason, checks in order:
        for check in checks:
            if check in found and found[check].outcome == wanted:
                known = _KNOWN_REASONS.get((check, found[check].code), reason)
                return f"{report.verdict}_{known}"
    return f"{report.verdict}_other"


def _unconfirmed(report: VerificationReport) -> bool:
    """Whether all is well but for who the issuer is."""
    return report.verified and any(note.code == "issuer_unconfirmed" for note in report.notes)


def _answers(report: VerificationReport, said: Said, language: Language) -> tuple[Line, ...]:
    """What an employer asks, each with the worst that its checks found."""
    found = {finding.check: finding for finding in report.findings}
    issuer = _name_of_issuer(said, language)
    genuine = _worst(found, _GENUINE)
    authorised = _worst(found, _AUTHORISED)
    valid = _worst(found, _VALID)
    unconfirmed = any(note.code == "issuer_unconfirmed" for note in report.notes)
    lines = [_answer("genuine", genuine, "passed", language)]
    who = "passed" if genuine.outcome == "passed" and not unconfirmed else "claimed"
    outcome: Outcome = genuine.outcome if who == "passed" else _not_passed(genuine.outcome)
    sentence = say(language, f"report.answer.issuer_{who}", issuer=issuer, did=said.issuer_id)
    lines.append(_named("issuer", outcome, sentence, language))
    then = "then" if found["authorization"].code == "authorised_then" else "passed"
    own = "own" if found["achievement"].code == "issuers_own" else then
    owner = said.owner or issuer
    lines.append(_answer("authorised", authorised, own, language, owner=owner, issuer=issuer))
    ends = "until" if said.valid_until else "no_end"
    final = "_final" if found["status"].code == "none" else ""
    lines.append(_answer("valid", valid, f"{ends}{final}", language, until=said.valid_until))
    others = found.get("endorsements")
    if others is not None and others.outcome != "passed":
        lines.append(_answer("endorsed", others, "passed", language))
    return tuple(lines)


def _answer(
    question: str, worst: Finding, passed: str, language: Language, **words: object
) -> Line:
    if worst.outcome == "passed":
        sentence = say(language, f"report.answer.{question}_{passed}", **words)
    else:
        reason = shown(worst.sentence(language))[:2000]
        sentence = say(language, f"report.answer.{worst.outcome}", reason=reason)
    return _named(question, worst.outcome, sentence, language)


def _named(question: str, outcome: Outcome, sentence: str, language: Language) -> Line:
    word = say(language, f"check.outcome.{outcome}")
    return Line(say(language, f"report.question.{question}"), outcome, word, sentence)


def _not_passed(outcome: Outcome) -> Outcome:
    return "unknown" if outcome == "passed" else outcome


def _worst(found: Mapping[str, Finding], checks: Iterable[str]) -> Finding:
    """The first check that failed, else the first that stayed unknown for a reason of its own, else the first."""
    ours = [found[check] for check in checks if check in found]
    failed = [finding for finding in ours if finding.outcome == "failed"]
    unknown = [finding for finding in ours if finding.outcome == "unknown"]
    reasoned = [finding for finding in unknown if finding.code != "not_checked"]
    return next(iter([*failed, *reasoned, *unknown, *ours]))


def _line(finding: Finding, language: Language) -> Line:
    return Line(
        name=say(language, f"check.name.{finding.check}"),
        outcome=finding.outcome,
        word=say(language, f"check.outcome.{finding.outcome}"),
        sentence=shown(finding.sentence(language)[:2000]),
    )


def _name_of_issuer(said: Said | None, language: Language) -> str:
    """What the issuer calls itself, with the domain of its DID where that is not ours."""
    if said is None or not (said.issuer or said.issuer_id):
        return say(language, "report.the_issuer")
    if not said.issuer:
        return said.issuer_id
    return f"{said.issuer} ({said.domain})" if said.domain else said.issuer


def _said(document: JsonObject, home: str) -> Said:
    credential = in_terms_of_2(document)
    subject = _object(credential.get("credentialSubject"))
    achievement = _object(subject.get("achievement"))
    issuer, creator = _object(credential.get("issuer")), _object(achievement.get("creator"))
    criteria = _object(achievement.get("criteria"))
    narrative = _text(criteria.get("narrative"), _LONGEST_TEXT)
    issuer_id = _text(issuer.get("id")) or _text(credential.get("issuer"))
    return Said(
        names=_names(subject.get("identifier")),
        achievement=_text(achievement.get("name")) or _text(credential.get("name")),
        description=_text(achievement.get("description"), 2000),
        issuer=_text(issuer.get("name")),
        issuer_id=issuer_id,
        domain=_domain(issuer_id, home),
        owner=_text(creator.get("name")),
        code=_text(achievement.get("humanCode")),
        version=_text(achievement.get("version")),
        awarded=_day(credential.get("awardedDate")),
        valid_from=_day(credential.get("validFrom", credential.get("issuanceDate"))),
        valid_until=_day(credential.get("validUntil", credential.get("expirationDate"))),
        narrative=strangers_markdown(narrative) if narrative else None,
        language=_tag(achievement.get("inLanguage")),
        page=_ours(criteria.get("id"), home),
    )


def _names(identifiers: object) -> tuple[str, ...]:
    """The names that stand in clear."""
    entries = identifiers if isinstance(identifiers, list) else [identifiers]
    found = [
        _text(entry.get("identityHash"))
        for entry in entries
        if isinstance(entry, dict)
        and entry.get("hashed") is False
        and entry.get("identityType") == "name"
    ]
    return tuple(name for name in found if name)[:_MOST_NAMES]


def _object(value: object) -> JsonObject:
    found = only(value)
    return found if isinstance(found, dict) else {}


def _text(value: object, longest: int = _LONGEST) -> str:
    found = shown(value.strip()) if isinstance(value, str) else ""
    return found if len(found) <= longest else f"{found[:longest]}…"


def _tag(value: object) -> str:
    return value if isinstance(value, str) and _LANGUAGE_TAG.fullmatch(value) else ""


def _day(value: object) -> str:
    """The day in Sweden of a date-time; nothing if it is none."""
    moment = parse_date_time(value) if isinstance(value, str) else None
    return day_text(moment) if moment is not None else ""


def _domain(did: str, home: str) -> str:
    found = re.match(r"did:web:([^:]+)", did)
    domain = shown(unquote(found[1])) if found else ""
    return "" if domain == urlsplit(home).netloc else domain


def _ours(address: object, home: str) -> str:
    ours = isinstance(address, str) and bool(home) and address.startswith(f"{home}/o/")
    return _text(address) if ours else ""
