"""A page for each public module, from its docstrings, annotations and stubs."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import griffe

from reference.markdown import code, entry, page, text_of

SOURCES = Path(__file__).resolve().parents[2] / "python"
WIDTH = 88

MODULES = {
    "fastbearer": "keys, tokens and password hashes: the core",
    "fastbearer.fastapi": "dependencies, middleware and settings",
    "fastbearer.accounts": "users, sign-up and sign-in",
    "fastbearer.better_auth": "what a Better Auth server signs and stores",
    "fastbearer.better_auth.sql": "its sessions in a database",
    "fastbearer.better_auth.redis": "its sessions in Redis",
    "fastbearer.better_auth.api_keys": "its API keys",
    "fastbearer.issuers": "who issues tokens",
    "fastbearer.jwks": "keys from a URL",
    "fastbearer.jws": "signatures without claims",
    "fastbearer.revocation": "which tokens have ended",
    "fastbearer.hash_verifiers": "password formats of your own",
    "fastbearer.mcp": "a verifier for the SDK of MCP",
    "fastbearer.mcp.fastmcp": "a verifier for fastmcp",
    "fastbearer.testing": "tokens and clocks for your tests",
    "fastbearer.app": "the service of `fastbearer serve`",
}
"""Module -> what is in it. The errors have a page of their own."""

TITLES = {
    "parameters": "Arguments:",
    "other parameters": "Arguments:",
    "attributes": "Attributes:",
    "returns": "Returns:",
    "yields": "Yields:",
    "raises": "Raises:",
}


def loaded() -> Any:
    """Return the package as it is written, without importing it."""
    logging.getLogger("griffe").setLevel(logging.ERROR)
    return griffe.load(
        "fastbearer",
        search_paths=[SOURCES],
        allow_inspection=False,
        docstring_parser="google",
        resolve_aliases=True,
    )


def target(thing: Any) -> Any:
    """Return what a name stands for, wherever it was imported from."""
    return thing.final_target if thing.is_alias else thing


def shown_parameters(function: Any, *, is_bound: bool) -> list[str]:
    """Return the parameters as a call's definition has them."""
    found: list[str] = []
    star = False
    for index, one in enumerate(function.parameters):
        if is_bound and index == 0:
            continue
        kind = str(getattr(one.kind, "value", one.kind))
        mark = {"variadic positional": "*", "variadic keyword": "**"}.get(kind, "")
        if kind == "keyword-only" and not star:
            found.append("*")
            star = True
        star = star or mark == "*"
        text = f"{mark}{one.name}"
        if one.annotation is not None:
            text += f": {one.annotation}"
        if one.default is not None and not mark:
            text += f" = {one.default}" if one.annotation else f"={one.default}"
        found.append(text)
    return found


def signature(prefix: str, parameters: list[str], returns: str) -> str:
    """Return a definition, on one line where it fits."""
    line = f"{prefix}({', '.join(parameters)}){returns}"
    if len(line) <= WIDTH or not parameters:
        return line
    inner = "".join(f"    {one},\n" for one in parameters)
    return f"{prefix}(\n{inner}){returns}"


def function_signature(function: Any, name: str, *, is_bound: bool) -> str:
    """Return the definition of a function or a method."""
    mark = "async " if "async" in function.labels else ""
    returns = f" -> {function.returns}" if function.returns is not None else ""
    parameters = shown_parameters(function, is_bound=is_bound)
    return signature(f"{mark}{name}", parameters, returns)


def documented(thing: Any) -> str:
    """Return a docstring as Markdown, section by section."""
    if thing.docstring is None:
        return ""
    parts = []
    for section in thing.docstring.parse("google"):
        kind = section.kind.value
        if kind == "text":
            parts.append(text_of(section.value))
        elif kind in TITLES:
            lines = [described(one, kind) for one in section.value]
            parts += [TITLES[kind], "\n".join(lines)]
        elif kind == "examples":
            parts += [text_of(text) for _, text in section.value]
        elif kind == "admonition":
            parts.append(text_of(section.value.contents))
    return page(*parts) if parts else ""


