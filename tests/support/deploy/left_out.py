"""What the emulator cannot do, item by item: what is taken out of the template for it, and what it takes and ignores.

Both lists are printed by every run. An item more is a decision: `test_left_out.py` counts them.
"""

from typing import NamedTuple


class LeftOut(NamedTuple):
    """A property that the deployed template does not have as it is written.

    Attributes:
        resource: its logical id.
        place: below the resource, key by key.
        reason: why, and what stands in its place.
    """

    resource: str
    place: tuple[str, ...]
    reason: str

    def __str__(self) -> str:
        return f"{self.resource}.{'.'.join(self.place)}: {self.reason}"


_METRIC_MATH = "no metric math; a plain alarm on the first of its metrics stands in"

LEFT_OUT = (
    LeftOut("PredictFunction", ("Properties", "DeploymentPreference"), "no CodeDeploy; the alias moves at once"),
    LeftOut(
        "RetrainFunction",
        ("Properties", "PackageType"),
        "no image functions; a zip runs the image's files",
    ),
    LeftOut("RetrainFunction", ("Metadata",), "says how the image is built"),
    LeftOut("ReadFunction", ("Properties", "PackageType"), "no image functions; the same zip"),
    LeftOut("ReadFunction", ("Properties", "ImageConfig"), "names the handler; the zip's handler calls it"),
    LeftOut("ReadFunction", ("Metadata",), "says how the image is built"),
    LeftOut("RetrainLoop", ("Properties", "DefinitionUri"), "reads JSON, not YAML; the same definition as JSON"),
    LeftOut("PredictErrorRateAlarm", ("Properties", "Metrics"), _METRIC_MATH),
    LeftOut("ModelAgeAlarm", ("Properties", "Metrics"), _METRIC_MATH),
    LeftOut("RetrainFailedAlarm", ("Properties", "Metrics"), _METRIC_MATH),
    LeftOut("RetrainOverdueAlarm", ("Properties", "Metrics"), _METRIC_MATH),
    LeftOut("ScoreOverdueAlarm", ("Properties", "Metrics"), _METRIC_MATH),
    LeftOut("RetrainLoopFailedAlarm", ("Properties", "Metrics"), _METRIC_MATH),
)

IGNORED = {
    "Api: request validators and gateway responses": "the function checks parameters; refusals have AWS's own text",
    "Api: usage plan": "throttles and quotas are kept, not enforced",
    "Api: id of the key": "is not in the function's event; records are written by an event as AWS sends it",
    "PredictFunction, RetrainFunction: memory, read-only file system": "functions are plain processes of this machine",
    "AWS_ENDPOINT_URL": "is set for every function, as AWS does not",
    "EMF": "log lines do not become metrics, so the alarm's metric is compared with the line",
    "NightlyRole, RetrainLoopRole, failed-events destination": "the emulator's services need no rights",
    "RetrainLoop: distributed map": "batches of a stopped execution go on; AWS stops them, too",
    "RetrainFunction, ReadFunction: bounds of batches": "a batch is two machine-days, 50 objects are a large plan",
}
