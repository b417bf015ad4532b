"""Whatever stops a start is said in one line, which tells what to do.

One table holds the rule: nothing of a secret is shown, the exit status is not 0, and
no traceback of a driver's stands before the reason. Our own command prints none at all;
under another server there is that server's, and our error is its last line.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from fastbearer.better_auth.secrets import DEFAULT_SECRET
from fastbearer.fastapi import Settings
from ports import free_port
from project import SECRET
from servers import ask, own_database

FEW_LINES = 6
PASSWORD = "hunter2-is-no-secret"
FASTBEARER = [sys.executable, "-m", "fastbearer"]
SERVE = [*FASTBEARER, "serve", "--port", "0"]
UVICORN = [sys.executable, "-m", "uvicorn", "main:app", "--port", "0"]
NAMES = {"AUTH_SECRET", *(name.upper() for name in Settings.model_fields)}
DRIVERS = re.compile(r"/(asyncpg|sqlalchemy|aiosqlite|psycopg|asyncmy|alembic|redis)/")
OF_UVICORN = "ERROR:    Application startup failed. Exiting."

WITH_AUTH = """
from fastapi import Depends, FastAPI
from fastbearer.fastapi import auth, verify_jwt_token

app = FastAPI(lifespan=auth.lifespan)
"""
WITH_ACCOUNTS = """
from fastapi import FastAPI
from fastbearer import accounts

