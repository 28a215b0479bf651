"""What the report's drawings show, in words: their text alternatives."""

from collections.abc import Sequence

from monitory_retrain.evaluation.drift import Drift
from monitory_retrain.evaluation.reliability import Reliability
from monitory_retrain.report.figures import Coverage, Run
from monitory_retrain.report.language.labels import LABELS
from monitory_retrain.report.language.sentences import told
from monitory_retrain.report.language.words import Phrase, joined, say


def scatter(hours: int, mae: float) -> Phrase:
    """Predicted against true values of some hours; the error is of all."""
    return say(
        "Predicted against true RUL of {hours} hours, MAE of all {mae} days", hours=f"{hours:,}", mae=f"{mae:.2f}"
    )


def errors(bins: Sequence[str], values: Sequence[float | None]) -> Phrase:
    """Errors by bins of true RUL."""
    parts = [
        say("{range} days: {error}", range=told(bin_, LABELS), error=f"{error:.2f}")
        for bin_, error in zip(bins, values, strict=True)
        if error
    ]
    return say("Mean absolute error in days by true RUL. {bins}", bins=joined(parts))


def coverage(parts: Sequence[Coverage]) -> Phrase:
    """Shares of true values within the interval."""
    shares = [say("{part}: {share}", part=told(part.label, LABELS), share=f"{part.share:.0%}") for part in parts]
    return say("Share of true RUL within the interval. {parts}", parts=joined(shares))


def reliability(horizons: Sequence[Reliability]) -> Phrase:
    """Shares of hours that failed, by what was predicted."""
    parts = [
        say(
            "within {days} days: {bins}",
            days=horizon.days,
            bins=joined(
                [
                    say(
                        "{predicted} predicted, {observed} failed",
                        predicted=f"{b.predicted:.0%}",
                        observed=f"{b.observed:.0%}",
                    )
                    for b in horizon.bins
                ]
            ),
        )
        for horizon in horizons
    ]
    return say(
        "Share of hours that a failure followed, by its predicted probability. {horizons}", horizons=joined(parts, "; ")
    )


def trajectories(runs: Sequence[Run]) -> Phrase:
    """Runs to failure."""
    parts = [told(f"{run.machine}: {run.title}", LABELS) for run in runs]
    return say("Predicted and true RUL before failures. {runs}", runs=joined(parts, "; "))


def importance(gains: Sequence[tuple[str, float]]) -> Phrase:
    """Shares of the model's gain by sensor."""
    parts = [say("{sensor} {share}", sensor=told(sensor, LABELS), share=f"{share:.0%}") for sensor, share in gains]
    return say("Importance by sensor. {shares}", shares=joined(parts))


def drift(found: Drift) -> Phrase:
    """How far sensors have moved."""
    parts = [say("{sensor} {ratio}", sensor=told(one.name), ratio=f"{one.ratio:.1f}") for one in found.sensors]
    return say(
        "Difference from training by sensor, in multiples of a usual day's. {ratios}",
        ratios=joined(parts),
    )


def presence(sentences: Sequence[Phrase]) -> Phrase:
    """Which hours have data."""
    return say("Hours with data by machine and day. {gaps}", gaps=joined(sentences, " "))
