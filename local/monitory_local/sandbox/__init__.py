"""Built artifacts run as Lambda runs them, without Docker: a read-only root, an unprivileged user, Python 3.13, nothing
of this machine's Python.
"""

from monitory_local.sandbox.function import Artifact, Running, serve
from monitory_local.sandbox.root import SandboxError, Unavailable, check

__all__ = ["Artifact", "Running", "SandboxError", "Unavailable", "check", "serve"]
