"""The API's answers about a made-up model, for tests of the page."""

from typing import Any

Json = dict[str, Any]

LIMITS = [5.0, 3.0]
VERSION = "2026/11/27/150312"


def models() -> Json:
    """The answer of /models."""
    versions = [VERSION, "2026/11/26/150307", "2026/11/25/150311"]
    return {
        "status": "ok",
        "served": VERSION,
        "versions": [
            {
                "version": version,
                "served": version == VERSION,
                "served_since": "2026-11-27T15:05:44+00:00" if version == VERSION else None,
                "metrics": {"holdout": {"rows": 4120, "mae": 0.94 + rank / 10, "coverage": 0.91}},
            }
            for rank, version in enumerate(versions)
        ],
        "history": [
            {
                "number": 2 - rank,
                "action": "promote",
                "version": version,
                "replaced": None,
                "at": "2026-11-27T15:05:44+00:00",
                "by": "retrain",
                "reason": "its mean absolute error on the hold-out is 0.94 days, the champion's is 1.14 days",
            }
            for rank, version in enumerate((versions[0], versions[2]))
        ],
    }


def performance() -> Json:
    """The answer of /performance."""
    announcements = [
        {"limit_days": limit, "failures": 14, "announced": 13, "missed": 1, "median_lead_days": limit - 0.3}
        | {"low_lead_days": 1.8, "maintenance": 3, "maintenance_announced": 2, "raised": 18, "false": 1}
        | {"machine_months": 13.7, "false_per_machine_month": 0.07}
        for limit in LIMITS
    ]
    figures = {"hours": 9840, "mae_days": 1.42, "coverage": 0.91, "horizons": [], "announcements": announcements}
    return {
        "status": "ok",
        "first_day": "2026-11-06",
        "last_day": "2026-11-26",
        "measured_at": "2026-11-27T15:03:12Z",
        "promised_coverage": 0.9,
        "shortfalls": [],
        "overall": figures,
        "versions": [{"version": VERSION} | figures],
    }


def health() -> Json:
    """The answer of /health."""
    return {"status": "ok", "message": "serving", "version": VERSION, "trained_at": "2026-11-27T15:03:12+00:00"}
