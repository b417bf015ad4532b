"""Stand-ins for other packages: put ``fastbearer.compat.`` before the import.

``from fastbearer.compat.jose import JWTError, jwt`` in place of
``from jose import JWTError, jwt``, and nothing else changes. Each package says
which version it stands in for, and docs/migrate/drop-ins.md where it is stricter on
purpose.
"""

import importlib
import pkgutil
import sys

__all__ = ["PACKAGES", "install"]

PACKAGES = ("jose", "jwt", "passlib", "pwdlib")


def install(name: str) -> None:
    """Let ``import <name>`` find the stand-in, in other people's packages too.

    Call it before anything imports the original.

    Args:
        name: One of ``PACKAGES``.

    Raises:
        ValueError: There is no stand-in of that name.
        ImportError: The original was imported already, and those who did would go
            on with it.
    """
    if name not in PACKAGES:
        raise ValueError(f"there are stand-ins for {', '.join(PACKAGES)}")
    package = importlib.import_module(f"{__name__}.{name}")
    if sys.modules.get(name, package) is not package:
        raise ImportError(f"{name} was imported before install({name!r})")
    sys.modules[name] = package
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        alias = found.name.removeprefix(f"{__name__}.")
        if "._" not in alias:  # no module of ours that the original does not have
            sys.modules[alias] = importlib.import_module(found.name)
