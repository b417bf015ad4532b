"""--env-file: read as dotenv reads it, with nothing run; the environment wins."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from dotenv import dotenv_values

from project import OTHER_SECRET, SECRET

LINES = {
    "plain": f"BETTER_AUTH_SECRET={SECRET}\n",
    "CRLF": f"# made elsewhere\r\nBETTER_AUTH_SECRET={SECRET}\r\n",
    "exported": f"export BETTER_AUTH_SECRET={SECRET}\n",
    "quoted": f"BETTER_AUTH_SECRET = '{SECRET}'\n",
    "a mark at the start": f"\ufeffBETTER_AUTH_SECRET={SECRET}\n",
}


def fastbearer(
    *arguments: str | Path, **variables: str
) -> subprocess.CompletedProcess[str]:
    others = {n: v for n, v in os.environ.items() if "SECRET" not in n}
    return subprocess.run(
        [sys.executable, "-m", "fastbearer", *arguments],
        env={**others, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def env_file(folder: Path, text: str) -> Path:
    file = folder / "settings.env"
    file.write_bytes(text.encode())
    return file


@pytest.mark.parametrize("text", LINES.values(), ids=LINES)
@pytest.mark.parametrize("place", ["before", "after"])
def test_a_secret_comes_from_the_file(tmp_path: Path, text: str, place: str) -> None:
    option = ["--env-file", env_file(tmp_path, text)]
    command = ["token", "--sub", "ada"]
    arguments = [*option, *command] if place == "before" else [*command, *option]
    token = fastbearer(*arguments).stdout.strip()
    shown = fastbearer("verify", token, BETTER_AUTH_SECRET=SECRET)
    assert json.loads(shown.stdout)["sub"] == "ada"


def test_the_environment_wins(tmp_path: Path) -> None:
    file = env_file(tmp_path, f"BETTER_AUTH_SECRET={SECRET}\n")
    arguments = ["--env-file", file, "token", "--sub", "ada"]
    token = fastbearer(*arguments, BETTER_AUTH_SECRET=OTHER_SECRET).stdout.strip()
    assert fastbearer("verify", token, BETTER_AUTH_SECRET=OTHER_SECRET).returncode == 0


@pytest.mark.parametrize(
    "value",
    [
        "postgresql://ada:p&q@db.example.com/app?sslmode=require&application_name=a",
        "sqlite+aiosqlite:///./my data.db",
        "a$(touch ran)b",
        "`touch ran`",
        "${HOME}/x",
        "; touch ran",
    ],
)
def test_nothing_is_run_or_expanded(tmp_path: Path, value: str) -> None:
    file = env_file(tmp_path, f"BETTER_AUTH_SECRET={SECRET}\nMARK={value}\n")
    script = (
        "import os; from fastbearer.cli.environment import load_environment;"
        "load_environment(['--env-file', 'settings.env']); print(os.environ['MARK'])"
    )
    shown = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout.removesuffix("\n") == value
    assert dotenv_values(file, interpolate=False)["MARK"] == value
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "No such file or directory"), (b"\xff\xfe\x00", "it is not UTF-8")],
)
def test_a_file_that_cannot_be_read_is_one_line(
    tmp_path: Path, content: bytes | None, reason: str
) -> None:
    file = tmp_path / "settings.env"
    if content is not None:
        file.write_bytes(content)
    refused = fastbearer("--env-file", file, "token", "--sub", "ada")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == (
        f"error: configuration_error: the file of --env-file cannot be read ({reason}):"
        " name the one with your settings, or leave the option out\n"
    )


def test_the_option_is_in_the_help() -> None:
    assert "--env-file FILE" in fastbearer("--help").stdout
