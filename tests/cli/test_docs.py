"""`fastbearer docs`: the address of what the site says of an error."""

from __future__ import annotations

import ast
import re
import tomllib
import webbrowser

import pytest

from fastbearer.cli import main
from fastbearer.cli.reasons import REASONS
from fastbearer.cli.site import DISPLAYS, REQUEST_CODES, codes
from project import ROOT

SITE = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"][
    "Documentation"
]


@pytest.fixture(autouse=True)
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collect what a browser is asked to open; there is no window at first."""
    found: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda url: not found.append(url))
    monkeypatch.setattr("sys.platform", "linux")
    for name in DISPLAYS:
        monkeypatch.delenv(name, raising=False)
    return found


@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        ([], ""),
        (["expired_token"], "questions/codes/#expired_token"),
        (["ExpiredTokenError"], "questions/codes/#expired_token"),
        (["invalid_token"], "questions/codes/#invalid_token"),
        (["cross_site"], "questions/codes/#cross_site"),
        (["email_taken"], "questions/codes/#email_taken"),
        (["signature_wrong"], "questions/codes/#signature_wrong"),
    ],
)
def test_the_address_is_printed(
    arguments: list[str], place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["docs", *arguments]) == 0
    assert capsys.readouterr().out == f"{SITE}{place}\n"


def test_a_browser_is_opened_where_there_is_a_window(
    opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["docs", "expired_token"]) == 0
    assert opened == []
    monkeypatch.setenv("DISPLAY", ":0")
    assert main(["docs", "expired_token"]) == 0
    assert opened == [f"{SITE}questions/codes/#expired_token"]


def test_a_code_that_is_none_is_refused(
    opened: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["docs", "expired_tokn"]) == 2
    told = capsys.readouterr().err
    assert (
        "no error has the code or reason 'expired_tokn'; did you mean expired_token?"
        in told
    )
    for name in ("No-Code", "nonsense", ""):
        assert main(["docs", name]) == 2
        told = capsys.readouterr()
        assert told.out == ""
        assert told.err == f"error: no error has the code or reason {name!r}\n"
    assert opened == []


def test_every_code_and_reason_has_a_heading() -> None:
    page = (ROOT / "docs" / "questions" / "codes.md").read_text()
    headings = set(re.findall(r"(?m)^### (\w+)$", page))
    assert headings == REASONS | set(codes().values())


def test_every_code_of_the_log_is_known() -> None:
    logged = set()
    for file in (ROOT / "python").glob("**/*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            is_line = isinstance(node, ast.Call) and "log_refusal" in ast.unparse(
                node.func
            )
            if is_line and isinstance(node.args[0], ast.Constant):
                logged.add(node.args[0].value)
    assert set(REQUEST_CODES) <= logged <= codes().keys()
