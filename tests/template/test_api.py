"""The gateway: which routes there are, who may call them how often, and what it refuses by itself."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from monitory.settings import PredictSettings, from_environment
from monitory_predict.application import build_app
from monitory_predict.telemetry import NoTelemetry
from tests.support.template.reading import Stack, strings


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> FastAPI:
    """The application, for its routes; its storage is never there."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    return build_app(from_environment(PredictSettings), NoTelemetry())


HEALTH = "/api/v1/health"
DOCUMENT = "/api/v1/openapi.json"
PAGE, PAGE_FILE = "/", "/page/{file}"


def methods(stack: Stack) -> dict[tuple[str, str], dict[str, Any]]:
    """The gateway's methods by verb and path."""
    paths = stack["Api"]["Body"]["paths"]
    return {(verb, path): method for path, path_item in paths.items() for verb, method in path_item.items()}


def test_the_gateway_lets_through_the_routes_of_the_application_and_no_others(stack: Stack, app: FastAPI) -> None:
    routes = {re.sub(r":path\}", "}", route.path): route.methods for route in app.routes if isinstance(route, APIRoute)}
    # monitors ask whether the service is well, and want no text
    verbs = {(verb.lower(), path) for path, verbs in routes.items() for verb in verbs or ()}
    assert methods(stack).keys() == verbs | {("get", DOCUMENT), ("head", HEALTH)}
    assert "{proxy+}" not in str(stack["Api"]["Body"])


def test_every_route_needs_the_key_but_the_page_which_holds_no_data(stack: Stack) -> None:
    body = stack["Api"]["Body"]
    assert body["components"]["securitySchemes"]["api_key"]["name"] == "x-api-key"
    for (_, path), method in methods(stack).items():
        assert method["security"] == ([] if path in (PAGE, PAGE_FILE) else [{"api_key": []}]), path


def test_the_gateway_asks_for_what_the_application_requires(stack: Stack, app: FastAPI) -> None:
    body = stack["Api"]["Body"]
    validator = body["x-amazon-apigateway-request-validators"][body["x-amazon-apigateway-request-validator"]]
    assert validator["validateRequestParameters"] is True
    documented = app.openapi()["paths"]
    for (verb, path), method in methods(stack).items():
        if path in (PAGE, PAGE_FILE):
            continue
        ours = {(p["name"], p["in"]) for p in method.get("parameters", []) if p["required"]}
        theirs = documented[path]["get" if verb == "head" else verb].get("parameters", []) if path != DOCUMENT else []
        assert ours == {(p["name"], p["in"]) for p in theirs if p["required"]}, path


def test_every_route_calls_the_alias(stack: Stack) -> None:
    (alias,) = stack.of_type("AWS::Lambda::Alias")
    for (_, path), method in methods(stack).items():
        integration = method["x-amazon-apigateway-integration"]
        assert (integration["type"], integration["httpMethod"]) == ("aws_proxy", "POST"), path
        assert f"/functions/<{alias}>/invocations" in integration["uri"], path


def test_the_gateway_may_invoke_the_alias_for_each_route_and_no_other(stack: Stack) -> None:
    (alias,) = stack.of_type("AWS::Lambda::Alias")
    permissions = [p for p in stack.of_type("AWS::Lambda::Permission").values() if "apigateway" in p["Principal"]]
    assert {p["FunctionName"] for p in permissions} == {f"<{alias}>"}
    allowed = {p["SourceArn"].partition("/*/")[2] for p in permissions}
    assert allowed == {verb.upper() + re.sub(r"\{\w+\}", "*", path) for verb, path in methods(stack)}


def test_calls_are_throttled_and_counted(template: dict[str, Any], stack: Stack) -> None:
    plan = stack["ApiUsagePlan"]
    assert 0 < plan["Throttle"]["RateLimit"] <= plan["Throttle"]["BurstLimit"]
    assert plan["Quota"]["Period"] == "DAY"
    # 1,000 machines, each called every hour
    assert plan["Quota"]["Limit"] >= 24_000
    assert stack["ApiUsagePlanKey"]["KeyId"] == "<ApiApiKey>"
    operators = stack["OperatorPlan"]
    assert 0 < operators["Throttle"]["RateLimit"] <= operators["Throttle"]["BurstLimit"]
    assert operators["Quota"]["Period"] == "DAY"
    every, *_ = Stack(template, RequestsPerSecond="7", RequestBurst="9")["ApiStage"]["MethodSettings"]
    assert (every["HttpMethod"], every["ResourcePath"]) == ("*", "/*")
    assert (every["ThrottlingRateLimit"], every["ThrottlingBurstLimit"]) == ("7", "9")


