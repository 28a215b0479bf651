"""Matplotlib drawings as inline SVG: text stays text, and colours are the page's, so that they follow its scheme.

Drawings use stand-in colours; in the SVG each becomes a CSS variable of the page.
"""

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from monitory_retrain.report.language.words import Text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.typing import RcKeyType

INK, SOFT, LINE, PAPER = "#010101", "#010102", "#010103", "#010104"
"""Text, secondary text, grid, background."""
MAIN, OTHER, THIRD = "#010201", "#010202", "#010203"
"""The new model, the champion, rules without sensors."""
GOOD, WARN, BAD = "#010301", "#010302", "#010303"
FULL, MOST, SOME, NONE = "#010401", "#010402", "#010403", "#010404"
"""A day's hours: all, most, some, none."""

_VARIABLES = {
    INK: "--ink",
    SOFT: "--soft",
    LINE: "--line",
    PAPER: "--card",
    MAIN: "--main",
    OTHER: "--other",
    THIRD: "--third",
    GOOD: "--good",
    WARN: "--warn",
    BAD: "--bad",
    FULL: "--full",
    MOST: "--most",
    SOME: "--some",
    NONE: "--none",
}

WIDTH = 4.1
"""Inches: a phone's width, so that text is legible there; wider screens put figures side by side."""

_STYLE: "dict[RcKeyType, Any]" = {
    "svg.fonttype": "none",  # text can be selected, searched and read aloud
    "text.parse_math": False,  # a unit with dollar signs is a unit
    "font.family": "DejaVu Sans",  # what Matplotlib ships: layout is the same everywhere
    "font.size": 9.5,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.labelsize": 9.5,
    "xtick.labelsize": 9.5,
    "ytick.labelsize": 9.5,
    "legend.fontsize": 9.5,
    "legend.frameon": False,
    "text.color": INK,
    "axes.labelcolor": SOFT,
    "axes.edgecolor": LINE,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "figure.constrained_layout.use": True,
}

_DRAWN = '<svg aria-hidden="true"'
_HEAD = re.compile(r"^.*?(?=<svg)", re.DOTALL)
_METADATA = re.compile(r"<metadata>.*?</metadata>\s*", re.DOTALL)
_SIZE = re.compile(r'(<svg[^>]*?) width="[^"]*"| height="[^"]*"(?=[^>]*viewBox)')
_SHAPE_ID = re.compile(r' id="[a-zA-Z0-9.]+_\d+"')  # nothing refers to these, and they would repeat in each drawing
_FONT = re.compile(r"font: ((?:[a-z]+ |\d{3} )*)([\d.]+px) [^;\"]+")


def short(name: str, most: int = 20) -> str:
    """A name that leaves room for the drawing: long ones lose their middle.

    >>> short("LINE-7-STAMPING-PRESS-0042")
    'LINE-7-ST…PRESS-0042'
    """
    if len(name) <= most:
        return name
    tail = most // 2
    return f"{name[: most - tail - 1]}…{name[-tail:]}"


@contextmanager
def figure(height: float, rows: int = 1, columns: int = 1) -> "Iterator[tuple[Figure, list[Axes]]]":
    """An empty drawing of a height in inches in the page's style, and its axes, row by row."""
    import matplotlib as mpl  # only who draws pays for it
    from matplotlib.figure import Figure

    with mpl.rc_context(_STYLE), warnings.catch_warnings():
        # text stays text: the reader's fonts draw it, whatever the one that measures it lacks
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        drawing = Figure(figsize=(WIDTH, height))
        axes = drawing.subplots(rows, columns, squeeze=False)
        yield drawing, list(axes.ravel())


def svg(drawing: "Figure", name: str, description: Text) -> str:
    """A drawing as inline SVG. Call it within `figure`'s block.

    Args:
        drawing: the drawing.
        name: unique on the page; a prefix of the ids of shapes.
        description: the text alternative. It stands beside the drawing, for CSS chooses no attribute's language.
    """
    import matplotlib as mpl

    out = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": name}):
        drawing.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = _METADATA.sub("", _HEAD.sub("", out.getvalue()))
    text = _SIZE.sub(r"\1", text)
    text = _SHAPE_ID.sub("", text)
    text = _FONT.sub(r"font: \1\2 var(--font)", text)
    for colour, variable in _VARIABLES.items():
        text = text.replace(colour, f"var({variable})")
    label = Markup('<span class="unseen" id="{0}-text">{1}</span>').format(name, description)
    return f'<div role="img" aria-labelledby="{name}-text">{label}{text.replace("<svg", _DRAWN, 1)}</div>'
