"""What is left out of the template is what the list says, and no more."""

from pathlib import Path

from monitory_local.artifacts.build import write_template
from tests.support.deploy.left_out import LEFT_OUT
from tests.support.deploy.packaging import differences, for_emulator, read_template

PLAIN_ALARM = {"Namespace", "MetricName", "Dimensions", "Period", "Statistic"}
ZIP_FUNCTION = {"CodeUri", "Handler", "Runtime"}
ITEMS = 13


def test_every_item_is_in_the_template_and_nothing_else_changes(tmp_path: Path) -> None:
    write_template(tmp_path, "x86_64")
    written = read_template(tmp_path)
    removed = {("Resources", item.resource, *item.place) for item in LEFT_OUT}
    alarms = {item.resource for item in LEFT_OUT if item.place[-1] == "Metrics"}
    added = {("Resources", alarm, "Properties", name) for alarm in alarms for name in PLAIN_ALARM}
    images = ("RetrainFunction", "ReadFunction")
    added |= {("Resources", function, "Properties", name) for function in images for name in ZIP_FUNCTION}
    assert set(differences(written, for_emulator(written, "RetrainFunction"))) == removed | added


def test_the_list_does_not_grow_unseen() -> None:
    assert len(LEFT_OUT) == ITEMS, "one more thing is not deployed: is there really no other way?"
    assert all(item.reason for item in LEFT_OUT)
