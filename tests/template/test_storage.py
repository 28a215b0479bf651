"""The model bucket and the queue: what is in them is not lost, and nobody else gets at it."""

from typing import Any

import pytest

from tests.support.template.reading import Stack, strings


def test_a_created_bucket_outlives_the_stack(stack: Stack) -> None:
    bucket = stack.resources["ModelBucket"]
    # and a first deployment that fails takes it away again, empty as it is
    assert (bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")


def test_a_created_bucket_is_versioned_encrypted_and_private(stack: Stack) -> None:
    bucket = stack["ModelBucket"]
    assert bucket["VersioningConfiguration"]["Status"] == "Enabled"
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule == {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    blocked = bucket["PublicAccessBlockConfiguration"]
    names = {"BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"}
    assert {name for name, value in blocked.items() if value is True} == names
    assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]


def test_a_created_bucket_is_encrypted_with_the_given_key(template: dict[str, Any]) -> None:
    key = "arn:aws:kms:ap-northeast-2:123456789012:key/1"
    (rule,) = Stack(template, ModelKmsKeyArn=key)["ModelBucket"]["BucketEncryption"][
        "ServerSideEncryptionConfiguration"
    ]
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    # a key of its own for each object would be a paid request for each object
    assert rule["BucketKeyEnabled"] is True


def test_only_caches_and_old_predictions_expire(stack: Stack) -> None:
    rules = stack["ModelBucket"]["LifecycleConfiguration"]["Rules"]
    assert all(rule["Status"] == "Enabled" for rule in rules)
    expiring = {rule["Prefix"]: int(rule["ExpirationInDays"]) for rule in rules if "ExpirationInDays" in rule}
    assert expiring.keys() == {"cache/", "predictions/"}
    # nightly retrains read the last weeks out of the cache
    assert min(expiring.values()) > 21


def test_the_former_served_model_can_be_recovered_for_weeks(stack: Stack) -> None:
    rules = stack["ModelBucket"]["LifecycleConfiguration"]["Rules"]
    everywhere = [rule for rule in rules if "Prefix" not in rule]
    (rule,) = [rule["NoncurrentVersionExpiration"] for rule in everywhere if "NoncurrentVersionExpiration" in rule]
    assert rule["NoncurrentDays"] >= 30


@pytest.mark.parametrize(
    ("policy", "resources"),
    [
        ("ModelBucketPolicy", {"<ModelBucket.Arn>", "<ModelBucket.Arn>/*"}),
        ("FailedRetrainsPolicy", {"<FailedRetrains.Arn>"}),
        ("FailedScoresPolicy", {"<FailedScores.Arn>"}),
        ("AlarmTopicPolicy", {"<AlarmTopic>"}),
        ("AlertTopicPolicy", {"<AlertTopic>"}),
    ],
)
def test_requests_without_tls_are_refused(stack: Stack, policy: str, resources: set[str]) -> None:
    (refusal,) = [s for s in stack[policy]["PolicyDocument"]["Statement"] if s["Effect"] == "Deny"]
    assert set(strings(refusal["Resource"])) == resources
    assert refusal["Principal"] == "*"
    assert refusal["Condition"] == {"Bool": {"aws:SecureTransport": False}}


def test_no_resource_policy_lets_everybody_in(looping_stack: Stack) -> None:
    for name, resource in looping_stack.resources.items():
        if resource["Type"] == "AWS::IAM::Policy":
            continue  # of a role: it lets in nobody else
        for statement in resource["Properties"].get("PolicyDocument", {}).get("Statement", []):
            if statement["Effect"] == "Allow":
                assert "*" not in [*strings(statement["Principal"])], name
                assert statement["Condition"], name


def test_an_existing_bucket_is_used_and_left_as_it_is(template: dict[str, Any]) -> None:
    stack = Stack(template, ExistingModelBucketName="kept-models")
    assert not stack.of_type("AWS::S3::Bucket")
    assert not stack.of_type("AWS::S3::BucketPolicy")
    for function in stack.of_type("AWS::Lambda::Function").values():
        assert function["Environment"]["Variables"]["S3_MODEL_BUCKET_NAME"] == "kept-models"
    assert "<ModelBucket" not in "".join(strings([*stack.resources.values(), *stack.outputs.values()]))


def test_the_queue_is_encrypted_and_waits_for_an_operator(stack: Stack) -> None:
    for name in ("FailedRetrains", "FailedScores"):
        assert stack[name]["SqsManagedSseEnabled"] is True
        assert stack[name]["MessageRetentionPeriod"] >= 4 * 24 * 3600
