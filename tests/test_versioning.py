"""What a new version of a definition may change under which number, and what only mends a slip."""

from typing import Any

import pytest

from kpass_vc.demo import catalogues
from kpass_vc.model.definition import Definition, read_definition
from kpass_vc.slips import is_slip
from kpass_vc.versioning import changes, step_too_small
from tests.world import definition_document


def version_of(version: str, **changed: object) -> Definition:
    return read_definition(definition_document() | {"version": version} | changed)


def outcomes(text: str) -> list[dict[str, Any]]:
    """The outcomes of SOB-OPTO-01, the first of them with this text."""
    given = definition_document()["learning_outcomes"]
    assert isinstance(given, list)
    first, *rest = given
    return [first | {"text": first["text"] | {"sv": text}}, *rest]


def refused(before: Definition, after: Definition) -> str | None:
    found = step_too_small(before, after)
    return found.rule if found else None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Förklara hur ljus leds i en fiber", "Förklara hur ljus leds i en fiber."),
        ("förklara hur ljus leds i fiber", "Förklara hur ljus leds i Fiber"),
        ("Förklara hur  ljus leds", "Förklara hur ljus leds"),
        ("Förklara hur ljus leds", "Förklarra hur ljus leds"),
        ("Dokumentrea arbetet", "Dokumentera arbetet"),
        ("Utföra en fiber skarvning", "Utföra en fiberskarvning"),
        ("Utföra en e-post", "Utföra en epost"),
        ("Utföra en fiberskarvning", "Utföra en fiber-skarvning"),
        ("Läsa ritning , och mäta", "Läsa ritning, och mäta"),
        ("Mäta minst 3 gånger", "Mäta minst 3 gånger!"),
        ("Mäta 3-5 gånger", "Mäta 3 – 5 gånger"),  # noqa: RUF001 - the dash that is meant
        ("Mäta upp till 5kV säkert", "Mäta upp till 5 kV säkert"),
        ("Felsöka enligt leverantorens anvisningar", "Felsöka enligt leverantörens anvisningar"),
        ("Describe how an optical cabel is joined", "Describe how an optical cable is joined"),
        ("O\u0308vervaka arbetet", "Övervaka arbetet"),
    ],
)
def test_spelling_punctuation_capitals_and_spaces_are_slips(before: str, after: str) -> None:
    assert is_slip(before, after)
    assert is_slip(after, before)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # a word comes or goes
        ("Alla uppgifter ska vara godkända av två", "Alla uppgifter ska inte vara godkända av två"),
        ("Förklara hur ljus leds i en fiber", "Förklara inte hur ljus leds i en fiber"),
        ("Skarva fiber och mäta dämpning", "Skarva fiber, mäta dämpning"),
        ("Work alone with live equipment", "Work with live equipment"),
        ("You can't work alone", "You can work alone"),
        # a word is another
        ("Deltagaren är godkänd", "Deltagaren är ogodkänd"),
        ("Resultatet är oordnat nu", "Resultatet är ordnat nu"),
        ("Arbetet var oorganiserad nu", "Arbetet var organiserat nu"),
        ("Deltagaren är kompetent nu", "Deltagaren är inkompetent nu"),
        ("The work is supervised throughout", "The work is unsupervised throughout"),
        ("The result was united then", "The result was ununited then"),
        ("En platsberoende kurs", "En platsoberoende kurs"),
        ("Ansluta en fiber", "Avsluta en fiber"),
        ("Utföra en inkoppling", "Utföra en urkoppling"),
        ("Utföra ett muntligt prov", "Utföra ett skriftligt prov"),
        ("Du ska mäta", "Du kan mäta"),
        ("Minst en mätning", "Mest en mätning"),
        ("Mätning före skarvning", "Mätning efter skarvning"),
        ("It is not measured", "It is now measured"),
        ("It is now measured", "It is not measured"),
        ("Skarva och mäta", "Skarva eller mäta"),
        ("Godkänd av läraren o godkänd av rektorn", "Godkänd av läraren ogodkänd av rektorn"),
        ("Mäta i te rum", "Mäta inte rum"),
        # a number is another, however it is written
        ("Mäta minst 3 gånger", "Mäta minst 8 gånger"),
        ("Mäta 1,5 gånger", "Mäta 15 gånger"),
        ("Mäta 1 5 gånger", "Mäta 15 gånger"),
        ("Mäta vid -5 grader", "Mäta vid 5 grader"),
        ("Mäta 3-5 gånger", "Mäta 3, 5 gånger"),
        ("Mäta 3 gånger", "Mäta gånger 3"),
        ("Mäta femton gånger", "Mäta femtio gånger"),
        ("Mäta trettiotre gånger", "Mäta trettiotvå gånger"),
        ("Measure it thirteen times", "Measure it thirty times"),
        ("Mäta minst tre gånger", "Mäta minst två gånger"),
        # a sign, a unit or an abbreviation is another
        ("Dämpning < 3 dB", "Dämpning > 3 dB"),
        ("Andel 30 % rätt", "Andel 30 ‰ rätt"),
        ("Effekt 5 mW", "Effekt 5 MW"),
        ("Bygga FTTH helt", "Bygga FTTB helt"),
        ("På nivå XIII klart", "På nivå XVII klart"),
        ("Fläta 10 meter²", "Fläta 10 meter³"),
        ("Skarva och/eller mäta", "Skarva och eller mäta"),
        # a text that is one word says too little
        ("written", "writen"),
    ],
)
def test_what_says_something_else_is_no_slip(before: str, after: str) -> None:
    assert not is_slip(before, after)
    assert not is_slip(after, before)


