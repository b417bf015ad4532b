"""Which paths are open to all: decided on the path that Starlette routes by."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from fastbearer.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["ExemptPaths", "root_path_of", "routed_path"]

AMBIGUOUS = re.compile(r"[\x00-\x1f\x7f\\%]|//|/\.{1,2}(?:[/;]|\Z)")
"""What makes a decoded path mean one thing here and another where it is served:
dot segments (RFC 3986 5.2.4), empty ones, backslashes, controls, and what is still
escaped, so that somebody may decode it once more."""

ESCAPED = re.compile(rb"%(?:2[ef5]|5c|[01][0-9a-f]|7f)", re.IGNORECASE)
"""The same, while it is escaped: ``. / % \\`` and controls."""

NOT_A_PATTERN = re.compile(r"[*?#{}\[\]]")

NOT_PATHS = "exempt must be a list of paths, not one text: exempt=[{!r}]"
WRONG_PATH = (
    "exempt has {!r}: a path must begin with '/', name something below it, and have no"
    " dot segments, empty segments, escapes or wildcards"
)


def routed_path(scope: Mapping[str, Any], root_path: str = "") -> str:
    """Return the path that Starlette routes a request by.

    That is ``path``, which servers give with the percent-encoding undone, less the
    prefix ``root_path``, where it has that: of a proxy, or of the mounts around.

    Args:
        scope: ASGI's, of a request or a WebSocket.
        root_path: In place of the scope's: what an application within sets.
    """
    path: str = scope["path"]
    root = root_path or scope.get("root_path", "")
    if not root or not path.startswith(root):
        return path
    rest = path[len(root) :]
    return rest if not rest or rest.startswith("/") else path


def root_path_of(app: object) -> str:
    """Return the ``root_path`` that an application writes into its requests.

    FastAPI does so before it routes. Around it there may be other middleware.
    """
    seen: set[int] = set()
    while app is not None and id(app) not in seen:
        seen.add(id(app))
        root = getattr(app, "root_path", "")
        if isinstance(root, str) and root:
            return root
        app = getattr(app, "app", None)
    return ""


class ExemptPaths:
    """Paths that are open to all, and what lies below those that end with "/".

    Args:
        paths: Like "/healthz" or "/static/".

    Raises:
        ConfigurationError: It is one string, or one of the paths would open
            everything, or never match.
    """

    def __init__(self, paths: Iterable[str]) -> None:
        if isinstance(paths, (str, bytes)):
            raise ConfigurationError(NOT_PATHS.format(paths))
        self._paths = frozenset(map(_checked, paths))
        self._below = tuple(path for path in self._paths if path.endswith("/"))

    def has(self, scope: Mapping[str, Any], root_path: str = "") -> bool:
        """Tell whether a request is for one of them, beyond doubt.

        Args:
            scope: ASGI's, of a request or a WebSocket.
            root_path: As in `routed_path`.
        """
        path: str = scope["path"]
        if root_path or scope.get("root_path"):
            path = routed_path(scope, root_path)
        if path not in self._paths and not path.startswith(self._below):
            return False
        raw = scope.get("raw_path") or b""
        return AMBIGUOUS.search(path) is None and ESCAPED.search(raw) is None


def _checked(path: object) -> str:
    if (
        not isinstance(path, str)
        or not path.startswith("/")
        or path == "/"
        or AMBIGUOUS.search(path)
        or NOT_A_PATTERN.search(path)
    ):
        raise ConfigurationError(WRONG_PATH.format(path))
    return path
