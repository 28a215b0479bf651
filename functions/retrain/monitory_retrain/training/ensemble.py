"""Several boosters averaged into one LightGBM model text, so that serving stays one model and one call."""

import re
from collections.abc import Sequence

_LEAVES = re.compile(r"^leaf_value=(.*)$", re.MULTILINE)
_NUMBER = re.compile(r"^Tree=\d+$", re.MULTILINE)
_SIZES = re.compile(r"^tree_sizes=.*\n", re.MULTILINE)
_END = "end of trees"


def average(texts: Sequence[str]) -> str:
    """The model text whose prediction is the mean of several models' predictions.

    A LightGBM regression model is the sum of its trees; the mean of k models is the sum of all their trees with leaf
    values divided by k. Header and parameters are the first model's; the optional index of tree sizes is dropped.

    Args:
        texts: models of the same features in the same order, one output each.
    """
    trees: list[str] = []
    for text in texts:
        body = text[text.index("Tree=0") : text.index(_END)]
        trees += [tree for tree in re.split(r"(?=^Tree=\d+$)", body, flags=re.MULTILINE) if tree.strip()]
    first = texts[0]
    header = _SIZES.sub("", first[: first.index("Tree=0")])
    footer = first[first.index(_END) :]
    scaled = (
        _NUMBER.sub(f"Tree={number}", _LEAVES.sub(lambda found: _divided(found[1], len(texts)), tree))
        for number, tree in enumerate(trees)
    )
    return header + "".join(scaled) + footer


def _divided(values: str, by: int) -> str:
    return "leaf_value=" + " ".join(repr(float(value) / by) for value in values.split())
