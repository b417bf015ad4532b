"""The page of the routes, from the OpenAPI document of the service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fastbearer.accounts import Accounts
from fastbearer.app import create_app
from fastbearer.fastapi import Auth, Settings
from reference.markdown import code, entry, one_line, page, text_of

INTRODUCTION = """\
# Routes

These are the routes of `fastbearer serve`; those under `/api/auth` are what
`app.include_router(accounts.router)` adds to an application of yours, those of
tasks and health belong to the service alone. A request body is JSON unless
something else is said, and every refusal has a text for people at `detail`. The
service shows the same as OpenAPI at `/docs`.
"""
HEADINGS = {
    "accounts": "## Accounts\n\nFrom `accounts.router`.",
    "password form": "## The password form of OAuth 2.0\n\nWith `password_form=True`.",
    "tasks": "## Tasks\n\nOf the service that `fastbearer serve` starts.",
    "health": "## Health\n\nOf the service that `fastbearer serve` starts.",
    "fastapi-users": (
        "## In the layout of fastapi-users\n\n"
        'With `Accounts(layout="fastapi-users")`, in place of those under `/api/auth`.'
    ),
}
SECRET = "of the documentation, which signs nothing"
WORDS = {201: "Created", 202: "Accepted", 204: "Done, without a body", 200: "Done"}

Schema = Mapping[str, Any]


class Document:
    """An OpenAPI document.

    Args:
        options: Of the accounts.
    """

    def __init__(self, **options: Any) -> None:
        auth = Auth(Settings(better_auth_secret=SECRET))
        service = create_app(auth, accounts=Accounts(auth, **options))
        self._whole = service.openapi()

    def operations(self) -> Iterator[tuple[str, str, Schema]]:
        """Yield method, path and what is said of each operation."""
        for path, methods in self._whole["paths"].items():
            for method, operation in methods.items():
                yield method.upper(), path, operation

    def resolved(self, schema: Schema) -> Schema:
        """Return what a reference leads to, or the schema itself."""
        for one in (schema, *schema.get("anyOf", ())):
            if "$ref" in one:
                name = one["$ref"].rpartition("/")[2]
                found: Schema = self._whole["components"]["schemas"][name]
                return found
        return schema

    def kind(self, schema: Schema) -> str:
        """Return the type of a value."""
        options = schema.get("anyOf") or [schema]
        return " or ".join(dict.fromkeys(self._plain_kind(one) for one in options))

    def _plain_kind(self, schema: Schema) -> str:
        if "$ref" in schema:
            return str(schema["$ref"].rpartition("/")[2])
        if "const" in schema:
            return str(schema["const"]).lower()
        if "enum" in schema:
            return " or ".join(str(one) for one in schema["enum"])
        if schema.get("type") == "array":
            return f"list of {self.kind(schema['items'])}"
        return str(schema.get("type", "anything"))

    def fields(self, schema: Schema) -> list[str]:
        """Return a line about each field of an object."""
        known = self.resolved(schema)
        needed = known.get("required", ())
        lines = []
        for name, field in known.get("properties", {}).items():
            notes = [self.kind(field)]
            if name not in needed:
                notes.append("may be left out")
            lines.append(entry(name, notes, field.get("description", "")))
        return lines

    def parameters(self, operation: Schema) -> list[str]:
        """Return a line about each parameter of the path and the query."""
        lines = []
        for one in operation.get("parameters", ()):
            notes = [f"in the {one['in']}", self.kind(one["schema"])]
            lines.append(entry(one["name"], notes, one.get("description", "")))
        return lines

    def body(self, operation: Schema) -> tuple[str, list[str]]:
        """Return what the body is called, and a line about each of its fields."""
        content = operation.get("requestBody", {}).get("content", {})
        for media_type, one in content.items():
            fields = self.fields(one["schema"])
            is_json = media_type == "application/json"
            return "Body:" if is_json else f"Body ({code(media_type)}):", fields
        return "", []

    def responses(self, operation: Schema) -> list[str]:
        """Return a line about each status."""
        lines = []
        for status, one in operation["responses"].items():
            if status == "default":
                continue
            text = one["description"]
            if text == "Successful Response":
                schema = (
                    one.get("content", {}).get("application/json", {}).get("schema")
                )
                about = self.resolved(schema).get("description") if schema else None
                text = about or WORDS[int(status)]
            lines.append(f"- {status}: {one_line(text).rstrip('.')}")
        return lines

    def section(self, method: str, path: str, operation: Schema) -> str:
        """Return what is said of one operation."""
        title, fields = self.body(operation)
        parameters = self.parameters(operation)
        return page(
            f"### {method} {path}",
            text_of(operation.get("description", "")),
            "Needs a token." if operation.get("security") else "",
            "Parameters:" if parameters else "",
            "\n".join(parameters),
            title if fields else "",
            "\n".join(fields),
            "Responses:",
            "\n".join(self.responses(operation)),
        )


def routes_page() -> str:
    """Return the page."""
    plain = Document()
    with_form = Document(password_form=True)
    as_fastapi_users = Document(layout="fastapi-users")
    sections: dict[str, list[str]] = {heading: [] for heading in HEADINGS}
    shown = set()
    for document, group in (
        (plain, ""),
        (with_form, "password form"),
        (as_fastapi_users, "fastapi-users"),
    ):
        for method, path, operation in document.operations():
            if (method, path) not in shown:
                shown.add((method, path))
                heading = group or operation["tags"][0]
                text = document.section(method, path, operation)
                sections[heading].append(text)
    parts = [INTRODUCTION]
    for heading, texts in sections.items():
        parts += [HEADINGS[heading], *texts]
    return page(*parts)
