"""Compares a challenger with the served model: drift of the last day, and the verdict on the hold-out."""

from dataclasses import dataclass

import msgspec

from monitory.clock import HOURS_PER_DAY
from monitory.errors import ModelError
from monitory.features import vector
from monitory.log import Logger
from monitory.model import header
from monitory.model.loader import ModelLoader
from monitory.model.model import Model
from monitory.registry.registry import CARD_FILE, Registry, ServedObject
from monitory.sensors import SensorSet
from monitory.settings import RetrainSettings
from monitory_retrain import pipeline
from monitory_retrain.dataset.dates import date_numbers
from monitory_retrain.evaluation import drift, holdout, verdict
from monitory_retrain.evaluation.drift import Drift
from monitory_retrain.evaluation.holdout import Champion
from monitory_retrain.evaluation.scores import score
from monitory_retrain.evaluation.verdict import Verdict
from monitory_retrain.model_card import JUDGED_FILE, judged_part
from monitory_retrain.pipeline import Challenger


@dataclass(frozen=True, slots=True)
class Evaluator:
    """Reads the served model and compares a challenger with it; writes nothing."""

    settings: RetrainSettings
    sensors: SensorSet
    registry: Registry
    log: Logger

    @property
    def loader(self) -> ModelLoader:
        """Loads the registry's models as serving does."""
        return ModelLoader(self.registry, self.sensors, self.settings.max_rul_days)

    def last_day_drift(self, challenger: Challenger, served: ServedObject | None) -> Drift:
        """Drift of the last day since the served model's training, or the challenger's where that has no reference."""
        day = challenger.last_day
        try:
            if served and served.version:
                model = self.loader.served(served)
                reference = drift.of_card(self.registry.read(served.version, CARD_FILE))
                if reference:
                    rows = pipeline.seen_with(model, day, challenger, self.sensors, self.log)
                    predicted = holdout.predictions(model, rows)
                    return drift.compare(reference, rows, predicted, self.sensors, served.version)
        except ModelError as exc:
            self.log.warning("drift is measured against the challenger: %s", exc)
        predicted = holdout.predictions(self.loader.trained(challenger.trained.text.encode()), day)
        return drift.compare(challenger.reference, day, predicted, self.sensors)

    def judge(self, challenger: Challenger, served: ServedObject | None) -> tuple[Verdict, Champion | None]:
        """The verdict, and the champion's scores on the challenger's hold-out; no champion where none can be used.

        Both are judged as they were fitted before their own hold-outs.
        """
        alone = verdict.first(challenger.scores, challenger.baselines)
        if served is None:
            return alone, None
        parts = challenger.split
        hours, watched = parts.holdout, parts.watched
        try:
            model, starts = self._as_judged(served)
            rows = pipeline.seen_with(model, hours, challenger, self.sensors, self.log)
            predicted = holdout.predictions(model, rows)
        except ModelError as exc:
            reason = f"the served model cannot be used ({exc})"
            return Verdict(alone.promote, (*alone.reasons, reason)), None
        interval = model.card.intervals if model.card else None
        scores = score(hours.seen, predicted, interval, model.cap_days, hours.age, watched)
        if starts > parts.starts:
            reason = (
                f"the champion has learnt from this hold-out: it begins {(starts - parts.starts) / HOURS_PER_DAY:.1f} "
                "days before the champion's; choose days that end later"
            )
            return Verdict(False, (reason, *alone.reasons)), Champion(served.version, predicted, scores)
        comparison = verdict.compare(
            hours.seen, predicted, challenger.predicted, hours.machine, date_numbers(hours.hour), watched
        )
        ruling = verdict.against(
            scores,
            challenger.scores,
            comparison,
            challenger.baselines,
            margin=self.settings.promotion_margin,
            coverage=self.settings.coverage,
        )
        return ruling, Champion(served.version, predicted, scores)

    def _as_judged(self, served: ServedObject) -> tuple[Model, int]:
        """The champion as its own verdict judged it, and the hour from which on nothing taught it.

        What is served was fitted on everything, so it has seen most of the next night's hold-out. The fit that ended
        before its own hold-out has not: like is compared with like. Older versions were served as they were judged; of
        a foreign model nobody knows what taught it, so it has the benefit of the doubt.

        Raises:
            ModelError: it cannot be used.
        """
        model = self.loader.served(served)
        judged = judged_part(self.registry.read(served.version, CARD_FILE)) if served.version and model.card else None
        if model.card is None or judged is None or served.version is None:
            return model, 0
        text = self.registry.read(served.version, JUDGED_FILE)
        card = msgspec.structs.replace(
            model.card, sha256=judged.sha256, distribution=judged.distribution, features=header.read(text).features
        )
        return Model(text, card, feature_names=vector.names(self.sensors), cap_days=card.cap_days), judged.starts
