"""The functions: settings, limits, what is for a zip only, and what happens to failures."""

import re
from typing import Any

import pytest

from monitory.metric_names import PREDICT_SERVICE, RETRAIN_SERVICE, SCORE_SERVICE
from monitory.settings import PredictSettings, RetrainSettings, ScoreSettings, Settings
from tests.support.template.reading import Stack, source, transformed

FUNCTIONS = ["PredictFunction", "ScoreFunction", "RetrainFunction"]
SETTINGS = [
    ("PredictFunction", PredictSettings),
    ("ScoreFunction", ScoreSettings),
    ("RetrainFunction", RetrainSettings),
]
BESIDE = {"SCORING", "OPERATOR_KEY_IDS", "ALERT_TOPIC_ARN", "EVENT_BUS_NAME"}
"""On in a stack, which has a score function, keys, a topic and a bus; off by default, for a process alone has none."""
# Lambda sets the region itself and refuses a template that does
GIVEN_BY_LAMBDA = {"AWS_REGION"}
READ_BY_POWERTOOLS = {"POWERTOOLS_SERVICE_NAME"}
NO_PARAMETER = {"FACTORY_TIME_ZONE", "LAKE_FILE"}
"""For local runs only: a stack has them in its sensor set's file, as a version's description is full."""
FULL = {"LakeRegion": "eu-central-1", "SensorsFile": "/var/task/sensors.json", "FailureLogKey": "logs/failures.ndjson"}


def variables(stack: Stack, function: str) -> dict[str, Any]:
    values: dict[str, Any] = stack[function]["Environment"]["Variables"]
    return values


@pytest.mark.parametrize(("function", "settings"), SETTINGS)
def test_environment_variables_are_the_settings(
    template: dict[str, Any], function: str, settings: type[Settings]
) -> None:
    names = {name.upper() for name in settings.model_fields}
    assert (
        variables(Stack(template, **FULL), function).keys()
        == (names | READ_BY_POWERTOOLS) - GIVEN_BY_LAMBDA - NO_PARAMETER
    )


@pytest.mark.parametrize(("function", "settings"), SETTINGS)
def test_the_template_has_the_defaults_of_the_settings(
    monkeypatch: pytest.MonkeyPatch, template: dict[str, Any], function: str, settings: type[Settings]
) -> None:
    for name, value in variables(Stack(template, ExistingModelBucketName="monitory-model"), function).items():
        if name not in BESIDE:
            monkeypatch.setenv(name, value)
    from_template = settings()
    for name in variables(Stack(template, **FULL), function):
        monkeypatch.delenv(name, raising=False)
    assert from_template == settings()


def test_unset_options_are_not_empty_variables(stack: Stack) -> None:
    for function in FUNCTIONS:
        assert not {"SENSORS_FILE", "FAILURE_LOG_KEY", "S3_INPUT_DATA_REGION"} & variables(stack, function).keys()


def test_services_are_named_as_the_code_names_them(stack: Stack) -> None:
    assert variables(stack, "PredictFunction")["POWERTOOLS_SERVICE_NAME"] == PREDICT_SERVICE
    assert variables(stack, "RetrainFunction")["POWERTOOLS_SERVICE_NAME"] == RETRAIN_SERVICE
    assert variables(stack, "ScoreFunction")["POWERTOOLS_SERVICE_NAME"] == SCORE_SERVICE


@pytest.mark.parametrize("name", ["PredictFunction", "ScoreFunction"])
def test_serving_functions_are_zips_of_the_layers_python(stack: Stack, name: str) -> None:
    (layer,) = stack.of_type("AWS::Lambda::LayerVersion")
    function = stack[name]
    assert function["Layers"] == [f"<{layer}>"]
    assert stack[layer]["CompatibleRuntimes"] == [function["Runtime"]] == ["python3.13"]
    assert stack[layer]["CompatibleArchitectures"] == function["Architectures"]


def test_retrain_is_an_image_and_has_nothing_of_a_zip(stack: Stack) -> None:
    function = stack["RetrainFunction"]
    assert function["PackageType"] == "Image"
    assert not {"Runtime", "Handler", "Layers", "SnapStart"} & function.keys()
    assert source()["Globals"]["Function"].keys() <= {"Architectures", "Environment"}


def test_predict_starts_from_a_snapshot_where_that_is_asked_for(template: dict[str, Any]) -> None:
    without, with_it = Stack(template), Stack(template, PredictSnapStart="true")
    assert "SnapStart" not in without["PredictFunction"]
    assert with_it["PredictFunction"]["SnapStart"] == {"ApplyOn": "PublishedVersions"}
    versions = [list(stack.of_type("AWS::Lambda::Version").values()) for stack in (without, with_it)]
    descriptions = [version["Description"] for (version,) in versions]
    assert descriptions[0] != descriptions[1], "a version of its own, or the alias would go on with the old one"


