"""Whether a model of unknown origin can be loaded, found out where a crash hurts nobody.

LightGBM trusts its input: a malformed text may end the process instead of raising an error, when it is loaded or when
a row comes to the defect. Texts that our training wrote are recognised by their SHA-256; of any other the trees are
checked first, so that every row ends in a leaf, and then a child process loads it.
"""

import os
import subprocess
import sys
from collections.abc import Mapping

from monitory.errors import BrokenModel
from monitory.lightgbm_c import Booster

TIMEOUT_SECONDS = 20


_CATEGORICAL = 1
"""The bit of a decision type that says so."""


def check(text: bytes) -> None:
    """Check a model text's trees, then load it and let it answer in a child process.

    Raises:
        BrokenModel: a tree is none, or the child refused it, crashed on it or didn't end in time.
    """
    check_trees(text)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    try:
        child = subprocess.run(
            [sys.executable, "-m", "monitory.probe"],
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
    """Whether each tree of a model text is a tree: every node and leaf has one place in it, every split a feature.

    Raises:
        BrokenModel: one is not.
    """
    forest, end, _ = text.partition(b"\nend of trees")
    if not end:
        raise BrokenModel("the model of unknown origin breaks off before the end of its trees")
    header, *trees = forest.split(b"\nTree=")
    try:
        width = int(_fields(header)["max_feature_idx"]) + 1
        for tree in trees:
            number, _, lines = tree.partition(b"\n")
            if not _is_tree(_fields(lines.partition(b"\n\n")[0]), width):
                raise BrokenModel(f"tree {int(number)} of the model of unknown origin is damaged")
    except (KeyError, ValueError) as exc:
        raise BrokenModel(f"a tree of the model of unknown origin cannot be read: {exc}") from exc


def _fields(lines: bytes) -> dict[str, str]:
    pairs = (line.partition("=") for line in lines.decode("latin-1").split("\n"))
    return {name: value for name, _, value in pairs}


def _is_tree(fields: Mapping[str, str], width: int) -> bool:
    leaves = int(fields["num_leaves"])
    if len(fields["leaf_value"].split()) != leaves or int(fields.get("is_linear", "0")):
        return False
    if leaves == 1:
        return True
    left, right, splits, kinds = (
        [int(value) for value in fields[name].split()]
        for name in ("left_child", "right_child", "split_feature", "decision_type")
    )
    thresholds = [float(value) for value in fields["threshold"].split()]
    nodes = leaves - 1
    if not len(left) == len(right) == len(splits) == len(kinds) == len(thresholds) == nodes:
        return False
    categories = [index for index, kind in zip(thresholds, kinds, strict=True) if kind & _CATEGORICAL]
    return (
        # a node is known by its number, a leaf by that number's complement; nothing leads to the root
        sorted(left + right) == [*range(-leaves, 0), *range(1, nodes)]
        and all(0 <= feature < width for feature in splits)
        and (not categories or _are_categories(categories, fields))
    )


def _are_categories(indices: list[float], fields: Mapping[str, str]) -> bool:
    """Whether categorical splits point to bit sets that are there."""
    count = int(fields["num_cat"])
    bounds = [int(value) for value in fields["cat_boundaries"].split()]
    size = len(fields["cat_threshold"].split())
    return (
        all(0 <= index < count for index in indices)
        and len(bounds) == count + 1
        and bounds == sorted(bounds)
        and (bounds[0], bounds[-1]) == (0, size)
    )


def main() -> None:
    """Load the model on standard input and predict one row of missing values and one of zeros."""
    booster = Booster(sys.stdin.buffer.read())
    for value in (float("nan"), 0.0):
        booster.predict([value] * booster.width)
        booster.contributions([value] * booster.width)


if __name__ == "__main__":
    main()
