"""The report's drawings. Each function returns inline SVG, or None where there is nothing to show."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from monitory.clock import HOURS_PER_DAY
from monitory_retrain.array_types import Floats, Ints
from monitory_retrain.dataset.completeness import Completeness
from monitory_retrain.evaluation.drift import MOVED, WATCH, Drift
from monitory_retrain.evaluation.reliability import Reliability
from monitory_retrain.report import canvas
from monitory_retrain.report.canvas import BAD, FULL, GOOD, INK, MAIN, MOST, NONE, OTHER, PAPER, SOFT, SOME, THIRD, WARN
from monitory_retrain.report.language.words import Text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DOTS = 500
"""Hours drawn in the scatter: more make it heavier, not clearer."""

MOST_MACHINES = 40

MOST_MISSING = 6
"""Hours that a day may lack and still have most."""

_STATUS = {"moved": BAD, "watch": WARN, "steady": GOOD}


class Run(NamedTuple):
    """A machine's run to a failure in the hold-out.

    Attributes:
        machine: its equipId.
        title: its error and rank.
        before: days before the failure, descending, shape (n,).
        true, predicted, low, high: days, shape (n,); low and high None without a calibration.
    """

    machine: str
    title: str
    before: Floats
    true: Floats
    predicted: Floats
    low: Floats | None
    high: Floats | None


class Coverage(NamedTuple):
    """The share of true values within the interval, 0..1, and its mean width in days, for some predictions."""

    label: str
    share: float
    width: float


def predicted_against_true(true: Floats, predicted: Floats, description: Text) -> str:
    """Hours of the hold-out as dots, with the median and the middle 80 % of predictions by true RUL."""
    top = float(max(true.max(), predicted.max(), 1.0)) * 1.04
    with canvas.figure(3.5) as (drawing, (ax,)):
        shown = np.random.default_rng(0).permutation(len(true))[:DOTS]
        ax.plot(true[shown], predicted[shown], ".", color=MAIN, alpha=0.35, markersize=3.5, markeredgewidth=0)
        edges = np.linspace(0.0, float(true.max()), 13)
        bins = np.clip(np.digitize(true, edges) - 1, 0, 11)
        filled = [bin_ for bin_ in range(12) if (bins == bin_).sum() >= 5]
        if len(filled) > 1:
            middle = [(edges[bin_] + edges[bin_ + 1]) / 2 for bin_ in filled]
            low, median, high = np.array([np.quantile(predicted[bins == b], (0.1, 0.5, 0.9)) for b in filled]).T
            ax.fill_between(middle, low, high, color=MAIN, alpha=0.2, linewidth=0, label="middle 80 %")
            ax.plot(middle, median, color=MAIN, linewidth=2, label="median")
        ax.plot([0, top], [0, top], color=SOFT, linewidth=1, linestyle=(0, (4, 3)), label="exact")
        ax.set(xlim=(0, top), ylim=(0, top), xlabel="true RUL, days", ylabel="predicted RUL, days", aspect="equal")
        ax.legend(loc="upper left", handlelength=1.4, borderaxespad=0.2)
        return canvas.svg(drawing, "scatter", description)


def error_by_rul(bins: Sequence[str], models: Sequence[tuple[str, Sequence[float | None]]], description: Text) -> str:
    """Mean absolute error by bins of true RUL, the new model's beside the others'."""
    colours = {0: MAIN, 1: OTHER} if len(models) > 2 else {0: MAIN}
    with canvas.figure(2.7) as (drawing, (ax,)):
        width = 0.8 / len(models)
        for number, (label, errors) in enumerate(models):
            at = np.arange(len(bins)) + (number - (len(models) - 1) / 2) * width
            heights = [np.nan if error is None else error for error in errors]
            ax.bar(at, heights, width * 0.92, color=colours.get(number, THIRD), label=label)
            if number == 0:
                for x, height in zip(at, heights, strict=True):
                    if not np.isnan(height):
                        ax.annotate(
                            f"{height:.1f}", (x, height), (0, 1.5), textcoords="offset points", ha="center", color=INK
                        )
        ax.set(xlabel="true RUL, days", ylabel="mean absolute error, days")
        ax.set_xticks(range(len(bins)), bins)
        ax.set_xlim(-0.5, len(bins) - 0.5)
        ax.tick_params(length=0)
        ax.grid(visible=False, axis="x")
        ax.margins(y=0.12)
        drawing.legend(loc="outside upper left", ncols=len(models), handlelength=0.9, columnspacing=1.0)
        return canvas.svg(drawing, "error", description)


def coverage(parts: Sequence[Coverage], target: float, description: Text) -> str:
    """The share of true values within the interval, overall and by thirds of predicted RUL, beside the target."""
    with canvas.figure(0.7 + 0.42 * len(parts)) as (drawing, (ax,)):
        at = np.arange(len(parts))[::-1]
        for y, part in zip(at, parts, strict=True):
            colour = GOOD if abs(part.share - target) <= 0.05 else WARN
            ax.plot([target, part.share], [y, y], color=colour, linewidth=2)
            ax.plot([part.share], [y], "o", color=colour, markersize=6)
            left = part.share < target
            ax.annotate(
                f"{part.share:.0%}",
                (part.share, y),
                (-7 if left else 7, 0),
                textcoords="offset points",
                ha="right" if left else "left",
                va="center",
                color=INK,
            )
        ax.axvline(target, color=SOFT, linewidth=1, linestyle=(0, (4, 3)))
        lowest = min(part.share for part in parts)
        ax.set_xlim(max(0.0, min(0.72, lowest - 0.12)), 1.06)
        ax.set_ylim(-0.6, len(parts) - 0.4)
        ax.set_yticks(at, [f"{part.label}\n{part.width:.1f} days wide" for part in parts])
        ax.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}" if value <= 1 else "")
        ax.tick_params(length=0)
        ax.grid(visible=False, axis="y")
        ax.set_xlabel(f"within the interval (dashed: {target:.0%})")
        return canvas.svg(drawing, "coverage", description)


def reliability(horizons: Sequence[Reliability], description: Text) -> str:
    """The share of hours that a failure follows in time, by its predicted probability; larger dots are more hours."""
    with canvas.figure(3.1) as (drawing, (ax,)):
        ax.plot([0, 1], [0, 1], color=SOFT, linewidth=1, linestyle=(0, (4, 3)), label="exact")
        for horizon, colour, marker in zip(horizons, (MAIN, OTHER), ("o", "s"), strict=False):
            predicted, observed = ([getattr(bin_, side) for bin_ in horizon.bins] for side in ("predicted", "observed"))
            sizes = [12 + 60 * bin_.rows / horizon.rows for bin_ in horizon.bins]
            ax.plot(predicted, observed, color=colour, linewidth=1.4)
            label = f"within {horizon.days} days"
            ax.scatter(predicted, observed, sizes, color=colour, marker=marker, linewidth=0, label=label)
        ax.set(xlim=(-0.04, 1.04), ylim=(-0.04, 1.04), xlabel="predicted probability", ylabel="share that failed")
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_formatter(lambda value, _: f"{value:.0%}")
        drawing.legend(loc="outside upper left", ncols=3, handlelength=1.2, columnspacing=1.0)
        return canvas.svg(drawing, "reliability", description)


def trajectories(runs: Sequence[Run], description: Text) -> str:
    """Predictions hour by hour in runs to failure, with the interval as a band."""
    with canvas.figure(0.35 + 1.7 * len(runs), rows=len(runs)) as (drawing, axes):
        longest = max(float(run.before.max()) for run in runs)
        highest = max(float((run.predicted if run.high is None else run.high).max()) for run in runs)
        highest = max(highest, longest) * 1.04
        for ax, run in zip(axes, runs, strict=True):
            _trajectory(ax, run)
            ax.set(xlim=(longest, 0), ylim=(0, highest))
        axes[-1].set_xlabel("days before the failure")
        drawing.supylabel("RUL, days", fontsize=9.5, color=SOFT)
        handles, labels = axes[0].get_legend_handles_labels()
        drawing.legend(handles, labels, loc="outside upper left", ncols=3, handlelength=1.4, columnspacing=1.0)
        return canvas.svg(drawing, "trajectories", description)


def _trajectory(ax: "Axes", run: Run) -> None:
    breaks = np.flatnonzero(np.diff(-run.before) > 1.5 / 24) + 1  # a line over a gap would show hours without data

    def gapped(values: Floats) -> Floats:
        return np.insert(values, breaks, np.nan)

    x = gapped(run.before)
    if run.low is not None and run.high is not None:
        ax.fill_between(x, gapped(run.low), gapped(run.high), color=MAIN, alpha=0.2, linewidth=0, label="interval")
    ax.plot(x, gapped(run.predicted), color=MAIN, linewidth=1.6, label="predicted")
    ax.plot(run.before, run.true, color=SOFT, linewidth=1, linestyle=(0, (4, 3)), label="true")
    ax.set_title(f"{canvas.short(run.machine, 14)}: {run.title}", color=INK)


def bars(labels: Sequence[str], values: Floats, axis: str, description: Text, name: str) -> str:
    """Horizontal bars, the first on top, each with its percentage; values are shares, 0..1."""
    with canvas.figure(0.55 + 0.26 * len(labels)) as (drawing, (ax,)):
        at = np.arange(len(labels))[::-1]
        ax.barh(at, values, 0.66, color=MAIN)
        for y, value in zip(at, values, strict=True):
            ax.annotate(f"{value:.0%}", (value, y), (3, 0), textcoords="offset points", va="center", color=INK)
        ax.set_yticks(at, [canvas.short(label) for label in labels])
        ax.set_ylim(-0.6, len(labels) - 0.4)
        ax.set_xlim(0, max(float(values.max()) * 1.15, 0.01))
        ax.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
        ax.set_xlabel(axis)
        ax.tick_params(length=0)
        ax.grid(visible=False, axis="y")
        return canvas.svg(drawing, name, description)


def drift(drift: Drift, description: Text) -> str:
    """The drift of each sensor and of the predictions, in multiples of a usual day's."""
    rows = [*drift.sensors, *([drift.predictions] if drift.predictions else [])]
    with canvas.figure(0.75 + 0.26 * len(rows)) as (drawing, (ax,)):
        at = np.arange(len(rows))[::-1]
        top = max(6.0, max(row.ratio for row in rows) * 1.18)
        ax.barh(at, [row.ratio for row in rows], 0.6, color=[_STATUS[row.status] for row in rows])
        for y, row in zip(at, rows, strict=True):
            ax.annotate(
                f"{row.ratio:.1f}",
                (row.ratio, y),
                (4, 0),
                textcoords="offset points",
                va="center",
                color=INK,
                bbox={"boxstyle": "square,pad=0.1", "facecolor": PAPER, "linewidth": 0},
            )
        for limit, label, side in ((WATCH, "watch", "right"), (MOVED, "moved", "left")):
            ax.axvline(limit, color=SOFT, linewidth=1, linestyle=(0, (4, 3)))
            offset = -3 if side == "right" else 3
            ax.annotate(
                label,
                (limit, len(rows) - 0.35),
                (offset, 0),
                textcoords="offset points",
                ha=side,
                va="bottom",
                color=SOFT,
                annotation_clip=False,
            )
        ax.set_yticks(
            at,
            ["predicted RUL" if row is drift.predictions else canvas.short(row.name.replace("_", " ")) for row in rows],
        )
        ax.set_ylim(-0.6, len(rows) - 0.4)
        ax.set_xlim(0, top)
        ax.set_xlabel("difference, in multiples of a usual day's")
        ax.tick_params(length=0)
        ax.grid(visible=False, axis="y")
        return canvas.svg(drawing, "drift", description)