app = FastAPI()
app.include_router(accounts.router)
"""
WITHOUT = """
import os, sys
sys.modules.update(dict.fromkeys(os.environ["MISSING"].split(",")))
"""
"""A sitecustomize: the packages of MISSING are not found, as if not installed."""


class Start(NamedTuple):
    """A start that fails.

    Attributes:
        hint: What the line has that tells what to do.
        variables: Of the environment, beside a good secret.
        prepare: What is done in the folder first.
    """

    hint: str
    variables: dict[str, str]
    prepare: Callable[[Path], object] | None = None


def database(url: str) -> dict[str, str]:
    return {"DATABASE_URL": url}


def without(packages: str, **variables: str) -> dict[str, str]:
    return {"MISSING": packages, **variables}


def later_tables(folder: Path) -> None:
    with sqlite3.connect(folder / "fastbearer.db") as connection:
        table = "fastbearer_accounts_version (version_num VARCHAR(32) NOT NULL)"
        connection.execute(f"CREATE TABLE {table}")
        connection.execute("INSERT INTO fastbearer_accounts_version VALUES ('v9999')")


NO_SERVER = f"127.0.0.1:{free_port()}"
SETTINGS = {
    "no secret": Start("BETTER_AUTH_SECRET .* required", {"BETTER_AUTH_SECRET": ""}),
    "a short secret": Start("`fastbearer secret`", {"BETTER_AUTH_SECRET": PASSWORD}),
    "a known secret": Start(
        "`fastbearer secret`", {"BETTER_AUTH_SECRET": DEFAULT_SECRET}
    ),
    "a public key": Start(
        "Key.from_pem",
        {"BETTER_AUTH_SECRET": f"-----BEGIN PUBLIC KEY-----{PASSWORD * 3}"},
    ),
    "a number": Start("a number of days", {"JWT_EXPIRATION_DAYS": PASSWORD}),
    "a yes or no": Start("THROTTLE must be on or off", {"THROTTLE": PASSWORD}),
    "a choice": Start("argon2id, bcrypt or scrypt", {"PASSWORD_SCHEME": PASSWORD}),
    "a list": Start("networks like 10.0.0.0/8", {"TRUSTED_PROXIES": PASSWORD}),
    "a rate": Start("like 10/minute", {"THROTTLE_FAILURES": PASSWORD}),
    "JSON": Start("a JSON object", {"JWT_REQUIRED": PASSWORD}),
    "a URL": Start("absolute http", {"BETTER_AUTH_URL": f"https://a b/{PASSWORD}"}),
    "a server of mails": Start("like smtp://", {"SMTP_URL": f"smtp://u:{PASSWORD}@:x"}),
    "a Redis": Start("must be a redis:// URL", {"REDIS_URL": f"http://:{PASSWORD}@x"}),
}
DATABASES = {
    "no URL": Start("an SQLAlchemy URL", database(f"ada:{PASSWORD}")),
    "an unknown database": Start(
        "write sqlite://", database(f"oracle://u:{PASSWORD}@h")
    ),
    "an unknown parameter": Start(
        "knows no parameter 'foo'", database(f"postgresql://u@h/db?foo={PASSWORD}")
    ),
    "a port that is none": Start(
        "an SQLAlchemy URL", database(f"postgresql://u:{PASSWORD}@h:x/db")
    ),
    "no folder": Start("see that the folder exists", database("sqlite:///./none/x.db")),
    "a folder": Start(
        "see that the folder exists",
        database("sqlite:///./folder"),
        lambda folder: (folder / "folder").mkdir(),
    ),
    "no database": Start(
        "not one of SQLite's",
        database("sqlite:///./text.db"),
        lambda folder: (folder / "text.db").write_text("no database\n" * 99),
    ),
    "later tables": Start(
        "install the fastbearer that made",
        database("sqlite:///./fastbearer.db"),
        later_tables,
    ),
    "no PostgreSQL": Start(
        "start it, or correct", database(f"postgresql://u:{PASSWORD}@{NO_SERVER}/db")
    ),
    "no PostgreSQL, by psycopg": Start(
        "start it, or correct",
        database(f"postgresql+psycopg://u:{PASSWORD}@{NO_SERVER}/db"),
    ),
    "no MariaDB": Start(
        "start it, or correct", database(f"mysql://u:{PASSWORD}@{NO_SERVER}/db")
    ),
}
EXTRAS = {
    "redis": Start(
        r'"fastbearer\[redis\]"', without("redis", REDIS_URL=f"redis://:{PASSWORD}@h")
    ),
    "smtp": Start(
        r'"fastbearer\[smtp\]"',
        without(
            "aiosmtplib",
            SMTP_URL=f"smtp://u:{PASSWORD}@h:25",
            MAIL_FROM="a@b.org",
        ),
    ),
    "jwks": Start(
        r'"fastbearer\[jwks\]"',
        without("httpx2", BETTER_AUTH_URL="https://app.example.com"),
    ),
    "postgres": Start(
        r'"fastbearer\[postgres\]"',
        without("asyncpg", DATABASE_URL=f"postgresql://u:{PASSWORD}@h/db"),
    ),
    "psycopg": Start(
        r'"psycopg\[binary\]"',
        without("psycopg", DATABASE_URL=f"postgresql+psycopg://u:{PASSWORD}@h/db"),
    ),
    "mysql": Start(
        r'"fastbearer\[mysql\]"',
        without("asyncmy", DATABASE_URL=f"mysql://u:{PASSWORD}@h/db"),
    ),
}
PACKAGES = {
    "fastapi": "pydantic_settings",
    "accounts": "sqlalchemy",
    "app": "fastapi",
    "mcp": "mcp",
    "better_auth.sql": "sqlalchemy",
    "better_auth.redis": "redis",
    "better_auth.api_keys.sql": "sqlalchemy",
    "better_auth.api_keys.redis": "redis",
    "revocation.redis": "redis",
}
"""Module -> a package that its extra adds."""


def run(
    command: list[str], folder: Path, variables: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder, with a good secret unless the variables have one."""
    others = {name: text for name, text in os.environ.items() if name not in NAMES}
    environment = {**others, "BETTER_AUTH_SECRET": SECRET, **variables}
    if "MISSING" in variables:
        (folder / "sitecustomize.py").write_text(WITHOUT)
        environment["PYTHONPATH"] = str(folder)
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    """Return the last line of a failure, in which nothing secret was shown."""
    assert done.returncode not in (0, None)
    shown = done.stdout + done.stderr
    assert SECRET not in shown
    assert PASSWORD not in shown
    lines = [line for line in shown.splitlines() if line and line != OF_UVICORN]
    return lines[-1]


