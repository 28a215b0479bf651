"""The end of a stack: it goes, its models stay. The last of all, for it takes the stack away."""

from tests.support.deploy.deployment import Stack


def test_deletion_keeps_the_models(stack: Stack) -> None:
    models = stack.account.bucket(stack.outputs["ModelBucketName"])
    kept = {item.key for item in models.objects.all()}
    assert any(key.startswith("models/") for key in kept), "the lifecycle left no models"
    stack.delete()
    assert {item.key for item in models.objects.all()} == kept
    left = {
        function["FunctionName"] for function in stack.account.client("lambda").list_functions()["Functions"]
    } & set(stack.resources.values())
    assert left == set()
    assert stack.get("/api/v1/health").status in (403, 404)
