"""Whether the paths of an application have the parameters that name their users."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastbearer.errors import ConfigurationError
from fastbearer.fastapi.dependencies import PathUserDependency

__all__ = ["check_path_users"]

MOUNTED = "path"
"""What Starlette calls the rest of a path below a mount."""


def check_path_users(app: object) -> None:
    """Refuse routes that compare the user with a parameter that their path lacks.

    What cannot be seen here, like the routes of somebody else's router, is refused at
    its first request.

    Args:
        app: The application, before it serves; anything without routes has none.

    Raises:
        ConfigurationError: There is such a route; the message names it.
    """
    for path, names, calls in _routes(app, "", frozenset()):
        for call in calls:
            if isinstance(call, PathUserDependency) and call.parameter not in names:
                raise ConfigurationError(
                    f"{path}: {call.without_parameter(sorted(names))}"
                )


def _routes(
    app: Any, before: str, around: frozenset[str]
) -> Iterator[tuple[str, frozenset[str], list[object]]]:
    """Yield path, parameters and dependencies of the routes, those of mounts too."""
    overrides = getattr(app, "dependency_overrides", None) or {}
    for route in _flat(getattr(app, "routes", None) or ()):
        path = before + getattr(route, "path", "")
        names = around | set(getattr(route, "param_convertors", ()))
        dependant = getattr(route, "dependant", None)
        if dependant is not None:
            calls = [one for one in _calls(dependant) if one not in overrides]
            yield path, names, calls
        elif hasattr(route, "app"):
            # Middleware around a mounted application hides its routes.
            inner = route.app if hasattr(route.app, "routes") else route
            yield from _routes(inner, path, names - {MOUNTED})


def _flat(routes: Any) -> Iterator[Any]:
    """Yield routes, and those of routers that FastAPI includes only when it serves."""
    for route in routes:
        candidates = getattr(route, "effective_candidates", None)
        if candidates is None:
            yield getattr(route, "starlette_route", None) or route
        else:
            yield from _flat(candidates())


def _calls(dependant: Any) -> Iterator[object]:
    for one in dependant.dependencies:
        yield one.call
        yield from _calls(one)
