"""Routes, as a router is told of them."""

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from fastapi import APIRouter, Depends
from fastapi.routing import APIRoute

__all__ = ["Routes", "Row", "given_by"]


class Row(NamedTuple):
    """One route, as the router is told of it.

    Attributes:
        path: Below the router's prefix.
        handler: As `given_by` makes it, where it needs dependencies.
        refusals: What OpenAPI says of them.
        method: HTTP's.
        status: The status of success.
        checks: Dependencies that only refuse.
        route_class: In place of the router's.
        leaves_out_none: Whether the answer has no fields that are None.
        texts: What to say of its fields, before what the router's routes say.
    """

    path: str
    handler: Callable[..., Any]
    refusals: dict[int | str, dict[str, Any]]
    method: str = "POST"
    status: int = 200
    checks: Sequence[Callable[..., Any]] = ()
    route_class: type[APIRoute] | None = None
    leaves_out_none: bool = False
    texts: Mapping[str, str] = {}


class Routes:
    """Routes that belong together."""

    def rows(self) -> Iterable[Row]:
        """Return the routes, in the order in which OpenAPI shows them."""
        raise NotImplementedError

    def add_to(self, router: APIRouter) -> None:
        """Add the routes to a router."""
        for row in self.rows():
            router.add_api_route(
                row.path,
                row.handler,
                methods=[row.method],
                status_code=row.status,
                dependencies=[Depends(check) for check in row.checks],
                responses=row.refusals,
                route_class_override=row.route_class or _route_class(router, row.texts),
                response_model_exclude_none=row.leaves_out_none,
            )


def _route_class(router: APIRouter, texts: Mapping[str, str]) -> type[APIRoute]:
    """Return the class of a router's routes, with further messages."""
    base: Any = router.route_class
    if not texts:
        return base  # type: ignore[no-any-return]
    return type(base.__name__, (base,), {"texts": {**base.texts, **texts}})


def given_by(
    handler: Callable[..., Awaitable[Any]],
    types: Mapping[str, Any] = {},
    **dependencies: Callable[..., Any],
) -> Callable[..., Awaitable[Any]]:
    """Return a route's handler whose named parameters come from dependencies.

    A method cannot name what is its own object's in its signature.

    Args:
        handler: The method.
        types: Parameter -> its type, in place of the method's; "return" is what it
            returns.
        dependencies: Parameter -> the dependency.
    """

    async def endpoint(**values: Any) -> Any:
        return await handler(**values)

    signature = inspect.signature(handler)
    parameters = []
    for parameter in signature.parameters.values():
        parameter = parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        if parameter.name in dependencies:
            default = Depends(dependencies[parameter.name])
            parameter = parameter.replace(default=default)
        if parameter.name in types:
            parameter = parameter.replace(annotation=types[parameter.name])
        parameters.append(parameter)
    returned = types.get("return", signature.return_annotation)
    endpoint.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=parameters, return_annotation=returned
    )
    endpoint.__name__, endpoint.__doc__ = handler.__name__, handler.__doc__
    return endpoint
