"""The parts of CloudWatch that the alarms rely on: metric math, windows, missing data."""

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Points = Sequence[float | None]
_LOOK_BACK = 5
_OPERATORS: dict[type[ast.AST], Callable[[float, float], float]] = {
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Gt: operator.gt,
}
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
}


def series(alarm: Mapping[str, Any], published: Mapping[str, Points]) -> list[float | None]:
    """What an alarm looks at, period by period, oldest first.

    Args:
        alarm: its properties.
        published: points by metric name, None where nothing was published; all of one length.
    """
    if "MetricName" in alarm:
        return list(published[alarm["MetricName"]])
    queries = alarm["Metrics"]
    points = {q["Id"]: published[q["MetricStat"]["Metric"]["MetricName"]] for q in queries if "MetricStat" in q}
    (expression,) = [query["Expression"] for query in queries if "Expression" in query]
    tree = ast.parse(expression, mode="eval").body
    return [_value(tree, points, place) for place in range(len(next(iter(points.values()))))]


def in_alarm(alarm: Mapping[str, Any], points: Points) -> bool | None:
    """Whether an alarm is raised after the last of these points; None where it keeps its state.

    CloudWatch reads some points more than the window has, and counts a missing one only where that leaves it with
    too few real ones.
    """
    window = alarm["EvaluationPeriods"]
    compare = _COMPARISONS[alarm["ComparisonOperator"]]
    real = [point for point in points[-window - _LOOK_BACK :] if point is not None][-window:]
    breaching = sum(compare(point, float(alarm["Threshold"])) for point in real)
    if not real and alarm["TreatMissingData"] == "ignore":
        return None
    if alarm["TreatMissingData"] == "breaching":
        breaching += window - len(real)
    return bool(breaching >= alarm.get("DatapointsToAlarm", window))


def _value(node: ast.AST, points: Mapping[str, Points], place: int) -> float | None:
    match node:
        case ast.Constant(value=int() | float() as number):
            return number
        case ast.Name(id=name):
            return points[name][place]
        case ast.BinOp(left=left, op=op, right=right) | ast.Compare(left=left, ops=[op], comparators=[right]):
            first, second = _value(left, points, place), _value(right, points, place)
            return None if first is None or second is None else _OPERATORS[type(op)](first, second)
        case ast.Call(func=ast.Name(id="IF"), args=[condition, chosen, other]):
            known = _value(condition, points, place)
            return None if known is None else _value(chosen if known else other, points, place)
        case ast.Call(func=ast.Name(id="FILL"), args=[ast.Name(id=name), other]):
            # a metric without a single point in the whole range stays without
            value, empty = points[name][place], all(point is None for point in points[name])
            return value if value is not None or empty else _value(other, points, place)
        case ast.Call(func=ast.Name(id="MAX"), args=[ast.List(elts=items)]):
            values = [_value(item, points, place) for item in items]
            return max((value for value in values if value is not None), default=None)
    raise NotImplementedError(ast.dump(node))