def assert_short(done: subprocess.CompletedProcess[str], hint: str) -> None:
    """Our own command says why, and little else."""
    assert re.search(hint, last_line(done))
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) <= FEW_LINES


def assert_last(done: subprocess.CompletedProcess[str], hint: str) -> None:
    """Another server shows one traceback, which ends with our error."""
    assert re.search(hint, last_line(done))
    assert done.stderr.count("Traceback") == 1
    assert not DRIVERS.search(done.stderr)


def rows(*tables: dict[str, Start]) -> pytest.MarkDecorator:
    named = {name: start for table in tables for name, start in table.items()}
    return pytest.mark.parametrize("start", named.values(), ids=named)


@rows(SETTINGS, DATABASES, EXTRAS)
def test_the_service(tmp_path: Path, start: Start) -> None:
    if start.prepare is not None:
        start.prepare(tmp_path)
    assert_short(run(SERVE, tmp_path, start.variables), start.hint)


@rows(DATABASES, EXTRAS)
def test_accounts_under_another_server(tmp_path: Path, start: Start) -> None:
    if start.prepare is not None:
        start.prepare(tmp_path)
    (tmp_path / "main.py").write_text(WITH_ACCOUNTS)
    assert_last(run(UVICORN, tmp_path, start.variables), start.hint)


@pytest.mark.parametrize("app", [WITH_AUTH, WITH_ACCOUNTS], ids=["auth", "accounts"])
@pytest.mark.parametrize("name", ["no secret", "a short secret", "a number", "JSON"])
def test_settings_under_another_server(tmp_path: Path, app: str, name: str) -> None:
    (tmp_path / "main.py").write_text(app)
    done = run(UVICORN, tmp_path, SETTINGS[name].variables)
    assert_last(done, f"fastbearer.errors.ConfigurationError: .*{SETTINGS[name].hint}")


@pytest.mark.parametrize("command", ["migrate", "user list", "doctor"])
@pytest.mark.parametrize("name", ["no folder", "later tables", "no PostgreSQL"])
def test_other_commands(tmp_path: Path, command: str, name: str) -> None:
    start = DATABASES[name]
    if start.prepare is not None:
        start.prepare(tmp_path)
    done = run([*FASTBEARER, *command.split()], tmp_path, start.variables)
    assert_short(done, start.hint)


