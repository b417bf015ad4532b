"""The command ``migrate-imports``: what it moves, what it leaves, what it says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import libcst
import pytest

from fastbearer.cli import main
from fastbearer.cli.commands import PROGRESS_FILES
from fastbearer.compat.import_rewriter import rewritten
from fastbearer.compat.migrate_imports import migrated

REWRITTEN = [
    ("import jose", "from fastbearer.compat import jose"),
    ("import os, jose as j", "import os; import fastbearer.compat.jose as j"),
    (
        "import jose.jwt",
        "import fastbearer.compat.jose.jwt; from fastbearer.compat import jose",
    ),
    ("import jose.jws as a", "import fastbearer.compat.jose.jws as a"),
    (
        "from jose import jwt as j, jws",
        "from fastbearer.compat.jose import jwt as j, jws",
    ),
    (
        "if x:\n\tfrom passlib.hash import (  # why\n\t\tbcrypt,\n\t)\n",
        (
            "if x:\n\tfrom fastbearer.compat.passlib.hash import (  # why\n"
            "\t\tbcrypt,\n\t)\n"
        ),
    ),
    ("import joserfc, josephine", "import joserfc, josephine"),
    ("from .jose import jwt", "from .jose import jwt"),
    ("from app.jose import jwt", "from app.jose import jwt"),
    ("import fastbearer.compat.jose", "import fastbearer.compat.jose"),
    ('a = "from jose import jwt"', 'a = "from jose import jwt"'),
    ("", ""),
]


@pytest.mark.parametrize(("before", "after"), REWRITTEN)
def test_imports_are_rewritten(before: str, after: str) -> None:
    assert migrated(before) == after
    assert migrated(after) == after
    assert rewritten(before).left == ()


LEFT = [
    ("import passlib.apps", [(1, "passlib.apps")]),
    ("import jose.backends.rsa_backend as r", [(1, "jose.backends.rsa_backend")]),
    ("from passlib.apps import pwd", [(1, "passlib.apps")]),
    ("from passlib.hash import sha256_crypt", [(1, "passlib.hash.sha256_crypt")]),
    ("from jose import bcrypt, jwt", [(1, "jose.bcrypt")]),
    ("from passlib import apps", [(1, "passlib.apps")]),
    ("from jwt import _short_way", [(1, "jwt._short_way")]),
    ("from jwt._short_way import x", [(1, "jwt._short_way")]),
    ("import os\nfrom jose import *", [(2, "jose.*")]),
    ("def f():\n    import jwt.nothing\n", [(2, "jwt.nothing")]),
    # What the file takes from a module that it imports counts, too.
    ("import passlib.hash\n\npasslib.hash.nothing", [(3, "passlib.hash.nothing")]),
    ("from passlib import hash as h\nh.nothing.using()", [(2, "passlib.hash.nothing")]),
    ("import jwt as j\nj.PyJWT.nothing", [(2, "jwt.PyJWT.nothing")]),
    # Both bind the same name.
    ("import jose\nimport jose.nothing", [(2, "jose.nothing")]),
]


@pytest.mark.parametrize(("code", "missing"), LEFT)
def test_what_the_drop_ins_do_not_have_is_left_alone(
    code: str, missing: list[tuple[int, str]]
) -> None:
    assert rewritten(code) == (code, tuple(missing))


def test_only_the_import_with_the_missing_name_stays() -> None:
    code = "import os, passlib.apps, jose\nfrom jwt import nothing, decode as d\n"
    moved = "import os; import passlib.apps; from fastbearer.compat import jose\n"
    made = rewritten(code)
    assert made.code == moved + code.splitlines()[1] + "\n"
    assert made.left == ((1, "passlib.apps"), (2, "jwt.nothing"))


@pytest.mark.parametrize(
    "code",
    [
        "def f(jwt):\n    return jwt.nothing\n",
        "def f():\n    jwt = g()\n    return jwt.nothing\n",
        "jwt.decode(x).nothing\n",
        "jwt.decode.__name__\n",
        "x.jwt.nothing\n",
    ],
)
def test_other_things_of_that_name_do_not_count(code: str) -> None:
    code = f"import jwt\n{code}"
    assert rewritten(code) == (f"from fastbearer.compat import {code[7:]}", ())


def test_the_rest_of_a_file_keeps_its_spaces() -> None:
    odd = "try:\n    pass\nexcept (A, B) :\n    f( x )\n"
    assert libcst.parse_module(odd).code != odd
    assert migrated(odd) == odd
    moved = "from fastbearer.compat import jwt\n"
    assert migrated(f"import jwt\n{odd}") == moved + odd
    assert migrated(f"{odd}import jwt\n") == odd + moved


def test_the_command_names_what_it_leaves(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.py"
    file.write_text("import jwt\nimport passlib.apps\n")
    assert main(["migrate-imports", "--write", str(tmp_path)]) == 1
    assert f"{file}:2: left alone: " in capsys.readouterr().err
    left = "from fastbearer.compat import jwt\nimport passlib.apps\n"
    assert file.read_text() == left


def test_files_without_the_names_are_not_parsed(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for number in range(PROGRESS_FILES):
        text = "import os\nfrom .jwt import jose\nfrom a import jwt\n# import jose\n"
        (tmp_path / f"{number}.py").write_text(text)

    def parse_module(code: str) -> None:
        raise AssertionError(code)

    monkeypatch.setattr(libcst, "parse_module", parse_module)
    assert main(["migrate-imports", str(tmp_path)]) == 0
    progress = f"{PROGRESS_FILES} files looked at, 0 to change\n"
    assert capsys.readouterr() == ("", progress)


def test_several_paths(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.py").write_bytes(LINE)
    paths = [str(tmp_path / name) for name in ("a", "b", "a/x.py")]
    assert main(["migrate-imports", *paths]) == 0
    assert capsys.readouterr().out.count("+from") == 2
    assert main(["migrate-imports", "--write", *paths, str(tmp_path / "no")]) == 1
    assert (tmp_path / "a" / "x.py").read_bytes() == LINE


def test_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.py"
    file.write_bytes(LINE)
    assert main(["migrate-imports", "--check", str(tmp_path)]) == 1
    assert file.read_bytes() == LINE
    assert "+from" in capsys.readouterr().out
    assert main(["migrate-imports", "--write", str(tmp_path)]) == 0
    assert main(["migrate-imports", "--check", str(tmp_path)]) == 0


def test_a_closed_pipe_does_not_stop_it(tmp_path: Path) -> None:
    files = [tmp_path / f"{number}.py" for number in range(200)]
    for file in files:
        file.write_bytes(LINE)
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "fastbearer",
                "migrate-imports",
                "--write",
                tmp_path,
            ],
            stdout=writer,
            stderr=subprocess.PIPE,
        )
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")
    assert {file.read_bytes() for file in files} == {MOVED}


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.py").write_bytes(b"from jose import jwt\r\nx = 1\r\n")
    (tmp_path / "b.py").write_text("x = 1\n")
    (tmp_path / "c.py").write_text("import jwt\nprint 1\n")
    assert main(["migrate-imports", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "-from jose import jwt" in printed and "b.py" not in printed
    assert "left alone" in printed and "c.py" in printed
    assert (tmp_path / "a.py").read_bytes().startswith(b"from jose")
    assert main(["migrate-imports", "--write", str(tmp_path / "a.py")]) == 0
    moved = b"from fastbearer.compat.jose import jwt\r\nx = 1\r\n"
    assert (tmp_path / "a.py").read_bytes() == moved
    assert main(["migrate-imports", str(tmp_path / "nothing")]) == 1


LINE = b"from jose import jwt\n"
MOVED = b"from fastbearer.compat.jose import jwt\n"
ENCODED = {
    "with a mark": (b"\xef\xbb\xbf", b""),
    "latin-1": (b"# coding: latin-1\n", b"x = '\xe9'\n"),
    "with a form feed": (b"x = 1\n\x0c\n", b""),
    "without an end": (b"", b"x = '\xc3\xa9\xe2\x80\xa8'"),
}


@pytest.mark.parametrize("kind", ENCODED)
def test_files_keep_their_encoding(
    kind: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    before, after = ENCODED[kind]
    file = tmp_path / "a.py"
    file.write_bytes(before + LINE + after)
    file.chmod(0o751)
    assert main(["migrate-imports", "a.py"]) == 0
    patch = capsys.readouterr().out
    assert main(["migrate-imports", "--write", str(tmp_path)]) == 0
    assert file.read_bytes() == before + MOVED + after
    assert file.stat().st_mode & 0o777 == 0o751
    assert [path.name for path in tmp_path.iterdir()] == ["a.py"]
    if kind != "latin-1":  # it is printed as UTF-8
        file.write_bytes(before + LINE + after)
        subprocess.run(
            ["git", "apply", "-p0"],
            input=patch.encode(),
            check=True,
            capture_output=True,
        )
        assert file.read_bytes() == before + MOVED + after


def test_what_is_passed_by(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder in (".venv", "env", "node_modules/a", "app/__pycache__"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "a.py").write_bytes(LINE)
    (tmp_path / "env" / "pyvenv.cfg").touch()
    (tmp_path / "gone.py").symlink_to(tmp_path / "nothing.py")
    (tmp_path / "folder.py").mkdir()
    (tmp_path / "odd.py").write_bytes(b"# coding: nothing-such\n" + LINE)
    (tmp_path / "app" / "b.py").write_bytes(LINE)
    assert main(["migrate-imports", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert printed.count("+from") == 1 and "odd.py" in printed