def test_all_functions_run_on_the_chosen_processor(template: dict[str, Any]) -> None:
    stack = Stack(template, Architecture="arm64")
    assert {str(stack[function]["Architectures"]) for function in FUNCTIONS} == {"['arm64']"}


def test_predict_gives_up_before_the_gateway_does(stack: Stack) -> None:
    assert 10 <= stack["PredictFunction"]["Timeout"] < 29


def test_retrain_may_take_all_the_time_there_is(stack: Stack) -> None:
    assert stack["RetrainFunction"]["Timeout"] == 900


def test_memory_is_enough_and_within_what_a_new_account_may_ask(stack: Stack) -> None:
    assert 512 <= int(stack["PredictFunction"]["MemorySize"]) <= 2048
    assert 2048 <= int(stack["RetrainFunction"]["MemorySize"]) <= 3008


def test_nothing_is_reserved_in_an_account_that_has_nothing_to_spare(stack: Stack) -> None:
    # Lambda refuses to reserve any of the ten executions of a new account, and the whole stack would be rolled back
    for function in FUNCTIONS:
        assert "ReservedConcurrentExecutions" not in stack[function]


def test_read_is_the_retrain_image_under_a_role_and_limits_of_its_own(template: dict[str, Any]) -> None:
    stack = Stack(template, BackfillStateMachine="true", ReserveRetrainConcurrency="true", **FULL)
    read, retrain = stack["ReadFunction"], stack["RetrainFunction"]
    metadata = [source()["Resources"][name]["Metadata"] for name in ("ReadFunction", "RetrainFunction")]
    assert metadata[0] == metadata[1]
    assert (read["PackageType"], read["Architectures"]) == ("Image", retrain["Architectures"])
    (handler,) = read["ImageConfig"]["Command"]
    assert handler == "monitory_retrain.read_handler.lambda_handler"
    assert "ImageConfig" not in retrain
    assert read["Role"] == "<ReadRole.Arn>"
    assert "ReservedConcurrentExecutions" not in read
    assert read["Timeout"] == 900
    assert 1024 <= read["MemorySize"] <= 3008
    # what rows are is not a matter of who computes them
    assert variables(stack, "ReadFunction").items() <= variables(stack, "RetrainFunction").items()
    lake = {"S3_INPUT_DATA_BUCKET_NAME", "S3_INPUT_DATA_KEY", "S3_INPUT_DATA_REGION", "S3_MODEL_BUCKET_NAME"}
    assert lake | {"SENSORS_FILE", "VERIFY_ONE_IN"} <= variables(stack, "ReadFunction").keys()
    group = stack["ReadLogGroup"]
    assert (group["LogGroupName"], group["RetentionInDays"]) == ("/aws/lambda/monitory-read", "90")
    assert read["LoggingConfig"] == {"LogGroup": "<ReadLogGroup>", "LogFormat": "Text"}


def test_two_retrains_never_run_at_once_where_that_is_asked_for(template: dict[str, Any]) -> None:
    stack = Stack(template, ReserveRetrainConcurrency="true")
    assert stack["RetrainFunction"]["ReservedConcurrentExecutions"] == 1
    assert "ReservedConcurrentExecutions" not in stack["PredictFunction"]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_each_function_has_a_log_with_an_end(stack: Stack, function: str) -> None:
    logging = stack[function]["LoggingConfig"]
    group = stack[logging["LogGroup"].strip("<>")]
    assert group["RetentionInDays"] == "90"
    assert group["LogGroupName"].startswith("/aws/lambda/monitory-")
    # lines with embedded metrics have to arrive as they were written
    assert logging["LogFormat"] == "Text"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_each_function_has_a_role_of_its_own(stack: Stack, function: str) -> None:
    assert stack[function]["Role"] == f"<{function.removesuffix('Function')}Role.Arn>"


