# mypy: disable-error-code="import-untyped"
# (the Serverless transform ships no types)
"""The template as CloudFormation would see it: transformed, and resolved for given parameters."""

import json
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from samcli.commands._utils.template import get_template_data, move_template
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).resolve().parents[3]

STACK_ID = "51af3dc0-da77-11e4-872e-1234567db123"
PSEUDO = {
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::Region": "ap-northeast-2",
    "AWS::StackId": f"arn:aws:cloudformation:ap-northeast-2:123456789012:stack/monitory/{STACK_ID}",
    "AWS::StackName": "monitory",
    "AWS::URLSuffix": "amazonaws.com",
}
_NOTHING = object()


class NoManagedPolicies:
    """Stands for AWS's list of managed policies, of which the transform wants the ARNs."""

    def load(self) -> Mapping[str, str]:
        """The one that it asks for."""
        return {"AWSCodeDeployRoleForLambda": "arn:aws:iam::aws:policy/service-role/AWSCodeDeployRoleForLambda"}


def source() -> dict[str, Any]:
    """The template with the dashboard's file where CloudFormation includes it; the caller may change it."""
    return deepcopy(_source())


@cache
def _source() -> dict[str, Any]:
    template: dict[str, Any] = yaml_parse((ROOT / "template.yaml").read_text(encoding="utf-8"))
    dashboard = template["Resources"]["Dashboard"]["Properties"]
    include = dashboard["DashboardBody"]["Fn::Transform"]
    assert include["Name"] == "AWS::Include"
    dashboard["DashboardBody"] = plain_yaml((ROOT / include["Parameters"]["Location"]).read_text(encoding="utf-8"))
    return template


def plain_yaml(text: str) -> dict[str, Any]:
    """YAML without CloudFormation's short forms, which an included file may not use."""
    parsed: dict[str, Any] = yaml.load(text, yaml.CSafeLoader)
    return parsed


def definition() -> str:
    """The state machine's definition as it is uploaded."""
    place: str = source()["Resources"]["RetrainLoop"]["Properties"]["DefinitionUri"]
    return (ROOT / place).read_text(encoding="utf-8")


ARTIFACTS = {
    "CodeUri": "s3://artifacts/predict",
    "ContentUri": "s3://artifacts/layer",
    "ImageUri": "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/retrain:python3.13",
    "DefinitionUri": "s3://artifacts/retrain.asl.yaml",
}


def transformed(
    parameters: Mapping[str, str] | None = None, artifacts: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The template after the Serverless transform, with artifacts where `sam package` would have put them.

    The transform looks at few parameters: at those alone that decide what it adds.
    """
    template = source()
    places = {**ARTIFACTS, **(artifacts or {})}
    for name, place in (
        ("PredictFunction", "CodeUri"),
        ("ScoreFunction", "CodeUri"),
        ("SharedLayer", "ContentUri"),
        ("RetrainFunction", "ImageUri"),
        ("ReadFunction", "ImageUri"),
        ("RetrainLoop", "DefinitionUri"),
    ):
        template["Resources"][name]["Properties"][place] = places[place]
    # the transform's own kinds of dict and string are of no interest
    result: dict[str, Any] = json.loads(json.dumps(transform(template, dict(parameters or {}), NoManagedPolicies())))
    return result


def moved(target: Path) -> dict[str, Any]:
    """The template as `sam build` leaves it in another folder."""
    written = ROOT / "template.yaml"
    move_template(str(written), str(target), get_template_data(str(written)))
    template: dict[str, Any] = yaml_parse(target.read_text(encoding="utf-8"))
    return template


class Stack:
    """A transformed template with parameters put in.

    A reference to a resource resolves to its logical id in angle brackets, `<ModelBucket>`, and an attribute to
    `<ModelBucket.Arn>`.
    """

    def __init__(self, template: dict[str, Any], partition: str = "aws", **parameters: str) -> None:
        unknown = parameters.keys() - template["Parameters"].keys()
        assert not unknown, f"no such parameters: {unknown}"
        defaults = {name: str(parameter["Default"]) for name, parameter in template["Parameters"].items()}
        self._parameters = defaults | parameters
        self._pseudo = PSEUDO | {"AWS::Partition": partition}
        self._conditions = template["Conditions"]
        self._mappings = template["Mappings"]
        self.resources: dict[str, dict[str, Any]] = {
            name: self._resolve(resource) for name, resource in template["Resources"].items() if self._exists(resource)
        }
        self.outputs: dict[str, Any] = {
            name: self._resolve(output) for name, output in template["Outputs"].items() if self._exists(output)
        }

    def __getitem__(self, name: str) -> dict[str, Any]:
        properties: dict[str, Any] = self.resources[name]["Properties"]
        return properties

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """Properties of the resources of a type, by logical id."""
        return {name: self[name] for name, resource in self.resources.items() if resource["Type"] == kind}

    def _exists(self, entry: Mapping[str, Any]) -> bool:
        return "Condition" not in entry or self._holds({"Condition": entry["Condition"]})

    def _holds(self, condition: Any) -> bool:
        ((function, argument),) = condition.items()
        if function == "Condition":
            return self._holds(self._conditions[argument])
        if function == "Fn::Not":
            return not self._holds(argument[0])
        if function == "Fn::And":
            return all(self._holds(one) for one in argument)
        if function == "Fn::Or":
            return any(self._holds(one) for one in argument)
        assert function == "Fn::Equals", function
        left, right = (self._resolve(side) for side in argument)
        return bool(left == right)

    def _resolve(self, node: Any) -> Any:
        if isinstance(node, list):
            return [value for item in node if (value := self._resolve(item)) is not _NOTHING]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            ((function, argument),) = node.items()
            if function == "Ref":
                return self._reference(argument)
            if function == "Fn::GetAtt":
                return f"<{argument if isinstance(argument, str) else '.'.join(argument)}>"
            if function == "Fn::If":
                return self._resolve(argument[1] if self._holds({"Condition": argument[0]}) else argument[2])
            if function == "Fn::FindInMap":
                name, first, second = self._resolve(argument)
                return self._mappings[name][first][second]
            if function == "Fn::Sub":
                return self._substitute(argument)
            if function == "Fn::Join":
                return argument[0].join(self._resolve(argument[1]))
            if function == "Fn::Split":
                return self._resolve(argument[1]).split(argument[0])
            if function == "Fn::Select":
                return self._resolve(argument[1])[int(argument[0])]
        return {key: value for key, item in node.items() if (value := self._resolve(item)) is not _NOTHING}

    def _reference(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return _NOTHING
        return self._parameters.get(name) or self._pseudo.get(name) or ("" if name in self._parameters else f"<{name}>")

    def _substitute(self, argument: Any) -> str:
        text, values = (argument, {}) if isinstance(argument, str) else argument

        def value(match: re.Match[str]) -> str:
            name = match[1]
            if name in values:
                return str(self._resolve(values[name]))
            return f"<{name}>" if "." in name else str(self._reference(name))

        return re.sub(r"\$\{([A-Za-z0-9:._]+)\}", value, text)


def strings(node: Any) -> Iterator[str]:
    """All strings in a piece of a template."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, list):
        for item in node:
            yield from strings(item)
    elif isinstance(node, dict):
        for item in node.values():
            yield from strings(item)


def as_list(value: Any) -> list[Any]:
    """CloudFormation and IAM take one thing where they take a list."""
    return value if isinstance(value, list) else [value]
