"""What the commands print of users and invitations: one line for each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse

    from fastbearer.accounts import Invitation, User

__all__ = ["described", "show", "shown", "told"]


def described(user: User) -> dict[str, Any]:
    """Return what is shown of a user."""
    return {
        "id": user.id,
        "email": user.email,
        "username": user.username,
        "phone": user.phone,
        "name": user.name,
        "roles": list(user.roles),
        "is_active": user.is_active,
        "email_verified": user.email_verified,
        "has_password": bool(user.password_hash),
    }


def told(invitation: Invitation) -> dict[str, Any]:
    """Return what is shown of an invitation."""
    used_at = invitation.used_at
    return {
        "id": invitation.id,
        "email": invitation.email,
        "roles": list(invitation.roles),
        "invited_by": invitation.invited_by,
        "expires_at": invitation.expires_at.isoformat(timespec="seconds"),
        "used_at": None if used_at is None else used_at.isoformat(timespec="seconds"),
    }


def show(values: dict[str, Any], options: argparse.Namespace) -> None:
    """Print what is to be shown in a line: as JSON, or for a person."""
    if options.json:
        print(json.dumps(values), flush=True)
        return
    columns = []
    for name, value in values.items():
        text = ",".join(value) if isinstance(value, list) else value
        if isinstance(text, bool):
            text = f"{name}={'yes' if text else 'no'}"
        columns.append("-" if text in (None, "") else shown(text))
    print("\t".join(columns), flush=True)


def shown(text: str) -> str:
    """Return a string that no terminal obeys, in one line."""
    marks = (one if one.isprintable() else ascii(one)[1:-1] for one in text)
    return "".join(marks).encode(errors="backslashreplace").decode()
