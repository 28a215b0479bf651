"""Who may do what. A linter sees a star; it does not see that a role can write where it must not."""

from typing import Any

import pytest

from monitory.alerts import store
from monitory.features import failure_state
from monitory.history import history_store
from monitory.logbook import records
from monitory.registry import promotions
from monitory.scoring import fleet, performance, prediction_log, trends
from monitory.settings import PredictSettings
from monitory_retrain.backfill.plan import MANIFESTS
from monitory_retrain.ingest.cache import day_cache
from monitory_retrain.invocation import idempotency
from tests.support.template.iam import may, statements
from tests.support.template.reading import Stack, as_list, strings, transformed

LAKE = "arn:aws:s3:::monitory-bucket"
MODELS = "arn:aws:s3:::<ModelBucket>"
READING = f"{LAKE}/EQUIPMENT/date=2026-11-20/zone_id=Z/equip_id=E/equip-1-0.json"
SERVED = f"{MODELS}/{PredictSettings.model_fields['s3_model_key'].default}"
SERVED_METRICS = f"{SERVED.rpartition('/')[0]}/metrics.json"
VERSION = f"{MODELS}/models/2026/11/20/150102/model.txt"
PROMOTION = f"{MODELS}/{promotions.FOLDER}/000001.json"
FAILURES = f"{MODELS}/{failure_state.KEY}"
RECENT = f"{MODELS}/{history_store.FOLDER}/1-abc/Z/E.json"
HOUR_ROWS = f"{MODELS}/{day_cache.FOLDER}/1-abc/2026-11-20.parquet"
PIECE = f"{MODELS}/{day_cache.PIECES}/1-abc/2026-11-20/0123.parquet"
MANIFEST = f"{MODELS}/{MANIFESTS}/1a2b3c4d/0123.jsonl"
RUN = f"{MODELS}/{idempotency.FOLDER}/53dc4d37.json"
LAKE_NAME = "1a2b3c4d"
FLEET = f"{MODELS}/{fleet.state_object(LAKE_NAME).key}"
TRENDS = f"{MODELS}/{trends.state_object(LAKE_NAME).key}"
PREDICTIONS = f"{MODELS}/{prediction_log.key(LAKE_NAME, 500_000)}"
PERFORMANCE = f"{MODELS}/{performance.LATEST}"
CASES = f"{MODELS}/{store.state_object(LAKE_NAME).key}"
RECORDS_INDEX = f"{MODELS}/{records.INDEX.key}"
RECORD = f"{MODELS}/{records.FOLDER}/Z/E/1.json"
FOR_PREDICT = (
    *(READING, SERVED, VERSION, PROMOTION, FAILURES, RECENT),
    *(FLEET, TRENDS, PREDICTIONS, PERFORMANCE, CASES, RECORDS_INDEX),
)
SCORED = {RECENT, PREDICTIONS, FLEET, TRENDS, CASES, RECORDS_INDEX}
EVERYTHING = (*FOR_PREDICT, SERVED_METRICS, HOUR_ROWS, PIECE, MANIFEST, RUN)
ROLES = ["PredictRole", "ScoreRole", "RetrainRole"]


@pytest.mark.parametrize("key", FOR_PREDICT)
def test_predict_reads_the_lake_the_models_and_what_is_kept_of_machines(stack: Stack, key: str) -> None:
    assert may(stack, "PredictRole", "s3:GetObject", key)


@pytest.mark.parametrize("key", EVERYTHING)
def test_predict_writes_records_and_nothing_else(stack: Stack, key: str) -> None:
    assert not may(stack, "PredictRole", "s3:PutObject", key)
    assert may(stack, "PredictRole", "s3:PutObject", RECORD)
    assert may(stack, "PredictRole", "s3:GetObject", RECORD)


@pytest.mark.parametrize("key", EVERYTHING)
def test_without_scoring_predict_writes_recent_rows(template: dict[str, Any], key: str) -> None:
    assert may(Stack(template, Scoring="false"), "PredictRole", "s3:PutObject", key) is (key == RECENT)


@pytest.mark.parametrize("key", EVERYTHING)
def test_score_writes_rows_predictions_and_the_fleet(stack: Stack, key: str) -> None:
    assert may(stack, "ScoreRole", "s3:PutObject", key) is (key in SCORED)
    assert may(stack, "ScoreRole", "s3:GetObject", key) is (key in {*FOR_PREDICT, SERVED_METRICS} - {PERFORMANCE})


