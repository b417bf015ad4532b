"""The paths of the section *Start* lead where they say, from an empty folder."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from servers import own_database, redis
from tutorial import Tutorial, is_like

pytestmark = pytest.mark.skipif(not shutil.which("curl"), reason="NO CURL FOUND")


def test_a_protected_route(tmp_path: Path) -> None:
    tutorial = Tutorial("protected-route", tmp_path)
    tutorial.write_files()
    for command in tutorial.before():
        tutorial.run(command)
    with tutorial.running():
        assert tutorial.wrong_answers() == []
    (line,) = re.findall(r"(?m)^token refused: .*$", tutorial.text)
    assert line in tutorial.log()


def test_sign_up_and_tasks(tmp_path: Path) -> None:
    tutorial = Tutorial("sign-up", tmp_path)
    tutorial.write_files()
    for command in tutorial.before():
        tutorial.run(command)
    with tutorial.running():
        assert tutorial.wrong_answers() == []


@pytest.mark.postgres
@pytest.mark.redis
def test_to_production(tmp_path: Path) -> None:
    """Its commands, on a PostgreSQL and a Redis; then the walk of the page before."""
    before = Tutorial("sign-up", tmp_path)
    before.write_files()
    main = (tmp_path / "main.py").read_text()
    tutorial = Tutorial("production", tmp_path)
    tutorial.write_files()
    with own_database() as url:
        values = {
            "BETTER_AUTH_SECRET": "of a test, and long enough for HMAC",
            "DATABASE_URL": url.replace("postgresql:", "postgresql+psycopg:"),
            "REDIS_URL": redis(),
            "REFRESH_TOKENS": "0",  # as the page before shows the answers
        }
        settings = tmp_path / "production.env"
        text = settings.read_text()
        for name, value in values.items():
            text, count = re.subn(rf"(?m)^{name}=.*$", f"{name}={value}", text)
            assert count == 1, name
        settings.write_text(text)
        line = re.compile(r"(?m)^engine = .*\nSQLModel.metadata.create_all.*\n")
        new = re.search(r"(?m)^engine = .*\n", tutorial.text)
        assert new is not None
        main, count = line.subn(lambda _: new[0], main)
        assert count == 1
        (tmp_path / "main.py").write_text(f"import os\n\n{main}")
        commands = tutorial.before()
        assert [one.split()[0] for one in commands] == ["fastbearer", "dotenv"]
        for command in commands:
            assert "WRONG" not in tutorial.run(command)
        with tutorial.running():
            # Other workers hear of a sign-out a moment later.
            assert before.wrong_answers(tutorial.port, until="/signout") == []


def test_answers_are_compared() -> None:
    assert is_like({"a": [1, {"b": "x"}]}, {"a": [1, {"b": "..."}]})
    for told in ({"a": [1, {"b": 1}]}, {"a": [1]}, {"a": 1}, {}, {"a": [2, {"b": ""}]}):
        assert not is_like(told, {"a": [1, {"b": "..."}]})
