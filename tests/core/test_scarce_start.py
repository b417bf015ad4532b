"""The core starts whole, or not at all, when Python lacks the memory for it.

CPython's own hooks let one allocation after the other fail.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

SCRIPT = """
import _imp

import _testcapi

from fastbearer import _core

SECRET = "0123456789abcdef0123456789abcdef"
NAMES = {name for name in vars(_core) if name[0] != "_"}


def start():
    made = _imp.create_dynamic(_core.__spec__)
    _imp.exec_dynamic(made)
    return made


def tried(number):
    made = None
    _testcapi.set_nomemory(number, number + 1)
    try:
        made = start()
    except (MemoryError, ImportError):
        pass
    _testcapi.remove_mem_hooks()
    return made


def is_whole(made):
    key = made.Key.from_secret(SECRET)
    token = made.Signer(key).sign({"exp": 2**40})
    assert made.Verifier(key).verify(token) == {"exp": 2**40}
    assert vars(made).keys() >= NAMES, NAMES - vars(made).keys()
    return made.algorithms == _core.algorithms


number = refused = in_a_row = 0
while in_a_row < 30:  # then there are no more allocations that could fail
    made = tried(number)
    number += 1
    refused += made is None
    in_a_row = 0 if made is None else in_a_row + 1
    assert made is None or is_whole(made), number
print(refused)
"""


@pytest.mark.skipif(
    find_spec("_testcapi") is None,
    reason="THIS PYTHON HAS NO _testcapi: no allocation can fail",
)
def test_the_core_starts_whole_or_not_at_all() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, "PYTHONMALLOC": "malloc"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) > 100