def test_several_processes_are_not_started_for_ever(tmp_path: Path) -> None:
    start = DATABASES["no folder"]
    done = run([*SERVE, "--workers", "2"], tmp_path, start.variables)
    assert_short(done, start.hint)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_port_that_is_taken(tmp_path: Path, workers: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = str(other.getsockname()[1])
        command = [*FASTBEARER, "serve", "--port", taken, "--workers", workers]
        done = run(command, tmp_path, {})
    assert_short(done, "choose others with --host and --port")


@pytest.mark.postgres
@pytest.mark.parametrize("driver", ["postgresql", "postgresql+psycopg"])
@pytest.mark.parametrize("command", [SERVE, UVICORN], ids=["serve", "uvicorn"])
def test_postgresql(tmp_path: Path, driver: str, command: list[str]) -> None:
    (tmp_path / "main.py").write_text(WITH_ACCOUNTS)
    assert_it = assert_short if command is SERVE else assert_last
    with own_database() as url:
        good = url.replace("postgresql", driver, 1)
        server, _, _ = good.rpartition("/")
        nobody = re.sub("//[^@]*@", f"//nobody-of-this-name:{PASSWORD}@", good)
        for wrong, hint in {
            f"{server}/none-of-this-name": "make it, or correct the URL",
            nobody: "refuses the user or the password",
            good: "run `fastbearer migrate`",
        }.items():
            assert_it(run(command, tmp_path, database(wrong)), hint)
        assert run([*FASTBEARER, "migrate"], tmp_path, database(good)).returncode == 0
        ask(url, "UPDATE fastbearer_accounts_version SET version_num = 'v9999'")
        done = run(command, tmp_path, database(good))
    assert_it(done, DATABASES["later tables"].hint)


@pytest.mark.parametrize(("module", "package"), PACKAGES.items())
def test_an_import_without_its_extra(tmp_path: Path, module: str, package: str) -> None:
    command = [sys.executable, "-c", f"import fastbearer.{module}"]
    done = run(command, tmp_path, without(package))
    told = f"ModuleNotFoundError: {package} is not installed, .* pip install"
    assert_last(done, rf'{told} "fastbearer\[\w+\]"')


# --- the file of --env-file

FILES = {
    "a lost quote": (f"A=1\nBETTER_AUTH_SECRET='{PASSWORD}\n", "line 2 .* quote"),
    "no equals sign": (f"# mine\n\nDATABASE_URL: {PASSWORD}\n", "line 3 .* NAME=VALUE"),
    "a NUL": (f"BETTER_AUTH_SECRET={PASSWORD}\0\n", "line 1 .* NUL"),
    "UTF-16": (f"A={PASSWORD}".encode("utf-16"), "it is not UTF-8"),
    "Latin-1": (f"A={PASSWORD} # caf\xe9\n".encode("latin-1"), "it is not UTF-8"),
    "none": (None, "No such file"),
}


@pytest.mark.parametrize(("content", "hint"), FILES.values(), ids=FILES)
def test_a_file_of_settings(
    tmp_path: Path, content: str | bytes | None, hint: str
) -> None:
    file = tmp_path / "settings.env"
    if content is not None:
        file.write_bytes(content.encode() if isinstance(content, str) else content)
    done = run([*FASTBEARER, "--env-file", str(file), "serve"], tmp_path, {})
    assert_short(done, hint)


def test_a_folder_is_no_file_of_settings(tmp_path: Path) -> None:
    done = run([*FASTBEARER, "--env-file", str(tmp_path), "serve"], tmp_path, {})
    assert_short(done, "Is a directory")


def test_a_misspelt_setting_is_named(tmp_path: Path) -> None:
    lines = [f"DATABSE_URL={PASSWORD}", f"DATABASE_URL_OF_OTHERS={PASSWORD}"]
    lines += [f"BETER_AUTH_SECRET={SECRET}", "better_auth_url=", "throttle=on"]
    (tmp_path / ".env").write_text("\n".join(lines))
    command = [*FASTBEARER, "--env-file", ".env", "serve"]
    done = run(command, tmp_path, {"BETTER_AUTH_SECRET": ""})
    assert done.stderr.splitlines()[:-1] == [
        f"--env-file: {name} is no setting of fastbearer; is {meant} meant?"
        for name, meant in {
            "DATABSE_URL": "DATABASE_URL",
            "BETER_AUTH_SECRET": "BETTER_AUTH_SECRET",
        }.items()
    ]
    assert_short(done, SETTINGS["no secret"].hint)


# --- the terminal

STOPPED = """
import signal
print("here", flush=True)
signal.pause()
"""


def test_ctrl_c_ends_a_command_in_silence(tmp_path: Path) -> None:
    (tmp_path / "stopped.py").write_text(STOPPED)
    with subprocess.Popen(
        [*FASTBEARER, "user", "list", "--app", "stopped:accounts"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell's job in the background ignores it, and so would its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate()
    assert (process.returncode, errors) == (130, "")


@pytest.mark.parametrize(
    "command", ["--help", "--version", "secret", "token --sub ada", "doctor"]
)
def test_a_disk_that_is_full(command: str) -> None:
    others = {name: text for name, text in os.environ.items() if name not in NAMES}
    others.pop("PYTHONUNBUFFERED", None)  # argparse would say nothing
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*FASTBEARER, *command.split()],
            env={**others, "BETTER_AUTH_SECRET": SECRET},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == "error: No space left on device\n"
