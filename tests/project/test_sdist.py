"""The source distribution holds all that is needed to build and test it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
from email import message_from_string
from email.message import Message
from pathlib import Path

import pytest

from project import ROOT, locked

pytestmark = pytest.mark.slow

PAGES = "https://github.com/fastbearer/fastbearer/blob/main/"
PICTURES = "https://raw.githubusercontent.com/fastbearer/fastbearer/main/"


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution of what stands here, unpacked."""
    folder = tmp_path_factory.mktemp("sdist")
    make = [sys.executable, "setup.py", "-q", "sdist", "-d", str(folder)]
    # It is put together in a folder of the project, and several processes may test.
    with locked(ROOT / "build" / ".packing"):
        subprocess.run(make, cwd=ROOT, check=True, capture_output=True)
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        opened.extractall(folder, filter="data")
    (unpacked,) = (path for path in folder.iterdir() if path.is_dir())
    return unpacked


def test_it_has_every_file_of_ours(sdist: Path) -> None:
    """So it has what the build, the tests and the Makefile call."""
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True
    )
    if listed.returncode:
        pytest.skip("NO GIT, or no repository: what ought to be there is not known")
    ours = {name for name in listed.stdout.splitlines() if (ROOT / name).exists()}
    assert {name for name in ours if not (sdist / name).exists()} == set()


@pytest.mark.soak
def test_it_has_no_more_than_that(sdist: Path) -> None:
    made = [path for path in sdist.rglob("*") if path.suffix in {".so", ".pyc", ".db"}]
    assert made == []
    assert not list(sdist.rglob("node_modules"))


@pytest.mark.soak
def test_it_builds_from_its_own_contents(sdist: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps"]
    command += ["--no-build-isolation", "--no-index", "-w", str(tmp_path), str(sdist)]
    environment = {**os.environ, "FASTBEARER_BUILD": "debug"}
    subprocess.run(command, cwd=tmp_path, env=environment, check=True)
    assert len(list(tmp_path.glob("fastbearer-*.whl"))) == 1


@pytest.fixture(scope="module")
def metadata(tmp_path_factory: pytest.TempPathFactory) -> Message:
    """What PyPI shows of the project."""
    folder = tmp_path_factory.mktemp("metadata")
    command = [sys.executable, "setup.py", "-q", "egg_info", "--egg-base", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (info,) = folder.glob("*.egg-info/PKG-INFO")
    return message_from_string(info.read_text())


def test_the_long_description_leads_to_pages_that_are_there(metadata: Message) -> None:
    text = metadata.get_payload()
    assert isinstance(text, str)
    targets = re.findall(r"\]\(([^)#]*)(?:#[^)]*)?\)", text)
    assert len(targets) > 20
    assert [one for one in targets if not one.startswith("https://")] == []
    pages = [one.removeprefix(PAGES) for one in targets if one.startswith(PAGES)]
    assert len(pages) > 10
    assert [page for page in pages if not (ROOT / page).exists()] == []


def test_the_long_description_shows_pictures_that_are_there(metadata: Message) -> None:
    """As files: the page of one would show nothing."""
    text = metadata.get_payload()
    assert isinstance(text, str)
    shown = re.findall(r"!\[[^\]]*\]\(([^)]*)\)", text)
    shown += re.findall(r'\b(?:src|srcset)="([^"]*)"', text)
    assert len(shown) >= 3
    assert [one for one in shown if not one.startswith(PICTURES)] == []
    files = [one.removeprefix(PICTURES) for one in shown]
    assert [file for file in files if not (ROOT / file).is_file()] == []


def test_the_project_s_links_agree(metadata: Message) -> None:
    assert metadata["Description-Content-Type"] == "text/markdown"
    links = dict(one.split(", ") for one in metadata.get_all("Project-URL", []))
    home = PAGES.removesuffix("/blob/main/")
    assert set(links) >= {"Source", "Documentation", "Changelog", "Issues"}
    owner, name = home.split("/")[-2:]
    assert links.pop("Documentation") == f"https://{owner}.github.io/{name}/"
    for link in links.values():
        assert link == home or link.startswith(f"{home}/")
        page = link.partition("/blob/main/")[2]
        assert (ROOT / page).exists(), link
