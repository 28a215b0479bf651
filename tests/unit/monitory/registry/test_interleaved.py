"""Every interleaving of promotions, rollbacks, repairs and strangers keeps the registry's promises."""

import json
from collections.abc import Callable

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from monitory.registry.promotions import from_metadata
from monitory.registry.registry import MODEL_FILE, Registry
from tests.support.registries import KEY, A, B, C, D, a_registry, check_whole, promote, put_foreign, served
from tests.support.runs import Run, UniqueEtags


class Promoters(RuleBasedStateMachine):
    """Promotions, rollbacks and repairs interleaved call by call, killed anywhere; sometimes a stranger writes."""

    @initialize()
    def start(self) -> None:
        self.storage = UniqueEtags()
        self.registry = a_registry(self.storage)
        self.runs: list[Run] = []
        self.seen: list[str] = []
        self.strangers = 0
        self.number = 0

    def _start(self, work: Callable[[Registry], object]) -> None:
        self.runs.append(Run(self.storage, work))

    @precondition(lambda self: len(self.runs) < 4)
    @rule(version=st.sampled_from([A, B, C, D]))
    def promote(self, version: str) -> None:
        self.number += 1
        reason = f"promotion {self.number}"
        self._start(lambda registry: promote(registry, version, reason))

    @precondition(lambda self: len(self.runs) < 4)
    @rule()
    def roll_back(self) -> None:
        self.number += 1
        reason = f"rollback {self.number}"
        self._start(lambda r: promote(r, r.rollback_target(), reason, action="rollback"))

    @precondition(lambda self: len(self.runs) < 4)
    @rule()
    def repair(self) -> None:
        self._start(lambda registry: registry.repair())

    @precondition(lambda self: self.strangers < 2)
    @rule()
    def overwrite(self) -> None:
        self.strangers += 1
        put_foreign(self.registry, f"tree of stranger {self.strangers}".encode())

    @precondition(lambda self: self.runs)
    @rule(choice=st.integers(0, 3), steps=st.integers(1, 12))
    def go_on(self, choice: int, steps: int) -> None:
        run = self.runs[choice % len(self.runs)]
        for _ in range(steps):
            run.step()
            self._look()
        if run.done:
            self.runs.remove(run)

    @precondition(lambda self: self.runs)
    @rule(choice=st.integers(0, 3))
    def kill(self, choice: int) -> None:
        self.runs.pop(choice % len(self.runs)).kill()

    def _look(self) -> None:
        """Note which promotion is served."""
        blob = self.storage.objects.get(KEY)
        promotion = from_metadata(blob.metadata) if blob else None
        if promotion and promotion.reason not in self.seen[-1:]:
            self.seen.append(promotion.reason)

    @invariant()
    def what_is_served_is_a_stored_version(self) -> None:
        now = served(self.registry)
        if now and now.promotion:
            assert now.verified
            assert self.registry.read(now.promotion.version, MODEL_FILE) == now.blob.body

    @invariant()
    def records_have_no_gaps_and_tell_of_each_promotion_once(self) -> None:
        history = self.registry.history()
        assert [one.number for one in history] == list(range(1, len(history) + 1))
        reasons = [one.reason for one in history]
        assert len(reasons) == len(set(reasons))

    def teardown(self) -> None:
        for run in self.runs:
            run.kill()
        self.registry.repair()
        reasons = [one.reason for one in self.registry.history()]
        if not self.strangers:
            assert reasons == self.seen
            check_whole(self.registry)
        assert set(reasons) <= set(self.seen)
        now = served(self.registry)
        if now and now.promotion:
            assert now.promotion.reason in reasons
            shown = json.loads(self.registry.storage.get("models/latest/metrics.json").body)
            assert now.promotion.version in shown.values()


TestPromoters = Promoters.TestCase
TestPromoters.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
