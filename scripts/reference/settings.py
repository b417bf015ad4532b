"""The page of the settings, from the fields of `Settings`."""

from __future__ import annotations

import ast
import inspect
import itertools

from pydantic import AliasChoices, SecretStr
from pydantic.fields import FieldInfo

from fastbearer.fastapi import Settings
from fastbearer.fastapi.token_settings import as_variable
from reference.markdown import code, page, text_of

INTRODUCTION = """\
# Settings

Each setting is read from the environment variable of its name; `Settings(...)`
takes the same name in lower case as a keyword argument, which wins. An empty
variable counts as unset, and no `.env` file is read unless the command line is told
to. A setting that breaks its rule stops the start, with a message that names it and
shows no value. `fastbearer doctor` looks at the settings in force.
"""

GROUPS = {
    "Secrets": ("better_auth_secret", "allow_short"),
    "Tokens": ("jwt_", "jwks_", "better_auth_url"),
    "Opaque tokens": ("introspection_",),
    "Databases and Redis": ("database_", "better_auth_database", "redis_"),
    "Passwords": ("password_", "site_name", "better_auth_upgrade"),
    "Sign-up and codes": ("sign_up", "email_", "require_", "code_"),
    "Messages": ("smtp_", "mail_"),
    "Sessions": ("revocation", "refresh_"),
    "Limits and proxies": ("throttle", "trusted_proxies", "forwarded_"),
    "Cookies": ("auth_cookie", "cookie_", "trusted_origins", "requests_", "token_"),
    "Resource metadata": ("resource_",),
    "Proofs of possession": ("dpop", "bound_"),
    "The service": ("api_docs",),
}
"""Heading -> how the names of its settings begin; the longest beginning counts."""


def docstrings() -> dict[str, str]:
    """Return the text after each field, of the class and of its bases."""
    found: dict[str, str] = {}
    for owner in reversed(Settings.__mro__):
        if owner.__module__.startswith("fastbearer"):
            for tree in ast.parse(inspect.getsource(owner)).body:
                found |= texts_after_fields(tree)
    return found


def texts_after_fields(tree: ast.stmt) -> dict[str, str]:
    """Return field -> the text that stands after it."""
    found = {}
    body = tree.body if isinstance(tree, ast.ClassDef) else []
    for field, after in itertools.pairwise(body):
        is_text = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
        if isinstance(field, ast.AnnAssign) and is_text:
            found[ast.unparse(field.target)] = inspect.cleandoc(
                ast.literal_eval(after.value)
            )
    return found


def group_of(name: str) -> str:
    """Return the heading under which a setting stands.

    Raises:
        LookupError: There is none; ``GROUPS`` lacks one.
    """
    fitting = [
        (len(start), heading)
        for heading, starts in GROUPS.items()
        for start in starts
        if name.startswith(start)
    ]
    if not fitting:
        raise LookupError(f"scripts/reference/settings.py: no group has {name}")
    return max(fitting)[1]


def default_of(field: FieldInfo) -> str:
    """Return the default as a variable would have it."""
    value = field.default
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    return "not set" if value in (None, "") else code(as_variable(field, value))


def section(name: str, field: FieldInfo, text: str) -> str:
    """Return what is said of one setting."""
    alias = field.validation_alias
    others = alias.choices[1:] if isinstance(alias, AliasChoices) else []
    facts = [f"must be {field.description}", f"default: {default_of(field)}"]
    facts += [f"also read from {code(str(other).upper())}" for other in others]
    said = "; ".join(facts)
    return f"### {name.upper()}\n\n{text_of(text)}\n\n{said[0].upper()}{said[1:]}."


def settings_page() -> str:
    """Return the page."""
    texts = docstrings()
    groups: dict[str, list[str]] = {heading: [] for heading in GROUPS}
    for name, field in Settings.model_fields.items():
        groups[group_of(name)].append(section(name, field, texts[name]))
    parts = [INTRODUCTION]
    for heading, sections in groups.items():
        parts += [f"## {heading}", *sections]
    return page(*parts)
