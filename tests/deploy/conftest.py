"""The artifacts, an emulator that enforces policies, a small lake, and the stack."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitory.machine import Machine
from monitory.storage.s3 import S3Storage
from monitory_local.artifacts import build
from monitory_local.s3 import S3
from monitory_local.simulator.__main__ import last_hours
from monitory_local.simulator.lake import write_hours
from monitory_local.simulator.producer import Producer
from monitory_local.simulator.records import failure_log
from monitory_local.simulator.wear import Plan
from tests.support.deploy import permissions
from tests.support.deploy.deployment import ARTIFACTS, Account, Stack
from tests.support.deploy.emulator import ACCOUNT, REGION, Emulator, EmulatorError, running
from tests.support.deploy.left_out import IGNORED, LEFT_OUT
from tests.support.deploy.packaging import for_emulator, read_template, write_definition, write_retrain_zip
from tests.support.image import make_task_root, read_dockerfile

LAKE = "sensor-lake"
DAYS = 8
EMULATOR = pytest.StashKey[Emulator]()
RETRAIN_ZIP = "RetrainFunction"
PARAMETERS = {
    "LakeBucketName": LAKE,
    # with both, every statement that depends on a parameter is in its role
    "LakeKmsKeyArn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/lake",
    "ModelKmsKeyArn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/models",
    "FailureLogKey": "failures.ndjson",
    "BackfillStateMachine": "true",
    # as many as this machine has cores, whatever else a run has started
    "ReadConcurrency": "2",
    "TrainingDays": str(DAYS),
    "MinReadings": "1000",
    "MinDays": "3",
    "MinFailures": "2",
    # a machine under repair writes nothing, and all are to be asked
    "MaxDataAgeHours": "72",
    "RetrainMemoryMb": "1024",
    # the emulator starts schedules in real time, and rows that scoring keeps need no backfill: not within this run
    "ScoreMinute": str((datetime.now(UTC).minute - 2) % 60),
}


@dataclass(frozen=True)
class Built:
    """What is deployed, on disk: the built artifacts with their template, and the retrain image's files."""

    folder: Path
    image: Path


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """What `make build` leaves, and beside it what stands in for the image."""
    folder, image = tmp_path_factory.mktemp("build"), tmp_path_factory.mktemp("image")
    assert build.main(["--out", str(folder)]) == 0
    dockerfile = read_dockerfile()
    make_task_root(dockerfile, image, build.ROOT / ".aws-sam/wheels/x86_64", bytecode=False)
    write_retrain_zip(folder / RETRAIN_ZIP, image, dockerfile.environment)
    return Built(folder, image)


@pytest.fixture(scope="session")
def emulator(built: Built, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Emulator]:
    """One emulator for all tests, which evaluates every policy."""
    folder = tmp_path_factory.mktemp("emulator")
    with running(folder, enforce_iam=True, library_path=built.folder / "SharedLayer/lib") as emulator:
        pytestconfig.stash[EMULATOR] = emulator
        yield emulator


@pytest.fixture(scope="session")
def account(emulator: Emulator) -> Account:
    """An account with buckets for artifacts and for the lake, and nothing else."""
    account = Account(emulator)
    account.make_bucket(ARTIFACTS)
    account.make_bucket(LAKE)
    return account


@pytest.fixture(scope="session")
def machines(account: Account) -> list[Machine]:
    """The machines of the lake: a reading every ten minutes until now, and a log of their failures."""
    with S3(account.emulator.endpoint, account.environment).active():
        hours = last_hours(DAYS)
        producer = Producer(Plan(hours.start, machines=6, seed=0, life_days=3.0, rate_seconds=600.0))
        lake = S3Storage(LAKE, region=REGION)
        write_hours(lake, producer, hours)
        lake.put(PARAMETERS["FailureLogKey"], failure_log(producer, hours), content_type="application/x-ndjson")
    return [Machine(machine.lives.zone_id, machine.lives.equip_id) for machine in producer.machines]


@pytest.fixture(scope="session")
def packaged(account: Account, built: Built) -> Path:
    """The template that is deployed, its artifacts uploaded."""
    template = read_template(built.folder)
    write_definition(built.folder, template)
    (built.folder / "emulated.json").write_text(json.dumps(for_emulator(template, RETRAIN_ZIP)))
    target = built.folder / "packaged.yaml"
    account.sam(
        built.folder,
        *("package", "--template-file", "emulated.json", "--s3-bucket", ARTIFACTS),
        *("--output-template-file", target.name),
    )
    return target


@pytest.fixture(scope="session")
def stack(account: Account, packaged: Path) -> Stack:
    """The stack with a state machine, and no model yet."""
    stack = Stack(account, "monitory")
    stack.deploy(packaged, PARAMETERS)
    return stack


def pytest_exception_interact(node: pytest.Item) -> None:
    """End the run where the emulator has ended: every other error is its consequence."""
    try:
        if emulator := node.config.stash.get(EMULATOR, None):
            emulator.assert_alive()
    except EmulatorError as exc:
        pytest.exit(str(exc), returncode=1)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what the run did not do, and what each statement of a role is for."""
    terminalreporter.section("left out of the template for the emulator")
    for item in LEFT_OUT:
        terminalreporter.line(str(item))
    terminalreporter.section("taken by the emulator and ignored")
    for what, consequence in IGNORED.items():
        terminalreporter.line(f"{what}: {consequence}")
    if permissions.SEEN:
        terminalreporter.section("statement taken out: what fails")
        for line in permissions.SEEN:
            terminalreporter.line(line)
