"""The report's tables of realised accuracy, as plain values."""

from monitory.scoring.performance import Accuracy, AnnouncementRecord, HorizonAccuracy, Performance
from monitory_retrain.report.facts import limit_name
from monitory_retrain.report.language.words import Text, say
from monitory_retrain.report.rows import Row, days, percent, share


def horizon_table(performance: Performance) -> tuple[tuple[Text, ...], list[Row]]:
    """Columns and rows of what was predicted some days before machines stopped."""
    horizons = performance.overall.horizons
    columns = tuple(
        say("1 day before") if entry.days == 1 else say("{days} days before", days=entry.days) for entry in horizons
    )

    def row(label: Text, cell: str) -> Row:
        return Row(label, tuple(_cell(entry, cell) for entry in horizons))

    return columns, [
        row(say("failures"), "failures"),
        row(say("mean absolute error, days"), "mean_absolute_error_days"),
        row(say("predicted less true, days"), "mean_error_days"),
        row(say("failure within the interval"), "coverage"),
        row(say("maintenance"), "maintenance"),
        row(say("… median RUL predicted before it, days"), "maintenance_rul_days"),
    ]


def announcement_table(performance: Performance) -> tuple[tuple[Text, ...], list[Row]]:
    """Columns and rows of what was announced and what was missed."""
    records = performance.overall.announcements
    return tuple(limit_name(record.limit_days) for record in records), [
        Row(say("failures announced"), tuple(share(record.announced, record.failures) for record in records)),
        Row(say("maintenance announced"), tuple(share(r.maintenance_announced, r.maintenance) for r in records)),
        Row(say("median lead, days"), tuple(days(record.median_lead_days) for record in records)),
        Row(say("announcements, of which false"), tuple(_false(record) for record in records)),
        Row(say("false, a machine and month"), tuple(days(record.false_per_machine_month) for record in records)),
    ]


def version_heads(performance: Performance) -> tuple[Text, ...]:
    """Columns of `version_table`."""
    limits = (limit_name(record.limit_days) for record in performance.overall.announcements)
    announced = (say("announced at {limit}", limit=limit) for limit in limits)
    return (say("version"), say("hours"), say("MAE, days"), say("within interval"), *announced)


def version_table(performance: Performance) -> list[Row]:
    """A row for each version, and one for all: hours, MAE, coverage, announced failures at each limit."""
    rows = [_row(version.version or say("a model without a version"), version) for version in performance.versions]
    return [*rows, _row(say("all"), performance.overall)]


def _row(label: Text, accuracy: Accuracy) -> Row:
    announced = (share(record.announced, record.failures) for record in accuracy.announcements)
    return Row(label, (f"{accuracy.hours:,}", days(accuracy.mae_days), percent(accuracy.coverage), *announced))


def _cell(entry: HorizonAccuracy, field: str) -> str:
    value = getattr(entry, field)
    if field == "coverage":
        return percent(value)
    return f"{value}" if isinstance(value, int) else days(value)


def _false(record: AnnouncementRecord) -> str:
    return f"{record.raised}, {record.false}"
