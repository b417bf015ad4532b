"""Why a request was refused: one line in the log, for whoever runs the service.

    token refused: <code>: <reason>[ (<claim>)][; <hint>]

Nothing of a token is in it, and no character of anybody's choice: codes, reasons and
hints are ours, and the claims named are those that somebody has configured.
"""

from __future__ import annotations

import logging
import re

from fastbearer.errors import FastbearerError

__all__ = ["log_refusal", "log_token_error"]

logger: logging.Logger = logging.getLogger("fastbearer")

FIT = re.compile(r"[\x21-\x7e]{1,80}")
"""What may be in the line: the name of a claim may come from somebody's verifier."""


def log_token_error(
    error: FastbearerError, hint: str | None = None, what: str = "token"
) -> None:
    """Write the line of a token that was not accepted.

    Args:
        error: Why.
        hint: What may help to find the cause.
        what: What was refused.
    """
    claim = getattr(error, "claim", None)
    log_refusal(error.code, error.reason, claim, hint, what)


def log_refusal(
    code: str,
    reason: str | None = None,
    claim: str | None = None,
    hint: str | None = None,
    what: str = "token",
) -> None:
    """Write the line of a refusal; each part is an attribute of the record as well.

    Args:
        code: Of what kind it is: an error's ``code``, or that of RFC 6750 3.1.
        reason: The one rule that was broken.
        claim: The claim that is meant.
        hint: What may help to find the cause; in words of ours.
        what: What was refused.
    """
    code, reason, claim = _fit(code) or "unknown", _fit(reason), _fit(claim)
    line = code if reason is None else f"{code}: {reason}"
    if claim is not None:
        line += f" ({claim})"
    if hint is not None:
        line += f"; {hint}"
    parts = {"code": code, "reason": reason, "claim": claim, "hint": hint}
    logger.warning("%s refused: %s", what, line, extra=parts)


def _fit(text: object) -> str | None:
    return text if isinstance(text, str) and FIT.fullmatch(text) else None
