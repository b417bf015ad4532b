"""The public names and signatures, beside the snapshot that was agreed on.

After a change that is meant, from the root of the project::

    .venv/bin/python tests/project/test_public_names.py \
        > tests/project/public_names.txt
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterator
from functools import cache, cached_property
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Protocol

from pydantic import BaseModel

import fastbearer

SNAPSHOT = Path(__file__).with_name("public_names.txt")
MODULES = [
    "fastbearer",
    "fastbearer.jws",
    "fastbearer.jwks",
    "fastbearer.issuers",
    "fastbearer.issuers.cloud_profiles",
    "fastbearer.issuers.profiles",
    "fastbearer.issuers.server_profiles",
    "fastbearer.errors",
    "fastbearer.hash_verifiers",
    "fastbearer.revocation",
    "fastbearer.testing",
    "fastbearer.fastapi",
    "fastbearer.mcp",
    "fastbearer.mcp.fastmcp",
    "fastbearer.accounts",
    "fastbearer.app",
    "fastbearer.better_auth",
    "fastbearer.better_auth.sql",
    "fastbearer.better_auth.redis",
    "fastbearer.better_auth.api_keys",
    "fastbearer.better_auth.api_keys.sql",
    "fastbearer.better_auth.api_keys.redis",
    "fastbearer.compat.jose",
    "fastbearer.compat.jose.jwt",
    "fastbearer.compat.jose.jws",
    "fastbearer.compat.jose.jwk",
    "fastbearer.compat.jwt",
    "fastbearer.compat.jwt.algorithms",
    "fastbearer.compat.jwt.exceptions",
    "fastbearer.compat.passlib.context",
    "fastbearer.compat.pwdlib",
]
OWN = "fastbearer"


def snapshot() -> str:
    return "\n".join(line for name in MODULES for line in lines(name)) + "\n"


def lines(module_name: str) -> Iterator[str]:
    module = import_module(module_name)
    yield f"# {module_name}"
    for name in sorted(module.__all__):
        yield from describe(name, getattr(module, name))
    yield ""


def describe(name: str, value: object) -> Iterator[str]:
    """Yield the line of one name, and those of a class's members."""
    if isinstance(value, ModuleType):
        yield f"module {name}"
    elif isinstance(value, type) and value.__module__.startswith(OWN):
        yield from describe_class(name, value)
    elif callable(value) and inspect.isroutine(value):
        yield f"{name}{signature(value)}"
    else:
        kind = type(value)
        own = kind.__module__.startswith(OWN)
        yield f"{name}: {kind.__qualname__}" if own else name


def describe_class(name: str, cls: type) -> Iterator[str]:
    bases = ", ".join(base.__name__ for base in cls.__bases__ if base is not object)
    heading = f"class {name} <- {bases}:" if bases else f"class {name}:"
    if issubclass(cls, Exception) and hasattr(cls, "code"):
        yield f"{heading} code {cls.code}"
    elif hasattr(cls, "__total__"):  # a TypedDict
        yield heading
        yield from (f"    {key}" for key in sorted(cls.__annotations__))
    elif issubclass(cls, Exception):
        yield heading
    elif issubclass(cls, BaseModel):
        yield heading
        yield from describe_fields(cls)
        yield from describe_members(cls)
    else:
        # Neither of these is made by a call of its class.
        uncalled = cls is fastbearer.Key or Protocol in cls.__bases__
        yield heading if uncalled else f"{heading} {signature(cls)}"
        yield from describe_members(cls)


def describe_fields(cls: type[BaseModel]) -> Iterator[str]:
    for name, field in cls.model_fields.items():
        known = not (field.is_required() or field.default_factory)
        yield f"    {name} = {field.default!r}" if known else f"    {name}"


def members_of(cls: type) -> dict[str, object]:
    """Return those of a class, and of the plain classes of ours that it is made of."""
    found: dict[str, object] = {}
    for base in reversed(cls.__mro__):
        is_part = base.__module__.startswith(OWN) and base.__bases__ == (object,)
        if base is cls or (is_part and base.__name__ not in exported()):
            found.update(vars(base))
    return found


@cache
def exported() -> set[str]:
    return {name for module in MODULES for name in import_module(module).__all__}


def describe_members(cls: type) -> Iterator[str]:
    fields = getattr(cls, "model_fields", {})
    for name, value in sorted(members_of(cls).items()):
        if name.startswith(("_", "model_")) or name in fields:
            continue
        bound = getattr(cls, name)
        if isinstance(value, cached_property) or not inspect.isroutine(bound):
            yield f"    {name}"
        else:
            mark = (
                "async " if inspect.iscoroutinefunction(inspect.unwrap(bound)) else ""
            )
            yield f"    {mark}{name}{signature(bound)}"


def signature(value: Callable[..., object]) -> str:
    """Return names and defaults; the annotations are mypy's business."""
    whole = inspect.signature(value)
    bare = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for parameter in whole.parameters.values()
    ]
    text = str(inspect.Signature(bare))
    return re.sub(r"<([\w.]+) object at 0x[0-9a-f]+>", r"<\1>", text)


def alike(text: str) -> str:
    """Return a snapshot as every Python has it.

    Before 3.13, inspect reads a tuple of one in a signature of C as what is in it.
    """
    return text.replace("=('exp',)", "='exp'")


def test_the_public_names_are_those_of_the_snapshot() -> None:
    assert alike(snapshot()) == alike(SNAPSHOT.read_text())


if __name__ == "__main__":
    sys.stdout.write(snapshot())
