"""``fastbearer user``: users and invitations from the command line."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from accounts_kit import CHEAP, EMAIL, PASSWORD, make_auth, rows
from fastbearer.accounts import Accounts, User
from fastbearer.cli import main, users
from fastbearer.cli.user_lines import shown
from fastbearer.errors import StoreUnavailableError
from project import SECRET

USER = ("user",)
FASTBEARER = [sys.executable, "-m", "fastbearer", "user"]
OURS = ("DATABASE_URL", "BETTER_AUTH_DATABASE_URL", "REDIS_URL", "SIGN_UP")


class Shell:
    """Runs the commands in this process, on accounts of this test alone."""

    def __init__(
        self,
        database: Path,
        patch: pytest.MonkeyPatch,
        capture: pytest.CaptureFixture[str],
    ) -> None:
        self.database = database
        self.is_terminal = False
        self.settings: dict[str, Any] = {"revocation": "database"}
        self.options: dict[str, Any] = {"hasher": CHEAP}
        self._patch = patch
        self._capture = capture
        patch.setattr(users, "import_accounts", self.accounts)
        patch.setenv("DATABASE_URL", f"sqlite+aiosqlite:///{database}")

    def accounts(self, app: str | None = None) -> Accounts:
        return Accounts(make_auth(self.database, **self.settings), **self.options)

    def run(self, *arguments: str, stdin: str | bytes = "") -> tuple[int, str, str]:
        """Return the exit status, and what was printed."""
        data = stdin.encode() if isinstance(stdin, str) else stdin
        given = SimpleNamespace(
            buffer=io.BytesIO(data), isatty=lambda: self.is_terminal
        )
        self._patch.setattr(sys, "stdin", given)
        self._capture.readouterr()
        status = main(["user", *arguments])
        out, err = self._capture.readouterr()
        return status, out, err

    def done(self, *arguments: str, stdin: str | bytes = "") -> str:
        """Return what a command prints that succeeds in silence."""
        status, out, err = self.run(*arguments, stdin=stdin)
        assert (status, err) == (0, "")
        return out.removesuffix("\n")

    def user(self, *arguments: str, stdin: str | bytes = "") -> dict[str, Any]:
        return dict(json.loads(self.done(*arguments, "--json", stdin=stdin)))

    def refused(self, *arguments: str, stdin: str | bytes = "", status: int = 1) -> str:
        """Return the one line with which a command fails."""
        found, out, err = self.run(*arguments, stdin=stdin)
        assert (found, out) == (status, ""), err
        assert err.count("\n") == 1 and "Traceback" not in err
        return err.removesuffix("\n")


@pytest.fixture
def shell(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Shell:
    return Shell(tmp_path / "users.db", monkeypatch, capsys)


def test_the_first_administrator(shell: Shell) -> None:
    create = ("create", "--email", EMAIL, "--roles", "admin,editor")
    made = shell.user(*create, "--email-verified", "--password-stdin", stdin=PASSWORD)
    assert (made["email"], made["roles"]) == (EMAIL, ["admin", "editor"])
    assert made["email_verified"] and made["is_active"] and made["has_password"]
    assert shell.refused(*create, "--password-stdin", stdin=PASSWORD) == (
        "error: email_taken: this e-mail is registered already"
    )


def test_if_missing_is_done_once_however_often_it_is_asked_for(shell: Shell) -> None:
    create = ("create", "--email", EMAIL, "--if-missing", "--json", "--no-password")
    made = shell.user(*create, "--roles", "admin")
    status, out, err = shell.run(*create, "--roles", "other")
    assert (status, err) == (0, "there is such a user already; nothing was changed\n")
    assert json.loads(out) == made
    other = ("create", "--username", "ada", "--email", "b@example.com", "--no-password")
    shell.done(*other)
    assert shell.run(*other, "--if-missing")[0] == 0


def test_of_two_containers_one_creates_the_administrator(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have looked before either has added: the second finds it taken."""
    look = users.show_existing
    looked: list[int] = []

    async def late(accounts: Accounts, options: Any) -> bool:
        looked.append(1)
        if len(looked) == 1:
            await accounts.create_user(email=EMAIL)
            return False
        return await look(accounts, options)

    monkeypatch.setattr(users, "show_existing", late)
    status, out, _ = shell.run(
        "create", "--email", EMAIL, "--if-missing", "--no-password"
    )
    assert (status, len(looked)) == (0, 2)
    assert EMAIL in out
    count = rows(shell.database, "SELECT count(*) FROM fastbearer_user")
    assert count == [(1,)]


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_the_password_comes_from_standard_input(end: str, shell: Shell) -> None:
    create = ("create", "--email", EMAIL, "--password-stdin")
    shell.done(*create, stdin=f"{PASSWORD}{end}")
    (stored,) = rows(shell.database, "SELECT password_hash FROM fastbearer_user")
    assert CHEAP.verify(PASSWORD, stored[0])


