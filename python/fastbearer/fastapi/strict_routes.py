"""Strict JSON in, and refusals in our own words out.

FastAPI answers invalid input with 422 and repeats what was sent, a password
for example. Routes of this class answer 400 with one fixed message per field.
"""

import logging
import re
from asyncio import CancelledError
from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
    Coroutine,
    Hashable,
    Iterator,
    Mapping,
)
from contextlib import suppress
from math import isinf
from typing import Annotated, Any, ClassVar

from fastapi import HTTPException
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import AfterValidator, BaseModel
from pydantic_core import from_json
from starlette._utils import AwaitableOrContextManager
from starlette.background import BackgroundTask
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from fastbearer.errors import (
    FastbearerError,
    HasherBusyError,
    StoreUnavailableError,
)
from fastbearer.fastapi.bounded_routes import check_head
from fastbearer.fastapi.challenges import Answer, answer_to
from fastbearer.fastapi.dependencies import BearerDependency

__all__ = [
    "NulInBodyError",
    "Refusal",
    "StrictRoute",
    "Text",
    "WithoutNul",
    "after_answer",
    "keep_done",
    "on_outage",
    "owe",
    "refusals",
]

BODY = "Request body must be a JSON object in UTF-8 (Content-Type: application/json)"
FORM = "A form must be in UTF-8"
TYPE_BYTES = 1024
"""A media type has at most 255 characters (RFC 6838 4.2), a boundary 70."""
LONG_TYPE = f"The header Content-Type must have at most {TYPE_BYTES} bytes"
ENCODINGS = frozenset((b"utf-8", b"utf8", b"us-ascii"))
DOUBTFUL = re.compile(rb"\\u0000|[0-9][eE]|(?<![0-9])[0-9]{309}")
"""What a body has that has a NUL, or a number that overflows: few have any of it."""

BODY_BYTES = 1_048_576
BODY_TOO_LARGE = "Request body must be at most {} bytes"
UNNAMED = "Invalid request"
OF_VALIDATORS = ("value_error", "assertion_error")

logger: logging.Logger = logging.getLogger("fastbearer")


def _without_nul(text: str) -> str:
    """Refuse NUL, which PostgreSQL cannot store."""
    if "\0" in text:
        raise ValueError("NUL in a text")
    return text


WithoutNul: AfterValidator = AfterValidator(_without_nul)

Text = Annotated[str, WithoutNul]
"""A string that every database can store.

Lone surrogates, the other kind that cannot be stored, come neither through
the JSON reader below nor through the percent-decoding of a server.
"""


class NulInBodyError(HTTPException):
    """A string of a JSON body has NUL, which PostgreSQL cannot store.

    Attributes:
        invalid: The same as FastAPI says what is invalid.
    """

    def __init__(self, field: str) -> None:
        super().__init__(400, UNNAMED)
        told = {"type": "value_error", "loc": ("body", field), "msg": "NUL in a text"}
        self.invalid: RequestValidationError = RequestValidationError([told])


class StrictRequest(Request):
    """A request whose body is bounded, and read by a strict JSON reader.

    Attributes:
        body_bytes: The most that a body may have.
    """

    body_bytes: ClassVar[int] = BODY_BYTES

    async def stream(self) -> AsyncGenerator[bytes, None]:
        """Yield the body's chunks.

        Raises:
            HTTPException: 413 where they are too many bytes.
        """
        size = 0
        async for chunk in super().stream():
            size += len(chunk)
            if size > self.body_bytes:
                raise HTTPException(413, BODY_TOO_LARGE.format(self.body_bytes))
            yield chunk

    def form(self, **limits: Any) -> AwaitableOrContextManager[FormData]:
        """Return the parsed form, which has no files.

        Raises:
            HTTPException: 400 for another encoding than UTF-8: Python decodes some of
                them in quadratic time, and some to what cannot be stored. Or for a
                long header, whose parameters are parsed one by one.
        """
        media_type = self.headers.get("content-type", "")
        if len(media_type) > TYPE_BYTES:
            raise HTTPException(400, LONG_TYPE)
        # The parser that Starlette goes by: another one may see another charset.
        # Only accounts have forms, and the extra that it is in.
        from python_multipart.multipart import parse_options_header

        _, parameters = parse_options_header(media_type)
        if parameters.get(b"charset", b"utf-8").lower() not in ENCODINGS:
            raise HTTPException(400, FORM)
        return super().form(**{**limits, "max_files": 0})

    async def json(self) -> Any:
        """Return the parsed body: RFC 8259, in UTF-8, at most 200 levels deep.

        Raises:
            HTTPException: 400 for anything else; also for NaN, Infinity, a number
                that overflows to it, and lone surrogates.
            NulInBodyError: A string in it has NUL.
        """
        body = await self.body()
        try:
            read = from_json(body, allow_inf_nan=False)
        except ValueError:
            raise HTTPException(400, BODY) from None
        if DOUBTFUL.search(body):
            _check_values(read)
        return read


