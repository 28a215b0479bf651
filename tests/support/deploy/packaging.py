# mypy: disable-error-code="import-untyped"
# (the Serverless transform ships no types)
"""From the template that `sam build` leaves to one that the emulator deploys, without the listed items."""

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from tests.support.deploy.left_out import LEFT_OUT
from tests.support.image import read_dockerfile

Template = dict[str, Any]
Place = tuple[str, ...]

SHIM = Path(__file__).with_name("retrain_shim.py")
DEFINITION = "definition.asl.json"
SHIM_SETTINGS = "image.json"
BATCHES = {"MAX_MACHINE_DAYS": 2, "ONE_FUNCTION_OBJECTS": 50}
"""Bounds of batches and of what one function reads, so that a small lake is distributed."""


def read_template(built: Path) -> Template:
    """The template that the build left, its short forms of functions written in full."""
    template: Template = json.loads(json.dumps(yaml_parse((built / "template.yaml").read_text(encoding="utf-8"))))
    return template


def for_emulator(template: Template, retrain_zip: str) -> Template:
    """The template without what is left out.

    Args:
        template: as the build left it; it stays as it is.
        retrain_zip: the folder that stands in for the retrain image, relative to the template.

    Raises:
        KeyError: the template does not have an item of the list.
    """
    result = deepcopy(template)
    resources = result["Resources"]
    removed: dict[Place, Any] = {}
    for item in LEFT_OUT:
        *parents, name = item.place
        node = resources[item.resource]
        for parent in parents:
            node = node[parent]
        removed[item.resource, *item.place] = node.pop(name)
    for (resource, *place), value in removed.items():
        if place[-1] == "Metrics":
            resources[resource]["Properties"].update(_plain_alarm(value))
    resources["RetrainLoop"]["Properties"]["DefinitionUri"] = DEFINITION
    (command,) = removed["ReadFunction", "Properties", "ImageConfig"]["Command"]
    for function, handler in (("RetrainFunction", read_dockerfile().handler), ("ReadFunction", command)):
        module = handler.removesuffix(".lambda_handler").replace(".", "__")
        resources[function]["Properties"].update(
            CodeUri=retrain_zip, Handler=f"{SHIM.stem}.{module}", Runtime="python3.13"
        )
    return result


def _plain_alarm(metrics: list[Template]) -> Template:
    first: Template = next(metric["MetricStat"] for metric in metrics if "MetricStat" in metric)
    return {**first["Metric"], "Period": first["Period"], "Statistic": first["Stat"]}


def write_definition(built: Path, template: Template) -> None:
    """Write the state machine's definition beside the template as JSON, as AWS makes it of YAML."""
    written = built / template["Resources"]["RetrainLoop"]["Properties"]["DefinitionUri"]
    (built / DEFINITION).write_text(json.dumps(yaml_parse(written.read_text(encoding="utf-8"))))


def write_retrain_zip(folder: Path, image: Path, environment: dict[str, str]) -> None:
    """Fill the folder of the function that stands in for the image.

    Args:
        folder: becomes the zip.
        image: what the image has in its LAMBDA_TASK_ROOT; too large for a zip, so it is used where it lies.
        environment: the image's own variables.
    """
    folder.mkdir(parents=True)
    (folder / SHIM.name).write_bytes(SHIM.read_bytes())
    settings = {"task_root": str(image), "environment": environment, "batches": BATCHES}
    (folder / SHIM_SETTINGS).write_text(json.dumps(settings))


def differences(before: Any, after: Any, place: Place = ()) -> Iterator[Place]:
    """The places at which two templates differ: where a value was added, removed or replaced."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in before.keys() | after.keys():
            if key in before and key in after:
                yield from differences(before[key], after[key], (*place, key))
            else:
                yield (*place, key)
    elif before != after:
        yield place
