"""An interpreter of the Amazon States Language, for the states and paths that the template uses."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

from tests.support.template.reading import definition, plain_yaml

Invoke = Callable[[str, Any], Any]
"""Gets a function's name and payload, and answers or raises TaskFailed."""

Call = Callable[[str, Any], Any]
"""The same for other services: gets a resource and its parameters."""

GetObject = Callable[[str, str], bytes]
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


def _no_object(bucket: str, key: str) -> bytes:
    raise AssertionError(f"nobody expects that s3://{bucket}/{key} is read")


def _no_call(resource: str, parameters: Any) -> Any:
    raise AssertionError(f"nobody expects a call of {resource} with {parameters}")


class Execution:
    """A run of a state machine; `output` is set when it succeeded, `error` and `cause` when it failed."""

    def __init__(
        self,
        definition: Mapping[str, Any],
        given: Any,
        invoke: Invoke,
        get_object: GetObject = _no_object,
        context: Mapping[str, Any] | None = None,
        call: Call = _no_call,
    ) -> None:
        """Run it to its end.

        Args:
            definition: the state machine's, or that of the items of a map.
            given: its input.
            invoke: stands for functions.
            get_object: gets a bucket and a key; reads the items of a map.
            context: the context object of an item's execution.
            call: stands for services other than Lambda.
        """
        self.waited = 0.0
        self.output: Any = None
        self.error: str | None = None
        self.cause: str | None = None
        self.items: list[Execution] = []
        self._context = context or {"Execution": {"Input": given, "StartTime": START_TIME}}
        self._invoke = invoke
        self._get_object = get_object
        self._call = call
        self.data: Any = given
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
            return next((str(c["Next"]) for c in state["Choices"] if self._holds(c)), state.get("Default"))
        if kind == "Pass":
            filled = (
                self._fill(state["Parameters"]) if "Parameters" in state else self._read(state.get("InputPath", "$"))
            )
            self._store(state.get("ResultPath", "$"), state.get("Result", filled))
        else:
            try:
                self._task(state) if kind == "Task" else self._map(state)
            except TaskFailed as exc:
                caught = next((catcher for catcher in state.get("Catch", []) if _matches(catcher, exc)), None)
                if caught is None:
                    self.error, self.cause = exc.error, exc.cause
                    return None
                self._store(caught["ResultPath"], {"Error": exc.error, "Cause": exc.cause})
                return str(caught["Next"])
        if state.get("End"):
            self.output = self.data
            return None
        return str(state["Next"])

    def _map(self, state: Mapping[str, Any]) -> None:
        """A distributed map over the lines of an object, an item after the other."""
        assert state["Type"] == "Map", state
        assert state["ItemProcessor"]["ProcessorConfig"]["Mode"] == "DISTRIBUTED"
        assert state["ItemReader"]["ReaderConfig"] == {"InputType": "JSONL"}
        assert state["ItemReader"]["Resource"] == "arn:aws:states:::s3:getObject"
        place = self._fill(state["ItemReader"]["Parameters"])
        for line in self._get_object(place["Bucket"], place["Key"]).splitlines():
            context = {**self._context, "Map": {"Item": {"Index": len(self.items), "Value": json.loads(line)}}}
            given = _filled(state["ItemSelector"], self.data, context)
            self.items.append(Execution(state["ItemProcessor"], given, self._invoke, self._get_object, context))
        failed = [item for item in self.items if item.error]
        if len(failed) * 100 > state["ToleratedFailurePercentage"] * len(self.items):
            raise TaskFailed("States.ExceedToleratedFailureThreshold")
        self._store(state["ResultPath"], [item.output for item in self.items if not item.error])

    def _task(self, state: Mapping[str, Any]) -> None:
        parameters = self._fill(state["Parameters"])
        retried: dict[int, int] = {}
        while True:
            try:
                if state["Resource"].endswith(":lambda:invoke"):
                    answer = {"Payload": self._invoke(parameters["FunctionName"], parameters["Payload"])}
                else:
                    answer = self._call(state["Resource"], parameters)
                break
            except TaskFailed as exc:
                if not self._retries(state.get("Retry", []), exc, retried):
                    raise
        self._store(state["ResultPath"], _filled(state["ResultSelector"], answer, self._context))

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
        if "Not" in rule:
            return not self._holds(rule["Not"])
        if "IsPresent" in rule:
            try:
                self._read(rule["Variable"])
            except KeyError:
                return not rule["IsPresent"]
            return bool(rule["IsPresent"])
        value = self._read(rule["Variable"])
        if "IsString" in rule:
            return bool(isinstance(value, str) == rule["IsString"])
        if "IsBoolean" in rule:
            return bool(isinstance(value, bool) == rule["IsBoolean"])
        if "BooleanEquals" in rule:
            return bool(value is rule["BooleanEquals"])
        if "StringEquals" in rule:
            return bool(value == rule["StringEquals"])
        return bool(value >= rule["NumericGreaterThanEquals"])

    def _fill(self, template: Mapping[str, Any]) -> Any:
        return _filled(template, self.data, self._context)

    def _read(self, path: str) -> Any:
        return _value(path, self.data, self._context)

    def _store(self, path: str | None, value: Any) -> None:
        if path is None:
            return
        self.data = _with(self.data, path.removeprefix("$").split(".")[1:], value)


def _filled(template: Any, data: Any, context: Mapping[str, Any]) -> Any:
    if not isinstance(template, Mapping):
        return template
    plain = {key: _filled(value, data, context) for key, value in template.items() if not key.endswith(".$")}
    paths = {key: value for key, value in template.items() if key.endswith(".$")}
    return plain | {key.removesuffix(".$"): _value(value, data, context) for key, value in paths.items()}


def _value(path: str, data: Any, context: Mapping[str, Any]) -> Any:
    if added := re.fullmatch(r"States\.MathAdd\((.+), (\d+)\)", path):
        return _value(added[1], data, context) + int(added[2])
    if encoded := re.fullmatch(r"States\.JsonToString\((.+)\)", path):
        return json.dumps(_value(encoded[1], data, context))
    if merged := re.fullmatch(r"States\.JsonMerge\((.+), (.+), false\)", path):
        return {**_value(merged[1], data, context), **_value(merged[2], data, context)}
    if written := re.fullmatch(r"States\.Format\('([^']+)', (.+)\)", path):
        return written[1].replace("{}", _value(written[2], data, context))
    if taken := re.fullmatch(r"States\.ArrayGetItem\((.+), (\d+)\)", path):
        return _value(taken[1], data, context)[int(taken[2])]
    if divided := re.fullmatch(r"States\.StringSplit\((.+), '(.)'\)", path):
        return _value(divided[1], data, context).split(divided[2])
    if path == "States.UUID()":
        return str(uuid4())
    value = context if path.startswith("$$") else data
    for part in path.lstrip("$").split(".")[1:]:
        value = value[part]
    return value


def _with(data: Any, names: list[str], value: Any) -> Any:
    """Data with a value at a path; everything else stays."""
    if not names:
        return value
    return {**data, names[0]: _with(data.get(names[0], {}), names[1:], value)}


def _matches(rule: Mapping[str, Any], exc: TaskFailed) -> bool:
    return exc.error in rule["ErrorEquals"] or "States.ALL" in rule["ErrorEquals"]
