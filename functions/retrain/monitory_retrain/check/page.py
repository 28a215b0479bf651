"""The result of a check as a page with pictures, in the style of the reports."""

from collections.abc import Sequence
from datetime import date

import numpy as np

from monitory import clock
from monitory.sensors import SensorSet
from monitory_retrain.check import text
from monitory_retrain.check.grades import HIGH, LOW, SensorGrade
from monitory_retrain.check.result import LakeCheck
from monitory_retrain.dataset.completeness import completeness
from monitory_retrain.dataset.hour_table import HourTable
from monitory_retrain.report import canvas, figures, html
from monitory_retrain.report.canvas import BAD, GOOD, INK, MAIN, SOFT, WARN

_TONES = {"stop": "bad", "warn": "warn", "note": "good"}


def render(check: LakeCheck, sensors: SensorSet, table: HourTable | None, days: Sequence[date]) -> bytes:
    """One HTML page, UTF-8; everything that comes from data is escaped."""
    has_rows = table is not None and len(table) > 0
    page = (
        html.environment(__package__)
        .get_template("page.html")
        .render(
            check=check,
            tones=_TONES,
            text=text.text(check),
            presence=_presence(table, days) if table is not None and has_rows else None,
            ranges=_ranges(check.sensors, sensors) if check.sensors else None,
            volumes=_volumes(check) if check.extent.days else None,
        )
    )
    return page.encode()


def _presence(table: HourTable, days: Sequence[date]) -> str | None:
    presence = completeness(table, days, clock.hour_of(clock.now()))
    return figures.completeness(presence, "Hours with data by machine of the sample and day")


def _ranges(grades: Sequence[SensorGrade], sensors: SensorSet) -> str:
    """Each sensor's middle 98 % of readings against its alert limits, which are 0 and 1."""
    limits = {sensor.lake_name: (sensor.low, sensor.high) for sensor in sensors.sensors}
    colours = {HIGH: GOOD, LOW: BAD}
    with canvas.figure(0.75 + 0.3 * len(grades)) as (drawing, (ax,)):
        at = np.arange(len(grades))[::-1]
        for y, grade in zip(at, grades, strict=True):
            if grade.low is None or grade.high is None:
                continue
            low, high = limits[grade.sensor]
            ends = [float(np.clip((value - low) / (high - low), -0.5, 1.5)) for value in (grade.low, grade.high)]
            ax.plot(ends, [y, y], color=colours.get(grade.grade, WARN), linewidth=6, solid_capstyle="round")
        for limit in (0, 1):
            ax.axvline(limit, color=SOFT, linewidth=1, linestyle=(0, (4, 3)))
        ax.set_yticks(at, [f"{canvas.short(grade.sensor)} ({grade.grade})" for grade in grades], color=INK)
        ax.set_ylim(-0.6, len(grades) - 0.4)
        ax.set_xlim(-0.55, 1.55)
        ax.set_xticks([0, 1], ["low", "high"])
        ax.set_xlabel("middle 98 % of readings")
        ax.grid(visible=False, axis="y")
        return canvas.svg(drawing, "ranges", ", ".join(f"{grade.sensor}: {grade.grade}" for grade in grades))


def _volumes(check: LakeCheck) -> str:
    days = sorted(check.extent.days)
    megabytes = [check.extent.days[day][1] / 1e6 for day in days]
    with canvas.figure(2.0) as (drawing, (ax,)):
        ax.bar(range(len(days)), megabytes, color=MAIN)
        step = max(1, -(-len(days) // 5))
        ax.set_xticks(range(0, len(days), step), [f"{day:%m-%d}" for day in days[::step]])
        ax.set_ylabel("MB listed")
        ax.grid(visible=False, axis="x")
        return canvas.svg(drawing, "volumes", f"Megabytes by day, {len(days)} days")
