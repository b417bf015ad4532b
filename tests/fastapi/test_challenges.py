"""From an error to its response: one table."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRouter
from starlette.testclient import TestClient

from fastbearer import errors
from fastbearer.errors import FastbearerError
from fastbearer.fastapi.challenges import ANSWERS, answer_to
from fastbearer.fastapi.strict_routes import StrictRoute

CHALLENGE = 'Bearer realm="fastbearer", error="invalid_token", error_description="{}"'

RESPONSES = [
    (errors.TokenError("x"), 401, "Invalid token", None),
    (errors.InvalidSignatureError("x"), 401, "Invalid token", None),
    (errors.InvalidAudienceError("x", "aud"), 401, "Invalid token", None),
    (
        *(errors.ExpiredTokenError("x", "exp"), 401),
        *("Token has expired. Please sign in again.", None),
    ),
    (
        *(errors.RevokedTokenError("x"), 401),
        *("Token has been revoked. Please sign in again.", None),
    ),
    (
        *(errors.KeySourceError("x", 29.2), 503),
        *("Keys cannot be fetched at the moment. Please try again.", "30"),
    ),
    (
        *(errors.StoreUnavailableError("x"), 503),
        *("The service cannot reach its store. Please try again.", "1"),
    ),
    (
        *(errors.HasherBusyError("x"), 503),
        *("Too many passwords are being checked. Please try again.", "1"),
    ),
    (errors.PasswordRuleError("Password is poor"), 400, "Password is poor", None),
    (
        *(errors.TooManyAttemptsError("x", 12.5), 429),
        *("Too many attempts. Please try again later.", "13"),
    ),
]


@pytest.mark.parametrize(("error", "status", "detail", "wait"), RESPONSES)
def test_each_error_has_its_response(
    error: FastbearerError, status: int, detail: str, wait: str | None
) -> None:
    answer = answer_to(error)
    assert (answer.status_code, answer.detail) == (status, detail)
    expected = {}
    if status == 401:
        expected["WWW-Authenticate"] = CHALLENGE.format(detail)
    if wait is not None:
        expected["Retry-After"] = wait
    assert (answer.headers or {}) == expected


@pytest.mark.parametrize(("error", "status", "detail", "wait"), RESPONSES)
def test_a_strict_route_asks_the_table(
    error: FastbearerError, status: int, detail: str, wait: str | None
) -> None:
    router = APIRouter(route_class=StrictRoute)

    @router.get("/")
    async def fail() -> None:
        raise error

    app = FastAPI()
    app.include_router(router)
    response = TestClient(app).get("/")
    assert (response.status_code, response.json()) == (status, {"detail": detail})
    assert response.headers.get("retry-after") == wait


def test_a_text_of_ones_own() -> None:
    answer = answer_to(errors.StoreUnavailableError("x"), "Another text")
    assert answer.detail == "Another text"
    assert answer.headers == {"Retry-After": "1"}


@pytest.mark.parametrize(
    "error", [errors.ConfigurationError("x"), errors.InvalidKeyError("x")]
)
def test_a_mistake_of_the_server_is_no_answer(error: FastbearerError) -> None:
    with pytest.raises(type(error)) as raised:
        answer_to(error)
    assert raised.value is error


def test_the_table_has_every_error_that_a_request_can_cause() -> None:
    """What is not in it stays a 500: a mistake in code or settings."""
    every = {getattr(errors, name) for name in errors.__all__}
    without = {one for one in every if not issubclass(one, tuple(ANSWERS))}
    assert {one.__name__ for one in without} == {
        *("FastbearerError", "ConfigurationError", "InvalidKeyError"),
        *("PasswordError", "InvalidHashError", "PasswordTooLongError"),
    }
