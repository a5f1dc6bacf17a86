"""The badge picture of a definition version, as SVG and as PNG, and the image to share it by.

Nothing in a picture has an id, so that several can stand inline on one page,
and nothing refers to anything outside it. The same face gives the same bytes.
"""

from kpass_vc.badges.badge import SIDE, BadgeFace, draw, draw_small, half_width
from kpass_vc.badges.colour import contrast, palette
from kpass_vc.badges.raster import rasterise
from kpass_vc.badges.share import ShareFace, draw_share

__all__ = [
    "SIDE",
    "BadgeFace",
    "ShareFace",
    "contrast",
    "draw",
    "draw_share",
    "draw_small",
    "half_width",
    "palette",
    "rasterise",
]
