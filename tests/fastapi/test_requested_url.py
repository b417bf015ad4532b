"""The URL of a request: nobody chooses it by what they write into its parts."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from starlette._utils import get_route_path

from fastbearer.fastapi.requested_url import normalised, requested_url

PIECES = (
    *("/", "//", "public", "admin", "api", "%61pi", "?", "#", "%3F", "%23", "%2f"),
    *("%2F", "@", ":", ":80", ":8080", "\\", ".", "..", "*", " ", "%", "%zz", "\xe9"),
    *("http://", "x.example", "[::1]", ";", "%C3%A9", "%41", "~", "&", "\x00", "\t"),
)
TEXTS = st.lists(st.sampled_from(PIECES), max_size=6).map("".join)
HOSTS = st.sampled_from(("api.example", "API.example:80", "")).flatmap(
    lambda host: st.one_of(st.just(host), TEXTS.map(lambda text: host + text))
)
TARGETS = st.one_of(TEXTS, TEXTS.map(lambda text: "/" + text))


def scope(target: str, host: str = "api.example", root: str = "") -> dict[str, Any]:
    """Return what uvicorn makes of the target of a request (RFC 9112 3.2)."""
    path, _, query = target.partition("?")
    return {
        "type": "http",
        "scheme": "http",
        "headers": [(b"host", host.encode("latin-1"))],
        "root_path": root,
        "path": unquote(path),
        "raw_path": path.encode("latin-1"),
        "query_string": query.encode("latin-1"),
    }


def candidates(host: str, target: str, root: str) -> set[str]:
    """Return URLs that a request may be taken for: its own, and each cut of it."""
    whole = f"http://{host}{root}{target}"
    cuts = {whole[:end] for end in range(len(whole) + 1)}
    marks = {whole.replace("#", "?"), whole.replace("?", "#"), f"http://{host}{target}"}
    return cuts | marks | {unquote(whole), f"{whole}?a#b"}


@given(host=HOSTS, target=TARGETS, root=st.sampled_from(("", "/api")))
@example(host="api.example/public#", target="/admin", root="")
@example(host="api.example/public?", target="/admin", root="")
@example(host="api.example", target="/public#/admin", root="")
@example(host="api.example", target=":8080/admin", root="")
@example(host="api.example", target="/%61pi/x", root="/api")
@example(host="api.example", target="/api", root="/api")
def test_a_proof_opens_only_what_its_own_url_is_routed_to(
    host: str, target: str, root: str
) -> None:
    request = scope(target, host, root)
    found = requested_url(request)
    for url in candidates(host, target, root):
        if found is None or normalised(url) != found:
            continue
        parts = urlsplit(url)
        assert parts.netloc.lower().removesuffix(":80") == (
            host.lower().removesuffix(":80")
        )
        honest = scope(parts.path.removeprefix(root) or "/", host, root)
        kept = scope(parts.path or "/", host, root)
        routed = get_route_path(request) or "/"
        assert routed in (get_route_path(honest), get_route_path(kept) or "/")


@pytest.mark.parametrize(
    "host",
    [
        *("api.example/public#", "api.example/public?", "api.example#", "api.example?"),
        *("api.example/", "api.example/public", "me@api.example", "api.example:", ""),
        *("api.example\\", "api.example:65536", "api example", "\xe4.example", "@"),
    ],
)
def test_a_host_that_is_more_than_a_host(host: str) -> None:
    assert requested_url(scope("/admin", host)) is None


@pytest.mark.parametrize(
    ("target", "url"),
    [
        ("/public?a=b", "http://api.example/public"),
        ("/public#/admin", "http://api.example/public%23/admin"),
        ("/a%3fb", "http://api.example/a%3Fb"),
        ("/%61", "http://api.example/a"),
        ("", "http://api.example/"),
        ("*", None),
        ("http://api.example/admin", None),
        (":8080/admin", None),
        ("@x.example/admin", None),
        ("/a\\b", None),
        ("/\xe4", None),
    ],
)
def test_the_path_of_a_request(target: str, url: str | None) -> None:
    assert requested_url(scope(target)) == url


def test_a_query_in_the_path_of_a_server_that_leaves_it_there() -> None:
    request = {**scope("/public"), "raw_path": b"/public?/admin"}
    assert requested_url(request) == "http://api.example/public"
    request = {**scope("/admin"), "raw_path": b"/public?/admin"}
    assert requested_url(request) == "http://api.example/admin"


@pytest.mark.parametrize("path", ["/x", "/api/x", "/%61pi/x"])
def test_the_prefix_of_a_proxy_counts_once(path: str) -> None:
    assert requested_url(scope(path, root="/api")) == "http://api.example/api/x"


def test_the_schemes_of_sockets() -> None:
    assert requested_url({**scope("/x"), "scheme": "wss"}) == "https://api.example/x"
    assert requested_url({**scope("/x"), "scheme": "ftp"}) is None
