"""What is written to users is written after the answer, which tells nothing of it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from account_desk import Desk, at_the_desk
from accounts_kit import EMAIL, PASSWORD, rows
from fastbearer.accounts.flows import outbox

FREE = "free@example.com"
OFF = "off@example.com"
BOB = "bob@example.com"
LANGUAGES = {"Accept-Language": "de-CH, de;q=0.9, en;q=0.8"}
PARTS = ("normalize_email", "languages_of", "Message")
"""Of what a message is made, in the module of the outbox."""


async def registered(desk: Desk, folder: Path) -> None:
    """Let three sign up: one is switched off, the last one stays signed in."""
    for email in (EMAIL, OFF, BOB):
        await desk.sign_up(email)
    query = "UPDATE fastbearer_user SET is_active = 0 WHERE email = ?"
    await asyncio.to_thread(rows, folder / "a.db", query, OFF)


def watched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that gets the name of each part of a message that is made."""
    made: list[str] = []

    def noting(name: str, work: Any) -> Any:
        def note(*args: Any, **named: Any) -> Any:
            made.append(name)
            return work(*args, **named)

        return note

    for name in PARTS:
        monkeypatch.setattr(outbox, name, noting(name, getattr(outbox, name)))
    return made


ASKED: dict[str, tuple[str, list[dict[str, str]]]] = {
    "a new password": (
        "forgot-password",
        [{"email": one} for one in (EMAIL, FREE, OFF)],
    ),
    "another code": (
        "resend-verification",
        [{"email": one} for one in (EMAIL, FREE, OFF)],
    ),
    "another e-mail": (
        "change-email",
        [{"new_email": one, "password": PASSWORD} for one in (EMAIL, FREE, OFF)],
    ),
    "a code": ("request-verification", [{}]),
}


@pytest.mark.parametrize("asked", ASKED.values(), ids=list(ASKED))
def test_attack_who_is_registered_by_the_work_of_a_message(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    asked: tuple[str, list[dict[str, str]]],
) -> None:
    """Before the answer no part of a message is made, for nobody and for somebody."""
    path, bodies = asked

    async def tried(desk: Desk) -> None:
        await registered(desk, tmp_path)
        made = watched(monkeypatch)
        monkeypatch.setattr(  # what comes after the answer: here, never
            "fastbearer.fastapi.strict_routes._set_later", lambda *args: None
        )
        for body in bodies:
            answer = await desk.ask("POST", path, headers=LANGUAGES, **body)
            assert answer.status_code == 202
            assert made == []

    at_the_desk(tried, tmp_path / "a.db")


def test_a_message_is_made_after_the_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has all that is known of the request."""

    async def tried(desk: Desk) -> None:
        await registered(desk, tmp_path)
        desk.outbox.clear()
        made = watched(monkeypatch)
        body = {"email": EMAIL}
        await desk.ask("POST", "forgot-password", headers=LANGUAGES, **body)
        assert sorted(made) == sorted(PARTS)
        (message,) = desk.outbox
        assert (message.to, message.languages) == (EMAIL, ("de-CH", "de", "en"))
        assert message.address == "127.0.0.1"

    at_the_desk(tried, tmp_path / "a.db")
