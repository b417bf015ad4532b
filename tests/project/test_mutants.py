"""The script that tries small faults sees what tests see, and what they do not."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from c_mutants import c_mutants
from mutant import Mutant, in_order
from project import ROOT
from python_mutants import python_mutants
from scripts import script

pytestmark = pytest.mark.slow

MUTANTS = script("mutants")
TABLE = tomllib.loads((ROOT / MUTANTS.TABLE).read_text())

C = """\
#include "skin.h"

#define MOST (1 << 6) /* 3 < 4 */

bool
fits(const char *text, size_t len)
{
    char kept[9] = {0};
    if (len > MOST && !is_good(text[0])) {
        goto done;
    }
    keep(text, (char)-1);
    kept[1] = text[len - 1] & 15;
done:
    wipe(kept, sizeof kept);
    return true || len == 0 ? STATUS_OK : STATUS_LONG;
}
"""

PYTHON = '''\
"""3 < 4."""

MOST: int | None = 64


class Rule:
    def fits(self, text, end=False):
        """Return 1."""
        if len(text) > MOST and not end:
            raise ValueError("too long")
        self.kept = [one for one in text if one != "x"]
        self.keep(text)
        for n in range(len(text) - 1):
            if text[n] is None or n in self.kept:
                continue
        return text
'''


def changes(mutants: list[Mutant]) -> set[tuple[str, str]]:
    return {(one.operator, one.becomes) for one in mutants}


def test_each_operator_changes_c() -> None:
    mutants = c_mutants("x.c", C)
    assert {
        ("constant", "#define MOST ((1 + 1) << 6) /* 3 < 4 */"),
        ("relation", "if (len >= MOST && !is_good(text[0])) {"),
        ("junction", "if (len > MOST || !is_good(text[0])) {"),
        ("negation", "if (len > MOST && is_good(text[0])) {"),
        ("condition", "if (!(len > MOST && !is_good(text[0]))) {"),
        ("check", "if (false && (len > MOST && !is_good(text[0]))) {"),
        ("statement", "(void)0;"),
        ("arithmetic", "kept[1] = text[len + 1] & 15;"),
        ("bits", "kept[1] = text[len - 1] | 15;"),
        ("equality", "return true || len != 0 ? STATUS_OK : STATUS_LONG;"),
        ("truth", "return false || len == 0 ? STATUS_OK : STATUS_LONG;"),
        ("refusal", "return true || len == 0 ? STATUS_OK : STATUS_OK;"),
    } <= changes(mutants)
    left_out = {one.was for one in mutants if one.operator == "statement"}
    assert left_out == {
        "goto done;",
        "keep(text, (char)-1);",
        "kept[1] = text[len - 1] & 15;",
        "wipe(kept, sizeof kept);",
    }
    assert not any("kept[(9 + 1)]" in one.text for one in mutants)
    assert not any("(char)+" in one.text for one in mutants)


def test_each_operator_changes_python() -> None:
    mutants = python_mutants("x.py", PYTHON)
    assert {
        ("constant", "MOST: int | None = (64 + 1)"),
        ("truth", "def fits(self, text, end=True):"),
        ("relation", "if len(text) >= MOST and not end:"),
        ("junction", "if len(text) > MOST or not end:"),
        ("negation", "if len(text) > MOST and end:"),
        ("condition", "if not (len(text) > MOST and not end):"),
        ("check", "if False and (len(text) > MOST and not end):"),
        ("refusal", "pass"),
        ("equality", 'self.kept = [one for one in text if one == "x"]'),
        ("condition", 'self.kept = [one for one in text if not (one != "x")]'),
        ("statement", "pass"),
        ("arithmetic", "for n in range(len(text) + 1):"),
        ("equality", "if text[n] is not None or n in self.kept:"),
        ("membership", "if text[n] is None or n not in self.kept:"),
        ("result", "return None"),
    } <= changes(mutants)
    for one in mutants:
        ast.parse(one.text)
        assert one.function in {"", "Rule.fits"}
        assert '"""3 < 4."""' in one.text and '"""Return 1."""' in one.text


def test_the_draw_does_not_depend_on_other_lines() -> None:
    before = [one.name for one in in_order(c_mutants("x.c", C), 1)]
    more = C.replace("    keep(", "    len = len + 1;\n    keep(")
    after = [one.name for one in in_order(c_mutants("x.c", more), 1)]
    assert [name for name in after if "len = len" not in name[2]] != []
    assert before != [one.name for one in in_order(c_mutants("x.c", C), 2)]
    assert before == [one.name for one in in_order(c_mutants("x.c", C), 1)]


def test_what_is_explained_is_a_mutant() -> None:
    for one in TABLE.get("explained", []):
        assert one["why"]
        text = (ROOT / one["file"]).read_text()
        names = {found.name for found in MUTANTS.mutants_of(one["file"], text)}
        assert (one["file"], one["in"], one["was"], one["becomes"]) in names


def test_the_table_names_files_and_suites_that_exist() -> None:
    used = set()
    for file, (count, *suites) in TABLE["files"].items():
        assert (ROOT / file).is_file() and count > 0
        used |= {*suites}
    assert used == {*TABLE["suites"]}
    for tests in TABLE["suites"].values():
        assert all((ROOT / test.partition("::")[0]).is_file() for test in tests)


def test_the_table_has_mutants_of_every_room() -> None:
    rooms = {path.parent for path in ROOT.glob("csrc/**/*.c")}
    rooms -= {ROOT / "csrc/lib/password/blowfish"}  # its numbers are those of pi
    assert rooms <= {(ROOT / file).parent for file in TABLE["files"]}
    kinds = {".c": 90, ".py": 60}
    for kind, least in kinds.items():
        counts = [count for file, (count, *_) in TABLE["files"].items() if kind in file]
        assert sum(counts) >= least


# --- a whole run -------------------------------------------------------------

SETUP = """\
from setuptools import Extension, setup
core = Extension("fastbearer._core", ["csrc/module/module.c"])
setup(package_dir={"": "python"}, packages=["fastbearer"], ext_modules=[core])
"""

MODULE = """\
#include <Python.h>

