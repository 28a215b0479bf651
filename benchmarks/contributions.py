"""A prediction's value and its drivers (TreeSHAP) for one row: time per call beside lightgbm's own package.

python -m benchmarks.contributions [--trees 125]
"""

import argparse
import time
from collections.abc import Callable

import lightgbm as lgb
import numpy as np

from benchmarks import stage
from benchmarks.sides import median, say
from monitory import sensors
from monitory.features import vector
from monitory.model.model import Model
from monitory.scoring.prediction import drivers

CALLS = 200


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.contributions", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--trees", type=int, default=stage.TREES, help="of each booster (%(default)s)")
    arguments = parser.parse_args()
    sensor_set = sensors.load()
    with stage.buckets() as (_, models):
        text = stage.promote_model(models, trees=arguments.trees)
    model = Model(text.encode(), None, feature_names=vector.names(sensor_set), cap_days=30.0)
    booster = lgb.Booster(model_str=text)
    row = dict.fromkeys(vector.names(sensor_set), 50.0)
    array = np.full((1, len(model.features)), 50.0)
    estimate = model.estimate(row, "")
    assert abs(estimate.raw_days - booster.predict(array)[0]) < 1e-9
    size = {"trees": booster.num_trees(), "features": len(model.features)}
    value = _ms(lambda: model.value(row, ""))
    other = _ms(lambda: booster.predict(array, num_threads=1))
    say("model, value of a row", ms=value, reference_ms=other, ratio=other / value, **size)
    explained = _ms(lambda: drivers(model.estimate(row, "").contributions, sensor_set, vector.nearest(row, sensor_set)))
    other = _ms(lambda: booster.predict(array, num_threads=1, pred_contrib=True))
    say(
        "model, value, interval and drivers of a row", ms=explained, reference_ms=other, ratio=other / explained, **size
    )


def _ms(call: Callable[[], object]) -> float:
    """Median CPU milliseconds of a call."""
    found = []
    for _ in range(CALLS):
        started = time.process_time()
        call()
        found.append(time.process_time() - started)
    return median(found) * 1e3


if __name__ == "__main__":
    main()
