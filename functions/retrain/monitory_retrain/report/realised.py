"""The report's tables of realised accuracy, as plain values."""

from monitory.scoring.performance import Accuracy, AnnouncementRecord, HorizonAccuracy, Performance
from monitory_retrain.report.facts import Row, days, percent


def horizon_table(performance: Performance) -> tuple[tuple[str, ...], list[Row]]:
    """Columns and rows of what was predicted some days before machines stopped."""
    horizons = performance.overall.horizons
    columns = tuple(f"{entry.days} {'day' if entry.days == 1 else 'days'} before" for entry in horizons)

    def row(label: str, cell: str) -> Row:
        return Row(label, tuple(_cell(entry, cell) for entry in horizons))

    return columns, [
        row("failures", "failures"),
        row("mean absolute error, days", "mean_absolute_error_days"),
        row("predicted less true, days", "mean_error_days"),
        row("failure within the interval", "coverage"),
        row("maintenance", "maintenance"),
        row("… median RUL predicted before it, days", "maintenance_rul_days"),
    ]


def announcement_table(performance: Performance) -> tuple[tuple[str, ...], list[Row]]:
    """Columns and rows of what was announced and what was missed."""
    records = performance.overall.announcements
    return tuple(f"D-{record.limit_days:g}" for record in records), [
        Row("failures announced", tuple(_share(record.announced, record.failures) for record in records)),
        Row("maintenance announced", tuple(_share(r.maintenance_announced, r.maintenance) for r in records)),
        Row("median lead, days", tuple(days(record.median_lead_days) for record in records)),
        Row("announcements, of which false", tuple(_false(record) for record in records)),
        Row("false, a machine and month", tuple(days(record.false_per_machine_month) for record in records)),
    ]


def version_table(performance: Performance) -> list[Row]:
    """A row for each version, and one for all: hours, MAE, coverage, announced failures at each limit."""
    rows = [_row(version.version or "a model without a version", version) for version in performance.versions]
    return [*rows, _row("all", performance.overall)]


def _row(label: str, accuracy: Accuracy) -> Row:
    announced = (_share(record.announced, record.failures) for record in accuracy.announcements)
    return Row(label, (f"{accuracy.hours:,}", days(accuracy.mae_days), percent(accuracy.coverage), *announced))


def _cell(entry: HorizonAccuracy, field: str) -> str:
    value = getattr(entry, field)
    if field == "coverage":
        return percent(value)
    return f"{value}" if isinstance(value, int) else days(value)


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole}" if whole else "–"


def _false(record: AnnouncementRecord) -> str:
    return f"{record.raised}, {record.false}"
