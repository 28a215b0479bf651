"""Free ports of loopback, for servers that this program starts."""

import random
import socket
from contextlib import suppress

from monitory.errors import MonitoryError

HOST = "127.0.0.1"

# below the range of outgoing connections' ports, so that none of these takes a port between our look and the
# server's start
_PORTS = range(20000, 32000)


def free_ports(count: int) -> list[int]:
    """Different ports of loopback on which nothing listens.

    Raises:
        MonitoryError: fewer are free.
    """
    ports: list[int] = []
    for port in random.sample(_PORTS, len(_PORTS)):
        with socket.socket() as probe, suppress(OSError):
            probe.bind((HOST, port))
            ports.append(port)
        if len(ports) == count:
            return ports
    raise MonitoryError(f"fewer than {count} of the ports {_PORTS.start} to {_PORTS.stop} are free")


def require_free(port: int) -> None:
    """Nothing listens on a port of loopback.

    Raises:
        MonitoryError: something does.
    """
    with socket.socket() as probe:
        # as a server does, so that connections of one that has just ended are no obstacle
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError) as exc:
            raise MonitoryError(
                f"port {port} of {HOST} cannot be used ({getattr(exc, 'strerror', None) or exc}): stop what listens "
                "there, or choose another --port (make serve PORT=8001)"
            ) from exc
