"""All badges of the demo catalogues on sheets, to be looked at: `python -m tests.contact_sheet OUT.png`.

OUT-sv-256.png, OUT-en-256.png, OUT-64.png and OUT-share.png lie beside each other.
"""

import io
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image

from kpass_vc.badges import BadgeFace, ShareFace, draw, draw_share, draw_small, rasterise
from kpass_vc.demo import catalogues
from kpass_vc.language import LANGUAGES, Language, say

_GAP = 12
_GROUNDS = ("#ffffff", "#1b1d22")


def faces(language: Language) -> Iterator[BadgeFace]:
    """The face of every definition of the demo catalogues."""
    for catalogue in catalogues():
        names = {owner["id"]: owner["name"] for owner in catalogue["organisations"]}
        for definition in catalogue["definitions"]:
            yield BadgeFace(
                title=definition["title"][language],
                organisation=names[definition["owner"]][language],
                code=definition["code"],
                version=definition["version"],
                level=definition["level"]["level"],
                level_basis=say(language, f"badge.basis.{definition['level']['basis']}"),
                level_is_decided=definition["level"]["basis"] in {"myh_decision", "statutory"},
                language=language,
                colour_seed=definition["owner"],
                illustrative=definition["illustrative"],
            )


def shares() -> Iterator[ShareFace]:
    """Share images of a short title, a long one, without a name, and with a long name."""
    for language in LANGUAGES:
        day = {"sv": "21 november 2026", "en": "21 November 2026"}[language]
        found = sorted(faces(language), key=lambda face: len(face.title))
        for face, holder in (
            (found[0], "Amina Exempelsson"),
            (found[-1], "Maximiliana Bernadotte-Exempelström von Långnamnskog"),
            (found[30], None),
        ):
            yield ShareFace(
                face=face,
                holder=holder,
                awarded=day,
                url="https://kompetenspasset.example/s/7K3P9QXM2WTB",
                code="7K3P-9QXM-2WTB",
                verify_at="kompetenspasset.example/verify",
            )


def sheet(pictures: Sequence[bytes], columns: int, ground: str) -> Image.Image:
    """The pictures in rows on one ground."""
    opened = [Image.open(io.BytesIO(picture)).convert("RGBA") for picture in pictures]
    width, height = (side + _GAP for side in opened[0].size)
    rows = -(-len(opened) // columns)
    made = Image.new("RGB", (columns * width + _GAP, rows * height + _GAP), ground)
    for place, picture in enumerate(opened):
        at = (_GAP + place % columns * width, _GAP + place // columns * height)
        made.paste(picture, at, picture)
    return made


def main(out: Path) -> None:
    """Write the sheets next to `out`."""
    for language in LANGUAGES:
        large = [rasterise(draw(face), 256) for face in faces(language)]
        sheet(large, 8, _GROUNDS[0]).save(out.with_stem(f"{out.stem}-{language}-256"))
    small = [rasterise(draw_small(face), 64) for face in faces("sv")]
    halves = [sheet(small, 16, ground) for ground in _GROUNDS]
    both = Image.new("RGB", (halves[0].width, 2 * halves[0].height))
    for place, half in enumerate(halves):
        both.paste(half, (0, place * half.height))
    both.save(out.with_stem(f"{out.stem}-64"))
    shared = [rasterise(draw_share(share), 1080, 1350) for share in shares()]
    sheet(shared, 3, "#888888").save(out.with_stem(f"{out.stem}-share"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
