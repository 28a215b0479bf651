"""The retrain job: read -> decide -> write.

What is decided lives in pure modules (learning, verdict); this one reads what they need and writes what they say:
the version first, then the promotion, then the machines' last failures.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import msgspec

from monitory.errors import UNDECODABLE, Conflict, ModelError, ObjectNotFound
from monitory.features import failure_state
from monitory.features.failure_state import Excursion, FailureState
from monitory.log import Logger
from monitory.machine import Machine, machine
from monitory.model.loader import ModelLoader
from monitory.registry.registry import CARD_FILE, ROLLBACK, Promotion, Registry, ServedObject
from monitory.registry.version import Version
from monitory.sensors import SensorSet
from monitory.settings import RetrainSettings
from monitory.storage.port import Storage
from monitory_retrain import events, pipeline, publish, results
from monitory_retrain.dataset import failure_log
from monitory_retrain.dataset.completeness import Completeness, completeness
from monitory_retrain.dataset.labels import Labels
from monitory_retrain.evaluation import drift, verdict
from monitory_retrain.evaluation import holdout as validation
from monitory_retrain.evaluation.drift import Drift
from monitory_retrain.evaluation.holdout import Champion
from monitory_retrain.evaluation.scores import score
from monitory_retrain.evaluation.verdict import Verdict
from monitory_retrain.ingest.ingest import Ingest
from monitory_retrain.pipeline import Challenger
from monitory_retrain.report import Findings
from monitory_retrain.results import JobResult
from monitory_retrain.training.training import Recipe

__all__ = ["ATTEMPTS", "RUNS", "Job", "JobResult"]

RUNS = "runs"
ATTEMPTS = 3
"""Verdicts sought anew when another promotion came in between."""


@dataclass(frozen=True, slots=True)
class Job:
    """What the job works with."""

    settings: RetrainSettings
    sensors: SensorSet
    lake: Storage
    models: Storage
    registry: Registry
    ingest: Ingest
    recipe: Recipe
    log: Logger

    @property
    def loader(self) -> ModelLoader:
        """Loads the registry's models as serving does."""
        return ModelLoader(self.registry, self.sensors, self.settings.max_rul_days)

    def train(self, request: events.TrainingRequest, in_time: Callable[[], bool]) -> JobResult:
        """Train on days of the lake, store the version and promote it if it deserves it.

        Args:
            request: which days, and how.
            in_time: asked before each machine's day is read, and before learning; False ends the run in good order.

        Returns:
            `status` is `trained`, `unchanged` (the model is the one that is served), `skipped` (with the reasons) or
            `continue` (days are left for the next invocation), and the figures.

        Raises:
            StorageUnavailable: the store failed; what was finished is kept.
        """
        done = self._finished_run(request.event_id)
        if done:
            return {**done, "repeated": True}
        self._repair()
        days = request.days
        if request.sample:
            ingested = self.ingest.sample(days, request.sample)
        else:
            ingested = self.ingest.days(days, refresh=request.refresh, in_time=in_time)
        data = results.counts(ingested.counts)
        # what was read is kept, so learning begins at once next time, with all the time there is
        if ingested.left or (ingested.counts.read and not request.sample and not in_time()):
            left = [str(day) for day in ingested.left]
            self.log.warning("out of time: %d of %d days are left", len(left), len(days))
            return {"status": "continue", "left": left, "data": data}
        logged = self._failure_log()
        known = failure_state.read(self.models).state
        outcome = pipeline.learn(
            ingested.table,
            self.sensors,
            self.settings,
            self.recipe,
            self.log,
            failure_log=logged,
            earlier=_before(known, ingested.table.hour.min() if len(ingested.table) else 0),
        )
        if isinstance(outcome, pipeline.Skipped):
            reason = "; ".join(outcome.reasons)
            self.log.warning("skipped: %s", reason)
            answer = {"status": "skipped", "reason": reason, "found": outcome.supply._asdict(), "data": data}
        else:
            hours = completeness(ingested.table, days)
            withheld = None if request.promote else "promotion was not asked for"
            if request.sample and logged is None:
                withheld = (
                    "a sample of the hours misses failures, so it is stored but not promoted without a failure log"
                )
            request = replace(request, promote=withheld is None)
            answer = {**self._conclude(outcome, hours, request, withheld), "data": data}
            self._keep_failures(outcome.labels)
        self._finish_run(request.event_id, answer)
        return answer

    def promote(self, request: events.PromotionRequest, request_id: str | None = None) -> JobResult:
        """Serve a stored version, after it was checked.

        Events are delivered at least once: a request that was done is answered again, not done again.

        Raises:
            UnknownVersion, BrokenModel: the version can't be served. Conflict: another promotion came in between.
        """
        self._repair()
        if made := self.registry.promotion_of(request_id):
            return results.promoted("promoted", made)
        served = self.registry.served_or_none()
        if served and served.version == request.version:
            return {"status": "unchanged", "version": request.version, "reason": "it is served already"}
        checked = self.loader.stored(request.version).fingerprint
        made = self.registry.promote(
            request.version,
            by=request.by,
            reason=request.reason or "asked for",
            expected=served,
            sha256=checked,
            request=request_id,
        )
        return results.promoted("promoted", made)

    def rollback(self, request: events.RollbackRequest, request_id: str | None = None) -> JobResult:
        """Serve what was served before the current version.

        As in `promote`, a request that was done is not done again. A rollback that died unfinished, whosever it was, is
        finished, not followed by a second one.

        Raises:
            NoModel: nothing was. UnknownVersion, BrokenModel: it can't be served. Conflict: as in `promote`.
        """
        repaired = self._repair()
        if repaired and repaired.action == ROLLBACK:
            return results.promoted("rolled back", repaired)
        if made := self.registry.promotion_of(request_id):
            return results.promoted("rolled back", made)
        served = self.registry.served_or_none()
        version = self.registry.rollback_target()
        checked = self.loader.stored(version).fingerprint
        made = self.registry.promote(
            version,
            by=request.by,
            reason=request.reason or "asked for",
            expected=served,
            action=ROLLBACK,
            sha256=checked,
            request=request_id,
        )
        return results.promoted("rolled back", made)

    # -- decide and write ------------------------------------------------------------------------------------

    def _conclude(
        self, challenger: Challenger, hours: Completeness, request: events.TrainingRequest, withheld: str | None
    ) -> JobResult:
        """Judge a challenger, store it and promote it if it deserves it; `withheld` says why it may not be."""
        served = self.registry.served_or_none()
        moved = self._compare_day(challenger, served)
        if served and served.verified and served.blob.metadata.get("sha256") == challenger.sha256:
            self.log.info("the data gave the model that is served: %s", served.version)
            return {
                "status": "unchanged",
                "version": served.version,
                "promoted": False,
                "metrics": results.metrics(challenger),
                "drift": results.drift(moved),
            }
        ruling, champion = self._judge(challenger, served)
        version = self._store(challenger, ruling, champion, moved, hours, request)
        promoted, reasons = None, list(ruling.reasons)
        if withheld:
            reasons.append(withheld)
        for attempt in range(ATTEMPTS):
            if withheld or not ruling.promote:
                break
            try:
                promoted = self.registry.promote(
                    version,
                    by=request.by,
                    reason=ruling.reasons[0],
                    expected=served,
                    score=challenger.scores.mae,
                    replaced_score=champion.scores.mae if champion else None,
                    sha256=challenger.sha256,
                )
                break
            except Conflict as exc:
                self.log.warning("%s (attempt %d)", exc, attempt + 1)
                served = self.registry.served_or_none()
                ruling, champion = self._judge(challenger, served)
                reasons = [f"judged anew, another model came first: {ruling.reasons[0]}", *ruling.reasons[1:]]
        self.log.info("version %s, promoted: %s: %s", version, bool(promoted), "; ".join(reasons))
        return {
            "status": "trained",
            "version": version,
            "promoted": bool(promoted),
            "reasons": reasons,
            "metrics": results.metrics(challenger),
            "champion": msgspec.to_builtins(champion.scores) if champion else None,
            "drift": results.drift(moved),
        }

    def _compare_day(self, challenger: Challenger, served: ServedObject | None) -> Drift:
        """The last day beside the served model's training, or the new one's own where nobody kept that."""
        day = challenger.last_day
        try:
            if served and served.version:
                model = self.loader.served(served)
                known = drift.of_card(self.registry.read(served.version, CARD_FILE))
                if known:
                    seen = pipeline.seen_with(model, day, challenger, self.sensors, self.log)
                    predicted = validation.predictions(model, seen)
                    return drift.compare(known, seen, predicted, self.sensors, served.version)
        except ModelError as exc:
            self.log.warning("drift is told against the new model: %s", exc)
        predicted = validation.predictions(self.loader.trained(challenger.trained.text.encode()), day)
        return drift.compare(challenger.reference, day, predicted, self.sensors)

    def _judge(self, challenger: Challenger, served: ServedObject | None) -> tuple[Verdict, Champion | None]:
        """The verdict, and the champion on the challenger's hold-out."""
        bar = challenger.baselines.mean.mae, challenger.baselines.last_value.mae
        alone = verdict.first(challenger.scores, *bar)
        if served is None:
            return alone, None
        holdout = challenger.split.holdout
        try:
            model = self.loader.served(served)
            seen = pipeline.seen_with(model, holdout, challenger, self.sensors, self.log)
            predicted = validation.predictions(model, seen)
        except ModelError as exc:
            reason = f"what is served cannot be used ({exc})"
            return Verdict(alone.promote, (*alone.reasons, reason)), None
        interval = model.card.intervals if model.card else None
        scores = score(holdout.rul, predicted, interval, model.cap_days, holdout.age)
        comparison = verdict.compare(holdout.rul, predicted, challenger.predicted, holdout.machine, holdout.hour // 24)
        ruling = verdict.against(
            scores,
            challenger.scores,
            comparison,
            *bar,
            margin=self.settings.promotion_margin,
            coverage=self.settings.coverage,
        )
        return ruling, Champion(served.version, predicted, scores)

    def _store(
        self,
        challenger: Challenger,
        ruling: Verdict,
        champion: Champion | None,
        moved: Drift,
        hours: Completeness,
        request: events.TrainingRequest,
    ) -> str:
        """Store a version that is named after this moment; its name."""
        now = datetime.now(UTC)
        made = pipeline.card(
            challenger,
            version=str(Version.at(now)),
            trained_at=now.isoformat(timespec="seconds"),
            days=request.days,
            sensors=self.sensors,
            settings=self.settings,
            recipe=self.recipe,
        )
        found = Findings(made, challenger, ruling, request.promote, champion, moved, hours)
        return publish.store(self.registry, found)

    # -- runs and failures -----------------------------------------------------------------------------------

    def _repair(self) -> Promotion | None:
        """Finish what a run that died left unfinished; the promotion, where there was one."""
        repaired = self.registry.repair()
        if repaired:
            self.log.warning("wrote the missing record of promotion %d (%s)", repaired.number, repaired.version)
        return repaired

    def _finished_run(self, run_id: str | None) -> JobResult | None:
        """The answer of a scheduled run that happened already: events are delivered at least once."""
        if run_id is None:
            return None
        try:
            answer: JobResult = msgspec.json.decode(self.models.get(_run_key(run_id)).body, type=dict[str, Any])
        except (ObjectNotFound, *UNDECODABLE):
            return None
        return answer

    def _finish_run(self, run_id: str | None, answer: Mapping[str, Any]) -> None:
        if run_id is not None:
            self.models.put(_run_key(run_id), _json(answer), content_type="application/json")

    def _failure_log(self) -> dict[str, list[int]] | None:
        if not self.settings.failure_log_key:
            return None
        log = failure_log.read(self.lake, self.settings.failure_log_key)
        if log.rejected:
            self.log.warning("%d lines of the failure log cannot be read", log.rejected)
        return log.hours

    def _keep_failures(self, found: Labels) -> None:
        """Leave each machine's last hour of failure for serving and for the next run."""
        excursion = None
        if not self.settings.failure_log_key:
            excursion = Excursion(self.settings.excursion_share, self.settings.excursion_sensors)
        last = {str(owner): hour for owner, hour in found.last_hours.items()}
        failure_state.merge(self.models, FailureState(excursion, last))


def _before(known: FailureState, first_hour: int) -> dict[Machine, int]:
    """Failures before the first hour of a range: what came later is found in the range itself."""
    return {
        machine(*name.split("/", 1)): hour for name, hour in known.last.items() if hour < first_hour and "/" in name
    }


def _run_key(run_id: str) -> str:
    return f"{RUNS}/{''.join(c if c.isalnum() or c == '-' else '_' for c in run_id)[:100]}.json"


def _json(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=1)