def _check_values(read: Any) -> None:
    """Refuse in parsed JSON what not every store can keep.

    Raises:
        HTTPException: 400 for a number that has overflowed.
        NulInBodyError: A string has NUL; the outermost key is named.
    """
    waiting: list[tuple[str, Any]] = [("", read)]
    while waiting:
        field, one = waiting.pop()
        if isinstance(one, dict):
            for key, value in one.items():
                waiting += [(field or key, key), (field or key, value)]
        elif isinstance(one, list):
            waiting += [(field, part) for part in one]
        elif isinstance(one, str) and "\0" in one:
            raise NulInBodyError(field)
        elif isinstance(one, float) and isinf(one):  # the reader refuses the word only
            raise HTTPException(400, BODY)


class StrictRoute(APIRoute):
    """A route that answers 400 where FastAPI would answer 422.

    Errors of ours that a handler raises become the responses of ``answer_to``.

    Attributes:
        texts: Field, or path or query parameter -> what to say when it is
            invalid. The first one that is invalid is named.
        answers: Class of an error -> the response, beside those of ``answer_to`` and
            before them.
        reader: Reads the body.
    """

    texts: ClassVar[Mapping[str, str]] = {}
    answers: ClassVar[Mapping[type[FastbearerError], Answer]] = {}
    reader: ClassVar[type[StrictRequest]] = StrictRequest

    def invalid(self, error: RequestValidationError) -> HTTPException:
        """Return the answer to invalid input."""
        return HTTPException(400, self._text(error))

    def refused(self, error: FastbearerError) -> HTTPException:
        """Return the answer to an error of ours."""
        return answer_to(error, answers=self.answers)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return FastAPI's handler, with our reader before and words after it."""
        handler = super().get_route_handler()

        async def strict_handler(request: Request) -> Response:
            try:
                check_head(request.scope)
                if self.body_field is not None:
                    await self._check_credentials(request)
                response = await handler(self.reader(request.scope, request.receive))
            except RequestValidationError as error:
                raise self.invalid(error) from None
            except NulInBodyError as error:
                raise self.invalid(error.invalid) from None
            except FastbearerError as error:
                if isinstance(error, StoreUnavailableError):
                    logger.error("store unavailable: %s", error.__cause__)
                if isinstance(error, OUTAGES):
                    await _undo(request.scope)
                raise self.refused(error) from error
            # What a user sees is theirs alone, and with a cookie nothing else says so
            # to a cache (RFC 9111 3.5).
            response.headers.setdefault("Cache-Control", "no-store")
            _set_later(response, request.scope)
            return response

        async def handle(request: Request) -> Response:
            try:
                return await strict_handler(request)
            except (Exception, CancelledError):
                await _do_all(None, [*request.scope.get(OWED, {}).values()])
                raise

        return handle

    async def _check_credentials(self, request: Request) -> None:
        """Refuse who is not signed in, before the body is read.

        FastAPI reads it before it asks any dependency.

        Raises:
            HTTPException: That of the dependency.
        """
        overrides = getattr(request.app, "dependency_overrides", {})
        for call in _calls(self.dependant):
            if isinstance(call, BearerDependency) and call not in overrides:
                await call.check(request)

    def _text(self, error: RequestValidationError) -> str:
        first = error.errors()[0]
        place = first["loc"]
        if place == ("body",):
            # A validator of the whole model has taken it for an object.
            return BODY if first["type"] not in OF_VALIDATORS else UNNAMED
        return self.texts.get(str(place[1]), UNNAMED)