@pytest.mark.parametrize(
    ("stdin", "text"),
    [
        (b"", "error: password_error: the password is empty"),
        (b"\xff" * 9, "error: password_error: the password is not UTF-8"),
        (b"short", "8 to 128 characters"),
        (b"password1", "common"),
    ],
)
def test_a_password_that_cannot_be_is_refused(
    stdin: bytes, text: str, shell: Shell
) -> None:
    line = shell.refused("create", "--email", EMAIL, "--password-stdin", stdin=stdin)
    assert text in line
    assert shell.done("list") == ""


def test_without_a_terminal_nobody_is_asked(shell: Shell) -> None:
    line = shell.refused("create", "--email", EMAIL, status=2)
    assert "--password-stdin or --no-password" in line


def test_at_a_terminal_it_is_asked_for_twice(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = [PASSWORD, PASSWORD, PASSWORD, "another"]

    def ask(prompt: str) -> str:
        if not typed:
            raise EOFError
        return typed.pop(0)

    monkeypatch.setattr("getpass.getpass", ask)
    shell.is_terminal = True
    assert shell.user("create", "--email", EMAIL)["has_password"]
    assert "the passwords differ" in shell.refused("set", EMAIL, "--password")
    assert "no password was typed" in shell.refused("set", EMAIL, "--password")
    assert shell.user("set", EMAIL, "--name", "Ada")["name"] == "Ada"


def test_users_are_listed_one_a_line(shell: Shell) -> None:
    for number in range(3):
        email = f"u{number}@example.com"
        shell.done("create", "--email", email, "--no-password", "--roles", "a b")
    lines = shell.done("list").splitlines()
    assert len(lines) == 3
    assert all(line.count("\t") == 8 and "\ta,b\t" in line for line in lines)
    found = [json.loads(line) for line in shell.done("list", "--json").splitlines()]
    assert {one["email"] for one in found} == {f"u{n}@example.com" for n in range(3)}
    assert all(not one["has_password"] for one in found)


def test_a_user_is_changed_by_any_of_their_names(shell: Shell) -> None:
    given = ("--username", "ada", "--phone", "+41441234567")
    made = shell.user("create", "--email", EMAIL, "--no-password", *given)
    for who in (made["id"], EMAIL.upper(), "username:ADA", "+41 44 123 45 67"):
        assert shell.user("set", who, "--name", who)["name"] == who
    changed = shell.user(
        *("set", made["id"], "--name", "", "--phone", "", "--roles", "editor"),
        *("--email", "eve@example.com", "--email-verified"),
    )
    assert (changed["name"], changed["phone"]) == (None, None)
    assert (changed["email"], changed["email_verified"]) == ("eve@example.com", True)
    assert changed["roles"] == ["editor"]
    assert shell.user("set", made["id"], "--roles", "")["roles"] == []
    assert not shell.user("set", made["id"], "--no-email-verified")["email_verified"]


def test_who_is_disabled_is_enabled_again(shell: Shell) -> None:
    shell.done("create", "--email", EMAIL, "--no-password")
    assert shell.user("disable", EMAIL)["is_active"] is False
    assert shell.user("enable", EMAIL)["is_active"] is True
    assert shell.user("end-sessions", EMAIL)["is_active"] is True


@pytest.mark.parametrize("command", ["set", "disable", "enable", "end-sessions"])
@pytest.mark.parametrize("who", ["b@example.com", "username:b", "+41441234567"])
def test_nobody_of_that_name(command: str, who: str, shell: Shell) -> None:
    line = shell.refused(command, who)
    assert line == f"error: unknown_user: there is no such user: {who}"


def test_what_a_terminal_would_obey_is_not_printed(shell: Shell) -> None:
    line = shell.refused("disable", "a\x1b[2J\n@b\u202e")
    assert line.endswith(r"a\x1b[2J\n@b\u202e")
    shell.done(
        "create", "--email", EMAIL, "--no-password", "--name", "A\x1b]0;x\x07\tB"
    )
    assert "\x1b" not in shell.done("list")
    assert shell.done("list").count("\t") == 8
    assert shown("Zoë") == "Zoë"


def test_sessions_end_of_an_id_whose_user_is_gone(shell: Shell) -> None:
    status, out, err = shell.run("end-sessions", "1234")
    assert (status, out) == (0, "")
    assert err == "there is no such user now; sessions of the id have ended\n"


@pytest.mark.parametrize(
    ("revocation", "note"),
    [("memory", "do not hear of it"), ("off", "good until they expire")],
)
def test_where_it_is_not_heard_that_sessions_end_it_is_said(
    revocation: str, note: str, shell: Shell
) -> None:
    shell.done("create", "--email", EMAIL, "--no-password")
    shell.settings["revocation"] = revocation
    for command in (
        ("disable", EMAIL),
        ("end-sessions", EMAIL),
        ("set", EMAIL, "--roles", "x"),
        ("set", EMAIL, "--password-stdin"),
    ):
        status, _, err = shell.run(*command, stdin=PASSWORD)
        assert status == 0 and err.startswith("note: ") and note in err, command
        assert err.count("\n") == 1
    for command in (("enable", EMAIL), ("set", EMAIL, "--name", "Ada")):
        shell.done(*command)


def test_invitations_from_the_first_to_the_last(shell: Shell) -> None:
    code = shell.done("invite", "--email", EMAIL, "--roles", "editor", "--days", "0.5")
    assert len(code) == 43
    listed = json.loads(shell.done("invitations", "--json"))
    assert (listed["email"], listed["roles"]) == (EMAIL, ["editor"])
    assert listed["used_at"] is None and code not in json.dumps(listed)
    assert code not in shell.done("invitations")
    assert shell.done("uninvite", listed["id"]) == ""
    assert "unknown_invitation" in shell.refused("uninvite", listed["id"])
    assert shell.done("invitations") == ""
    code = shell.user("invite")["code"]
    assert len(code) == 43


def test_an_invitation_is_sent(shell: Shell) -> None:
    outbox: list[Any] = []
    shell.options["send"] = outbox.append
    known = shell.done("invite", "--email", EMAIL, "--send")
    assert (outbox[0].purpose, outbox[0].to) == ("invitation", EMAIL)
    listed = json.loads(shell.done("invitations", "--json"))
    assert known == listed["id"]
    told = shell.run("invite", "--email", EMAIL, "--send", "--json")
    assert list(json.loads(told[1])) == ["id"]
    assert not any(one.code in str((known, told)) for one in outbox)
    assert shell.refused("invite", "--send").endswith("--send needs --email")

    def fail(message: Any) -> None:
        raise ConnectionRefusedError(message.code)

    shell.options["send"] = fail
    line = shell.refused("invite", "--email", EMAIL, "--send")
    assert line == "error: not_sent: ConnectionRefusedError: see SMTP_URL"


def test_where_sign_up_is_closed_nobody_is_invited(shell: Shell) -> None:
    shell.settings["sign_up"] = "closed"
    assert "SIGN_UP=closed" in shell.refused("invite")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("create", "--no-password"), "email is missing"),
        (("create", "--no-password", "--email", "x"), "email is not valid"),
        (
            ("create", "--no-password", "--email", EMAIL, "--field", "company=Acme"),
            "users have no field company",
        ),
    ],
)
def test_what_a_user_cannot_be_is_one_line(
    arguments: Sequence[str], text: str, shell: Shell
) -> None:
    assert text in shell.refused(*arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        ("create", "--password", "secret"),
        ("create", "--field", "=x"),
        ("create", "--field", "x"),
        ("create", "--field", "password=secret"),
        ("create", "--field", "roles=admin"),
        ("set", EMAIL, "--field", "is_active=1"),
        ("set", EMAIL, "--field", "user_id=1"),
        ("create", "--email", "a\udcff"),
        ("create", "--password-stdin", "--no-password"),
        ("invite", "--days", "0"),
        ("invite", "--days", "nan"),
        ("invite", "--days", "1e99"),
        ("disable",),
        (),
    ],
)
def test_usage_errors(arguments: Sequence[str], shell: Shell) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["user", *arguments])
    assert caught.value.code == 2


