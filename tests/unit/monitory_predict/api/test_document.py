"""The OpenAPI document."""

from starlette.testclient import TestClient

from monitory.scoring.answer import PredictResponse
from monitory_predict.api.schemas import RecordRequest
from monitory_predict.views.case_page import CasesResponse
from monitory_predict.views.fleet_view import FleetResponse
from monitory_predict.views.machine_page import MachineResponse


def test_the_openapi_document_has_examples_that_its_own_types_accept(client: TestClient) -> None:
    document = client.get("/api/v1/openapi.json").json()
    assert set(document["paths"]) == {
        "/api/v1/predict",
        "/api/v1/fleet",
        "/api/v1/cases",
        "/api/v1/machines/{zoneId}/{equipId}",
        "/api/v1/machines/{zoneId}/{equipId}/history",
        "/api/v1/machines/{zoneId}/{equipId}/records",
        "/api/v1/performance",
        "/api/v1/health",
        "/api/v1/models",
        "/api/v1/models/{version}/report",
    }
    schemas = document["components"]["schemas"]
    (example,) = schemas["PredictResponse"]["examples"]
    assert PredictResponse.model_validate(example).model_dump(mode="json") == example
    (example,) = schemas["FleetResponse"]["examples"]
    assert FleetResponse.model_validate(example).model_dump(mode="json") == example
    (example,) = schemas["MachineResponse"]["examples"]
    assert MachineResponse.model_validate(example).model_dump(mode="json", exclude_none=True) == example
    (example,) = schemas["CasesResponse"]["examples"]
    assert CasesResponse.model_validate(example).model_dump(mode="json", exclude_none=True) == example
    (example,) = schemas["RecordRequest"]["examples"]
    RecordRequest.model_validate(example)
    assert schemas["ErrorResponse"]["examples"]
    predict = document["paths"]["/api/v1/predict"]["get"]
    assert set(predict["responses"]) == {"200", "403", "404", "422", "429", "500", "503", "504"}
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorResponse"}}}
    for path, item in document["paths"].items():
        (method,) = item.values()
        answers = {status: answer for status, answer in method["responses"].items() if not status.startswith("2")}
        assert answers.keys() >= {"403", "429", "503"}, path
        assert all(answer["content"] == error for answer in answers.values()), path
        assert {status for status, answer in answers.items() if "Retry-After" in answer.get("headers", {})} == {
            "429",
            "503",
        }, path
    assert [one["schema"]["examples"] for one in predict["parameters"]] == [
        ["ZONE-001"],
        ["EQUIP-001"],
        ["EQUIPMENT/date=2026-11-20/zone_id=ZONE-001/equip_id=EQUIP-001/equip-1-0.json"],
    ]
    assert document["security"] == [{"api_key": []}]
    assert document["components"]["securitySchemes"]["api_key"]["name"] == "x-api-key"


def test_no_page_is_served_whose_assets_come_from_the_network(client: TestClient) -> None:
    assert client.get("/docs").status_code == 404
    assert client.get("/redoc").status_code == 404
