"""A client of npm's oauth4webapi, in Node: its keys, its proofs, its requests.

    with dpop_client() as client:
        key = client.key("ES256")
        client.ask(url, token=token_bound_to(key.thumbprint), key=key)["status"] == 200

It is installed with npm once, into ``build/``. Without Node 20 the test is skipped.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

import pytest

from npm import npm_install
from servers import NO_NODE, has_node

VERSION = "3.8.8"
PACKAGE = json.dumps(
    {"private": True, "type": "module", "dependencies": {"oauth4webapi": VERSION}}
)
PROGRAM = Path(__file__).with_suffix(".mjs")


class ClientKey(NamedTuple):
    """A key pair that the client keeps."""

    number: int
    thumbprint: str


class DPoPClient:
    """Hands commands to the program, one line of JSON each."""

    def __init__(self, to: IO[str], back: IO[str]) -> None:
        self._to = to
        self._back = back

    def _do(self, command: str, **options: Any) -> dict[str, Any]:
        print(json.dumps({"command": command, **options}), file=self._to, flush=True)
        line = self._back.readline()
        if not line:
            raise RuntimeError("the client has ended; see above for what it said")
        found: dict[str, Any] = json.loads(line)
        return found

    def key(self, alg: str) -> ClientKey:
        """Make a key pair."""
        made = self._do("key", alg=alg)
        return ClientKey(made["number"], made["jkt"])

    def ask(
        self, url: str, token: str, key: ClientKey | None, method: str = "GET"
    ) -> dict[str, Any]:
        """Send a request, and once more where the server asks for a nonce.

        Returns:
            ``status``, ``times``, and ``body`` or the ``challenges`` as it read them.
        """
        number = {} if key is None else {"number": key.number}
        return self._do("ask", url=url, token=token, method=method, **number)


def install() -> None:
    """Install it before the tests, and say so; they say what is missing."""
    if has_node():
        print(f"fastbearer: installing oauth4webapi {VERSION} with npm", flush=True)
        print(npm_install("oauth4webapi", PACKAGE)[1], end="")


@contextmanager
def dpop_client() -> Iterator[DPoPClient]:
    """Run the client."""
    if not has_node():
        pytest.skip(NO_NODE)
    folder, problem = npm_install("oauth4webapi", PACKAGE)
    if problem:
        raise RuntimeError(problem)
    # Node looks for packages beside the program.
    program = folder / PROGRAM.name
    program.write_text(PROGRAM.read_text())
    with subprocess.Popen(
        ["node", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        try:
            yield DPoPClient(process.stdin, process.stdout)
        finally:
            process.stdin.close()
            process.wait()