def _calls(dependant: Dependant) -> Iterator[object]:
    """Yield the dependencies of a route, and theirs."""
    for one in dependant.dependencies:
        yield one.call
        yield from _calls(one)


OUTAGES = (HasherBusyError, StoreUnavailableError)
UNDO = "fastbearer.undo"


def on_outage(
    scope: Scope, what: Hashable, undo: Callable[[], Awaitable[None]]
) -> None:
    """Let something be undone if the request fails for a reason of ours.

    Args:
        scope: ASGI's, of the request.
        what: Names it, for `keep_done`.
        undo: What undoes it; itself it may fail with a `StoreUnavailableError`.
    """
    scope.setdefault(UNDO, {})[what] = undo


def keep_done(scope: Scope, what: Hashable) -> None:
    """Let something be undone no more, if it ever was to be.

    Args:
        scope: ASGI's, of the request.
        what: As in `on_outage`.
    """
    scope.get(UNDO, {}).pop(what, None)


LATER = "fastbearer.later"


def after_answer(scope: Scope, work: Callable[[], Awaitable[None]]) -> None:
    """Let something be done when the response has been sent; nobody waits for it.

    It is not done where the request is refused. When it fails, that is logged.

    Args:
        scope: ASGI's, of the request.
        work: What does it.
    """
    scope.setdefault(LATER, []).append(work)


OWED = "fastbearer.owed"


def owe(scope: Scope, what: Hashable, work: Callable[[], Awaitable[None]]) -> None:
    """Let something be done however the request ends: what it is about is stored.

    It is done when the response has been sent, or right before the request is refused.
    When it fails, that is logged.

    Args:
        scope: ASGI's, of the request.
        what: Names it; the last work of a name is what is done.
        work: What does it.
    """
    scope.setdefault(OWED, {})[what] = work


def _set_later(response: Response, scope: Scope) -> None:
    works = scope.setdefault(LATER, [])
    works[:0] = scope.pop(OWED, {}).values()
    if works:
        response.background = BackgroundTask(_do_all, response.background, works)


async def _do_all(
    before: BackgroundTask | None, works: list[Callable[[], Awaitable[None]]]
) -> None:
    """Do what is in a list, and what is added to it meanwhile."""
    if before is not None:
        await before()
    for work in works:
        try:
            await work()
        except Exception:
            logger.exception("what was to be done after a response has failed")


async def _undo(scope: Scope) -> None:
    for undo in scope.get(UNDO, {}).values():
        with suppress(StoreUnavailableError):
            await undo()


class Refusal(BaseModel):
    """Why a request was refused."""

    detail: str


DESCRIPTIONS: Mapping[int, str] = {
    400: "Invalid input, or more than one Authorization header",
    401: "Not signed in, or the token is invalid or has expired",
    403: "The path of another user",
    404: "Not found",
    413: "The request body is too large",
    429: "Too many attempts: try again after the seconds of Retry-After",
    500: "Nothing was stored",
    503: "Too busy, or a store is down: try again after the seconds of Retry-After",
}


def refusals(
    *statuses: int, texts: Mapping[int, str] = {}
) -> dict[int | str, dict[str, Any]]:
    """Return what OpenAPI shall say about a route's refusals.

    The entry for any other status is also what keeps FastAPI from announcing
    the 422 that it never answers here.

    Args:
        statuses: The statuses of the route's refusals.
        texts: What a status means here, where that is more than usual.
    """
    known = {**DESCRIPTIONS, **texts}
    answers: dict[int | str, str] = {status: known[status] for status in statuses}
    answers["default"] = "Any other refusal"
    return {
        status: {"model": Refusal, "description": description}
        for status, description in answers.items()
    }
