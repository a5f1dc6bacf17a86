"""The one stylesheet: a rule that swallows those after it is seen by no test of a page."""

import re
from pathlib import Path

import kpass_vc.pages

SHEET = Path(kpass_vc.pages.__file__).parent / "static" / "kpass.css"


def test_every_rule_of_the_stylesheet_is_closed_before_the_next_begins() -> None:
    text = re.sub(r"/\*.*?\*/", "", SHEET.read_text("utf-8"), flags=re.DOTALL)
    open_rules: list[str] = []
    for selector, brace in re.findall(r"([^{}]*)([{}])", text):
        if brace == "}":
            assert open_rules
            open_rules.pop()
            continue
        assert all(each.startswith("@media") for each in open_rules), selector
        open_rules.append(selector.strip())
    assert open_rules == []
