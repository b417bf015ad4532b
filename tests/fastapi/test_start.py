"""What stops a start is said in one line, once, before the server's traceback."""

from __future__ import annotations

import logging

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from fastbearer.accounts import Accounts
from fastbearer.errors import ConfigurationError
from fastbearer.fastapi import Auth
from fastbearer.fastapi.start import told_start


def with_auth() -> FastAPI:
    return FastAPI(lifespan=Auth().lifespan)


def with_accounts() -> FastAPI:
    app = FastAPI()
    app.include_router(Accounts(Auth()).router)
    return app


@pytest.mark.parametrize("make_app", [with_auth, with_accounts])
def test_a_missing_secret_is_one_line(
    make_app: object, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("BETTER_AUTH_SECRET", "AUTH_SECRET"):
        monkeypatch.delenv(name, raising=False)
    assert callable(make_app)
    with (
        pytest.raises(ConfigurationError) as caught,
        TestClient(make_app()),
    ):
        pytest.fail("it has started")
    told = [one for one in caplog.records if one.levelno == logging.ERROR]
    assert [one.getMessage() for one in told] == [f"cannot start: {caught.value}"]
    assert told[0].exc_info is None
    assert told[0].name == "fastbearer"


def test_one_start_within_another_is_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with pytest.raises(ConfigurationError), told_start(), told_start():
        raise ConfigurationError("a reason")
    assert caplog.messages == ["cannot start: a reason"]


def test_what_else_goes_wrong_is_not_told_here(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with pytest.raises(ValueError, match="other"), told_start():
        raise ValueError("other")
    assert caplog.messages == []
