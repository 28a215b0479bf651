"""Puts the report together: facts and figures into the page's template."""

from importlib import resources

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from monitory_retrain.model_card import encode
from monitory_retrain.report import facts, figures
from monitory_retrain.report.facts import Findings


def render(found: Findings) -> bytes:
    """The report as one HTML page, UTF-8; the same findings give the same bytes.

    Everything that comes from data is escaped, by the template or by the drawing library.
    """
    environment = Environment(
        loader=PackageLoader(__package__, ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["days"] = facts.days
    environment.filters["percent"] = facts.percent
    environment.filters["announced"] = facts.announced
    columns, scores = facts.comparison(found)
    limits, warnings = facts.announcement_table(found)
    style = resources.files(__package__).joinpath("style.css").read_text(encoding="utf-8")
    page = environment.get_template("template.html").render(
        style=style,
        card=found.card,
        card_json=encode(found.card).decode(),
        verdict=found.verdict,
        asked=found.asked,
        champion=found.champion,
        scores=found.challenger.scores,
        holdout_rows=len(found.challenger.split.holdout),
        drift=found.drift,
        announcements=found.challenger.announcements,
        announcement_rule=facts.announcement_rule(),
        limits=limits,
        warnings=warnings,
        reliability=[horizon for horizon in found.challenger.reliability if horizon.rows],
        columns=columns,
        comparison=scores,
        machines=facts.machines(found),
        left_out=facts.left_out(found.challenger),
        gaps=facts.gaps(found.completeness),
        trained=facts.moment(found.card.trained_at),
        present=facts.present(found.completeness),
        hidden_machines=max(0, len(found.completeness.machines) - figures.MOST_MACHINES),
        figures=_figures(found),
    )
    return page.encode()


def _figures(found: Findings) -> dict[str, str | None]:
    """The page's drawings by name; None where there is too little to draw."""
    challenger, cap = found.challenger, found.card.cap_days
    holdout, predicted = challenger.split.holdout, challenger.predicted
    bins, errors = facts.error_bins(found)
    parts = facts.coverage(holdout, predicted, challenger.calibration, cap) if challenger.calibration else []
    lives = facts.lives(challenger, cap)
    gains = facts.importance(challenger.trained.text, found.card.sensors)
    promised = challenger.calibration.coverage if challenger.calibration else 0.0
    horizons = [horizon for horizon in challenger.reliability if horizon.rows]
    told_horizons = "; ".join(
        f"within {horizon.days} days: "
        + ", ".join(f"{bin_.predicted:.0%} predicted, {bin_.observed:.0%} failed" for bin_ in horizon.bins)
        for horizon in horizons
    )
    told_bins = ", ".join(f"{bin_} days: {error:.2f}" for bin_, error in zip(bins, errors[0][1], strict=True) if error)
    told_parts = ", ".join(f"{part.label}: {part.share:.0%}" for part in parts)
    told_gains = ", ".join(f"{sensor} {share:.0%}" for sensor, share in gains)
    return {
        "scatter": figures.predicted_against_true(
            holdout.rul,
            predicted,
            f"Predicted against true RUL of {len(holdout):,} hours, MAE {challenger.scores.mae:.2f} days",
        ),
        "errors": figures.error_by_rul(bins, errors, f"Mean absolute error in days by true RUL. {told_bins}"),
        "coverage": figures.coverage(parts, promised, f"Share of true RUL within the interval. {told_parts}")
        if parts
        else None,
        "reliability": figures.reliability(
            horizons, f"Share of hours that a failure followed, by its predicted probability. {told_horizons}"
        )
        if horizons
        else None,
        "trajectories": figures.trajectories(
            lives,
            "Predicted and true RUL before failures. " + "; ".join(f"{life.machine} {life.title}" for life in lives),
        )
        if lives
        else None,
        "importance": figures.bars(
            [sensor for sensor, _ in gains],
            np.array([share for _, share in gains]),
            "share of the model's gain",
            f"Importance by sensor. {told_gains}",
            "importance",
        )
        if gains
        else None,
        "drift": figures.drift(
            found.drift,
            "Difference from training by sensor, in multiples of a usual day's. "
            + ", ".join(f"{sensor.name} {sensor.ratio:.1f}" for sensor in found.drift.sensors),
        )
        if found.drift.sensors
        else None,
        "presence": figures.completeness(
            found.completeness, "Hours with data by machine and day. " + " ".join(facts.gaps(found.completeness))
        ),
    }
