"""What a URL is: one reader for origins and for what is fetched."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbearer.errors import ConfigurationError
from fastbearer.urls import check_url, origin_and_path, read_url, without_query


@pytest.mark.parametrize(
    ("url", "origin", "path"),
    [
        ("https://app.example", "https://app.example", ""),
        ("HTTPS://App.Example:443/a/b?c#d", "https://app.example", "/a/b"),
        ("http://app.example:080/", "http://app.example", "/"),
        ("http://[::1]:3000?x", "http://[::1]:3000", ""),
        ("http://a_b.example:8080/", "http://a_b.example:8080", "/"),
    ],
)
def test_origin_and_path(url: str, origin: str, path: str) -> None:
    assert origin_and_path(url) == (origin, path)


@pytest.mark.parametrize(
    "url",
    [
        *("", "app.example", "//app.example", "ftp://a.example", "https://", None, 7),
        *("https://a.example:65536", "https://a.example:", "https://a.example:x"),
        *("https://a.example\\@b.example", "https://a.example/\\", "https://%61.b"),
        *("https://a b.example", "https://ä.example", "https://a.example/\n"),
        *("https://[::", "https://a.example\0", " https://a.example"),
    ],
)
def test_what_is_no_url(url: object) -> None:
    assert read_url(url) is None  # type: ignore[arg-type]
    assert origin_and_path(url) is None  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError):
        check_url(url)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "url", ["https://me@a.example", "https://me:pw@a.example/", "https://a@b@c.example"]
)
def test_a_user_is_seen_and_has_no_place(url: str) -> None:
    found = read_url(url)
    assert found is not None and found.has_user
    assert origin_and_path(url) is None
    with pytest.raises(ConfigurationError, match="no user or password"):
        check_url(url)


def test_a_question_mark_ends_the_host() -> None:
    """Nobody is sent to b.example by what looks like a user."""
    found = read_url("https://a.example?@b.example/")
    assert found is not None and found.host == "a.example" and not found.has_user


@given(st.text(max_size=40), st.text(max_size=40))
def test_two_doors_read_alike(before: str, after: str) -> None:
    url = f"https://{before}a.example{after}"
    origin = origin_and_path(url)
    if origin is not None:
        check_url(url)
        return
    with pytest.raises(ConfigurationError) as refused:
        check_url(url)
    assert url not in str(refused.value)


def test_a_url_is_as_long_as_everybody_supports() -> None:
    """RFC 9110 4.1; what is longer costs nothing."""
    longest = "https://a.example/".ljust(8000, "a")
    assert read_url(longest) is not None
    assert read_url(longest + "a") is None
    assert read_url("https://a.example/" + "?" * 10_000_000 + "\x01") is None


def test_what_may_be_shown_of_a_url() -> None:
    assert without_query("https://u:pw@a.example/b?key=1#2") == "https://a.example/b"
    assert without_query("nonsense with a password") == "a URL"


@pytest.mark.parametrize(
    ("host", "is_loopback"),
    [
        *(("localhost", True), ("LOCALHOST", True), ("localhost.", True)),
        *(("web.localhost", True), ("a.b.Localhost.", True), ("127.9.9.9", True)),
        *(("[::1]", True), ("127.0.0.1.", False), ("notlocalhost", False)),
        *(("localhost.example", False), ("localhost..", False), ("10.0.0.1", False)),
        *(("keycloak", False), ("0.0.0.0", False), ("[::ffff:10.0.0.1]", False)),
    ],
)
def test_which_hosts_are_this_machine(host: str, *, is_loopback: bool) -> None:
    """RFC 6761 6.3: the names below localhost are, by whatever resolver."""
    url = f"http://{host}:8080/jwks"
    found = read_url(url)
    assert found is not None and found.is_loopback is is_loopback
    if is_loopback:
        check_url(url)
        return
    with pytest.raises(ConfigurationError, match="allow_http=True"):
        check_url(url)


@pytest.mark.parametrize(
    ("host", "is_here"),
    [
        *(("localhost", True), ("a.Localhost.", True), ("127.9.9.9", True)),
        *(("127.0.0.1.", True), ("0.0.0.0", True), ("[::]", True), ("[::1]", True)),
        *(("[::ffff:127.0.0.1]", True), ("[::ffff:7f00:1]", True)),
        *(
            ("127.1", True),
            ("2130706433", True),
            ("0x7f.1", True),
            ("0X7F000001", True),
        ),
        *(("017700000001", True), ("0", True), ("0177.0.0.1.", True)),
        *(("10.0.0.1", False), ("[::ffff:10.0.0.1]", False), ("[2001:db8::1]", False)),
        *(("10.1", False), ("127.0.0.1.example", False), ("127.example", False)),
        *(("0x7f.example", False), ("notlocalhost", False), ("1.2.3.4.5", False)),
    ],
)
def test_another_spelling_of_this_machine(host: str, *, is_here: bool) -> None:
    """Whatever a resolver takes for it: inet_aton(3) reads short and octal numbers."""
    assert check_url(f"https://{host}:8443/jwks") is is_here
