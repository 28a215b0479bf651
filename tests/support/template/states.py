"""An interpreter of the Amazon States Language, for the states and paths that the template uses."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from tests.support.template.reading import definition, plain_yaml

Invoke = Callable[[str, Any], Any]
START_TIME = "2026-11-25T15:00:04.123Z"
_MAX_STEPS = 10_000


def definition_of(machine: Mapping[str, Any]) -> dict[str, Any]:
    """The definition of a state machine, with its substitutions made in the text, as CloudFormation makes them."""
    text = definition()
    for name, value in machine["DefinitionSubstitutions"].items():
        assert f"${{{name}}}" in text, name
        text = text.replace(f"${{{name}}}", value)
    assert "${" not in text
    return plain_yaml(text)


class TaskFailed(Exception):
    """What an invoked function ended with: an error name and a cause."""

    def __init__(self, error: str, cause: str = "") -> None:
        super().__init__(error, cause)
        self.error, self.cause = error, cause


class Execution:
    """A run of a state machine; `output` is set when it succeeded, `error` and `cause` when it failed."""

    def __init__(self, definition: Mapping[str, Any], given: Any, invoke: Invoke) -> None:
        """Run it to its end; `invoke` gets a function's name and payload, and answers or raises TaskFailed."""
        self.waited = 0.0
        self.output: Any = None
        self.error: str | None = None
        self.cause: str | None = None
        self._context = {"Execution": {"Input": given, "StartTime": START_TIME}}
        self._invoke = invoke
        self._data: Any = given
        name: str | None = definition["StartAt"]
        for _ in range(_MAX_STEPS):
            if name is None:
                return
            name = self._step(definition["States"][name])
        raise AssertionError("the execution does not end")

    def _step(self, state: Mapping[str, Any]) -> str | None:
        kind = state["Type"]
        if kind == "Succeed":
            self.output = self._read(state.get("OutputPath", "$"))
            return None
        if kind == "Fail":
            self.error = state["Error"]
            self.cause = state.get("Cause") or str(self._read(state["CausePath"]))
            return None
        if kind == "Choice":
            return next((str(c["Next"]) for c in state["Choices"] if self._holds(c)), state["Default"])
        if kind == "Pass":
            filled = self._fill(state["Parameters"]) if "Parameters" in state else self._read(state["InputPath"])
            self._store(state["ResultPath"], state.get("Result", filled))
            return str(state["Next"])
        assert kind == "Task", kind
        return self._task(state)

    def _task(self, state: Mapping[str, Any]) -> str:
        parameters = self._fill(state["Parameters"])
        retried: dict[int, int] = {}
        while True:
            try:
                answer = self._invoke(parameters["FunctionName"], parameters["Payload"])
            except TaskFailed as exc:
                if self._retries(state.get("Retry", []), exc, retried):
                    continue
                for catcher in state.get("Catch", []):
                    if _matches(catcher, exc):
                        self._store(catcher["ResultPath"], {"Error": exc.error, "Cause": exc.cause})
                        return str(catcher["Next"])
                raise
            self._store(state["ResultPath"], self._fill(state["ResultSelector"], {"Payload": answer}))
            return str(state["Next"])

    def _retries(self, retriers: list[dict[str, Any]], exc: TaskFailed, retried: dict[int, int]) -> bool:
        for number, retrier in enumerate(retriers):
            if _matches(retrier, exc):
                done = retried.get(number, 0)
                retried[number] = done + 1
                self.waited += retrier["IntervalSeconds"] * retrier["BackoffRate"] ** done
                return bool(done < retrier["MaxAttempts"])
        return False

    def _holds(self, rule: Mapping[str, Any]) -> bool:
        if "And" in rule:
            return all(self._holds(part) for part in rule["And"])
        if "Or" in rule:
            return any(self._holds(part) for part in rule["Or"])
        if "IsPresent" in rule:
            try:
                self._read(rule["Variable"])
            except KeyError:
                return not rule["IsPresent"]
            return bool(rule["IsPresent"])
        value = self._read(rule["Variable"])
        if "IsBoolean" in rule:
            return bool(isinstance(value, bool) == rule["IsBoolean"])
        if "BooleanEquals" in rule:
            return bool(value is rule["BooleanEquals"])
        if "StringEquals" in rule:
            return bool(value == rule["StringEquals"])
        return bool(value >= rule["NumericGreaterThanEquals"])

    def _fill(self, template: Mapping[str, Any], data: Any = None) -> dict[str, Any]:
        return {
            key.removesuffix(".$"): self._read(value, data) if key.endswith(".$") else value
            for key, value in template.items()
        }

    def _read(self, path: str, data: Any = None) -> Any:
        if added := re.fullmatch(r"States\.MathAdd\((.+), (\d+)\)", path):
            return self._read(added[1], data) + int(added[2])
        if encoded := re.fullmatch(r"States\.JsonToString\((.+)\)", path):
            return json.dumps(self._read(encoded[1], data))
        value = self._context if path.startswith("$$") else self._data if data is None else data
        for part in path.lstrip("$").split(".")[1:]:
            value = value[part]
        return value

    def _store(self, path: str, value: Any) -> None:
        self._data = _with(self._data, path.removeprefix("$").split(".")[1:], value)


def _with(data: Any, names: list[str], value: Any) -> Any:
    """Data with a value at a path; everything else stays."""
    if not names:
        return value
    return {**data, names[0]: _with(data.get(names[0], {}), names[1:], value)}


def _matches(rule: Mapping[str, Any], exc: TaskFailed) -> bool:
    return exc.error in rule["ErrorEquals"] or "States.ALL" in rule["ErrorEquals"]
