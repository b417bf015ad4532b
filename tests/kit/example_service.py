"""Applications of ``examples/``, started as their users start them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from accounts_kit import http
from ports import free_port
from programs import run_in, started_in
from project import ROOT, SECRET

EXAMPLES = ROOT / "examples"


class ExampleService:
    """An example that runs.

    Attributes:
        url: Its base URL.
        folder: Where its files are.
        environment: Of its process.
    """

    def __init__(self, url: str, folder: Path, environment: dict[str, str]) -> None:
        self.url = url
        self.folder = folder
        self.environment = environment

    @classmethod
    def idle(cls, name: str, **settings: str) -> ExampleService:
        """Return an example that does not run yet.

        Args:
            name: Of its folder.
            settings: More of its environment.
        """
        environment = {
            **os.environ,
            "BETTER_AUTH_SECRET": SECRET,
            "THROTTLE": "0",
            **settings,
        }
        return cls("", EXAMPLES / name, environment)

    def post(
        self, path: str, token: str = "", **body: Any
    ) -> tuple[int, dict[str, Any]]:
        """Post JSON to a path, and return status and answer."""
        headers = _headers(token)
        response = http.post(f"{self.url}{path}", json=body, headers=headers)
        return response.status_code, response.json()

    def get(self, path: str, token: str = "") -> tuple[int, Any]:
        """Return status and answer."""
        response = http.get(f"{self.url}{path}", headers=_headers(token))
        return response.status_code, response.json()

    def run(self, *arguments: str, stdin: str = "") -> str:
        """Run ``python -m``, as in the folder of the example; return what it prints."""
        command = [sys.executable, "-m", *arguments]
        return run_in(self.folder, self.environment, command, stdin)


def _headers(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}


@contextmanager
def running_example(name: str, **settings: str) -> Iterator[ExampleService]:
    """Serve ``app.py`` of an example with uvicorn until the end.

    Args:
        name: Of its folder.
        settings: More of its environment.
    """
    port = free_port()
    service = ExampleService.idle(name, **settings)
    service.url = f"http://127.0.0.1:{port}"
    command = ["uvicorn", "app:app", "--port", str(port), "--log-level", "warning"]
    with (
        TemporaryDirectory() as logs,
        started_in(
            service.folder,
            service.environment,
            [sys.executable, "-m", *command],
            service.url,
            Path(logs) / "example.log",
        ),
    ):
        yield service
