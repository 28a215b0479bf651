"""Checks models of unknown origin in a child process, where a crash does no harm.

LightGBM trusts its input: a malformed text may crash the process instead of raising an error, on loading or when a row
reaches the defect. Our own texts are recognised by their SHA-256. In any other the trees are checked first, so that
every row ends in a leaf, and then a child process loads it.

Both checks are needed. Half of the texts with one wrong link, split or category load and predict in a child without a
sign: LightGBM reads beyond its arrays. And some texts with sound trees crash it, by fields that no row uses.
"""

import os
import re
import resource
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from monitory.errors import BrokenModel
from monitory.model.booster import Booster

MAX_BYTES = 16 << 20
"""Of a text of unknown origin: fifty times an older trainer's; checking and loading it takes 100 MB."""

MEMORY_BYTES = 256 << 20
"""Address space of the child: a model of `MAX_BYTES` takes a fifth of it."""

TIMEOUT_SECONDS = 20

_INHERITED = ("PATH", "LD_LIBRARY_PATH", "PYTHONHOME")
"""Variables that the child inherits; the others include credentials."""

_MOST_FEATURES = 10_000
_MOST_LEAVES = 131_072
"""LightGBM's own limit of a tree."""

_MOST_LINES = 64
"""Of a header or a tree; LightGBM writes some twenty."""

_NUMBERS = re.compile(r"[-+.0-9eE ]*")
"""Python accepts more spellings of numbers than LightGBM, and both accept `nan` and `inf`."""

_THRESHOLDS = re.compile(r"[-+.0-9eEinf ]*")
"""`inf` splits present values from missing ones."""

_CATEGORICAL = 1
"""The bit of a decision type for a categorical split."""

_REACH = 1e100
_EXPONENT_REACH = 700.0
_EXPONENTIAL = ("poisson", "gamma", "tweedie", "cross_entropy_lambda")
"""Sums of leaves up to which predictions are finite; some objectives raise e to that power."""

N = TypeVar("N", int, float)


