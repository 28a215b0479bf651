"""Puts the report together: facts and figures into the page's template."""

import numpy as np
from markupsafe import Markup

from monitory_retrain.model_card import encode
from monitory_retrain.report import coverage, descriptions, facts, figures, html, machines, presence, realised
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
        "named": sentences.named,
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
    return {
        "scatter": figures.predicted_against_true(
            holdout.rul[has_label],
            predicted[has_label],
            descriptions.scatter(int(has_label.sum()), challenger.scores.mae),
        )
        if has_label.any()
        else None,
        "errors": figures.error_by_rul(bins, errors, descriptions.errors(bins, errors[0][1])),
        "coverage": figures.coverage(parts, target, descriptions.coverage(parts)) if parts else None,
        "reliability": figures.reliability(horizons, descriptions.reliability(horizons)) if horizons else None,
        "trajectories": figures.trajectories(runs, descriptions.trajectories(runs)) if runs else None,
        "importance": figures.bars(
            [sensor for sensor, _ in gains],
            np.array([share for _, share in gains]),
            "share of the model's gain",
            descriptions.importance(gains),
            "importance",
        )
        if gains
        else None,
        "drift": figures.drift(findings.drift, descriptions.drift(findings.drift)) if findings.drift.sensors else None,
        "presence": figures.completeness(
            findings.completeness,
            descriptions.presence(presence.gaps(findings.completeness)),
        ),
    }
