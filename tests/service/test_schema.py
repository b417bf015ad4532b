"""schemathesis walks through the OpenAPI document as a signed-in user.

Each request has a user, a task and codes of its own, so that valid data gets
somewhere whatever the requests before it have ended. The document's entry for
"any other refusal" is taken out first: what it does not name is undocumented.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.config import GenerationConfig, ProjectConfig, ProjectsConfig
from schemathesis.config import SchemathesisConfig as Config
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from accounts_kit import PASSWORD, bearer, http, make_service, post, sign_up
from asgi import running
from fastbearer.accounts import Message
from waiting import wait_until

pytestmark = pytest.mark.http

EXAMPLES = 25
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
outbox: list[Message] = []


class Real(NamedTuple):
    """What a request needs to get somewhere."""

    token: str
    ids: dict[str, str]
    fields: dict[str, str]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    app = make_service(
        tmp_path_factory.mktemp("schema") / "a.db",
        send=outbox.append,
        refresh_tokens=True,
        revocation="memory",
        email_verification=True,
    )
    with running(app) as url:
        yield url


@pytest.fixture(scope="module")
def document(service: str) -> dict[str, Any]:
    """The OpenAPI document, without its answers "default"."""
    found: dict[str, Any] = http.get(f"{service}/openapi.json").json()
    for path in found["paths"].values():
        for operation in path.values():
            operation["responses"].pop("default", None)
    return found


def code_for(email: str, purpose: str) -> str:
    def found() -> list[str]:
        wanted = (email, purpose)
        return [one.code for one in outbox if (one.to, one.purpose) == wanted]

    wait_until(found)
    return found()[0]


def real(url: str, path: str) -> Real:
    """Make a user, a task and what else the path wants."""
    email = f"{uuid4().hex}@example.com"
    data = sign_up(url, email=email).json()["data"]
    user_id, token = data["user"]["id"], data["token"]
    task = http.post(
        f"{url}/{user_id}/tasks", json={"title": "t"}, headers=bearer(token)
    )
    purpose = "verify_email"
    if path.endswith("reset-password"):
        purpose = "reset_password"
        post(url, "forgot-password", email=email)
    outbox_code = code_for(email, purpose)
    outbox.clear()
    new = f"new-{uuid4().hex}@example.com"
    fields = {
        "email": new if path.endswith("signup") else email,
        "password": PASSWORD,
        "current_password": PASSWORD,
        "new_password": "another horse battery",
        "refresh_token": data["refresh_token"],
        "code": outbox_code,
    }
    ids = {"user_id": user_id, "task_id": task.json()["data"]["id"]}
    return Real(token, ids, fields)


def operations(document: dict[str, Any]) -> Iterator[Any]:
    generation = GenerationConfig(with_security_parameters=False)
    project = ProjectConfig(generation=generation)
    config = Config(projects=ProjectsConfig(default=project))
    schema = schemathesis.openapi.from_dict(document, config=config)
    for found in schema.get_all_operations():
        yield found.ok()


def walk(url: str, operation: Any, mode: GenerationMode) -> Counter[str]:
    """Send what schemathesis makes; count the answers by their first digit."""
    answers: Counter[str] = Counter()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), is_real=st.booleans())
    def send(case: Any, is_real: bool) -> None:
        known = real(url, operation.path)
        if mode is GenerationMode.POSITIVE or is_real:
            for name in set(case.path_parameters or {}) & set(known.ids):
                case.path_parameters[name] = known.ids[name]
        if mode is GenerationMode.POSITIVE and isinstance(case.body, dict):
            case.body.update(
                (name, known.fields[name])
                for name in set(case.body) & set(known.fields)
            )
        response = case.call(base_url=url, headers=bearer(known.token))
        case.validate_response(response, checks=CHECKS)
        answers[f"{response.status_code}"] += 1

    send()
    return answers


def test_every_answer_is_documented(service: str, document: dict[str, Any]) -> None:
    valid: Counter[str] = Counter()
    for operation in operations(document):
        found = walk(service, operation, GenerationMode.POSITIVE)
        valid += found
        print(operation.label, dict(found))
        assert found.total() > 0, operation.label
    good = sum(count for status, count in valid.items() if status.startswith("2"))
    print(f"{good} of {valid.total()} answers to valid data are 2xx")
    assert good >= valid.total() / 2, valid


def test_every_refusal_is_documented(service: str, document: dict[str, Any]) -> None:
    asked = 0
    for operation in operations(document):
        if operation.body or operation.query or operation.path_parameters:
            found = walk(service, operation, GenerationMode.NEGATIVE)
            print(operation.label, dict(found))
            asked += found.total()
    assert asked > 0
