"""Puts the report together: facts and figures into the page's template."""

import numpy as np
from markupsafe import Markup

from monitory_retrain.model_card import encode
from monitory_retrain.report import coverage, facts, figures, html, machines, presence, realised
from monitory_retrain.report.findings import Findings
from monitory_retrain.report.language import labels, sentences
from monitory_retrain.report.language.words import say
from monitory_retrain.report.rows import Row, days, percent, share


def render(findings: Findings) -> bytes:
    """The report as one HTML page, UTF-8; the same findings give the same bytes.

    Everything that comes from data is escaped, by the template or by the drawing library.
    """
    environment = html.environment(__package__)
    environment.filters |= {
        "days": days,
        "limit_name": facts.limit_name,
        "missed": facts.missed,
        "one": Markup('<span class="one">{}</span>').format,
        "percent": percent,
        "told": sentences.told,
    }
    challenger = findings.challenger
    columns, scores = facts.comparison(findings)
    limits, warnings = facts.announcement_table(findings)
    page = environment.get_template("template.html").render(
        say=say,
        share=share,
        card=findings.card,
        card_json=encode(findings.card).decode(),
        verdict=findings.verdict,
        promotable=findings.promotable,
        champion=findings.champion,
        scores=challenger.scores,
        holdout_rows=len(challenger.split.holdout),
        drift=findings.drift,
        drift_rows=[
            Row(feature.feature, (f"{feature.psi:.3f}", f"{feature.ratio:.1f}"))
            for sensor in findings.drift.sensors
            for feature in sensor.features
        ],
        announcements=challenger.announcements,
        announcement_rule=facts.announcement_rule(),
        limits=limits,
        warnings=warnings,
        advice=coverage.advice(challenger.split, challenger.predicted, challenger.calibration, findings.card.cap_days)
        if challenger.calibration
        else None,
        reliability=[horizon for horizon in challenger.reliability if horizon.rows],
        columns=columns,
        comparison=scores,
        machines=machines.rows(findings),
        most_machines=machines.MOST_SHOWN,
        left_out=facts.left_out(challenger),
        gaps=presence.gaps(findings.completeness),
        trained=facts.moment(findings.card.trained_at),
        present=presence.present(findings.completeness),
        hidden_machines=max(0, len(findings.completeness.machines) - figures.MOST_MACHINES),
        realised=findings.realised,
        realised_tables=_realised_tables(findings),
        figures={name: svg and labels.bilingual(svg) for name, svg in _figures(findings).items()},
    )
    return page.encode()


def _realised_tables(findings: Findings) -> dict[str, object]:
    """The tables of realised accuracy; empty where there is none."""
    if findings.realised is None:
        return {}
    (before, horizons), (limits, announced) = (
        realised.horizon_table(findings.realised),
        realised.announcement_table(findings.realised),
    )
    return {
        "before": before,
        "horizons": horizons,
        "limits": limits,
        "announced": announced,
        "version_heads": realised.version_heads(findings.realised),
        "versions": realised.version_table(findings.realised),
    }


def _figures(findings: Findings) -> dict[str, str | None]:
    """The page's drawings by name; None where there is too little to draw."""
    challenger, cap = findings.challenger, findings.card.cap_days
    holdout, predicted = challenger.split.holdout, challenger.predicted
    has_label = ~np.isnan(holdout.rul)
    bins, errors = facts.error_bins(findings)
    parts = coverage.parts(challenger.split, predicted, challenger.calibration, cap) if challenger.calibration else []
    runs = facts.runs(challenger, cap)
    gains = facts.importance(challenger.trained.text, findings.card.sensors)
    target = challenger.calibration.coverage if challenger.calibration else 0.0
    horizons = [horizon for horizon in challenger.reliability if horizon.rows]
    horizon_text = "; ".join(
        f"within {horizon.days} days: "
        + ", ".join(f"{bin_.predicted:.0%} predicted, {bin_.observed:.0%} failed" for bin_ in horizon.bins)
        for horizon in horizons
    )
    bin_text = ", ".join(f"{bin_} days: {error:.2f}" for bin_, error in zip(bins, errors[0][1], strict=True) if error)
    part_text = ", ".join(f"{part.label}: {part.share:.0%}" for part in parts)
    gain_text = ", ".join(f"{sensor} {share:.0%}" for sensor, share in gains)
    return {
        "scatter": figures.predicted_against_true(
            holdout.rul[has_label],
            predicted[has_label],
            f"Predicted against true RUL of {has_label.sum():,} hours, MAE of all {challenger.scores.mae:.2f} days",
        )
        if has_label.any()
        else None,
        "errors": figures.error_by_rul(bins, errors, f"Mean absolute error in days by true RUL. {bin_text}"),
        "coverage": figures.coverage(parts, target, f"Share of true RUL within the interval. {part_text}")
        if parts
        else None,
        "reliability": figures.reliability(
            horizons, f"Share of hours that a failure followed, by its predicted probability. {horizon_text}"
        )
        if horizons
        else None,
        "trajectories": figures.trajectories(
            runs,
            "Predicted and true RUL before failures. " + "; ".join(f"{run.machine} {run.title}" for run in runs),
        )
        if runs
        else None,
        "importance": figures.bars(
            [sensor for sensor, _ in gains],
            np.array([share for _, share in gains]),
            "share of the model's gain",
            f"Importance by sensor. {gain_text}",
            "importance",
        )
        if gains
        else None,
        "drift": figures.drift(
            findings.drift,
            "Difference from training by sensor, in multiples of a usual day's. "
            + ", ".join(f"{sensor.name} {sensor.ratio:.1f}" for sensor in findings.drift.sensors),
        )
        if findings.drift.sensors
        else None,
        "presence": figures.completeness(
            findings.completeness,
            "Hours with data by machine and day. " + " ".join(map(str, presence.gaps(findings.completeness))),
        ),
    }
