"""A lake of four machines over twelve days, byte for byte the same under every version of this product.

It uses the standard library only: version 1.0 has written a model bucket from it (tests/integration/former), and the
ETags in that bucket's caches are those of these objects.
"""

import json
import random
from collections.abc import Iterator
from datetime import datetime, timedelta

START = datetime(2025, 6, 1)
DAYS = 12
ZONE = "ZONE-001"
MACHINES = tuple(f"EQUIP-{number:03d}" for number in range(1, 5))
FAILING_HOURS = 3
LEVELS = {
    "temp": 71.0,
    "humid": 50.0,
    "pressure": 35.0,
    "vibration": 1.6,
    "active_power": 53_000.0,
    "reactive_power": 29_000.0,
}


def objects() -> Iterator[tuple[str, bytes]]:
    """Key and NDJSON of each object: a machine's hour, oldest first machine by machine."""
    for number, equip_id in enumerate(MACHINES):
        dice = random.Random(number)
        worn, life = dice.randrange(40), dice.randrange(50, 90)
        for hour in range(24 * DAYS):
            if worn == life + FAILING_HOURS:
                worn, life = 0, dice.randrange(50, 90)
            start = START + timedelta(hours=hour)
            # vibration passes its alert limit of 3.8 in the hour of failure
            vibration = 1.0 + 0.5 * worn / life + 1.0 * (worn / life) ** 4 + (2.0 if worn >= life else 0.0)
            readings = _hour(dice, equip_id, start, vibration)
            folder = f"EQUIPMENT/date={start:%Y-%m-%d}/zone_id={ZONE}/equip_id={equip_id}"
            yield f"{folder}/equip-{start:%H}-0.json", "".join(f"{line}\n" for line in readings).encode()
            worn += 1


def _hour(dice: random.Random, equip_id: str, start: datetime, vibration: float) -> Iterator[str]:
    for minute in range(0, 60, 5):
        for sensor, level in LEVELS.items():
            value = vibration if sensor == "vibration" else 1.0
            yield json.dumps(
                {
                    "zoneId": ZONE,
                    "equipId": equip_id,
                    "sensorId": f"S-{sensor}",
                    "sensorType": sensor,
                    "val": round(level * value * (0.98 + 0.04 * dice.random()), 4),
                    "time": (start + timedelta(minutes=minute)).isoformat(),
                }
            )
