"""Whose request it is, behind proxies of every kind."""

from __future__ import annotations

import logging
import socket
import threading
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from hypothesis import given
from hypothesis import strategies as st

from accounts_kit import PASSWORD, make_service
from fastbearer.fastapi import Settings
from fastbearer.fastapi.client_address import ClientAddresses, read_node
from project import SECRET

PROXY = "10.0.0.1"


def client(
    *headers: tuple[str, str], peer: str | None = PROXY, **settings: Any
) -> str | None:
    values = {"trusted_proxies": "10.0.0.0/8", **settings}
    addresses = ClientAddresses(lambda: Settings(better_auth_secret=SECRET, **values))
    raw = [(name.lower().encode(), value.encode()) for name, value in headers]
    address = None if peer is None else (peer, 1234)
    return addresses.of({"type": "http", "headers": raw, "client": address})


def forwarded_for(*lines: str, **options: Any) -> str | None:
    return client(*(("X-Forwarded-For", line) for line in lines), **options)


def forwarded(*lines: str, **options: Any) -> str | None:
    return client(*(("Forwarded", line) for line in lines), **options)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("203.0.113.1", "203.0.113.1"),
        ("203.0.113.1:51234", "203.0.113.1"),  # Azure Application Gateway
        ("203.0.113.1:_port", "203.0.113.1"),  # RFC 7239 6.2
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:80", "2001:db8::1"),
        ("::ffff:203.0.113.1", "203.0.113.1"),
        ("[::ffff:203.0.113.1]:80", "203.0.113.1"),
        *((text, None) for text in ("", "unknown", "_hidden", "1.2.3.4.5", "[::1")),
        *((text, None) for text in ("1.2.3.4:", "[]", "1.2.3:80", "x" * 5000, "é")),
    ],
)
def test_a_node_is_read(text: str, address: str | None) -> None:
    found = read_node(text)
    assert found is None if address is None else str(found) == address


@given(st.ip_addresses(), st.integers(0, 65535))
def test_a_port_changes_nothing(address: Any, port: int) -> None:
    bare = str(address)
    with_port = f"[{bare}]:{port}" if address.version == 6 else f"{bare}:{port}"
    assert read_node(with_port) == read_node(bare) is not None


@given(st.text(max_size=60))
def test_reading_never_fails(text: str) -> None:
    read_node(text)
    for line in (text, f"for={text}", f'for="{text}"', f"for=1.2.3.4, {text}"):
        assert forwarded(line) is not None
        assert forwarded_for(line) is not None


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["203.0.113.1:51234"], "203.0.113.1"),
        (["203.0.113.1:1, 10.1.2.3:2"], "203.0.113.1"),
        (["198.51.100.9", "203.0.113.1"], "203.0.113.1"),
        (["203.0.113.1", "10.1.2.3", "10.1.2.4"], "203.0.113.1"),
        (["203.0.113.1,, ,"], "203.0.113.1"),
        (["[2001:db8:0:7::1]:443"], "2001:db8:0:7::/64"),
        (["10.9.9.9"], "10.9.9.9"),
        ([""], PROXY),
        ([], PROXY),
    ],
)
def test_the_chain_is_read_from_its_end(lines: list[str], found: str) -> None:
    assert forwarded_for(*lines) == found


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["for=203.0.113.1"], "203.0.113.1"),
        (['For="203.0.113.1:4711";proto=https;by=10.0.0.1'], "203.0.113.1"),
        (['for="[2001:db8:0:7::1]:80", for=10.1.2.3'], "2001:db8:0:7::/64"),
        (["for=198.51.100.9", "for=203.0.113.1"], "203.0.113.1"),
        (["for=198.51.100.9, for=203.0.113.1;proto=http"], "203.0.113.1"),
        (['for=198.51.100.9;by="a,b", for=203.0.113.1'], "203.0.113.1"),
        (["for=, for=203.0.113.1"], "203.0.113.1"),
    ],
)
def test_the_header_forwarded(lines: list[str], found: str) -> None:
    assert forwarded(*lines) == found
    assert forwarded(*lines, forwarded_header="forwarded") == found
    assert forwarded(*lines, peer="192.0.2.9") == "192.0.2.9"


