"""Becomes a function's process: run as a program in namespaces of its own, it mounts what Lambda mounts, gives up its
rights, and executes the emulator. Its argument is a JSON object; it needs the standard library alone.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def main(plan: Mapping[str, Any]) -> None:
    """Mount, enter the root, execute; does not return.

    Args:
        plan: `root`, `user`, `group`, `binds` (place in the root -> file or folder of this machine, read-only),
            `layers` (merged into /opt, later ones over earlier ones), `devices`, `environment`, `command`.
    """
    root = Path(plan["root"])
    _mount("--make-rprivate", "/")
    _bind(root, root)
    for place, source in plan["binds"].items():
        _bind(source, root / place)
    layers = list(reversed(plan["layers"]))
    if len(layers) == 1:
        _bind(layers[0], root / "opt")
    elif layers:
        _mount("-t", "overlay", "-o", f"ro,lowerdir={':'.join(layers)}", "overlay", root / "opt")
    for device in plan["devices"]:
        _mount("--bind", f"/dev/{device}", root / "dev" / device)
    _mount("-t", "tmpfs", "-o", "size=10g,mode=1777", "tmpfs", root / "tmp")
    _mount("-t", "proc", "proc", root / "proc")
    os.chroot(root)
    os.chdir("/var/task")
    os.setgroups([])
    os.setgid(plan["group"])
    os.setuid(plan["user"])
    os.execve(plan["command"][0], plan["command"], plan["environment"])  # noqa: S606 -- becoming the function is the point


def _bind(source: str | Path, target: Path) -> None:
    _mount("--bind", source, target)
    _mount("-o", "remount,ro,bind", target)


def _mount(*arguments: str | Path) -> None:
    subprocess.run(["/bin/mount", *map(str, arguments)], check=True)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