@pytest.mark.parametrize("key", EVERYTHING)
def test_retrain_reads_everything_and_writes_all_but_the_lake_and_the_prediction_log(stack: Stack, key: str) -> None:
    assert may(stack, "RetrainRole", "s3:GetObject", key)
    assert may(stack, "RetrainRole", "s3:PutObject", key) is (key not in {READING, PREDICTIONS})


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("key", EVERYTHING)
def test_nobody_deletes(stack: Stack, role: str, key: str) -> None:
    assert not may(stack, role, "s3:DeleteObject", key)
    assert not may(stack, role, "s3:DeleteObjectVersion", key)


@pytest.mark.parametrize("role", ROLES)
def test_only_the_readings_of_the_lake_can_be_listed(stack: Stack, role: str) -> None:
    assert may(stack, role, "s3:ListBucket", LAKE, {"s3:prefix": "EQUIPMENT/date=2026-11-20/"})
    assert not may(stack, role, "s3:ListBucket", LAKE, {"s3:prefix": "SALARIES/"})
    assert not may(stack, role, "s3:ListBucket", LAKE)


@pytest.mark.parametrize("role", ROLES)
def test_a_missing_object_of_the_model_bucket_is_answered_404(stack: Stack, role: str) -> None:
    # S3 answers 403 to a GET of what is not there unless the bucket may be listed; a GET carries no s3:prefix
    assert may(stack, role, "s3:ListBucket", MODELS)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("bucket", [f"{LAKE}/OTHER/x", "arn:aws:s3:::somebody-else/models/x", f"{MODELS}/elsewhere/x"])
def test_nothing_else_is_in_reach(stack: Stack, role: str, bucket: str) -> None:
    assert not may(stack, role, "s3:GetObject", bucket)


def test_parameters_move_the_permissions_along(template: dict[str, Any]) -> None:
    stack = Stack(
        template,
        LakeBucketName="plant",
        LakePrefix="LINE/A/",
        ExistingModelBucketName="kept",
        ModelKey="models/now.txt",
        FailureLogKey="logs/failures.ndjson",
        LakeKmsKeyArn="arn:aws:kms:ap-northeast-2:123456789012:key/1",
        ModelKmsKeyArn="arn:aws:kms:ap-northeast-2:123456789012:key/2",
    )
    for role in ROLES:
        assert may(stack, role, "s3:GetObject", "arn:aws:s3:::plant/LINE/A/date=1")
        assert not may(stack, role, "s3:GetObject", "arn:aws:s3:::plant/EQUIPMENT/date=1")
        assert may(stack, role, "s3:GetObject", "arn:aws:s3:::kept/models/now.txt")
        assert may(stack, role, "kms:Decrypt", "arn:aws:kms:ap-northeast-2:123456789012:key/1")
        assert not may(stack, role, "kms:GenerateDataKey", "arn:aws:kms:ap-northeast-2:123456789012:key/1")
        # S3 asks for both of whoever writes an object under a customer's key
        assert may(stack, role, "kms:Decrypt", "arn:aws:kms:ap-northeast-2:123456789012:key/2")
        assert may(stack, role, "kms:GenerateDataKey", "arn:aws:kms:ap-northeast-2:123456789012:key/2")
    assert may(stack, "RetrainRole", "s3:PutObject", "arn:aws:s3:::kept/models/now.txt")
    assert may(stack, "RetrainRole", "s3:GetObject", "arn:aws:s3:::plant/logs/failures.ndjson")
    assert may(stack, "PredictRole", "s3:GetObject", "arn:aws:s3:::plant/logs/failures.ndjson")
    assert not may(stack, "PredictRole", "s3:GetObject", "arn:aws:s3:::plant/logs/others.ndjson")


@pytest.mark.parametrize("role", ROLES)
def test_without_keys_of_the_customer_there_is_no_right_to_any(stack: Stack, role: str) -> None:
    assert not [action for s in statements(stack, role) for action in as_list(s["Action"]) if action.startswith("kms:")]


