"""Whether one text only mends slips of another: spelling, punctuation, capitals and spaces.

A reader of either must be told the same. So no word comes or goes, a word that is
changed is much like the one before, and what decides the meaning stays letter for
letter: numbers, signs, units, abbreviations, and the words that deny, demand, allow,
join, order or count. Where it cannot be told, it is no slip: a larger step in the
version number harms nobody.
"""

import re
import unicodedata
from typing import Final

_TOKEN: Final = re.compile(
    r"(?P<number>(?<!\w)[-\u2212]?\d+(?:[.,:]\d+)*|\d+(?:[.,:]\d+)*)"
    r"|(?P<word>[^\W\d_]+)"
    r"|(?P<range>(?<=\d)\s*[-\u2010-\u2015]\s*(?=\d))"
    r"|(?P<sign>[%\u2030/&#@*\u00a7_\\])"
    r"|(?P<other>[^\s\w])"
)
_DENYING: Final = """
    inte icke ej aldrig ingen inget inga ingenting utan varken knappast sällan
    not no never none neither nor without cannot hardly rarely nothing except unless
"""
_DEMANDING: Final = """
    ska skall skulle måste bör borde kan kunde får fick vill behöver krävs
    tillåts tillåten tillåtet tillåtna förbjuds förbjuden förbjudet förbjudna
    shall should must may might can could will would need needs required permitted allowed forbidden
"""
_JOINING: Final = """
    och eller samt men om både antingen med mot av på i in ut upp ned ner ensam ihop tillsammans själv
    and or but if both either with against by on off into out up down alone together
"""
_COUNTING: Final = """
    minst högst mest lägst minimum maximum minimalt maximalt färre fler flera mer mindre över under alla
    allt samtliga varje någon något några många få hela halva delar enbart endast bara även också
    least most fewer more less above below all every each any some many few whole half only also
"""
_ORDERING: Final = """
    före efter innan sedan när medan tills till från inom utom utanför
    before after when while until since from to within outside
"""
_DECIDING: Final = frozenset((_DENYING + _DEMANDING + _JOINING + _COUNTING + _ORDERING).split())
_NUMERAL: Final = re.compile(
    "(?:en|ett|två|tre|fyra|fem|sex|sju|åtta|nio|tio|elva|tolv|tretton|fjorton|femton|sexton|sjutton|"
    "arton|nitton|tjugo|trettio|fyrtio|femtio|sextio|sjuttio|åttio|nittio|hundra|tusen|miljon|miljoner|"
    "första|andra|tredje|fjärde|femte|sjätte|sjunde|åttonde|nionde|tionde|elfte|tolfte|"
    "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|"
    "seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|"
    "million|first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|"
    "once|twice|enkel|dubbel|trippel|single|double|triple)+(?:de|nde|te|th|s)?"
)
_NEGATIONS: Final = (
    *("o", "icke", "in", "im", "il", "ir", "un", "non"),
    *("dis", "mis", "miss", "anti", "de"),
)
"""What turns a word into its opposite when it is put before it, or before a part of it."""
_PREFIXES: Final = """
    an av be bort efter fram från för före genom in kring med mot ned ner om på sam till ut upp ur
    under åter över down en ex im inter intra micro macro mega milli kilo out over post pre re sub super up
"""
_DIRECTIONS: Final = tuple(_PREFIXES.split())
"""What turns a word into another when it stands there instead of its like: ansluta, avsluta."""
_SHORTEST: Final = 4
"""Letters of a word that may be misspelt: of a shorter one each letter makes it another word."""
_LONG: Final = 10
"""Letters of a word that may have two slips."""
_UNIT: Final = 3
"""Letters of what may be a unit, after a number."""


def is_slip(before: str, after: str) -> bool:
    """Whether the one text only mends the other; a text that is a single word or number is never mended."""
    if " " not in before:
        return False
    old, new = _tokens(before), _tokens(after)
    here = there = 0
    while here < len(old) and there < len(new):
        if _joined(old, here, new[there]):
            here, there = here + 2, there + 1
        elif _joined(new, there, old[here]):
            here, there = here + 1, there + 2
        elif _mends(old, here, new, there):
            here, there = here + 1, there + 1
        else:
            return False
    return (here, there) == (len(old), len(new))


