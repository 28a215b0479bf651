"""A made-up factory in the API's answers, for tests of the page: any size, any names, every level.

What it says of the model is in `page_models`.
"""

import math
import random
from datetime import UTC, datetime, timedelta

from tests.support.page_models import LIMITS, VERSION, Json

CAP = 30.0
SENSORS = ("temperature", "vibration", "pressure", "active_power", "reactive_power", "humidity")
_STEP = timedelta(hours=6)
_EDGES = (0.0, 1.2, 2.6, 4.1, 6.5, 9.0)


class Factory:
    """Answers about some machines as of a moment; the first ones are the most urgent.

    Attributes:
        records: of each machine by zone and equip id, newest first; `write` adds to them.
    """

    def __init__(self, machines: int = 20, now: datetime | None = None, names: list[tuple[str, str]] | None = None):
        self.now = now or datetime.now(UTC)
        self.scored_at = self.now - timedelta(minutes=14)
        self.names = names or [(f"ZONE-{i % 3 + 1:03}", f"EQUIP-{i + 1:03}") for i in range(machines)]
        self.records: dict[tuple[str, str], list[Json]] = {name: [] for name in self.names}
        self._rows = [self._row(index, *name) for index, name in enumerate(self.names)]

    def fleet(self, query: dict[str, str]) -> Json:
        """The answer of /fleet."""
        text = query.get("q", "").lower()
        zone = query.get("zoneId")
        of_place = [
            row
            for row in self._rows
            if zone in (None, row["zoneId"]) and (text in row["zoneId"].lower() or text in row["equipId"].lower())
        ]
        matching = [row for row in of_place if query.get("level") in (None, row["level"])]
        offset, limit = int(query.get("offset", 0)), int(query.get("limit", 50))
        names = ("failing", "act", "plan", "watch", "fine", "none")
        page = matching[offset : offset + limit]
        if query.get("trend") != "true":
            page = [{name: row[name] for name in row if name != "trend"} for row in page]
        return {
            "status": "ok",
            "scored_at": _text(self.scored_at),
            "total": len(matching),
            "machines": page,
            "next_offset": offset + limit if offset + limit < len(matching) else None,
            "counts": {name: sum(row["level"] == name for row in of_place) for name in names},
            "zones": sorted({zone for zone, _ in self.names}),
            "limits_days": LIMITS,
            "cap_days": CAP,
        }

    def cases(self) -> Json:
        """The answer of /cases: urgent machines have an open one, the second is acknowledged."""
        cases = [one for row in self._rows if (one := self._case(row)) and one["status"] != "closed"]
        return {"status": "ok", "total": len(cases), "cases": cases, "next_offset": None}

    def predict(self, zone: str, equip: str) -> Json | None:
        """The answer of /predict; None for a machine that has none."""
        row = self._of(zone, equip)
        if row is None or row["level"] == "none":
            return None
        rul = row["rul_days"]
        return {
            "status": "ok",
            "zoneId": zone,
            "equipId": equip,
            "predictions": [rul],
            "as_of": row["as_of"],
            "expected_failure_at": row["expected_failure_at"],
            "replace_by": _text(self.now + timedelta(days=rul * 0.6)),
            "replace_saving": 0.04,
            "rul": f"{rul} days",
            "interval": row["interval"],
            "failure_probability": [
                {"days": days, "p": round(1 - math.exp(-((days / (rul + 0.5)) ** 2)), 4)}
                for days in (1, 3, 5, 7, 14, 30)
            ],
            "failure_mode": "bearing",
            "base_days": rul + 2.4,
            "drivers": [
                {"sensor": sensor, "days": round(-1.6 / (rank + 1) if rank < 4 else 0.3, 2)}
                for rank, sensor in enumerate(SENSORS)
            ],
            "state": row["state"],
            "warnings": row["warnings"],
            "window": {},
            "data_age_minutes": 31.0,
            "model": {"version": VERSION, "trained_at": "2026-11-27T15:03:12+00:00"},
        }

    def machine(self, zone: str, equip: str) -> Json | None:
        """The answer of /machines/{zoneId}/{equipId}; None for a machine that is not there."""
        row = self._of(zone, equip)
        if row is None:
            return None
        case = self._case(row)
        return {
            "status": "ok",
            "zoneId": zone,
            "equipId": equip,
            "limits_days": LIMITS,
            "cap_days": CAP,
            "trend": [
                point | {"driver": SENSORS[0 if age < 60 else 1], "driver_days": round(-0.4 - (120 - age) / 100, 2)}
                for age, point in zip(range(119, -1, -1), self._trend(row, 120), strict=True)
            ],
            "sensors": [self._sensor(sensor) for sensor in SENSORS],
            "runs": [
                {"began_at": _text(self.now - timedelta(days=9)), "ended_at": None, "end": None}
                | {"failure_mode": None, "predicted": []},
                *(self._run(ended) for ended in (9, 21)),
            ],
            "records": self.records[zone, equip],
            "cases": [case] if case else [],
        }

    def write(self, zone: str, equip: str, record_id: str, body: Json) -> Json:
        """Add a record once; returns it."""
        written = self.records[zone, equip]
        for record in written:
            if record["id"] == record_id:
                return record
        record = {
            "status": "ok",
            "id": record_id,
            "at": _text(datetime.now(UTC)),
            "by": "local",
            "zoneId": zone,
            "equipId": equip,
            "end": None,
            "failureMode": "",
            "note": "",
        } | body
        written.insert(0, record)
        return record

    def _of(self, zone: str, equip: str) -> Json | None:
        return next((row for row in self._rows if (row["zoneId"], row["equipId"]) == (zone, equip)), None)

    def _row(self, index: int, zone: str, equip: str) -> Json:
        count = len(self.names)
        silent = index >= count - 2 and count > 4
        rul = _EDGES[index] if index < len(_EDGES) else min(8.0 + index * 22 / count, CAP)
        rul = round(rul, 2)
        beyond = rul >= 0.98 * CAP
        level = next(
            (name for name, top in (("failing", 0), ("act", 3), ("plan", 5), ("watch", 7)) if rul <= top), "fine"
        )
        as_of = self.now - (timedelta(hours=19) if silent else timedelta(minutes=31))
        if index == count - 1 and count > 4:
            return {"zoneId": zone, "equipId": equip, "state": "unscored", "level": "none", "rul_days": None} | {
                "interval": None,
                "expected_failure_at": None,
                "as_of": None,
                "driver": None,
                "drivers": [],
                "change_24h": None,
                "failure_mode": None,
                "warnings": [],
                "version": None,
                "trend": [],
                "problem": "none of its objects could be read: not one line is JSON",
            }
        row = {
            "zoneId": zone,
            "equipId": equip,
            "state": "silent" if silent else "failing" if level == "failing" else "ok",
            "level": "none" if silent else level,
            "rul_days": rul,
            "interval": {"low": round(rul * 0.6, 2), "high": None if rul * 1.4 > CAP else round(rul * 1.4, 2)}
            | {"coverage": 0.9},
            "expected_failure_at": None if beyond else _text(as_of + timedelta(days=rul)),
            "as_of": _text(as_of),
            "driver": SENSORS[index % 6],
            "drivers": [{"sensor": SENSORS[(index + i) % 6], "days": round(-1.4 / (i + 1), 2)} for i in (0, 1)],
            "change_24h": round(-1.0 + math.sin(index) * 0.4, 2),
            "failure_mode": None,
            "warnings": ["humidity is silent"] if index == 3 else [],
            "version": VERSION,
            "problem": "",
        }
        return row | {"trend": self._trend(row, 28)}

    def _trend(self, row: Json, points: int) -> list[Json]:
        source = random.Random(row["equipId"])
        rul = row["rul_days"] or 0.0
        trend = []
        for age in range(points - 1, -1, -1):
            days = min(rul + age / 4 + (source.gauss(0, 0.5) if age else 0), CAP)
            days = max(days, 0.0)
            trend.append(
                {
                    "at": _text(self.now - age * _STEP),
                    "rul_days": round(days, 2),
                    "low": round(days * 0.6, 2),
                    "high": None if days * 1.4 > CAP else round(days * 1.4, 2),
                }
            )
        return trend

    def _sensor(self, sensor: str) -> Json:
        source = random.Random(sensor)
        level = source.uniform(20, 90)
        hours = []
        for age in range(71, -1, -1):
            mean = level + math.sin(age / 8) + (71 - age) * level / 500 + source.gauss(0, 0.4)
            hours.append(
                {"at": _text(self.now - timedelta(hours=age)), "mean": round(mean, 3)}
                | {"min": round(mean - 1.5, 3), "max": round(mean + 1.7, 3)}
            )
        training = None if sensor == "humidity" else {"low": level - 5, "high": level + 8}
        return {"sensor": sensor, "training": training, "hours": hours}

    def _run(self, ended_days_ago: int) -> Json:
        ended = self.now - timedelta(days=ended_days_ago)
        return {
            "began_at": _text(ended - timedelta(days=12)),
            "ended_at": _text(ended),
            "end": "failure" if ended_days_ago == 9 else "maintenance",
            "failure_mode": "bearing" if ended_days_ago == 9 else None,
            "predicted": [
                {"days_before": days, "at": _text(ended - timedelta(days=days)), "rul_days": days + 0.6}
                | {"low": days * 0.6, "high": days * 1.5}
                for days in (7, 3, 1)
            ],
        }

    def _case(self, row: Json) -> Json | None:
        """A case by level and by what was recorded since."""
        levels = {"failing": 3, "act": 2, "plan": 1, "none": 0}
        if row["level"] not in levels or row["rul_days"] is None:
            return None
        records = self.records[row["zoneId"], row["equipId"]]
        by_kind = {record["kind"]: record for record in reversed(records)}
        closing = next((kind for kind in ("maintenance", "false_alarm") if kind in by_kind), None)
        first = self._rows.index(row) == 2 if hasattr(self, "_rows") else False
        seen = by_kind.get("seen") or by_kind.get("planned") or ({"at": _text(self.scored_at)} if first else None)
        planned = by_kind.get("planned")
        return {
            "id": f"{row['zoneId']}/{row['equipId']}/wear/498716",
            "zoneId": row["zoneId"],
            "equipId": row["equipId"],
            "cause": "silence" if row["level"] == "none" else "wear",
            "level": levels[row["level"]],
            "status": "closed" if closing else "acknowledged" if seen else "open",
            "opened_at": _text(self.now - timedelta(hours=30)),
            "acknowledged_at": seen["at"] if seen else None,
            "acknowledged_by": "b1c2d3e4f5" if first else "local" if seen else None,
            "planned_for": planned["start"] if planned else _text(self.now + timedelta(days=1)) if first else None,
            "closed_at": _text(self.now) if closing else None,
            "outcome": closing,
            "rul_days": row["rul_days"],
            "as_of": row["as_of"],
            "expected_failure_at": row["expected_failure_at"],
            "driver": row["driver"],
            "failure_mode": None,
        }


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