def test_a_store_that_is_down_is_one_line(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.done("create", "--email", EMAIL, "--no-password")

    async def away(*_: Any) -> Any:
        raise StoreUnavailableError("the database cannot be reached")

    monkeypatch.setattr("fastbearer.accounts.sessions.Sessions.end_all", away)
    for command in ("disable", "end-sessions"):
        assert shell.refused(command, EMAIL) == (
            "error: store_unavailable: the database cannot be reached"
        )


def test_a_failing_hook_is_told_and_stops_nothing(
    shell: Shell, caplog: pytest.LogCaptureFixture
) -> None:
    accounts = shell.accounts

    def with_hook(app: str | None = None) -> Accounts:
        made = accounts(app)

        @made.on_event("user_created")
        def fail(event: Any) -> None:
            raise RuntimeError("no")

        return made

    shell.accounts = with_hook  # type: ignore[method-assign]
    users.import_accounts = with_hook  # type: ignore[assignment]
    assert shell.run("create", "--email", EMAIL, "--no-password")[0] == 0
    assert "handler of user_created failed" in caplog.text


# As a process of its own


def process(
    *arguments: str, folder: Path, stdin: bytes = b"", **variables: str
) -> subprocess.CompletedProcess[bytes]:
    others = {name: text for name, text in os.environ.items() if name not in OURS}
    return subprocess.run(
        [*FASTBEARER, *arguments],
        cwd=folder,
        input=stdin,
        env={**others, "BETTER_AUTH_SECRET": SECRET, **variables},
        capture_output=True,
    )


APP = """
from fastapi import FastAPI
from fastbearer.accounts import Accounts
from fastbearer.fastapi import Auth, Settings

settings = Settings(database_url="sqlite+aiosqlite:///own.db", throttle=False)
accounts = Accounts(Auth(settings))
app = FastAPI()
app.include_router(accounts.router)
two = object()
"""


def test_the_accounts_of_an_application(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "main.py").write_text(APP)
    create = ("create", "--email", EMAIL, "--no-password")
    made = process(*create, "--app", "shop.main:app", folder=tmp_path)
    assert (made.returncode, made.stderr) == (0, b"")
    assert (tmp_path / "own.db").exists()
    assert not (tmp_path / "fastbearer.db").exists()
    for name in ("shop.main", "shop.main:accounts"):
        found = process("list", "--app", name, folder=tmp_path)
        assert found.returncode == 0 and EMAIL.encode() in found.stdout
    for wrong in ("shop.other", "shop.main:nothing", "shop:main", "", ":", "..x", "\n"):
        found = process("list", "--app", wrong, folder=tmp_path)
        assert (found.returncode, found.stdout) == (1, b""), wrong
        assert found.stderr.startswith(b"error: configuration_error: --app "), wrong
        assert found.stderr.count(b"\n") == 1, wrong


def test_the_default_file_is_named(tmp_path: Path) -> None:
    made = process("create", "--email", EMAIL, "--no-password", folder=tmp_path)
    assert made.returncode == 0
    assert made.stderr.decode() == f"{users.DEFAULT_FILE}\n"
    assert (tmp_path / "fastbearer.db").exists()


def test_containers_that_start_at_once_make_one_administrator(tmp_path: Path) -> None:
    """The tables, too, are made by one of them."""
    others = {name: text for name, text in os.environ.items() if name not in OURS}
    create = ("create", "--email", EMAIL, "--if-missing", "--no-password", "--json")
    started = [
        subprocess.Popen(
            [*FASTBEARER, *create],
            cwd=tmp_path,
            env={**others, "BETTER_AUTH_SECRET": SECRET},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _ in range(4)
    ]
    ended = [one.communicate() for one in started]
    assert [one.returncode for one in started] == [0] * 4, ended
    assert len({json.loads(out)["id"] for out, _ in ended}) == 1
    count = rows(tmp_path / "fastbearer.db", "SELECT count(*) FROM fastbearer_user")
    assert count == [(1,)]


def broken(folder: Path, variables: dict[str, str]) -> str:
    found = process("list", folder=folder, **variables)
    assert (found.returncode, found.stdout) == (1, b"")
    text = found.stderr.decode().replace(f"{users.DEFAULT_FILE}\n", "")
    assert text.count("\n") == 1 and text.startswith("error: configuration_error: ")
    return text


def test_what_is_missing_is_one_line(tmp_path: Path) -> None:
    url = "sqlite+aiosqlite:////no/such/folder/x.db"
    assert "BETTER_AUTH_SECRET" in broken(tmp_path, {"BETTER_AUTH_SECRET": ""})
    assert "cannot be opened" in broken(tmp_path, {"DATABASE_URL": url})
    url = "postgresql://nobody@127.0.0.1:1/none"
    assert "cannot be opened" in broken(tmp_path, {"DATABASE_URL": url})
    assert "SIGN_UP must be" in broken(tmp_path, {"SIGN_UP": "maybe"})


def test_a_database_without_tables_says_what_to_do(tmp_path: Path) -> None:
    from servers import own_database

    with own_database() as url:
        assert "fastbearer migrate" in broken(tmp_path, {"DATABASE_URL": url})


def test_ten_thousand_users_do_not_fill_the_memory(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are read in pages: never more than a hundred are there at a time."""
    pages: list[int] = []

    class Many:
        def __getattr__(self, name: str) -> Any:
            raise AttributeError(name)

        async def list_users(self, after: str | None, limit: int) -> Sequence[User]:
            first = 0 if after is None else int(after) + 1
            last = min(10_000, first + limit)
            pages.append(last - first)
            return [
                User(id=f"{n:05}", email=f"u{n}@example.com", password_hash="")
                for n in range(first, last)
            ]

    shell.options["store"] = Many()
    shell.settings["revocation"] = "memory"
    assert shell.done("list").count("\n") == 9_999
    # and one at the start, of which the kinds of hashes are learnt
    assert (max(pages), len(pages)) == (100, 102)


def test_a_reader_that_has_seen_enough(tmp_path: Path) -> None:
    folder = tmp_path
    for number in range(2):
        email = f"u{number}@example.com"
        process("create", "--email", email, "--no-password", folder=folder)
    script = f"{' '.join(FASTBEARER)} list | head -c 1"
    found = subprocess.run(
        ["sh", "-c", script],
        cwd=folder,
        env={**os.environ, "BETTER_AUTH_SECRET": SECRET},
        capture_output=True,
    )
    assert b"Traceback" not in found.stderr and b"Exception" not in found.stderr


def test_passwords_are_no_arguments() -> None:
    """Other users of the machine read the command line of a process."""
    found = subprocess.run(
        [*FASTBEARER, "create", "--help"], capture_output=True, text=True
    )
    assert "--password-stdin" in found.stdout
    assert "--password PASSWORD" not in found.stdout
