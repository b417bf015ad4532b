"""What it costs to choose among issuers: `Depends(verify_jwt_token)` in process.

The same FastAPI application without sockets, on uvloop, one pinned core; all cases take
turns in a shuffled order, the least of the rounds counts. With keys, the set is fetched
once from a server on loopback, and fresh.

    python benchmarks/issuers.py [--rounds N]
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    # The project, not this folder, whose http.py is not Python's package.
    sys.path[0] = str(Path(__file__).parent.parent)

import argparse
import json
import os
import random
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import uvloop
from benchmarks.http import batch, scope
from benchmarks.serving import SECRET
from fastapi import Depends, FastAPI
from starlette.requests import HTTPConnection

from fastbearer import Key, Signer
from fastbearer.fastapi import Auth, Issuer, Settings

MARK = 1.15
CALLS = 500
KEY = Key.generate("EdDSA", kid="one")
BODY = json.dumps({"keys": [KEY.public().to_jwk()]}).encode()
URL = "https://id.example.com/realms/{}"
CLAIMS = {
    "iat": int(time.time()),
    "exp": int(time.time()) + 86_400,
    "sub": "5f0c3b9a7d1e4c2f8a6b5d4e3c2b1a09",
    "email": "ada@example.com",
    "scope": "openid profile email",
}


class KeyHandler(BaseHTTPRequestHandler):
    """Serves one key set."""

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.send_header("Cache-Control", "max-age=86400")
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def cases(keys_url: str) -> dict[str, tuple[Auth, str]]:
    """Return the cases: who verifies, and a token."""
    settings = Settings(better_auth_secret=SECRET)
    others = [Issuer(URL.format(n), keys=Key.generate("ES256")) for n in range(4)]
    one = Auth(settings)
    fetched = [Issuer(URL.format(n), keys=keys_url) for n in range(5)]
    own = one.generate_jwt_token(CLAIMS["sub"], CLAIMS["email"])
    signed = Signer(KEY, issuer=URL.format(0)).sign(CLAIMS)
    return {
        "one secret": (one, own),
        "a secret and four others": (Auth(settings, issuers=others), own),
        "one issuer with a URL": (Auth(issuers=fetched[:1]), signed),
        "five issuers with URLs": (Auth(issuers=fetched), signed),
    }


PAIRS = [
    ("one secret", "a secret and four others"),
    ("one issuer with a URL", "five issuers with URLs"),
]


def application(auth: Auth) -> Any:
    app: Any = FastAPI()
    needed = Depends(auth.verify_jwt_token)

    @app.get("/me")
    async def protected(user: Any = needed) -> dict[str, bool]:
        return {"ok": True}

    return app


async def calls(auth: Auth, token: str) -> float:
    """Return the microseconds of a call of the dependency, the mean of many."""
    conn = HTTPConnection(scope(token))
    dependency = auth.verify_jwt_token
    started = time.perf_counter()
    for _ in range(CALLS):
        await dependency(conn)
    return (time.perf_counter() - started) / CALLS * 1e6


async def measure(rounds: int, keys_url: str) -> dict[str, tuple[float, float]]:
    known = cases(keys_url)
    apps = {name: application(auth) for name, (auth, _) in known.items()}
    least = dict.fromkeys(known, (float("inf"), float("inf")))
    for _ in range(rounds):
        for name in random.sample(list(known), len(known)):
            auth, token = known[name]
            whole, alone = await batch(apps[name], token), await calls(auth, token)
            least[name] = (min(least[name][0], whole), min(least[name][1], alone))
    return least


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    server = ThreadingHTTPServer(("127.0.0.1", 0), KeyHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    keys_url = f"http://127.0.0.1:{server.server_address[1]}/keys"
    least = uvloop.run(measure(options.rounds, keys_url))
    server.shutdown()
    print("us a request, and of that the dependency")
    for name, (whole, alone) in least.items():
        print(f"  {name:26} {whole:7.2f} {alone:7.2f}")
    for one, several in PAIRS:
        whole = least[several][0] / least[one][0]
        alone = least[several][1] / least[one][1]
        verdict = "reached" if whole <= MARK else "MISSED"
        print(
            f"  {several} / {one}: {whole:.3f} of a request (mark {MARK}: {verdict}),"
            f" {alone:.3f} of the dependency"
        )


if __name__ == "__main__":
    main()
