"""A record as callers see it."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from monitory.logbook.records import Record


class RecordView(BaseModel):
    """A record as it is stored."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True)

    id: Annotated[str, Field(description="the idempotency key")]
    at: Annotated[datetime, Field(description="when it was written, UTC")]
    by: Annotated[str, Field(description="id of the API key")]
    zone_id: Annotated[str, Field(alias="zoneId")]
    equip_id: Annotated[str, Field(alias="equipId")]
    kind: str
    start: str
    end: str | None
    failure_mode: Annotated[str, Field(alias="failureMode")]
    note: str

    @classmethod
    def of(cls, record: Record) -> Self:
        """What is answered about a record."""
        return cls(**{name: getattr(record, name) for name in RecordView.model_fields})