SENT = [
    *('for="x', "x", "for=1 2", 'for="x";y="', '"', "\\", 'for="\\', ",", ";", ";;"),
    *("for=x;", 'for="x, for="', '"""', "=", "for=", 'for=6.6.6.6;by="', "for=6.6.6.6"),
    *('for="' + "a" * 9000, "a," * 9000, 'a="' * 9000, 'a="\\"' * 9000, 'a=";' * 9000),
]
"""What a client may write into Forwarded, before its proxy adds to it."""

ADDED = [
    ("for=203.0.113.9", "203.0.113.9"),
    ("for=203.0.113.9;proto=https;", "203.0.113.9"),
    ('For="[2001:db8:0:7::9]:4711" ; proto=https', "2001:db8:0:7::/64"),
    ('by="a,b";for=203.0.113.9', "203.0.113.9"),
    ('for=203.0.113.9;host="a, for=6.6.6.6"', "203.0.113.9"),
    ('for=203.0.113.9;host="a\\", for=6.6.6.6;x=\\""', "203.0.113.9"),
    ('for=203.0.113.9;host="\\\\"', "203.0.113.9"),
    ("for=203.0.113.9, for=10.0.0.7", "203.0.113.9"),
    ('for=203.0.113.9;by="a,", for="10.0.0.7:1";by=",b" ,', "203.0.113.9"),
]


@pytest.mark.parametrize("sent", SENT, ids=lambda sent: sent[:9])
@pytest.mark.parametrize(("added", "found"), ADDED)
def test_a_client_hides_nothing_that_its_proxy_has_added(
    sent: str, added: str, found: str
) -> None:
    for line in (f"{sent}, {added}", f"{sent},{added}", f"{sent} ,, {added}"):
        assert forwarded(line) == found
    assert forwarded(sent, added) == found


HOSTILE = st.text(alphabet='for=";,\\ 1.[]\t', max_size=40) | st.text(max_size=40)


@given(HOSTILE, HOSTILE)
def test_nor_by_a_host_that_its_proxy_quotes(sent: str, host: str) -> None:
    sent, host = (
        "".join(mark for mark in text if mark == "\t" or " " <= mark <= "\xff")
        for text in (sent, host)
    )
    quoted = host.replace("\\", "\\\\").replace('"', '\\"')
    for added in (
        f'for=203.0.113.9;host="{quoted}"',
        f'host="{quoted}";for=203.0.113.9',
        f'for=203.0.113.9;host="{quoted}", for=10.0.0.7;host="{quoted}"',
    ):
        assert forwarded(f"{sent}, {added}") == "203.0.113.9"


def test_what_a_proxy_itself_cannot_say_is_a_hop_that_nobody_knows() -> None:
    unknown = forwarded("unknown")
    assert str(unknown).startswith("unreadable-")
    for line in (
        "for=203.0.113.9, x",
        "for=203.0.113.9, by=x",
        "for=203.0.113.9, a=;;",
    ):
        assert forwarded(line) == forwarded(f"{line}, for=10.0.0.7") == unknown


def test_one_header_decides() -> None:
    """The other is what a client may have sent through the proxy."""
    both = [("Forwarded", "for=192.0.2.1"), ("X-Forwarded-For", "192.0.2.2")]
    assert client(*both) == "192.0.2.2"
    assert client(*both, forwarded_header="forwarded") == "192.0.2.1"