def test_calls_go_to_an_alias_that_moves_slowly(stack: Stack) -> None:
    ((alias, properties),) = stack.of_type("AWS::Lambda::Alias").items()
    assert properties["Name"] == "live"
    update = stack.resources[alias]["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]
    group = stack[update["DeploymentGroupName"].strip("<>")]
    assert "Canary10Percent30Minutes" in group["DeploymentConfigName"]
    assert group["AutoRollbackConfiguration"]["Enabled"] is True
    assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
    names = {alarm["Name"] for alarm in group["AlarmConfiguration"]["Alarms"]}
    assert names == {"<NewVersionErrorsAlarm>", "<PredictErrorRateAlarm>", "<PredictLatencyAlarm>"}


def test_a_fix_gets_out_while_an_alarm_rings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-northeast-2")
    # CodeDeploy stops a deployment, of whatever kind, as soon as an alarm of its group rings
    at_once = {"DeploymentPreference": "AllAtOnce"}
    (group,) = Stack(transformed(at_once), **at_once).of_type("AWS::CodeDeploy::DeploymentGroup").values()
    assert "AllAtOnce" in group["DeploymentConfigName"]
    assert not group.get("AlarmConfiguration")


def parameters_in(node: Any, conditions: dict[str, Any], parameters: set[str]) -> set[str]:
    """Names of the parameters that a piece of a template depends on, through conditions, too."""
    if isinstance(node, dict):
        found = set()
        for key, item in node.items():
            if key == "Fn::If":
                found |= parameters_in(conditions[item[0]], conditions, parameters)
            found |= parameters_in(item, conditions, parameters)
        return found
    if isinstance(node, list):
        return {name for item in node for name in parameters_in(item, conditions, parameters)}
    return {name for name in parameters if node == name or f"${{{name}}}" in str(node)}


def test_a_changed_parameter_is_a_new_version(template: dict[str, Any]) -> None:
    # a version is published when its description changes, and not when a parameter's value does
    function = template["Resources"]["PredictFunction"]["Properties"]
    ((name, version),) = (
        (name, r["Properties"]) for name, r in template["Resources"].items() if r["Type"] == "AWS::Lambda::Version"
    )
    names = set(template["Parameters"])
    needed = parameters_in(function, template["Conditions"], names)
    assert {"Architecture", "PredictMemoryMb", "MaxDataAgeHours", "ExistingModelBucketName", "LogLevel"} <= needed
    # the same set, not more: a new description of an unchanged function is refused by Lambda
    assert parameters_in(version["Description"], template["Conditions"], names) == needed, name


# those of which the description leaves out what each value has
LONGEST = {"LakeRegion": "ap-northeast-2", "ModelKey": f"models/{'x' * 28}"}


def longest(name: str, parameter: dict[str, Any]) -> str:
    """The longest value of a parameter that is a sensible one."""
    if name in LONGEST:
        assert len(LONGEST[name]) == parameter["MaxLength"]
        assert re.fullmatch(parameter["AllowedPattern"], LONGEST[name])
        return LONGEST[name]
    if "AllowedValues" in parameter:
        return max(map(str, parameter["AllowedValues"]), key=len)
    if parameter["Type"] == "Number":
        whole = str(parameter.get("MaxValue", 10**6))
        return whole if name.endswith("Mb") else f"{int(whole) - 1}.5"
    return "x" * int(parameter.get("MaxLength", 63))


def described(template: dict[str, Any], **parameters: str) -> str:
    """The description of the version that these parameters make."""
    (version,) = Stack(template, **parameters).of_type("AWS::Lambda::Version").values()
    return str(version["Description"])


def test_the_versions_description_fits_for_the_longest_parameters(template: dict[str, Any]) -> None:
    function = template["Resources"]["PredictFunction"]["Properties"]
    parameters = template["Parameters"]
    used = parameters_in(function, template["Conditions"], set(parameters))
    assert 200 < len(described(template, **{name: longest(name, parameters[name]) for name in used})) <= 256


def test_every_value_of_a_parameter_is_another_description(template: dict[str, Any]) -> None:
    function = template["Resources"]["PredictFunction"]["Properties"]
    parameters = template["Parameters"]
    for name in parameters_in(function, template["Conditions"], set(parameters)):
        values = list(map(str, parameters[name].get("AllowedValues", ["7", "8", "77"])))
        assert len({described(template, **{name: value}) for value in values}) == len(values), name


@pytest.mark.parametrize("artifact", ["CodeUri", "ContentUri"])
def test_changed_code_is_a_new_version(
    template: dict[str, Any], monkeypatch: pytest.MonkeyPatch, artifact: str
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-northeast-2")
    (before,) = Stack(template).of_type("AWS::Lambda::Version")
    (after,) = Stack(transformed(artifacts={artifact: "s3://artifacts/changed"})).of_type("AWS::Lambda::Version")
    assert before != after


def test_a_failed_retrain_event_is_tried_again_and_then_kept(stack: Stack) -> None:
    config = stack["RetrainFunctionEventInvokeConfig"]
    assert config["FunctionName"] == "<RetrainFunction>"
    assert config["Qualifier"] == "$LATEST"
    assert config["DestinationConfig"]["OnFailure"]["Destination"] == "<FailedRetrains.Arn>"
    assert config["MaximumRetryAttempts"] >= 1
    # long enough to wait for another retrain to end
    assert config["MaximumEventAgeInSeconds"] > stack["RetrainFunction"]["Timeout"]


def test_a_replaced_version_stays(template: dict[str, Any]) -> None:
    (version,) = [resource for resource in template["Resources"].values() if resource["Type"] == "AWS::Lambda::Version"]
    assert version["DeletionPolicy"] == version["UpdateReplacePolicy"] == "Retain"


def test_a_failed_run_of_scoring_is_tried_again_before_the_next_hours_and_then_kept(stack: Stack) -> None:
    config = stack["ScoreFunctionEventInvokeConfig"]
    assert config["DestinationConfig"]["OnFailure"]["Destination"] == "<FailedScores.Arn>"
    assert config["MaximumRetryAttempts"] >= 1
    assert config["MaximumEventAgeInSeconds"] < 3600