@pytest.mark.parametrize(
    ("partition", "region"), [("aws", "eu-central-1"), ("aws-cn", "cn-north-1"), ("aws-us-gov", "us-gov-west-1")]
)
def test_every_name_of_a_resource_is_of_the_stacks_partition(
    monkeypatch: pytest.MonkeyPatch, partition: str, region: str
) -> None:
    # the transform names what it adds after the region where it runs, and keeps the first one that it saw
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    monkeypatch.setattr("samtranslator.translator.arn_generator.ArnGenerator.BOTO_SESSION_REGION_NAME", region)
    stack = Stack(transformed(), partition, BackfillStateMachine="true")
    # it asks AWS, and here a list of ours, for the policy of its own role
    ours = [resource for name, resource in stack.resources.items() if name != "CodeDeployServiceRole"]
    arns = [text for text in strings([ours, stack.outputs]) if text.startswith("arn:")]
    assert len(arns) > 20
    assert {arn.split(":")[1] for arn in arns} == {partition}


@pytest.mark.parametrize(
    ("role", "group"),
    [("PredictRole", "PredictLogGroup"), ("ScoreRole", "ScoreLogGroup"), ("RetrainRole", "RetrainLogGroup")],
)
def test_each_function_writes_its_own_log(stack: Stack, role: str, group: str) -> None:
    assert may(stack, role, "logs:PutLogEvents", f"<{group}.Arn>")
    assert not may(stack, role, "logs:PutLogEvents", "<ApiLogGroup.Arn>")
    assert not may(stack, role, "logs:CreateLogGroup", f"<{group}.Arn>")


def test_no_statement_allows_a_star(looping_stack: Stack) -> None:
    roles = looping_stack.of_type("AWS::IAM::Role")
    assert roles
    for role in roles:
        for statement in statements(looping_stack, role):
            assert statement["Effect"] == "Allow"
            actions = set(as_list(statement["Action"]))
            assert not [action for action in actions if "*" in action], (role, actions)
            assert "*" not in as_list(statement["Resource"]), (role, actions)


def test_each_need_has_its_own_statement_and_name(looping_stack: Stack) -> None:
    for role in looping_stack.of_type("AWS::IAM::Role"):
        sids = [statement.get("Sid") for statement in statements(looping_stack, role)]
        assert all(sids), role
        assert len(sids) == len(set(sids)), role


def test_only_services_take_roles(looping_stack: Stack) -> None:
    for name, role in looping_stack.of_type("AWS::IAM::Role").items():
        for statement in role["AssumeRolePolicyDocument"]["Statement"]:
            (services,) = statement["Principal"].values()
            assert [*statement["Principal"]] == ["Service"], name
            assert all(service.endswith(".amazonaws.com") for service in as_list(services)), name


def test_aws_managed_policies_only_where_aws_asks_for_them(stack: Stack) -> None:
    managed = {
        name: [arn.rpartition("/")[2] for arn in role["ManagedPolicyArns"]]
        for name, role in stack.of_type("AWS::IAM::Role").items()
        if "ManagedPolicyArns" in role
    }
    assert managed == {
        "ApiLoggingRole": ["AmazonAPIGatewayPushToCloudWatchLogs"],
        "CodeDeployServiceRole": ["AWSCodeDeployRoleForLambda"],
    }


@pytest.mark.parametrize("key", EVERYTHING)
def test_read_reads_the_lake_and_scored_rows_and_writes_pieces(looping_stack: Stack, key: str) -> None:
    assert may(looping_stack, "ReadRole", "s3:GetObject", key) is (key in {READING, RECENT, PIECE, MANIFEST})
    assert may(looping_stack, "ReadRole", "s3:PutObject", key) is (key in {PIECE, MANIFEST})
    assert not may(looping_stack, "ReadRole", "s3:DeleteObject", key)


def test_read_lists_the_readings_of_the_lake_only(looping_stack: Stack) -> None:
    assert may(looping_stack, "ReadRole", "s3:ListBucket", LAKE, {"s3:prefix": "EQUIPMENT/date=2026-11-20/"})
    assert not may(looping_stack, "ReadRole", "s3:ListBucket", LAKE, {"s3:prefix": "SALARIES/"})
    assert may(looping_stack, "ReadRole", "s3:ListBucket", MODELS), "what is missing is answered 404"
    assert may(looping_stack, "ReadRole", "logs:PutLogEvents", "<ReadLogGroup.Arn>")


