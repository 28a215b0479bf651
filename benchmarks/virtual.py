"""An S3 server whose lake is never written: objects of any number of machines and days are made when they are read.

Every object is one simulated hour (0.8 MB) with its own machine, date and hour. What clients PUT is kept in memory.
"""

import os
import re
import threading
from collections import Counter
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np

from benchmarks import stage

PAGE = 1000
_KEY = re.compile(r"EQUIPMENT/date=([\d-]{10})/zone_id=ZONE-001/equip_id=(EQUIP-\d{3})/equip-(\d\d)\.json")


def use(endpoint: str) -> None:
    """Let this process and its children take the server at an address for S3."""
    os.environ |= {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "virtual",
        "AWS_SECRET_ACCESS_KEY": "virtual",
        "LOG_LEVEL": "ERROR",
    }


class VirtualLake:
    """The server, in threads of this process."""

    def __init__(self, machines: int) -> None:
        """Start it on a free port; every date has 24 objects of each machine."""
        self.machines = machines
        self.requests: Counter[str] = Counter()
        self.kept: dict[str, bytes] = {}
        self._template = np.frombuffer(_hour(), dtype=np.uint8)
        text = self._template.tobytes()
        self._machine_at = _places(text, rb'"equipId":"(EQUIP-\d{3})')
        self._hour_at = _places(text, rb'"time":"([\d-]{10}T\d\d)')
        lake = self

        class Handler(_Handler):
            virtual = lake

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def endpoint(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def resize(self, machines: int) -> None:
        """Another number of machines; nothing is kept."""
        self.machines = machines
        self.kept.clear()
        self.requests.clear()

    def sent(self) -> dict[str, int]:
        """Requests by verb since the last call."""
        found = dict(self.requests)
        self.requests.clear()
        return found

    def stored(self, prefix: str) -> dict[str, bytes]:
        """What was PUT below a prefix."""
        return {key: self.kept[key] for key in self.keys(prefix)}

    def object_bytes(self) -> int:
        """The size of every object."""
        return len(self._template)

    def body(self, key: str) -> bytes | None:
        """An object of the lake, or what was PUT there."""
        found = _KEY.fullmatch(key)
        if not found:
            return self.kept.get(key)
        day, machine, hour = found.groups()
        made = self._template.copy()
        made[self._machine_at] = np.frombuffer(machine.encode(), dtype=np.uint8)
        made[self._hour_at] = np.frombuffer(f"{day}T{hour}".encode(), dtype=np.uint8)
        return made.tobytes()

    def keys(self, prefix: str) -> list[str]:
        """The keys of a date, or of what was PUT, in order."""
        found = re.match(r"EQUIPMENT/date=([\d-]{10})/", prefix)
        if not found:
            return sorted(key for key in list(self.kept) if key.startswith(prefix))
        keys = (
            f"EQUIPMENT/date={found[1]}/zone_id=ZONE-001/equip_id=EQUIP-{number:03d}/equip-{hour:02d}.json"
            for number in range(self.machines)
            for hour in range(24)
        )
        return [key for key in keys if key.startswith(prefix)]


def days(count: int) -> list[date]:
    """So many dates."""
    return [date(2026, 9, 1) + timedelta(days=number) for number in range(count)]


class _Handler(BaseHTTPRequestHandler):
    virtual: VirtualLake
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = parse_qs(url.query)
        if "list-type" in query:
            self.virtual.requests["LIST"] += 1
            start = int(query.get("continuation-token", ["0"])[0])
            self._answer(self._listing(query["prefix"][0], start).encode())
            return
        self.virtual.requests["GET"] += 1
        body = self.virtual.body(unquote(url.path).split("/", 2)[2])
        self._answer(body or b"<Error><Code>NoSuchKey</Code></Error>", 404 if body is None else 200)

    def do_PUT(self) -> None:
        self.virtual.requests["PUT"] += 1
        key = unquote(urlsplit(self.path).path).split("/", 2)[2]
        body = self.virtual.kept[key] = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(b"", of=body)

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def _listing(self, prefix: str, start: int) -> str:
        keys = self.virtual.keys(prefix)
        more = start + PAGE < len(keys)
        contents = "".join(
            f"<Contents><Key>{key}</Key><LastModified>2026-11-20T12:00:00.000Z</LastModified>"
            f"<ETag>&quot;{key[-50:]}&quot;</ETag><Size>{self._size(key)}</Size></Contents>"
            for key in keys[start : start + PAGE]
        )
        token = f"<NextContinuationToken>{start + PAGE}</NextContinuationToken>" if more else ""
        return (
            '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><Name>lake</Name>'
            f"<Prefix>{prefix}</Prefix><KeyCount>{PAGE}</KeyCount><MaxKeys>{PAGE}</MaxKeys>"
            f"<IsTruncated>{str(more).lower()}</IsTruncated>{token}{contents}</ListBucketResult>"
        )

    def _size(self, key: str) -> int:
        return len(self.virtual.kept[key]) if key in self.virtual.kept else self.virtual.object_bytes()

    def _answer(self, body: bytes, status: int = 200, *, of: bytes | None = None) -> None:
        """Send a body; `of` is the object that the answer is about, where it isn't the body."""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", f'"{len(body if of is None else of)}"')
        self.send_header("Last-Modified", "Fri, 20 Nov 2026 12:00:00 GMT")
        self.end_headers()
        self.wfile.write(body)


def _hour() -> bytes:
    """An hour of a running machine in one object."""
    producer = stage.factory(1)
    for hour in range(stage.START, stage.START + 100):
        files = list(producer.files(0, hour))
        if len(files) == 1 and len(files[0].body) > 800_000:
            return files[0].body
    raise AssertionError("no full hour was simulated")


def _places(text: bytes, pattern: bytes) -> np.typing.NDArray[np.int64]:
    """Where a pattern's group lies each time, shape (n, length)."""
    spans = [match.span(1) for match in re.finditer(pattern, text)]
    return np.array([np.arange(start, end) for start, end in spans])
