"""Parameters: each one says what it is, bounds it, and is used; samconfig names no others."""

import re
import tomllib
from typing import Any

import pytest

from tests.support.template.reading import ROOT, source, strings

PARAMETERS: dict[str, Any] = source()["Parameters"]


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_parameter_is_described_and_bounded(name: str) -> None:
    parameter = PARAMETERS[name]
    assert {"Type", "Default", "Description"} <= parameter.keys()
    assert parameter["Description"].endswith(".")
    if "AllowedValues" in parameter:
        assert parameter["Default"] in parameter["AllowedValues"]
    elif parameter["Type"] == "Number":
        assert parameter["MinValue"] <= parameter["Default"] <= parameter.get("MaxValue", float("inf"))
    else:
        assert re.fullmatch(parameter["AllowedPattern"], parameter["Default"])
        assert parameter["ConstraintDescription"]


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("LakeBucketName", "Not_A_Bucket"),
        ("LakePrefix", "EQUIPMENT"),
        ("LakePrefix", "/EQUIPMENT/"),
        ("LakeKmsKeyArn", "alias/lake"),
        ("ModelKmsKeyArn", "alias/models"),
        ("LakeRegion", "Seoul"),
        ("LakeRegion", "ap-northeast-2a"),
        ("ExistingModelBucketName", "a"),
        ("ModelKey", "/models/latest"),
        ("ModelKey", "served/model.txt"),
        ("AlarmEmail", "nobody"),
        ("StageName", "prod-1"),
        ("MetricsNamespace", "a b"),
    ],
)
def test_patterns_refuse_what_would_fail_later(name: str, wrong: str) -> None:
    assert re.fullmatch(PARAMETERS[name]["AllowedPattern"], wrong) is None


@pytest.mark.parametrize("region", ["ap-northeast-2", "us-east-1", "cn-northwest-1", "us-gov-west-1", "eusc-de-east-1"])
def test_a_lake_may_lie_in_any_region(region: str) -> None:
    parameter = PARAMETERS["LakeRegion"]
    assert re.fullmatch(parameter["AllowedPattern"], region)
    assert len(region) <= parameter["MaxLength"]


def test_the_console_shows_every_parameter_in_a_group() -> None:
    groups = source()["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    shown = [name for group in groups for name in group["Parameters"]]
    assert sorted(shown) == sorted(PARAMETERS)


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_parameter_is_used(name: str) -> None:
    template = source()
    used = [text for part in ("Globals", "Resources", "Conditions") for text in strings(template[part])]
    assert any(text == name or f"${{{name}}}" in text for text in used)


def test_samconfig_overrides_only_parameters_that_exist() -> None:
    config = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    environments = [name for name in config if name != "version"]
    assert "default" in environments
    for name in environments:
        overrides = config[name]["deploy"]["parameters"].get("parameter_overrides", "")
        for override in overrides.split():
            parameter, _, value = override.partition("=")
            assert parameter in PARAMETERS
            allowed = PARAMETERS[parameter].get("AllowedValues")
            assert allowed is None or value in map(str, allowed)
        assert config[name]["validate"]["parameters"]["lint"] is True
        # the roles get generated names, so this much is enough
        assert config[name]["deploy"]["parameters"]["capabilities"] == "CAPABILITY_IAM"


def test_two_stacks_of_an_account_do_not_add_up_their_figures() -> None:
    config = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    assert f"MetricsNamespace={PARAMETERS['MetricsNamespace']['Default']} " not in str(config["dev"])
    assert "MetricsNamespace=" in config["dev"]["deploy"]["parameters"]["parameter_overrides"]


def test_names_of_resources_are_left_to_cloudformation() -> None:
    # a fixed name cannot be replaced, and asks for CAPABILITY_NAMED_IAM; log groups are named after the stack
    named = {"FunctionName", "RoleName", "BucketName", "QueueName", "TopicName", "AlarmName", "StateMachineName"}
    for name, resource in source()["Resources"].items():
        if resource["Type"] not in ("AWS::Lambda::Permission", "AWS::Lambda::EventSourceMapping"):
            assert not named & resource["Properties"].keys(), name
