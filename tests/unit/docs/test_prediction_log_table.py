"""The documented Athena table has the columns that the prediction log writes, in their order and with their types."""

import re
import types
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from monitory.scoring import prediction_log
from monitory.scoring.answer import PredictResponse
from tests.support.predicting import NOW, V1, World
from tests.support.scoring import log_lines, score

PAGE = Path(__file__).resolve().parents[3] / "docs" / "prediction-log.md"
RESERVED = {"interval", "window", "start", "end", "date", "hour"}
SIMPLE: dict[Any, str] = {str: "string", float: "double", int: "int", datetime: "string"}


def column(name: str) -> str:
    """A name as DDL writes it: reserved words in backquotes."""
    return f"`{name}`" if name in RESERVED else name


def athena_type(kind: Any) -> str:
    """The Athena type of a field's annotation."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return athena_type(arguments[0])
    if origin in (Union, types.UnionType):
        (present,) = (argument for argument in arguments if argument is not type(None))
        return athena_type(present)
    if origin is Literal:
        return "string"
    if origin is list:
        return f"array<{athena_type(arguments[0])}>"
    if origin is dict:
        return f"map<{','.join(map(athena_type, arguments))}>"
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        fields = (f"{column(name)}:{athena_type(field.annotation)}" for name, field in kind.model_fields.items())
        return f"struct<{','.join(fields)}>"
    return SIMPLE[kind]


def documented() -> dict[str, str]:
    """The table's columns and their types."""
    text = PAGE.read_text(encoding="utf-8")
    (body,) = re.findall(r"CREATE EXTERNAL TABLE predictions \(\n(.*?)\n\)\n", text, re.DOTALL)
    return dict(line.strip().rstrip(",").split(" ", 1) for line in body.splitlines())


def test_columns_and_types_are_those_of_an_answer() -> None:
    fields = {
        column((field.alias or name).lower()): athena_type(field.annotation)
        for name, field in PredictResponse.model_fields.items()
    }
    assert list(documented().items()) == [("scored_at", "string"), *fields.items()]


def test_a_line_of_the_log_has_no_field_that_the_table_lacks() -> None:
    world = World()
    world.write(NOW - timedelta(hours=1))
    world.promote(V1)
    score(world)
    (line,) = log_lines(world.model_storage)
    columns = {name.strip("`") for name in documented()}
    assert {name.lower() for name in line} == columns - {"replace_by", "replace_saving"}


def test_partitions_are_the_folders_of_the_log() -> None:
    text = PAGE.read_text(encoding="utf-8")
    (template,) = re.findall(r"'s3://<ModelBucketName>/(predictions/date=\S+)'", text)
    hour = 498_659
    folder = prediction_log.key("1a2b3c4d", hour).rpartition("/")[0] + "/"
    day, number = re.findall(r"date=(\S+)/hour=(\d\d)/", folder)[0]
    assert template.replace("${date}", day).replace("${hour}", number) == folder
    assert "(`date` string, `hour` string)" in text
