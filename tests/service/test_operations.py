"""Workers that share what they know, health, and the files of a deployment."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from fastapi import FastAPI

from accounts_kit import (
    http,
    make_service,
    me,
    post,
    sign_in,
    sign_up,
    token_of,
)
from fastbearer.fastapi import Settings
from ports import free_port
from project import ROOT, SECRET
from servers import redis
from waiting import wait_until

Serve = Callable[[FastAPI], str]


@contextmanager
def serving(
    folder: Path, *options: str, **variables: str
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run ``fastbearer serve``; the value is its URL, and the process."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    command = [sys.executable, "-m", "fastbearer", "serve", "--port", str(port)]
    environment = {**os.environ, "BETTER_AUTH_SECRET": SECRET, **variables}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [*command, *options], cwd=folder, env=environment, stderr=log, text=True
        )
    try:
        wait_until(lambda: process.poll() is not None or healthy(url))
        assert process.poll() is None, (folder / "log").read_text()
        yield url, process
    finally:
        process.terminate()
        process.wait()


def healthy(url: str) -> bool:
    try:
        return http.get(f"{url}/healthz").status_code == 200
    except OSError:
        return False
    except Exception:
        return False


@pytest.mark.http
@pytest.mark.redis
def test_two_workers_share_limits_and_revocations(tmp_path: Path) -> None:
    email = f"{uuid4().hex}@example.com"
    variables = {
        "REDIS_URL": redis(),
        "REVOCATION": "redis",
        "THROTTLE_REQUESTS": "100000/minute",
    }
    with serving(tmp_path, "--workers", "2", **variables) as (url, _):
        token = token_of(sign_up(url, email=email))
        log = tmp_path / "log"
        said = re.compile(r"server process \[(\d+)\]")
        wait_until(lambda: len(set(said.findall(log.read_text()))) == 2)
        # Every request has a connection of its own: both workers get some.
        statuses = [
            sign_in(url, email=email, password="wrong").status_code for _ in range(20)
        ]
        assert statuses == [401] * 10 + [429] * 10
        assert {me(url, token).status_code for _ in range(20)} == {200}
        post(url, "signout", token)
        # The worker that was not asked learns of it a moment later.
        wait_until(lambda: {me(url, token).status_code for _ in range(20)} == {401})
        assert {me(url, token).status_code for _ in range(20)} == {401}
    found = re.findall(r"\{\"event.*\}", log.read_text())
    events = [json.loads(one) for one in found]
    assert [one["event"] for one in events] == [
        "signed_up",
        *["sign_in_failed"] * 10,
        *["locked_out"] * 10,
        "signed_out",
    ]


def test_workers_that_would_not_know_are_refused(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "fastbearer", "serve", "--workers", "2"]
    environment = {**os.environ, "BETTER_AUTH_SECRET": SECRET, "REVOCATION": "memory"}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "REVOCATION=memory is for one worker" in done.stderr


@pytest.mark.http
def test_it_stops_when_the_requests_under_way_are_answered(tmp_path: Path) -> None:
    with serving(tmp_path) as (url, process):
        pending = subprocess.Popen(
            [
                "curl",
                *("-s", "-o", "/dev/null", "-w", "%{http_code}"),
                f"{url}/api/auth/signup",
                *("-H", "Content-Type: application/json"),
                *("-d", '{"email": "ada@example.com", "password": "correct horse"}'),
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        time.sleep(0.03)  # whatever has happened then: either end is a right one
        process.terminate()
        answered, _ = pending.communicate()
        process.wait()
        # It was refused before it began, or answered in full.
        assert answered in ("000", "201")


def test_health(serve: Serve, tmp_path: Path) -> None:
    service = serve(make_service(tmp_path / "a.db"))
    assert http.get(f"{service}/healthz").json() == {"status": "ok"}
    ready = {"status": "ok", "database": "ok", "redis": None}
    assert http.get(f"{service}/readyz").json() == ready


def test_the_files_of_a_deployment_name_settings_that_there_are() -> None:
    """No engine is here to build or run them; so much can be told without."""
    compose = (ROOT / "compose.yaml").read_text()
    known = {name.upper() for name in Settings.model_fields}
    named = set(re.findall(r"^ {6}([A-Z_]+):", compose, re.MULTILINE))
    assert named - {"POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_DB"} <= known
    dockerfile = (ROOT / "Dockerfile").read_text()
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.MULTILINE)
    for name in " ".join(copied).split():
        assert (ROOT / name).exists(), name
