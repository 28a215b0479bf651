"""What a report is about."""

from dataclasses import dataclass

from monitory.scoring.performance import Performance
from monitory_retrain.dataset.completeness import Completeness
from monitory_retrain.evaluation.drift import Drift
from monitory_retrain.evaluation.holdout import Champion
from monitory_retrain.evaluation.verdict import Verdict
from monitory_retrain.model_card import ModelCard
from monitory_retrain.pipeline import Challenger


@dataclass(frozen=True, slots=True)
class Findings:
    """The content of a report.

    Attributes:
        card: the version's.
        challenger: the new model and its hold-out.
        verdict: on it.
        promotable: whether the request allows promotion.
        champion: the served model on the same hold-out; None where none can be used.
        drift: of the last day.
        completeness: which hours there were.
        realised: what the prediction log came to; None where there is none.
    """

    card: ModelCard
    challenger: Challenger
    verdict: Verdict
    promotable: bool
    champion: Champion | None
    drift: Drift
    completeness: Completeness
    realised: Performance | None = None
