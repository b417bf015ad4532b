"""Each block of the cookbook is of a kind that something checks, and passes it.

What a block does is shown by test_cookbook.py; here it is read by its own tools.
"""

from __future__ import annotations

import ast
import json
import re
import shlex
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from fastbearer.cli.parser import parser
from project import ROOT
from recipes import NAMES, PAGES, Block, blocks

OTHERS = {
    *("NEW_SECRET", "OLD_SECRET", "SIGNING_KEY", "SIGNING_KEY_ID"),
    *("MAIL_HOST", "MAIL_PORT", "BACKEND_URL", "NODE_ENV"),
}
"""Variables of the applications on the pages, which are no settings."""

ASSIGNED = re.compile(r"(?<![\w$])([A-Z][A-Z0-9_]{2,})=")
NAMED = re.compile(r"`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)[`=]")
LANGUAGES = {
    *("python", "sh", "json", "yaml", "toml", "nginx", "dockerfile"),
    *("js", "ts", "tsx"),
}
ALL = [(page, block) for page in PAGES for block in blocks(page)]


def of(*languages: str) -> Any:
    """Parametrize a test with the blocks of these languages."""
    found = [
        pytest.param(block, id=f"{page.stem} {number} {block.title}".rstrip())
        for number, (page, block) in enumerate(ALL)
        if block.language in languages
    ]
    return pytest.mark.parametrize("block", found)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_block_is_seen(page: Path) -> None:
    assert page.read_text().count("```") == 2 * len(blocks(page))
    assert {block.language for block in blocks(page)} <= LANGUAGES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_of_the_cookbook_has_a_test(page: Path) -> None:
    source = (ROOT / "tests" / "pages" / "test_cookbook.py").read_text()
    has_files = any(block.title for block in blocks(page))
    assert not has_files or f'"{page.stem}"' in source


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_settings_that_are_named_are_there(page: Path) -> None:
    text = page.read_text()
    named = {*ASSIGNED.findall(text), *NAMED.findall(text)}
    assert named <= NAMES | OTHERS


def test_a_setting_that_is_not_there_is_seen() -> None:
    text = "export SMPT_URL=x JWT_ISSUER=y\nSet `JWT_LEEWAYS` or `JWT_LEEWAY=3`."
    assert {*ASSIGNED.findall(text), *NAMED.findall(text)} - NAMES == {
        "SMPT_URL",
        "JWT_LEEWAYS",
    }


@of("python")
def test_python(block: Block) -> None:
    assert block.title, "it must be a file, so that a test runs it"
    ast.parse(block.code)


@of("sh")
def test_shell(block: Block) -> None:
    subprocess.run(["sh", "-n"], input=block.code, text=True, check=True)
    for line in re.findall(r"fastbearer (?:--|[a-z])[^#\n;)]*", block.code):
        arguments = [one for one in shlex.split(line)[1:] if one != "&&"]
        if arguments[0] == "doctor" or "fastbearer[" in line:
            continue
        parser().parse_args(arguments)


@of("json")
def test_json(block: Block) -> None:
    assert json.loads(block.code)


@of("toml")
def test_fly(block: Block) -> None:
    said = tomllib.loads(block.code)
    assert set(said["env"]) <= NAMES
    assert said["deploy"]["release_command"].startswith("fastbearer migrate")


@of("yaml")
def test_kubernetes(block: Block) -> None:
    """Whatever one object names of another is there."""
    objects = {one["kind"]: one for one in yaml.safe_load_all(block.code)}
    given = {
        *objects["Secret"]["stringData"],
        *objects["ConfigMap"]["data"],
    }
    assert given <= NAMES
    assert all(isinstance(one, str) for one in objects["ConfigMap"]["data"].values())
    template = objects["Deployment"]["spec"]["template"]
    labels = template["metadata"]["labels"]
    assert objects["Deployment"]["spec"]["selector"]["matchLabels"] == labels
    assert objects["Service"]["spec"]["selector"] == labels
    (app,) = template["spec"]["containers"]
    (migrate,) = template["spec"]["initContainers"]
    parser().parse_args(migrate["command"][1:])
    port = app["ports"][0]["containerPort"]
    assert objects["Service"]["spec"]["ports"][0]["targetPort"] == port
    for kind in ("startup", "liveness", "readiness"):
        assert app[f"{kind}Probe"]["httpGet"]["port"] == port
    for one in (app, migrate):
        sources = {
            name: ref["name"] for each in one["envFrom"] for name, ref in each.items()
        }
        assert sources == {
            "secretRef": objects["Secret"]["metadata"]["name"],
            "configMapRef": objects["ConfigMap"]["metadata"]["name"],
        }


@of("dockerfile")
def test_dockerfile(block: Block) -> None:
    (command,) = re.findall(r"(?m)^CMD (.*)$", block.code)
    assert json.loads(command)[:2] == ["uvicorn", "main:app"]
    assert re.findall(r"(?m)^COPY (\S+) \.$", block.code) == ["main.py"]


@of("js")
def test_javascript(block: Block, tmp_path: Path) -> None:
    file = tmp_path / "block.mjs"
    file.write_text(block.code)
    subprocess.run(["node", "--check", file], check=True)
