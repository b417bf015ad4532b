"""What a report of a bug should say: ``python -m fastbearer.compat.jwt.help``."""

from __future__ import annotations

import json
import platform

from fastbearer._core import libcrypto_version
from fastbearer.compat.jwt._version import __version__

__all__ = ["info", "main"]


def info() -> dict[str, dict[str, str]]:
    """Return names and versions."""
    return {
        "platform": {"system": platform.system(), "release": platform.release()},
        "implementation": {
            "name": platform.python_implementation(),
            "version": platform.python_version(),
        },
        "libcrypto": {"version": libcrypto_version},
        "pyjwt": {"version": __version__},
    }


def main() -> None:
    """Print them as JSON."""
    print(json.dumps(info(), sort_keys=True, indent=2))


if __name__ == "__main__":
    main()
