"""The programs of ``scripts/``, which have no suffix, as modules."""

from __future__ import annotations

import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from types import ModuleType

from project import ROOT


def script(name: str) -> ModuleType:
    """Return a Python program of ``scripts/`` as a module."""
    loader = SourceFileLoader(name.replace("-", "_"), str(ROOT / "scripts" / name))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    sys.modules[loader.name] = module  # a dataclass asks for its module there
    loader.exec_module(module)
    return module
