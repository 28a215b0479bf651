"""The retrain job: read -> decide -> write.

The decisions are made by `pipeline` and `evaluator`; this module writes their outcome: first the version, then the
promotion, then the machines' last failures and the realised accuracy.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import msgspec

from monitory import clock
from monitory.errors import Conflict
from monitory.features import failure_state
from monitory.features.excursion import Excursion
from monitory.features.failure_state import FailureState
from monitory.log import Logger
from monitory.logbook.logbook import Logbook, shared_ids
from monitory.machine import Machine
from monitory.registry.registry import ROLLBACK, Promotion, Registry
from monitory.registry.version import Version
from monitory.scoring.performance import Performance
from monitory.sensors import SensorSet
from monitory.settings import RetrainSettings
from monitory.storage.port import Storage
from monitory_retrain import history, performance, pipeline, publish
from monitory_retrain.check import losses
from monitory_retrain.dataset.completeness import Completeness, completeness
from monitory_retrain.evaluation.drift import Drift
from monitory_retrain.evaluation.holdout import Champion
from monitory_retrain.evaluation.verdict import Verdict
from monitory_retrain.evaluator import Evaluator
from monitory_retrain.ingest import logbook_source
from monitory_retrain.ingest.counts import largest_loss
from monitory_retrain.ingest.ingest import Ingest
from monitory_retrain.invocation import events, idempotency, ingest_results, results
from monitory_retrain.invocation.events import JobResult
from monitory_retrain.pipeline import Challenger, Skipped
from monitory_retrain.report import Findings
from monitory_retrain.training.training import Recipe

__all__ = ["ATTEMPTS", "Job", "JobResult"]

ATTEMPTS = 3
"""Verdicts at most, one after each concurrent promotion."""


@dataclass(frozen=True, slots=True)
class Job:
    """The actions of the retrain function, with what they need."""

    settings: RetrainSettings
    sensors: SensorSet
    lake: Storage
    models: Storage
    registry: Registry
    ingest: Ingest
    recipe: Recipe
    log: Logger

    @property
    def evaluator(self) -> Evaluator:
        """Compares a challenger with the served model."""
        return Evaluator(self.settings, self.sensors, self.registry, self.log)

    def train(self, request: events.TrainingRequest, in_time: Callable[[], bool]) -> JobResult:
        """Train on days of the lake, store the version, and promote it if the verdict allows.

        Args:
            request: the days and options.
            in_time: called before each machine-day is read and before training; False ends the job cleanly.

        Returns:
            The figures and a `status`: `trained`, `unchanged` (the served model again), `skipped` (with reasons) or
            `continue` (with the days left for the next invocation).

        Raises:
            StorageUnavailable: the store failed; finished days stay cached.
        """
        if earlier := idempotency.read(self.models, request.event_id):
            return {**earlier, "repeated": True}
        self._repair()
        days = request.days
        if request.sample:
            ingested = self.ingest.sample(days, request.sample)
        else:
            ingested = self.ingest.days(days, refresh=request.refresh, in_time=in_time)
        data = ingest_results.counts(ingested.counts)
        # the rows just read are cached: the next invocation trains at once, with its full time
        if ingested.left or (ingested.counts.read and not request.sample and not in_time()):
            left = [str(day) for day in ingested.left]
            self.log.warning("out of time: %d of %d days are left for the next invocation", len(left), len(days))
            return {"status": "continue", "left": left, "data": data}
        logbook = self.logbook()
        if logbook:
            warnings = [*logbook.warnings, *logbook.unmatched(ingested.table.machines)]
            for warning in warnings:
                self.log.warning("%s", warning)
            data["log"] = {"entries": logbook.counts, "warnings": warnings}
        state = failure_state.read(self.models, self.ingest.config.fingerprint()).state
        past = history.past(self.ingest, request, ingested.table, state, self.settings, in_time)
        data["warnings"] = past.warnings
        for warning in past.warnings:
            self.log.warning("%s", warning)
        outcome = pipeline.learn(
            ingested.table,
            self.sensors,
            self.settings,
            self.recipe,
            self.log,
            logbook=logbook,
            earlier=past.failures,
            history=past.rows,
        )
        lake = self.ingest.config.fingerprint()
        figures = performance.measure(
            self.models, lake, self.settings, outcome.table, outcome.labels, request, self.log
        )
        if isinstance(outcome, Skipped):
            hints = losses.causes(ingested.counts, self.lake, self.ingest.config, days)
            reason = "; ".join([*outcome.reasons, *hints])
            self.log.warning("skipped: %s", reason)
            result = {"status": "skipped", "reason": reason, "found": outcome.supply._asdict(), "data": data}
            if logbook and len(ingested.table):  # predictions follow it whether or not there is enough to learn from
                self._write_failures({}, ingested.table.machines)
        else:
            hours = completeness(ingested.table, days, clock.hour_of(clock.now()))
            withheld = None if request.promote else "the event says promote: never"
            if request.sample and not (logbook and logbook.lists_failures):
                withheld = "a sample of the hours misses failures: without a failure log it is stored but not promoted"
            request = replace(request, promote=withheld is None)
            conclusion = self._conclude(outcome, hours, request, withheld, figures)
            if loss := largest_loss(ingested.counts):
                conclusion["reasons"] = [*conclusion.get("reasons", []), loss]
            result = {**conclusion, "data": data}
            self._write_failures(outcome.labels.last_hours, ingested.table.machines)
        if figures:
            result["performance"] = performance.store(self.models, figures, self.log)
        idempotency.write(self.models, request.event_id, result)
        return result

    def promote(self, request: events.PromotionRequest, request_id: str | None = None) -> JobResult:
        """Verify a stored version, then serve it.

        A repeated request gets the first result; it promotes nothing.

        Raises:
            UnknownVersion, BrokenModel: the version can't be served. Conflict: another promotion was faster.
        """
        self._repair()
        if promotion := self.registry.promotion_of(request_id):
            return results.promotion("promoted", promotion)
        served = self.registry.served_or_none()
        if served and served.version == request.version:
            return {"status": "unchanged", "version": request.version, "reason": "the version is already served"}
        sha256 = self.evaluator.loader.stored(request.version).fingerprint
        promotion = self.registry.promote(
            request.version,
            by=request.by,
            reason=request.reason or "requested",
            expected=served,
            sha256=sha256,
            request=request_id,
        )
        return results.promotion("promoted", promotion)

    def rollback(self, request: events.RollbackRequest, request_id: str | None = None) -> JobResult:
        """Serve the previous version.

        A repeated request gets the first result. An unfinished rollback, whoever requested it, is finished instead of a
        second one.

        Raises:
            NoModel: there is no previous version. UnknownVersion, BrokenModel: it can't be served.
            Conflict: as in `promote`.
        """
        repaired = self._repair()
        if repaired and repaired.action == ROLLBACK:
            return results.promotion("rolled back", repaired)
        if promotion := self.registry.promotion_of(request_id):
            return results.promotion("rolled back", promotion)
        served = self.registry.served_or_none()
        version = self.registry.rollback_target()
        sha256 = self.evaluator.loader.stored(version).fingerprint
        promotion = self.registry.promote(
            version,
            by=request.by,
            reason=request.reason or "requested",
            expected=served,
            action=ROLLBACK,
            sha256=sha256,
            request=request_id,
        )
        return results.promotion("rolled back", promotion)

    # -- decide and write ------------------------------------------------------------------------------------

    def _conclude(
        self,
        challenger: Challenger,
        hours: Completeness,
        request: events.TrainingRequest,
        withheld: str | None,
        figures: Performance | None,
    ) -> JobResult:
        """Judge a challenger, store it and promote it if the verdict allows; `withheld` is a reason not to."""
        served = self.registry.served_or_none()
        drift = self.evaluator.last_day_drift(challenger, served)
        if served and served.verified and served.blob.metadata.get("sha256") == challenger.sha256:
            self.log.info("training reproduced the served model: %s", served.version)
            return {
                "status": "unchanged",
                "version": served.version,
                "promoted": False,
                "metrics": results.metrics(challenger),
                "drift": results.drift(drift),
            }
        ruling, champion = self.evaluator.judge(challenger, served)
        version = self._store(challenger, ruling, champion, drift, hours, request, figures)
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
                ruling, champion = self.evaluator.judge(challenger, served)
                reasons = [f"judged again after another promotion: {ruling.reasons[0]}", *ruling.reasons[1:]]
        self.log.info("version %s, promoted: %s: %s", version, bool(promoted), "; ".join(reasons))
        return {
            "status": "trained",
            "version": version,
            "promoted": bool(promoted),
            "reasons": reasons,
            "metrics": results.metrics(challenger),
            "champion": msgspec.to_builtins(champion.scores) if champion else None,
            "drift": results.drift(drift),
        }

    def _store(
        self,
        challenger: Challenger,
        ruling: Verdict,
        champion: Champion | None,
        drift: Drift,
        hours: Completeness,
        request: events.TrainingRequest,
        figures: Performance | None,
    ) -> str:
        """Store a version named after the current time; returns its name."""
        now = datetime.now(UTC)
        card = pipeline.card(
            challenger,
            version=str(Version.at(now)),
            trained_at=now.isoformat(timespec="seconds"),
            days=request.days,
            sensors=self.sensors,
            settings=self.settings,
            recipe=self.recipe,
        )
        findings = Findings(card, challenger, ruling, request.promote, champion, drift, hours, figures)
        return publish.store(self.registry, findings)

    # -- repair and failures ---------------------------------------------------------------------------------

    def _repair(self) -> Promotion | None:
        """Finish the promotion of a job that died; None where there is none."""
        repaired = self.registry.repair()
        if repaired:
            self.log.warning("wrote the missing record of promotion %d (%s)", repaired.number, repaired.version)
        return repaired

    def logbook(self) -> Logbook | None:
        """What people wrote down; see `logbook_source.logbook`."""
        return logbook_source.logbook(self.lake, self.models, self.settings.failure_log_key)

    def _write_failures(self, last_hours: Mapping[Machine, int], machines: Sequence[Machine]) -> None:
        """Store each machine's last hour of failure or maintenance for serving and the next training."""
        excursion = Excursion(self.settings.excursion_share, self.settings.excursion_sensors)
        last = {str(owner): hour for owner, hour in last_hours.items()}
        shared = tuple(sorted(shared_ids(machines)))
        lake = self.ingest.config.fingerprint()
        failure_state.merge(self.models, FailureState(excursion, last, shared, self.settings.failure_log_key, lake))