def _tokens(text: str) -> list[tuple[str, str]]:
    """What carries the meaning, in order: its kind and its text. Spaces and punctuation are left out."""
    found: list[tuple[str, str]] = []
    for match in _TOKEN.finditer(unicodedata.normalize("NFC", text)):
        kind, value = str(match.lastgroup), match.group()
        if kind == "range":
            found.append((kind, "-"))
        elif kind != "other":
            found.append((kind, value.replace("\u2212", "-")))
        elif unicodedata.category(value).startswith(("S", "M", "C")):
            found.append(("sign", value))
    return found


def _joined(pieces: list[tuple[str, str]], at: int, whole: tuple[str, str]) -> bool:
    """Whether a word is what two words were meant to be, or the other way about."""
    pair = pieces[at : at + 2]
    if len(pair) < 2 or {kind for kind, _ in (*pair, whole)} != {"word"}:
        return False
    words = [value.casefold() for _, value in (*pair, whole)]
    decides = any(word in _DECIDING or word in _NEGATIONS or _is_numeral(word) for word in words)
    return words[0] + words[1] == words[2] and not decides


def _mends(old: list[tuple[str, str]], here: int, new: list[tuple[str, str]], there: int) -> bool:
    (kind, before), (other_kind, after) = old[here], new[there]
    if before == after and kind == other_kind:
        return True
    if kind != "word" or other_kind != "word" or not (before + after).isalpha():
        return False
    is_after_number = here > 0 and old[here - 1][0] == "number"
    if is_after_number and min(len(before), len(after)) <= _UNIT:
        return False
    if before.isupper() and after.isupper():
        return False
    return _is_respelt(before.casefold(), after.casefold())


def _is_respelt(before: str, after: str) -> bool:
    """Whether two words are one, but for a letter or two."""
    if before == after:
        return True
    shorter = min(len(before), len(after))
    if shorter < _SHORTEST or {before, after} & _DECIDING or before[0] != after[0]:
        return False
    if _is_numeral(before) and _is_numeral(after):
        return False
    steps = _distance(before, after)
    if steps > (2 if shorter >= _LONG else 1):
        return False
    return not (
        _is_denied(before, after, steps)
        or _is_denied(after, before, steps)
        or _turns(before, after)
        or _turns(after, before)
    )


def _is_numeral(word: str) -> bool:
    return _NUMERAL.fullmatch(word) is not None


def _is_denied(word: str, other: str, steps: int) -> bool:
    """Whether the one is the other with a negation put before it, or before a part of it."""
    at_start = any(
        word.startswith(prefix) and _distance(word[len(prefix) :], other) < steps
        for prefix in _NEGATIONS
    )
    within = any(
        word[:at] + word[at + len(prefix) :] == other
        for prefix in _NEGATIONS
        for at in range(3, len(word) - len(prefix) - 3)
        if word.startswith(prefix, at)
    )
    return at_start or within or (len(word) > len(other) and word.endswith(other))


def _turns(word: str, other: str) -> bool:
    """Whether they differ in a prefix that says where to."""
    return any(
        word == one + rest and other == two + rest
        for one in _DIRECTIONS
        if word.startswith(one)
        for two in _DIRECTIONS
        if one != two and other.startswith(two)
        for rest in [word[len(one) :]]
    )


def _distance(before: str, after: str) -> int:
    """How many letters are put in, left out, changed, or change places with the next."""
    width = len(after) + 1
    rows = [list(range(width))]
    for i, letter in enumerate(before, 1):
        row = [i]
        for j, other in enumerate(after, 1):
            step = min(rows[-1][j] + 1, row[j - 1] + 1, rows[-1][j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == after[j - 2] and before[i - 2] == other:
                step = min(step, rows[-2][j - 2] + 1)
            row.append(step)
        rows.append(row)
    return rows[-1][-1]