def test_what_needs_no_key_has_limits_of_its_own(stack: Stack) -> None:
    every, *pages = stack["ApiStage"]["MethodSettings"]
    keyless = {path for (_, path), method in methods(stack).items() if not method["security"]}
    assert {re.sub("^//", "/", settings["ResourcePath"].replace("~1", "/")) for settings in pages} == keyless
    for settings in pages:
        assert settings["ThrottlingRateLimit"] < int(every["ThrottlingRateLimit"])
        assert settings["ThrottlingBurstLimit"] <= int(every["ThrottlingBurstLimit"])


def test_the_function_knows_the_operators_keys_which_have_a_plan_of_their_own(stack: Stack) -> None:
    plans = {name: key["UsagePlanId"] for name, key in stack.of_type("AWS::ApiGateway::UsagePlanKey").items()}
    operators = {stack[name]["KeyId"] for name, plan in plans.items() if plan == "<OperatorPlan>"}
    assert operators == {"<OperatorKey>", "<SecondOperatorKey>"}
    variables = stack["PredictFunction"]["Environment"]["Variables"]
    assert set(variables["OPERATOR_KEY_IDS"].split(",")) == operators
    # two keys are there so that one can be changed; only one is in use
    assert [stack[name.strip("<>")]["Enabled"] for name in sorted(operators)] == [True, False]
    (stage,) = stack["OperatorPlan"]["ApiStages"]
    assert stage == {"ApiId": "<Api>", "Stage": "<ApiStage>"}


def test_access_is_logged_as_json_without_the_key_or_the_query(stack: Stack) -> None:
    setting = stack["ApiStage"]["AccessLogSetting"]
    assert setting["DestinationArn"] == "<ApiLogGroup.Arn>"
    assert stack["ApiLogGroup"]["RetentionInDays"] == "90"
    line = json.loads(setting["Format"])
    assert {"requestId", "status", "latencyMs", "apiKeyId", "path"} <= line.keys()
    # one variable a field, and none that holds the key or the query, or a message, which may hold quotes
    assert all(re.fullmatch(r"\$context\.[A-Za-z.]+", value) for value in line.values())
    assert "$context.identity.apiKey" not in line.values()
    assert not [value for value in line.values() if "message" in value.lower()]
    # from a line here to the function's own lines, and from a 500 to whether Lambda or the function answered so
    assert line["functionRequestId"] == "$context.integration.requestId"
    assert line["lambdaStatus"] == "$context.integration.integrationStatus"


def test_nothing_is_traced_that_nobody_looks_into(looping_stack: Stack) -> None:
    # without subsegments a trace tells no more than the access log
    assert not {name for name, resource in looping_stack.resources.items() if "Tracing" in str(resource)}


def test_requests_are_never_logged_in_full(stack: Stack) -> None:
    for settings in stack["ApiStage"]["MethodSettings"]:
        assert (settings["LoggingLevel"], settings["DataTraceEnabled"]) == ("OFF", False)


def test_nothing_needs_the_metrics_of_each_method_which_cost_extra(stack: Stack) -> None:
    assert not any(settings["MetricsEnabled"] for settings in stack["ApiStage"]["MethodSettings"])
    # these have a dimension Method besides
    watching = [*stack.of_type("AWS::CloudWatch::Alarm").values(), stack["Dashboard"]]
    assert not [watcher for watcher in watching if "Method" in names_in(watcher)]


def names_in(watcher: Any) -> Iterator[str]:
    """Words in an alarm or a dashboard that may be names of dimensions."""
    for text in strings(watcher):
        yield from re.findall(r'"(\w+)"', text) if text.startswith("{") else [text]


def test_long_answers_are_compressed_for_those_who_ask(stack: Stack) -> None:
    (api,) = stack.of_type("AWS::ApiGateway::RestApi").values()
    assert 0 < api["MinimumCompressionSize"] <= 10_000