def test_read_moves_along_with_the_parameters(template: dict[str, Any]) -> None:
    keys = {kind: f"arn:aws:kms:ap-northeast-2:123456789012:key/{kind}" for kind in ("lake", "models")}
    stack = Stack(
        template,
        BackfillStateMachine="true",
        LakeBucketName="plant",
        LakePrefix="LINE/A/",
        ExistingModelBucketName="kept",
        LakeKmsKeyArn=keys["lake"],
        ModelKmsKeyArn=keys["models"],
    )
    assert may(stack, "ReadRole", "s3:GetObject", "arn:aws:s3:::plant/LINE/A/date=1")
    assert may(stack, "ReadRole", "s3:PutObject", "arn:aws:s3:::kept/cache/backfill/x")
    assert may(stack, "ReadRole", "kms:Decrypt", keys["lake"])
    assert may(stack, "ReadRole", "kms:GenerateDataKey", keys["models"])
    assert may(stack, "RetrainLoopRole", "s3:GetObject", "arn:aws:s3:::kept/cache/backfill/plans/x")
    assert may(stack, "RetrainLoopRole", "kms:Decrypt", keys["models"])


def test_the_state_machine_may_invoke_retrain_and_read_and_nothing_else(looping_stack: Stack) -> None:
    assert may(looping_stack, "RetrainLoopRole", "lambda:InvokeFunction", "<RetrainFunction.Arn>")
    assert may(looping_stack, "RetrainLoopRole", "lambda:InvokeFunction", "<ReadFunction.Arn>")
    assert not may(looping_stack, "RetrainLoopRole", "lambda:InvokeFunction", "<PredictFunction.Arn>")
    assert may(looping_stack, "NightlyRole", "states:StartExecution", "<RetrainLoop>")


@pytest.mark.parametrize("key", EVERYTHING)
def test_the_state_machine_reads_manifests_and_no_other_object(looping_stack: Stack, key: str) -> None:
    assert may(looping_stack, "RetrainLoopRole", "s3:GetObject", key) is (key == MANIFEST)
    assert not may(looping_stack, "RetrainLoopRole", "s3:PutObject", key)


def test_each_batch_is_an_execution_of_the_state_machine_itself(looping_stack: Stack) -> None:
    policy = looping_stack["RetrainLoopMapPolicy"]
    assert policy["Roles"] == ["<RetrainLoopRole>"]
    start, follow = policy["PolicyDocument"]["Statement"]
    assert (start["Action"], start["Resource"]) == ("states:StartExecution", "<RetrainLoop>")
    assert follow["Action"] == ["states:DescribeExecution", "states:StopExecution"]
    assert follow["Resource"].endswith(":execution:<RetrainLoop.Name>/*")


@pytest.mark.parametrize("role", ["ScoreRole", "RetrainRole"])
def test_score_and_retrain_read_records_and_write_none(stack: Stack, role: str) -> None:
    assert may(stack, role, "s3:GetObject", RECORD)
    assert not may(stack, role, "s3:PutObject", RECORD)


def test_score_tells_of_cases_by_its_own_bus_and_topic_alone(template: dict[str, Any]) -> None:
    stack = Stack(template, EventBusName="plant")
    bus = "arn:aws:events:ap-northeast-2:123456789012:event-bus/"
    assert may(stack, "ScoreRole", "events:PutEvents", f"{bus}plant", {"events:source": "monitory"})
    assert not may(stack, "ScoreRole", "events:PutEvents", f"{bus}plant", {"events:source": "aws.s3"})
    assert not may(stack, "ScoreRole", "events:PutEvents", f"{bus}default", {"events:source": "monitory"})
    assert may(stack, "ScoreRole", "sns:Publish", "<AlertTopic>")
    assert not may(stack, "ScoreRole", "sns:Publish", "<AlarmTopic>")


def test_the_schedule_may_invoke_score_and_nothing_else(stack: Stack) -> None:
    assert may(stack, "ScoreScheduleRole", "lambda:InvokeFunction", "<ScoreFunction.Arn>")
    assert not may(stack, "ScoreScheduleRole", "lambda:InvokeFunction", "<RetrainFunction.Arn>")
    assert may(stack, "ScoreScheduleRole", "sqs:SendMessage", "<FailedScores.Arn>")