def test_what_cannot_be_read_still_tells_clients_apart(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One of them must not lock out the others."""
    first, second = forwarded_for("_hidden-1"), forwarded_for("_hidden-2")
    assert first != second and PROXY not in (first, second)
    assert str(forwarded("for=198.51.100.9, for=")).startswith("unreadable-")
    assert forwarded_for("_hidden-1") == first
    assert "'_hidden-1'" in caplog.text
    evil = forwarded("for=198.51.100.1, for=\x1b[31m\n")
    assert evil is not None and evil.isprintable()
    assert "\x1b" not in caplog.text


def test_a_proxy_that_names_no_client_is_told_of(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert forwarded_for("203.0.113.1") == "203.0.113.1"
    assert caplog.text == ""
    assert forwarded_for() == PROXY
    assert f"{PROXY} names no client" in caplog.text


def test_each_problem_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    settings = Settings(better_auth_secret=SECRET, trusted_proxies="10.0.0.0/8")
    addresses = ClientAddresses(lambda: settings)
    caplog.set_level(logging.WARNING)
    for n in range(3):
        for peer, value in (
            ("192.0.2.1", b"203.0.113.1"),
            (PROXY, b"nonsense-%d" % n),
            (PROXY, b""),
            ("", b""),
        ):
            headers = [(b"x-forwarded-for", value)]
            addresses.of({"headers": headers, "client": (peer, 1)})
    told = "\n".join(caplog.messages)
    assert len(caplog.messages) == 4
    assert "192.0.2.1, which TRUSTED_PROXIES does not name" in told
    assert "'nonsense-0'" in told
    assert f"the trusted proxy {PROXY} names no client" in told
    assert "TRUSTED_PROXIES=unix" in told


@pytest.mark.parametrize("peer", [None, "", "unix", "/run/app.sock", "unix:/run/a"])
def test_unix_sockets(peer: str | None) -> None:
    trusted = {"peer": peer, "trusted_proxies": "unix, 10.0.0.0/8"}
    assert forwarded_for("203.0.113.1:5", **trusted) == "203.0.113.1"
    assert forwarded_for("203.0.113.1, 10.0.0.7", **trusted) == "203.0.113.1"
    # Nobody can tell: then nothing is counted, lest one client lock out all.
    assert forwarded_for(**trusted) is None
    assert forwarded_for("203.0.113.1", peer=peer) is None


def test_a_server_that_has_read_the_header_itself(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """uvicorn's proxy headers: the client is there already, port and all."""
    assert forwarded_for("203.0.113.1:99", peer="203.0.113.1") == "203.0.113.1"
    assert forwarded_for("10.0.0.7, 203.0.113.1", peer="203.0.113.1") == "203.0.113.1"
    assert caplog.messages == []
    assert forwarded_for("x", peer="203.0.113.1:99") == "203.0.113.1"
    assert len(caplog.messages) == 1


@pytest.mark.http
@pytest.mark.parametrize("hop", ["unix:", "unix", "unix:/run/nginx.sock"])
def test_a_unix_socket_between_two_proxies(hop: str) -> None:
    """nginx names so whoever is connected to it over a unix socket."""
    chain = f"198.51.100.7, {hop}"
    both = {"trusted_proxies": "unix, 10.0.0.0/8"}
    assert forwarded_for(chain, **both) == "198.51.100.7"
    assert forwarded_for(chain, "10.0.0.2", **both) == "198.51.100.7"
    assert forwarded_for(chain, peer=None, **both) == "198.51.100.7"
    assert forwarded(f'for=198.51.100.7, for="{hop}"', **both) == "198.51.100.7"
    # Whoever is not trusted is not asked about others.
    assert str(forwarded_for(chain)).startswith("unreadable-")
    assert forwarded_for(f"{hop}, 203.0.113.9", **both) == "203.0.113.9"


def test_behind_a_real_unix_socket(tmp_path: Path) -> None:
    limits = {"throttle": True, "throttle_requests": "2/minute"}
    limits |= {"throttle_failures": "1000/minute", "trusted_proxies": "unix"}
    app = make_service(tmp_path / "a.db", **limits)
    path = str(tmp_path / "socket")
    config = uvicorn.Config(
        app,
        uds=path,
        log_level="critical",
        proxy_headers=False,
        timeout_graceful_shutdown=5,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started and thread.is_alive():
            thread.join(0.01)
        statuses = [ask_over(path, host) for host in "111223"]
        assert statuses == [401, 401, 429, 401, 401, 401]
        # Without a header nobody is told from another, and nobody is locked out.
        assert [ask_over(path, None) for _ in range(4)] == [401] * 4
    finally:
        server.should_exit = True
        thread.join()


def ask_over(path: str, host: str | None) -> int:
    body = f'{{"email": "a@b.example", "password": "{PASSWORD}"}}'
    lines = ["POST /api/auth/signin HTTP/1.1", "Host: x", "Connection: close"]
    lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    if host is not None:
        lines.append(f"X-Forwarded-For: 203.0.113.{host}:5{host}")
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n" + body).encode())
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    return int(answer.split(b" ", 2)[1])