def check(text: bytes) -> None:
    """Check a model text's size and trees, then load it and predict in a child process.

    Raises:
        BrokenModel: it is too large, a tree is malformed, or the child refused it, crashed or timed out.
    """
    import subprocess  # a cold start whose model is known does without

    if len(text) > MAX_BYTES:
        raise BrokenModel(f"the model of unknown origin has {len(text):,} bytes, more than {MAX_BYTES:,}")
    check_trees(text)
    environment = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    environment |= {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "OMP_NUM_THREADS": "1"}
    try:
        child = subprocess.run(
            [sys.executable, "-m", "monitory.model.untrusted"],
            input=text,
            env=environment,
            capture_output=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise BrokenModel(f"the model of unknown origin could not be checked: {exc}") from exc
    if child.returncode < 0:
        raise BrokenModel(f"the model of unknown origin crashes LightGBM (signal {-child.returncode})")
    if child.returncode:
        reason = child.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["no reason given"]
        raise BrokenModel(f"the model of unknown origin is refused: {reason[0][:300]}")


def check_trees(text: bytes) -> None:
    """Whether each tree of a model text is a tree, and each sum of their leaves a number.

    Every node and leaf has one place in its tree, every split a feature.

    Raises:
        BrokenModel: one is not.
    """
    end = text.find(b"\nend of trees")
    if end < 0:
        raise BrokenModel("the model of unknown origin breaks off before the end of its trees")
    parts = _parts(text, end)
    try:
        fields = _fields(next(parts))
        (width,) = _numbers(fields, "max_feature_idx", 1, int)
        width += 1
        if not 0 < width <= _MOST_FEATURES or fields["feature_names"].count(" ") + 1 != width:
            raise BrokenModel(f"the model of unknown origin does not name the {width} features that it takes")
        reach = 0.0
        for part in parts:
            number, _, lines = part.partition(b"\n")
            tree = _fields(lines.partition(b"\n\n")[0])
            if tree.get("is_linear", "0") != "0":
                raise BrokenModel(
                    "the model of unknown origin has linear trees, whose leaves are formulas that LightGBM cannot "
                    "explain by feature: train it with linear_tree=false"
                )
            leaves = _leaves(tree)
            if not _is_tree(tree, len(leaves), width):
                raise BrokenModel(f"tree {int(number)} of the model of unknown origin is damaged")
            reach += max(map(abs, leaves))
    except (KeyError, ValueError) as exc:
        raise BrokenModel(f"a tree of the model of unknown origin cannot be read: {exc}") from exc
    if reach > (_EXPONENT_REACH if fields.get("objective", "").startswith(_EXPONENTIAL) else _REACH):
        raise BrokenModel(f"the leaves of the model of unknown origin add up to {reach:g}, which is no answer")


def _parts(text: bytes, end: int) -> Iterator[bytes]:
    """The header, and the part behind each `Tree=`."""
    mark = b"\nTree="
    start, following = 0, text.find(mark, 0, end)
    while following >= 0:
        yield text[start:following]
        start = following + len(mark)
        following = text.find(mark, start, end)
    yield text[start:end]


def _fields(lines: bytes) -> dict[str, str]:
    if b"\r" in lines:  # LightGBM ends a line there
        raise ValueError("it has CR line ends: store the text as LightGBM wrote it, in binary mode")
    if lines.count(b"\n") > _MOST_LINES:
        raise ValueError(f"it has more than {_MOST_LINES} lines")
    pairs = (line.partition("=") for line in lines.decode("latin-1").split("\n"))
    return {name: value for name, _, value in pairs}


def _numbers(
    fields: Mapping[str, str], name: str, count: int, kind: Callable[[str], N], pattern: re.Pattern[str] = _NUMBERS
) -> list[N]:
    """A field's numbers, exactly `count` of them."""
    value = fields[name]
    if value.count(" ") >= max(count, 1) or not pattern.fullmatch(value):
        raise ValueError(f"{name} is not {count} numbers")
    numbers = [kind(number) for number in value.split()]
    if len(numbers) != count:
        raise ValueError(f"{name} is {len(numbers)} numbers instead of {count}")
    return numbers


def _leaves(fields: Mapping[str, str]) -> list[float]:
    (count,) = _numbers(fields, "num_leaves", 1, int)
    if not 0 < count <= _MOST_LEAVES:
        raise ValueError(f"num_leaves is {count}")
    return _numbers(fields, "leaf_value", count, float)


def _is_tree(fields: Mapping[str, str], leaves: int, width: int) -> bool:
    if leaves == 1:
        return True
    nodes = leaves - 1
    left, right, splits, kinds = (
        _numbers(fields, name, nodes, int) for name in ("left_child", "right_child", "split_feature", "decision_type")
    )
    thresholds = _numbers(fields, "threshold", nodes, float, _THRESHOLDS)
    categories = [index for index, kind in zip(thresholds, kinds, strict=True) if kind & _CATEGORICAL]
    return (
        # links are numbers of nodes and complements of numbers of leaves; none leads to the root
        sorted(left + right) == [*range(-leaves, 0), *range(1, nodes)]
        and all(0 <= feature < width for feature in splits)
        and (not categories or _are_categories(categories, fields, nodes))
    )


def _are_categories(indices: list[float], fields: Mapping[str, str], nodes: int) -> bool:
    """Whether categorical splits point to existing bit sets."""
    (count,) = _numbers(fields, "num_cat", 1, int)
    if not 0 < count <= nodes:
        return False
    bounds = _numbers(fields, "cat_boundaries", count + 1, int)
    sets = fields["cat_threshold"]
    size = sets.count(" ") + 1 if sets else 0
    return (
        all(0 <= index < count for index in indices)
        and bounds == sorted(bounds)
        and (bounds[0], bounds[-1]) == (0, size)
        and "  " not in f" {sets} "
        and bool(_NUMBERS.fullmatch(sets))
    )


def main() -> None:
    """Load the model on standard input and predict one row of missing values and one of zeros."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    booster = Booster(sys.stdin.buffer.read())
    for value in (float("nan"), 0.0):
        booster.predict([value] * booster.width)
        booster.contributions([value] * booster.width)


if __name__ == "__main__":
    main()
