"""An SVG as a PNG."""

import resvg_py


def rasterise(svg: str, width: int, height: int | None = None) -> bytes:
    """The picture as a PNG with a transparent ground, square where no height is given."""
    return resvg_py.svg_to_bytes(
        svg_string=svg, width=width, height=height or width, skip_system_fonts=True
    )