def test_a_slip_is_a_patch_even_in_an_outcome_and_a_word_more_is_none() -> None:
    before = version_of("1.0.0", learning_outcomes=outcomes("Förklara hur ljus leds i fiber"))

    mended = outcomes("Förklara hur ljus leds i fiber.")
    turned = outcomes("Förklara inte hur ljus leds i fiber")

    assert refused(before, version_of("1.0.1", learning_outcomes=mended)) is None
    assert refused(before, version_of("1.0.1", learning_outcomes=turned)) == "gap.version_major"
    assert refused(before, version_of("1.1.0", learning_outcomes=turned)) == "gap.version_major"
    assert refused(before, version_of("2.0.0", learning_outcomes=turned)) is None


def test_a_criterion_that_is_turned_round_is_a_major_step() -> None:
    given = definition_document()["assessment"]
    assert isinstance(given, dict)
    long = "Alla delar av det praktiska provet ska vara godkända av två bedömare."
    before = version_of("1.0.0", assessment=given | {"criteria": {"sv": long, "en": "As is."}})

    for turned in (
        long.replace("ska vara", "ska inte vara"),
        long.replace("godkända", "ogodkända"),
        long.replace("två", "tre"),
    ):
        after = version_of("1.0.1", assessment=given | {"criteria": {"sv": turned, "en": "As is."}})
        assert refused(before, after) == "gap.version_major"


def test_other_wording_is_a_minor_step_and_a_number_goes_up() -> None:
    given = definition_document()["description"]
    assert isinstance(given, dict)
    before = version_of("1.0.0")

    other = version_of("1.0.1", description=given | {"sv": given["sv"] + " Nytt."})

    assert refused(before, other) == "gap.version_minor"
    assert refused(before, version_of("1.0.0")) == "gap.version_order"
    assert refused(before, version_of("0.9.0")) == "gap.version_order"


def test_each_text_of_the_catalogues_is_held_letter_for_letter_but_for_slips() -> None:
    """Every word taken out of an outcome, one at a time, takes a major step."""
    for catalogue in catalogues()[:2]:
        for document in catalogue["definitions"][:5]:
            before = read_definition(document)
            first, *rest = document["learning_outcomes"]
            words = first["text"]["sv"].split()
            for number in range(len(words)):
                text = " ".join(words[:number] + words[number + 1 :])
                changed = [first | {"text": first["text"] | {"sv": text}}, *rest]
                after = read_definition(document | {"learning_outcomes": changed})
                assert [change.step for change in changes(before, after)] == ["major"], text
