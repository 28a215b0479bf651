"""Times as people write them."""

import numpy as np
import pytest

from monitory_local.importing.errors import ImportFault
from monitory_local.importing.tables import times

MOMENT = np.datetime64("2026-11-20T07:00:00", "us").astype(np.int64)  # 16:00 KST


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-20T16:00:00",
        "2026-11-20 16:00",
        "2026-11-20T07:00:00Z",
        "2026-11-20T08:00:00.000000+01:00",
        "1795158000",
        "1795158000000",
        "1795158000000000",
        "20261120160000",
        "2026-11-20-16-00-00",
        "2026/11/20 16:00",
        "2026.11.20 16:00:00",
        "20.11.2026 16:00",
        "11/20/2026 16:00",
        "20/11/2026 4:00 PM",
    ],
)
def test_a_time_in_any_usual_form_is_that_moment(text: str) -> None:
    form = times.guess_format([text], "a.csv")
    assert times.moments([text], form, None)[0].tolist() == [MOMENT]


def test_a_time_that_the_clock_skips_or_repeats_is_told_from_one_that_cannot_be_read() -> None:
    texts = ["2026-10-25T02:30:00", "2026-03-29T02:30:00", "2026-10-25T02:30:00+02:00", "soon", ""]
    moments, unclear = times.moments(texts, times.ISO, "Europe/Berlin")
    assert unclear.tolist() == [True, True, False, False, False]
    assert (moments == times.NOT_A_TIME).tolist() == [True, True, False, True, True]


def test_a_time_zone_that_does_not_exist_is_named() -> None:
    with pytest.raises(ImportFault, match="'KST9'; names are like Europe/Berlin"):
        times.zone_name("KST9")
