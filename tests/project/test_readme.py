"""What README.md and docs/ show is run as it stands.

A Python block that cannot be run has ``<!-- not run -->`` in the line before it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from asgi import ASGIApp
from fastbearer.accounts import Accounts
from fastbearer.app import create_app
from fastbearer.fastapi import Auth, Settings
from project import ROOT, SECRET

SKILLS = ROOT / "python" / "fastbearer" / ".agents" / "skills"
SKILL = SKILLS / "fastbearer" / "SKILL.md"
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/**/*.md")), SKILL]
BLOCK = re.compile(r"(?ms)^(?:<!-- ([\w ]+) -->\n)?```(\w+)\n(.*?)^```$")
LINK = re.compile(r"\]\((?!https?://)([^)#]*)(?:#([^)]+))?\)")
DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
MISMATCH = "User ID mismatch: You can only access your own data"


def blocks(page: Path, language: str) -> Iterator[tuple[str, str]]:
    """Yield the mark before it, or "", and the code of each block of a page."""
    for mark, tag, code in BLOCK.findall(page.read_text()):
        if tag == language:
            yield mark, code


def python_blocks() -> Iterator[object]:
    for page in PAGES:
        for number, (mark, code) in enumerate(blocks(page, "python"), 1):
            if mark != "not run":
                yield pytest.param(code, id=f"{page.name} {number}")


@pytest.mark.slow
@pytest.mark.parametrize("code", list(python_blocks()))
def test_a_python_block_runs(code: str, tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=tmp_path,
        env={**os.environ, "BETTER_AUTH_SECRET": SECRET},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr


def test_readme_is_read_in_a_minute() -> None:
    lines = (ROOT / "README.md").read_text().splitlines()
    assert len(lines) < 150


@pytest.mark.slow
def test_the_picture_shows_what_the_application_answers(tmp_path: Path) -> None:
    made = tmp_path / "result.svg"
    command = [sys.executable, str(ROOT / "scripts" / "draw-result"), str(made)]
    subprocess.run(command, check=True, capture_output=True)
    kept = ROOT / "docs" / "pictures" / "result.svg"
    assert kept.read_text() == made.read_text(), "run scripts/draw-result"


def test_assistants_find_the_guide_in_the_package(tmp_path: Path) -> None:
    """Where tools look that collect such guides: .agents/skills/<name>/SKILL.md."""
    command = [sys.executable, "setup.py", "-q", "build_py", "--build-lib", tmp_path]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    installed = tmp_path / SKILL.relative_to(ROOT / "python")
    assert installed.read_text() == SKILL.read_text()
    head = SKILL.read_text().split("---\n")[1]
    assert "name: fastbearer\n" in head
    assert "description: " in head


def walk(code: str, base_url: str) -> list[dict[str, object]]:
    """Run the walk through the service, and return the answers it prints."""
    told = "http://127.0.0.1:8000"
    assert told in code
    script = code.replace(told, base_url)
    printed = subprocess.check_output(["sh", "-eu", "-c", script], text=True)
    decoder, answers = json.JSONDecoder(), []
    while printed:
        answer, end = decoder.raw_decode(printed)
        answers.append(answer)
        printed = printed[end:].lstrip()
    return answers


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_the_walk_through_the_service(
    serve: Callable[[ASGIApp], str], tmp_path: Path
) -> None:
    database = f"sqlite+aiosqlite:///{tmp_path}/service.db"
    auth = Auth(Settings(better_auth_secret=SECRET, database_url=database))
    base_url = serve(create_app(auth, accounts=Accounts(auth)))
    codes = dict(blocks(ROOT / "docs" / "start" / "service.md", "sh"))
    created, listed, refused = walk(codes["run against the service"], base_url)
    assert created["success"] is True
    assert listed == {"success": True, "data": [created["data"]]}
    assert refused == {"detail": MISMATCH}
    again, both, _ = walk(codes["run against the service"], base_url)
    assert both["data"] == [again["data"], created["data"]]


def test_what_the_pages_sign_expires() -> None:
    """A `Verifier` wants an ``exp``, so each `Signer` shown must give one."""
    shown = [
        (page.name, call)
        for page in PAGES
        for call in re.findall(r"\bSigner\((?!ascii).*", page.read_text())
    ]
    assert len(shown) > 5
    assert [one for one in shown if "lifetime=" not in one[1]] == []


def test_the_targets_of_make_are_there() -> None:
    makefile = (ROOT / "Makefile").read_text()
    rooms = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir()}
    targets = {*re.findall(r"^([\w-]+):", makefile, re.MULTILINE)}
    targets |= {f"test-{room}" for room in rooms} | {"test-<room>"}
    for page in PAGES:
        named = re.findall(r"`make ([\w<>-]+)[^`]*`", page.read_text())
        assert set(named) <= targets, page.name


def test_the_extras_that_are_named_are_there() -> None:
    """In pages, and in messages that say what to install."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    sources = [*PAGES, *sorted((ROOT / "python").glob("**/*.py"))]
    for source in sources:
        for named in re.findall(r"fastbearer\[([\w,]+)\]", source.read_text()):
            extras = set(named.split(","))
            assert extras <= project["optional-dependencies"].keys(), source.name


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"(?m)^#+ (.+)$", page.read_text())
    return {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}


def test_the_pages_link_to_what_is_there() -> None:
    for page in PAGES:
        links = re.findall(
            r"\]\((?!https?://)([^)#]*)(?:#([^)]+))?\)", page.read_text()
        )
        for target, anchor in links:
            file = page.parent / target if target else page
            if file.resolve().parent == REFERENCE and DOCS in page.parents:
                continue  # made with the site, whose build checks the link
            assert file.exists(), f"{page.name}: {target}"
            if file.suffix == ".md":  # that of a picture says for which scheme it is
                assert not anchor or anchor in anchors(file), f"{page.name}: #{anchor}"
