"""Every entry point of the core, as its stub and its public names list them.

Whoever tries them all asks here what there is, so that a new one cannot be forgotten.
"""

from __future__ import annotations

import ast
import inspect
import types

import fastbearer
from fastbearer import PasswordHash, _core, jws
from fastbearer.keys import KeySet
from project import ROOT

STUB = ROOT / "python" / "fastbearer" / "_core.pyi"

NEVER_CALLED = {"Key"}
"""Classes whose constructor only says how one is made."""


def of_stub() -> list[str]:
    """Return the functions, constructors, methods and properties of `_core.pyi`."""
    found = []
    for node in ast.parse(STUB.read_text()).body:
        if isinstance(node, ast.FunctionDef):
            found.append(node.name)
        elif isinstance(node, ast.ClassDef):
            names = [one.name for one in node.body if isinstance(one, ast.FunctionDef)]
            found.append(node.name)
            found += [f"{node.name}.{name}" for name in names if name != "__new__"]
    return sorted(found)


def of_module() -> list[str]:
    """Return what the compiled module has, under the same names."""
    found = []
    for name, value in vars(_core).items():
        if isinstance(value, type):
            found.append(name)
            found += [
                f"{name}.{one}"
                for one in vars(value)
                if not one.startswith("_") or one in ("__copy__", "__deepcopy__")
            ]
        elif callable(value) and not name.startswith("_"):
            found.append(name)
    return sorted(found)


def of_class(kind: type) -> list[str]:
    """Return a class of Python, and what it lets one call at once."""
    public = [
        name
        for name, value in inspect.getmembers_static(kind)
        if not name.startswith("_")
        and not inspect.iscoroutinefunction(inspect.unwrap(getattr(kind, name)))
        and not isinstance(value, types.MemberDescriptorType)
    ]
    return [kind.__name__, *(f"{kind.__name__}.{name}" for name in public)]


def of_python() -> list[str]:
    """Return the functions and classes of Python that stand on the core alone."""
    functions = [
        name
        for name in fastbearer.__all__
        if inspect.isfunction(getattr(fastbearer, name))
    ]
    return sorted(
        [
            *functions,
            *(f"jws.{name}" for name in jws.__all__),
            *of_class(KeySet),
            *of_class(PasswordHash),
        ]
    )


def entry_points() -> list[str]:
    return [*of_stub(), *of_python()]
