"""From files to a fleet on public data: `python -m monitory_local.example CMAPSS`.

NASA's C-MAPSS FD001 (simulated turbofan engines) is played as a factory of 100 machines, a cycle an hour: its history
is imported from CSV files, a model is trained on it by the real retrain handler, then the readings of the last
hours arrive and every machine is predicted in each of them. The last line printed is one JSON object.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from contextlib import redirect_stdout
from datetime import timedelta
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from monitory.clock import date_of_hour, hour_of, hour_start, now
from monitory.errors import MonitoryError
from monitory.machine import machine
from monitory.registry.registry import Registry
from monitory.scoring.machine_prediction import MachinePrediction
from monitory.settings import PredictSettings, from_environment
from monitory.storage.s3 import S3Storage
from monitory_local import lambdas
from monitory_local.example.cmapss import engines
from monitory_local.example.factory import ZONE, Factory
from monitory_local.example.scores import CAP_CYCLES, Prediction, as_line, figures
from monitory_local.importing import __main__ as importing
from monitory_local.s3 import embedded_s3
from monitory_local.s3.buckets import prepare
from monitory_local.terminal import progress_bar, run
from monitory_predict.bootstrap import start
from monitory_predict.service import PredictService

FOLDER = Path(".local/example")
HOURS = 6
LOG_KEY = "failures.ndjson"
_URGENT = 20


class ExampleFault(MonitoryError):
    """The example cannot go on."""


def main(argv: Sequence[str] | None = None) -> None:
    """Run the example."""
    started = time.monotonic()
    parser = argparse.ArgumentParser(prog="python -m monitory_local.example", description=__doc__)
    parser.add_argument("cmapss", type=Path, help="CMAPSSData.zip, or a folder with train_FD001.txt and its like")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="emptied, then kept (%(default)s)")
    parser.add_argument("--hours", type=int, default=HOURS, help="to predict, one after the other (%(default)s)")
    arguments = parser.parse_args(argv)
    factory = Factory(engines(arguments.cmapss), hour_of(now()))
    console = Console(stderr=True, highlight=False)
    with embedded_s3(arguments.folder, empty=True) as s3, s3.active():
        if not s3.is_own:
            raise ExampleFault(f"{arguments.folder} is in use: stop what uses it, or choose another --folder")
        lambdas.set_defaults()
        _set_up(arguments.folder)
        settings = from_environment(PredictSettings)
        prepare(s3, settings)
        split = factory.present - arguments.hours

        console.rule(f"1. import the history of {len(factory.names)} machines")
        history, records = arguments.folder / "history.csv", arguments.folder / "failures.csv"
        factory.write_readings(history, range(factory.first_hour, split))
        factory.write_records(records)
        _import(arguments.folder, str(history), "--records", str(records))

        console.rule("2. retrain, through the function's handler")
        event = {"start": str(date_of_hour(factory.first_hour)), "end": str(date_of_hour(split - 1))}
        console.print(f"event {json.dumps(event)}")
        trained = lambdas.retrain(event)
        if not trained.get("promoted"):
            raise ExampleFault(f"no model was promoted: {json.dumps(trained)}")
        console.print(f"version {trained['version']}: {'; '.join(trained['reasons'])}")

        console.rule(f"3. the readings of {arguments.hours} hours arrive; every machine is predicted in each")
        newest = arguments.folder / "newest.csv"
        factory.write_readings(newest, range(split, factory.present))
        _import(arguments.folder, str(newest))
        predictions = _predictions(start(settings).ready(), factory, range(split, factory.present))
        report = _report(settings, trained["version"], arguments.folder)
    file = arguments.folder / "predictions.ndjson"
    file.write_text("".join(map(as_line, predictions)))
    last = sorted((item for item in predictions if item.hour == factory.present - 1), key=lambda item: item.cycles)
    Console(highlight=False, width=None if sys.stdout.isatty() else 100).print(_table(last))
    console.print(
        f"the {_URGENT} most urgent of {len(last)} machines; all predictions are in {file}, the report in {report}"
    )
    mean = _training_mean(factory)
    result = {
        "version": trained["version"],
        "last_hour": figures(last, mean),
        "all_hours": figures(predictions, mean),
        "seconds": round(time.monotonic() - started, 1),
    }
    print(json.dumps(result))


def _set_up(folder: Path) -> None:
    """The settings of this factory, as an operator would set them."""
    os.environ.update(
        SENSORS_FILE=str((folder / "sensors.json").resolve()),
        FAILURE_LOG_KEY=LOG_KEY,
        MAX_RUL_DAYS=str(round(CAP_CYCLES / 24, 4)),
    )


def _import(folder: Path, *arguments: str) -> None:
    """Run the import; its sensor set is the one that this factory is then served with."""
    proposal = folder / "sensors.json"
    known = os.environ.pop("SENSORS_FILE") if not proposal.exists() else None
    with redirect_stdout(sys.stderr):
        importing.main([*arguments, "--zone", ZONE, "--proposal", str(proposal), "--folder", str(folder)])
    if known:
        os.environ["SENSORS_FILE"] = known


def _predictions(service: PredictService, factory: Factory, hours: range) -> list[Prediction]:
    """Every machine's prediction in each hour, a few minutes after it ended."""
    predictions: list[Prediction] = []
    with progress_bar("predicting", len(hours) * len(factory.names)) as step:
        for hour in hours:
            moment = hour_start(hour + 1) + timedelta(minutes=5)
            for number, name in enumerate(factory.names):
                if hour >= factory.present - len(factory.engines[number].second):
                    answer = service.predict(machine(ZONE, name), moment)
                    predictions.append(_prediction(answer, hour, factory.next_failure_hour(number) - hour))
                step()
    return predictions


def _prediction(answer: MachinePrediction, hour: int, true: int) -> Prediction:
    estimate = answer.prediction.estimate
    high = estimate.high * 24 if estimate.high is not None else None
    drivers = answer.prediction.drivers
    return Prediction(
        answer.machine.equip_id,
        hour,
        estimate.days * 24,
        estimate.low * 24 if estimate.low is not None else None,
        high if high is not None and high < CAP_CYCLES - 0.01 else None,
        drivers[0].sensor if drivers else "",
        true,
    )


def _training_mean(factory: Factory) -> float:
    """The mean capped RUL of the runs to failure: what a rule without sensors would answer, in cycles."""
    cycles = [min(left, CAP_CYCLES) for engine in factory.engines for left in range(len(engine.run))]
    return sum(cycles) / len(cycles)


def _report(settings: PredictSettings, version: str, folder: Path) -> Path:
    storage = S3Storage(settings.s3_model_bucket_name, region=settings.aws_region)
    file = folder / "report.html"
    file.write_bytes(Registry(storage, settings.s3_model_key).read(version, "report.html"))
    return file


def _table(predictions: Sequence[Prediction]) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 2, 0, 0), pad_edge=False)
    for name in ("machine", "predicted h", "interval", "true h", "error", "driven by"):
        table.add_column(name, no_wrap=True)
    for item in predictions[:_URGENT]:
        interval = "–" if item.low is None else f"{item.low:.0f}–{'' if item.high is None else f'{item.high:.0f}'}"
        error = f"{item.cycles - item.true:+.1f}"
        table.add_row(item.equip_id, f"{item.cycles:.1f}", interval, str(item.true), error, item.driver)
    return table


if __name__ == "__main__":
    run(main)
