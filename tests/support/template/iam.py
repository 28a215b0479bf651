"""What a role may do, decided as IAM decides it for the operators that the template uses."""

import re
from collections.abc import Mapping
from typing import Any

from tests.support.template.reading import Stack, as_list


def statements(stack: Stack, role: str) -> list[dict[str, Any]]:
    """All statements of a role's own policies, and of those that are attached to it."""
    attached = [policy for policy in stack.of_type("AWS::IAM::Policy").values() if f"<{role}>" in policy["Roles"]]
    return [
        statement
        for policy in [*stack[role].get("Policies", []), *attached]
        for statement in as_list(policy["PolicyDocument"]["Statement"])
    ]


def may(stack: Stack, role: str, action: str, resource: str, context: Mapping[str, str] | None = None) -> bool:
    """Whether a role may do something to a resource; `context` holds the request's condition keys."""
    return any(
        statement["Effect"] == "Allow"
        and any(_like(pattern, action) for pattern in as_list(statement["Action"]))
        and any(_like(pattern, resource) for pattern in as_list(statement["Resource"]))
        and _holds(statement.get("Condition", {}), context or {})
        for statement in statements(stack, role)
    )


def _holds(condition: Mapping[str, Any], context: Mapping[str, str]) -> bool:
    for operator, keys in condition.items():
        assert operator in ("StringLike", "StringEquals"), operator
        for key, patterns in keys.items():
            # a key that the request does not have matches nothing
            if key not in context or not any(_like(pattern, context[key]) for pattern in as_list(patterns)):
                return False
    return True


def _like(pattern: str, value: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), value) is not None
