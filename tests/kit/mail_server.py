"""A real SMTP server of a few lines, which keeps what it is sent."""

from __future__ import annotations

import base64
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from waiting import HANG


class Session(socketserver.StreamRequestHandler):
    """RFC 5321, as far as one client needs it."""

    def handle(self) -> None:
        server: Any = self.server
        self.say("220 test")
        while line := self.rfile.readline():
            command = line.split()[0].upper() if line.split() else b""
            if command == b"EHLO":
                self.say("250-test\r\n250 AUTH PLAIN")
            elif command == b"AUTH":
                server.logins.append(base64.b64decode(line.split()[2]))
                self.say("235 good")
            elif command == b"DATA":
                self.say("354 go on")
                server.mails.append(self.data())
                server.came.release()
                self.say("250 taken")
            elif command == b"QUIT":
                self.say("221 bye")
                return
            else:
                server.envelopes.append(line.strip().decode())
                self.say("250 good")

    def say(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")

    def data(self) -> EmailMessage:
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b"."))
        return message_from_bytes(b"".join(lines), policy=policy.default)  # type: ignore[return-value]


class MailServer(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Session)
        self.mails: list[EmailMessage] = []
        self.logins: list[bytes] = []
        self.envelopes: list[str] = []
        self.came = threading.Semaphore(0)

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @property
    def url(self) -> str:
        return f"smtp://me:p%40ss@127.0.0.1:{self.server_address[1]}"

    def next(self) -> EmailMessage:
        assert self.came.acquire(timeout=HANG)
        return self.mails[-1]

    @contextmanager
    def running(self) -> Iterator[MailServer]:
        """Serve in a thread, until the end."""
        with self:
            thread = threading.Thread(target=self.serve_forever, daemon=True)
            thread.start()
            try:
                yield self
            finally:
                self.shutdown()
                thread.join()
