"""The header of a LightGBM model text: its format, its features, and that it predicts days.

It parses no tree: cheap enough for every load, of our own models as well.
"""

from typing import NamedTuple

from monitory.errors import BrokenModel

REGRESSIONS = frozenset(
    {"regression", "regression_l1", "huber", "fair", "poisson", "quantile", "mape", "gamma", "tweedie"}
)
"""LightGBM's objectives whose predictions have the unit of the label."""

_CUSTOM = frozenset({"", "custom", "none"})
"""A custom loss, as is usual for RUL (late predictions cost more than early ones); the text says no more."""

_OTHER_FORMATS = (
    (b"tree\r", "has CRLF line ends, which change its bytes: store it as LightGBM wrote it, in binary mode"),
    (b"\x1f\x8b", "is compressed with gzip: store it unpacked"),
    (b"PK\x03\x04", "is a zip archive: store the model text itself"),
    (b"{", "is JSON, as dump_model() writes it, which LightGBM cannot load: write it with save_model()"),
    (b"\x80", "is a pickle, which is never opened: write it with save_model()"),
    (b"\xef\xbb\xbf", "begins with a byte order mark: store it as LightGBM wrote it"),
    (b"\xff\xfe", "is UTF-16 text: store it as LightGBM wrote it"),
    (b"\xfe\xff", "is UTF-16 text: store it as LightGBM wrote it"),
)
_HEADER_BYTES = 65536
"""The largest header where no tree follows."""


class Header(NamedTuple):
    """A model text's features, in its order, and its objective, empty for a custom one."""

    features: tuple[str, ...]
    objective: str


def read(text: bytes) -> Header:
    """The header of a model text that predicts days.

    Raises:
        BrokenModel: the text has another format, which the message names; lists no features; or is no regression.
    """
    for start, reason in _OTHER_FORMATS:
        if text.startswith(start):
            raise BrokenModel(f"the object is not a LightGBM model text: it {reason}")
    if not text.startswith(b"tree\n"):
        raise BrokenModel("the object is not a LightGBM model text, whose first line is 'tree'")
    end = text.find(b"\nTree=")
    lines = text[: end if end >= 0 else _HEADER_BYTES].decode(errors="replace").split("\n")
    fields = {name: value for name, _, value in (line.partition("=") for line in lines)}
    objective, *_ = (fields.get("objective") or _parameter(text, b"objective")).split() or [""]
    if objective not in REGRESSIONS | _CUSTOM:
        raise BrokenModel(
            f"the model's objective is {objective[:40]!r}, so its answer is no number of days: train a regression "
            f"({', '.join(sorted(REGRESSIONS))})"
        )
    if (outputs := fields.get("num_class", "1")) != "1":
        raise BrokenModel(f"the model has {outputs[:20]} outputs (num_class) instead of one: train a regression")
    if "feature_names" not in fields:
        raise BrokenModel("the model text names no features")
    return Header(tuple(fields["feature_names"].split()), objective)


def _parameter(text: bytes, name: bytes) -> str:
    """A training parameter in the list behind the trees; empty where there is none."""
    mark = b"\n[" + name + b": "
    start = text.rfind(mark)
    if start < 0:
        return ""
    start += len(mark)
    return text[start : start + 64].partition(b"]")[0].decode(errors="replace")