static PyObject *
fits(PyObject *module, PyObject *number)
{
    (void)module;
    return PyBool_FromLong(PyLong_AsLong(number) < 8);
}

static PyMethodDef methods[] = {
    {"fits", fits, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};
static struct PyModuleDef core = {
    PyModuleDef_HEAD_INIT, "_core", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC
PyInit__core(void)
{
    return PyModule_Create(&core);
}
"""

RULE = """\
from fastbearer import _core

def is_short(text):
    return len(text) < 4

def is_wide(text):
    return len(text) > 9

def is_cold(text):
    return len(text) > 3

def is_kept(text):
    return _core.fits(len(text))
"""

TESTS = """\
from fastbearer.rule import is_kept, is_short

def test_short():
    assert is_short("abc") is True and is_short("abcd") is False

def test_kept():
    assert is_kept("a" * 7) and not is_kept("a" * 8)
"""

TOLD = """\
seed = 1
control = "tests/test_rule.py"
preload = []

[suites]
rule = ["tests/test_rule.py"]

[files]
"python/fastbearer/rule.py" = [4, "rule"]
"csrc/module/module.c" = [1, "rule"]
"""

PROJECT = {
    "setup.py": SETUP,
    "csrc/module/module.c": MODULE,
    "python/fastbearer/__init__.py": "",
    "python/fastbearer/rule.py": RULE,
    "tests/test_rule.py": TESTS,
}

Rows = dict[str, dict[str, Any]]
"""Function -> what the report says of its mutant."""


def explained(function: str, why: str) -> str:
    """Return an explanation of the mutant that is drawn of a function."""
    file = "python/fastbearer/rule.py"
    drawn = in_order(python_mutants(file, RULE), seed=1)
    names = {one.function: one.name for one in drawn}
    words = zip(("file", "in", "was", "becomes"), names[function], strict=True)
    lines = [f"{word} = {json.dumps(text)}" for word, text in (*words, ("why", why))]
    return "\n".join(["", "[[explained]]", *lines, ""])


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Rows]:
    """What a run says of a project of two small files, and its report."""
    project: Path = tmp_path_factory.mktemp("project")
    right = explained("is_cold", "nobody asks")
    wrong = explained("is_short", "nobody asks, says somebody who is wrong")
    files = {**PROJECT, "tests/mutants.toml": TOLD + right + wrong}
    for name, text in files.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    subprocess.run(["git", "init", "-q"], cwd=project, check=True)
    command = [sys.executable, str(ROOT / "scripts" / "mutants"), "--project"]
    ended = subprocess.run([*command, str(project)], capture_output=True, text=True)
    assert ended.returncode == 1, ended.stderr
    assert {name: (project / name).read_text() for name in files} == files
    rows = json.loads((project / MUTANTS.REPORT).read_text())
    counted = [row for row in rows if row["outcome"] not in MUTANTS.UNCOUNTED]
    return ended.stdout, {row["function"]: row for row in counted}


def test_what_a_test_sees_is_killed(run: tuple[str, Rows]) -> None:
    _, rows = run
    for function, test in (("is_short", "test_short"), ("is_kept", "test_kept")):
        row = rows[function]
        by = f"tests/test_rule.py::{test}"
        assert (row["outcome"], row["by"]) == ("killed", by)
    (in_c,) = (row for row in rows.values() if row["file"].endswith(".c"))
    assert in_c["outcome"] == "killed"


def test_what_no_test_sees_survives(run: tuple[str, Rows]) -> None:
    _, rows = run
    assert rows["is_wide"]["outcome"] == "survived"
    assert rows["is_cold"]["outcome"] == "explained"


def test_survivors_and_wrong_explanations_fail_the_run(run: tuple[str, Rows]) -> None:
    said, _ = run
    assert said.splitlines()[-1] == "2 unexplained"