def completeness(completeness: Completeness, description: Text) -> str | None:
    """Hours with data by machine and day. Of many machines, those with the most gaps.

    A day that is still running is as wide as it is long so far.
    """
    if not completeness.machines:
        return None
    from matplotlib.patches import Patch

    shown = np.sort(np.argsort(-completeness.missing, kind="stable")[:MOST_MACHINES])
    with canvas.figure(0.75 + 0.175 * len(shown)) as (drawing, (ax,)):
        expected = completeness.expected
        for y, row in enumerate(shown.tolist()):
            for colour, bars_ in _colour_bars(completeness.hours[row], expected).items():
                ax.broken_barh(bars_, (y - 0.4, 0.8), facecolor=colour, linewidth=0)
        ax.set_ylim(len(shown) - 0.4, -0.6)
        ax.set_xlim(0, len(completeness.days))
        ax.set_yticks(range(len(shown)), [canvas.short(completeness.machines[row].equip_id) for row in shown.tolist()])
        step = max(1, -(-len(completeness.days) // 5))
        ticks = range(0, len(completeness.days), step)
        ax.set_xticks([tick + 0.5 for tick in ticks], [f"{completeness.days[tick]:%m-%d}" for tick in ticks])
        ax.tick_params(length=0, axis="y")
        ax.grid(visible=False)
        ax.spines[:].set_visible(False)
        legend = [("24 h", FULL), ("18–23 h", MOST), ("1–17 h", SOME), ("no data", NONE)]
        handles = [Patch(facecolor=colour, label=label) for label, colour in legend]
        drawing.legend(handles=handles, loc="outside upper left", ncols=4, handlelength=0.9, columnspacing=1.0)
        return canvas.svg(drawing, "presence", description)


def _colour_bars(hours: Ints, expected: Ints) -> dict[str, list[tuple[float, float]]]:
    """Neighbouring days of one colour as one bar, (start, width) each; none for a day that has had no hour yet."""
    bars_by_colour: dict[str, list[tuple[float, float]]] = {}
    start = 0
    colours = [_day_colour(*day) for day in zip(hours.tolist(), expected.tolist(), strict=True)]
    for day in range(1, len(colours) + 1):
        if day == len(colours) or colours[day] != colours[start]:
            colour, ends = colours[start], day - 1 + min(1.0, float(expected[day - 1]) / HOURS_PER_DAY)
            if colour is not None:
                bars_by_colour.setdefault(colour, []).append((start + 0.04, max(ends - start - 0.08, 0.02)))
            start = day
    return bars_by_colour


def _day_colour(hours: int, expected: int) -> str | None:
    if not expected:
        return None
    if hours >= expected:
        return FULL
    return NONE if not hours else MOST if expected - hours <= MOST_MISSING else SOME