def test_the_api_speaks_current_tls_in_its_own_region(stack: Stack) -> None:
    assert stack["Api"]["SecurityPolicy"] == "TLS_1_2"
    assert stack["Api"]["EndpointConfiguration"]["Types"] == ["REGIONAL"]


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("BAD_REQUEST_PARAMETERS", {"$context.error.validationErrorString": "Missing required parameters: [zoneId]"}),
        ("DEFAULT_4XX", {"$context.error.messageString": '"Forbidden"'}),
    ],
)
def test_what_the_gateway_refuses_has_a_detail(stack: Stack, kind: str, values: dict[str, str]) -> None:
    response = gateway_responses(stack)[kind]
    text = response["responseTemplates"]["application/json"]
    for variable, value in values.items():
        text = text.replace(variable, value)
    assert isinstance(json.loads(text)["detail"], str)


def gateway_responses(stack: Stack) -> dict[str, dict[str, Any]]:
    """What the gateway answers by itself, by kind."""
    responses: dict[str, dict[str, Any]] = stack["Api"]["Body"]["x-amazon-apigateway-gateway-responses"]
    return responses


def test_every_answer_of_the_gateways_own_has_a_detail(stack: Stack) -> None:
    for kind, response in gateway_responses(stack).items():
        text = re.sub(
            r"\$context\.error\.messageString", '"Forbidden"', response["responseTemplates"]["application/json"]
        )
        assert isinstance(json.loads(text)["detail"], str), kind


@pytest.mark.parametrize(
    ("kind", "status"),
    [("THROTTLED", "429"), ("QUOTA_EXCEEDED", "429"), ("INTEGRATION_FAILURE", "504"), ("INTEGRATION_TIMEOUT", "504")],
)
def test_what_may_be_tried_again_says_when(stack: Stack, kind: str, status: str) -> None:
    response = gateway_responses(stack)[kind]
    assert response["statusCode"] == status
    for answer in (response, gateway_responses(stack)["DEFAULT_5XX"]):
        # a literal is quoted
        assert re.fullmatch(r"'[1-9]\d*'", answer["responseParameters"]["gatewayresponse.header.Retry-After"])


def test_what_will_be_refused_again_does_not_say_when(stack: Stack) -> None:
    for kind in ("BAD_REQUEST_PARAMETERS", "INVALID_API_KEY", "MISSING_AUTHENTICATION_TOKEN", "DEFAULT_4XX"):
        assert not gateway_responses(stack)[kind].get("responseParameters"), kind


@pytest.mark.parametrize(
    ("kind", "status"), [("BAD_REQUEST_PARAMETERS", "422"), ("MISSING_AUTHENTICATION_TOKEN", "404")]
)
def test_what_is_missing_has_the_applications_status(stack: Stack, kind: str, status: str) -> None:
    assert gateway_responses(stack)[kind]["statusCode"] == status


def test_the_accounts_logging_role_is_left_alone_where_asked(template: dict[str, Any], stack: Stack) -> None:
    assert stack["ApiLogging"]["CloudWatchRoleArn"] == "<ApiLoggingRole.Arn>"
    # other APIs of the account go on using it when this stack is deleted
    assert {stack.resources[name]["DeletionPolicy"] for name in ("ApiLogging", "ApiLoggingRole")} == {
        "RetainExceptOnCreate"
    }
    without = Stack(template, ManageApiGatewayLogging="false")
    assert not {"ApiLogging", "ApiLoggingRole"} & without.resources.keys()


def test_outputs_say_where_and_with_what_to_call(stack: Stack) -> None:
    assert stack.outputs["ApiUrl"]["Value"] == "https://<Api>.execute-api.ap-northeast-2.amazonaws.com/prod"
    assert stack.outputs["ApiKeyId"]["Value"] == "<ApiApiKey>"


@pytest.mark.parametrize(
    ("partition", "console"),
    [
        ("aws", "console.aws.amazon.com"),
        ("aws-cn", "console.amazonaws.cn"),
        ("aws-us-gov", "console.amazonaws-us-gov.com"),
    ],
)
def test_the_dashboard_is_where_the_partition_has_its_console(
    template: dict[str, Any], partition: str, console: str
) -> None:
    url = Stack(template, partition).outputs["DashboardUrl"]["Value"]
    assert url.startswith(f"https://ap-northeast-2.{console}/cloudwatch/home?")