def described(one: Any, kind: str) -> str:
    """Return a line of a docstring's list."""
    if kind in ("returns", "yields", "raises"):
        annotation = str(one.annotation or "")
        text = " ".join(one.description.split())
        return f"- {code(annotation)}: {text}" if annotation else f"- {text}"
    return entry(one.name, [], one.description)


def is_shown(member: Any) -> bool:
    """Tell whether a member of a class belongs to its page."""
    if member.name.startswith("_") or member.name == "model_config":
        return False
    try:
        found = target(member)
    except griffe.AliasResolutionError:
        return False
    return str(found.path).startswith("fastbearer.")


def members(cls: Any) -> Iterator[Any]:
    """Yield the public members of a class, in order, then those of its own bases."""
    yield from filter(is_shown, cls.members.values())
    if "Protocol" not in (str(base) for base in cls.bases):
        yield from filter(is_shown, cls.inherited_members.values())


def constructor(cls: Any) -> Any:
    """Return what makes an object of a class, or None."""
    for name in ("__init__", "__new__"):
        found = cls.all_members.get(name)
        if found is not None and str(target(found).path).startswith("fastbearer."):
            return target(found)
    return None


def class_section(name: str, cls: Any) -> str:
    """Return what is said of a class and its members."""
    made = constructor(cls)
    head = f"class {name}"
    if made is not None:
        head = signature(head, shown_parameters(made, is_bound=True), "")
    parts = [f"## {name}", f"```python\n{head}\n```", documented(cls)]
    is_error = name.endswith("Error")
    for member in () if is_error else members(cls):
        found = target(member)
        if found.is_function:
            is_bound = "staticmethod" not in found.labels
            shown = function_signature(found, found.name, is_bound=is_bound)
            parts.append(f"### {name}.{found.name}")
            parts += [f"```python\n{shown}\n```", documented(found)]
        elif found.is_attribute and found.docstring is not None:
            kind = f": {found.annotation}" if found.annotation is not None else ""
            parts.append(f"### {name}.{found.name}")
            parts += [f"```python\n{found.name}{kind}\n```", documented(found)]
    return page(*parts)


def name_section(name: str, found: Any) -> str:
    """Return what is said of a public name."""
    if found.is_class:
        return class_section(name, found)
    if found.is_function:
        shown = function_signature(found, name, is_bound=False)
        return page(f"## {name}", f"```python\n{shown}\n```", documented(found))
    kind = f": {found.annotation}" if getattr(found, "annotation", None) else ""
    text = documented(found) or of_object(found)
    return page(f"## {name}", f"```python\n{name}{kind}\n```", text)


def of_object(found: Any) -> str:
    """Return what a class says of the attribute that a name of a module stands for.

    ``verify_jwt_token = auth.verify_jwt_token`` is explained in `Auth`.
    """
    owner, _, attribute = str(found.value or "").partition(".")
    cls = found.module.members.get(owner.capitalize())
    if not attribute or cls is None or target(cls).docstring is None:
        return ""
    for section in target(cls).docstring.parse("google"):
        if section.kind.value == "attributes":
            for one in section.value:
                if one.name == attribute:
                    return f"`{owner}.{attribute}`: {' '.join(one.description.split())}"
    return f"`{owner}.{attribute}`, see [`{cls.name}`](#{cls.name.lower()})."


def module_page(package: Any, name: str) -> str:
    """Return the page of a module."""
    module = package
    for part in name.split(".")[1:]:
        module = module[part]
    sections = []
    for public in sorted(module.exports, key=lambda one: str(one).lower()):
        found = target(module[str(public)])
        is_error = str(found.path).startswith("fastbearer.errors.")
        if not is_error and not found.is_module:
            sections.append(name_section(str(public), found))
    return page(f"# {name}", documented(module), *sections)


def module_pages() -> dict[str, str]:
    """Return file -> page."""
    package = loaded()
    return {f"{name}.md": module_page(package, name) for name in MODULES}
