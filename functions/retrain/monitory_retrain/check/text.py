"""The result of a check as text: first the one thing to do."""

from collections.abc import Iterator

from monitory_retrain.check.grades import SensorGrade
from monitory_retrain.check.result import Extent, LakeCheck, Training

_MARKS = {"stop": "STOP", "warn": "warn", "note": "note"}
MAX_LINES = 12


def text(check: LakeCheck) -> str:
    """All of it, a line or a few a fact."""
    return "\n".join(_lines(check))


def _lines(check: LakeCheck) -> Iterator[str]:
    yield f"To do: {check.todo}"
    yield ""
    yield from _extent(check.extent)
    if check.findings:
        yield ""
        yield "Findings"
    for finding in check.findings[:MAX_LINES]:
        yield f"  {_MARKS[finding.level]}  {finding.what}" + (f": {finding.todo}" if finding.todo else "")
    if len(check.findings) > MAX_LINES:
        yield f"        and {len(check.findings) - MAX_LINES} more, which the JSON has"
    if check.sensors:
        yield ""
        heads = f"{'grade':<8}{'readings/h':>10}{'silent':>8}{'1 %':>11}{'99 %':>11}  tells failures  plausible"
        yield f"{'Sensors':<20}{heads}"
        yield from map(_sensor, check.sensors)
    if check.unknown_sensors:
        names = (f"{name} ({count:,})" for name, (count, _) in list(check.unknown_sensors.items())[:8])
        yield f"  of no sensor of the set: {', '.join(names)}"
    if check.losses:
        yield ""
        yield "Rejected in the sample"
        yield from (f"  {sentence}" for sentence in check.losses)
    yield ""
    if check.delay_hours is not None:
        yield f"Objects are written {check.delay_hours:.1f} h after their newest reading (median)."
    if check.training:
        yield from _training(check.training)
    if check.dollars_a_month is not None:
        yield (
            f"A month costs about ${check.dollars_a_month:,.2f} for requests and functions, "
            "with a prediction of each machine and hour."
        )


def _extent(extent: Extent) -> Iterator[str]:
    least = "at least " if extent.at_least else ""
    yield f"Lake s3://{extent.bucket}/{extent.prefix}/{extent.layout}, {extent.first} to {extent.last}"
    some = ", ".join(list(extent.zones)[:6])
    zones = f" in {len(extent.zones)} zone{'s' * (len(extent.zones) > 1)} ({some})" if extent.zones else ""
    yield (
        f"  {least}{extent.objects:,} objects, {extent.bytes / 1e6:,.1f} MB, {len(extent.days)} days with data, "
        f"{extent.machines:,} machines{zones}"
    )
    formats = ", ".join(f"{name} ({count})" for name, count in extent.formats.items())
    yield f"  read for this check: {extent.read:,} objects with {extent.requests:,} requests" + (
        f"; of {sum(extent.formats.values())} looked into: {formats}" if formats else ""
    )


def _sensor(sensor: SensorGrade) -> str:
    rate = f"{sensor.readings_an_hour:,.0f}" if sensor.readings_an_hour is not None else "–"
    low, high = (f"{value:.4g}" if value is not None else "–" for value in (sensor.low, sensor.high))
    tells = f"{sensor.prognosability:.2f}" if sensor.prognosability is not None else "too few runs"
    plausible = f"[{sensor.plausible[0]:g}, {sensor.plausible[1]:g}]" if sensor.plausible else "–"
    figures = f"{rate:>10}{sensor.missing:>8.0%}{low:>11}{high:>11}  {tells:<14}  {plausible}"
    return f"  {sensor.sensor:<18}{sensor.grade:<8}{figures}"


def _training(training: Training) -> Iterator[str]:
    supply = training.supply
    about = "" if training.is_exact else "about "
    yield (
        f"Tonight's retrain would {'train' if training.would_train else 'be skipped: ' + '; '.join(training.missing)}."
    )
    yield (
        f"  {about}{supply.days} days, {supply.machines:,} machines, {supply.readings:,} readings, {supply.failures:,} "
        f"failures, {supply.labelled_rows:,} labelled hours"
    )
    shown = {machine: count for machine, count in training.failures.items() if count}
    named = ", ".join(f"{machine} {count}" for machine, count in list(shown.items())[:6])
    yield f"  failures that the sample's readings show: {sum(shown.values())}" + (f" ({named})" if named else "")
    if training.logged is not None:
        yield f"  failures of the same machines in the log: {sum(training.logged.values())}"
