"""The core starts whole, or not at all, when Python lacks the memory for it.

CPython's own hooks let one allocation after the other fail, each in a process of its
own, in which the core then starts again: a failed start has damaged nothing.

CPython 3.13.0 to 3.13.5 damages itself where ``setdefault`` lacks the memory for a
larger dict: the dict counts an entry that it has not got, and what grows it next reads
beyond its entries (gh-109700). That happens while a type is filled, so ``_struct`` and
``array`` crash there as the core does. `SCRIPT` looks for the fault in a dict of its
own. Where it is, a few starts end in a crash, and the others are held to the rule.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from importlib.util import find_spec

import pytest

SCRIPT = """
import _imp
import os
import sys

import _testcapi

from fastbearer import _core

SECRET = "0123456789abcdef0123456789abcdef"
NAMES = {name for name in vars(_core) if name[0] != "_"}
WHOLE, REFUSED = 0, 10


def python_counts_what_is_not_there():
    full = dict.fromkeys("abcde")
    _testcapi.set_nomemory(0, 1)
    try:
        full.setdefault("f")
    except (MemoryError, SystemError):
        pass
    _testcapi.remove_mem_hooks()
    return "f" not in full and len(full) == 6


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
    assert made.algorithms == _core.algorithms
    return True


def outcome(number):
    made = tried(number)
    assert made is None or is_whole(made)
    assert is_whole(start())
    return REFUSED if made is None else WHOLE


def outcome_apart(number):
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = outcome(number)
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


is_faulty = python_counts_what_is_not_there()
number = refused = in_a_row = crashed = 0
while in_a_row < 30:  # then there are no more allocations that could fail
    code = outcome_apart(number)
    crashed += code < 0
    assert code in (WHOLE, REFUSED) or (is_faulty and code < 0), (number, code)
    refused += code == REFUSED
    in_a_row = in_a_row + 1 if code == WHOLE else 0
    number += 1
print(refused, crashed)
"""

ALLOCATOR = "default" if sysconfig.get_config_var("Py_GIL_DISABLED") else "malloc"

MOST_CRASHES = 8
"""Of some six hundred starts, where CPython damages itself; five were seen."""


@pytest.mark.slow
@pytest.mark.skipif(
    find_spec("_testcapi") is None,
    reason="THIS PYTHON HAS NO _testcapi: no allocation can fail",
)
def test_the_core_starts_whole_or_not_at_all() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, "PYTHONMALLOC": ALLOCATOR},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    refused, crashed = map(int, done.stdout.split())
    assert refused > 100
    assert crashed <= MOST_CRASHES
