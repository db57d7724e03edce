"""A mail server on loopback that speaks SMTP (RFC 5321) and keeps what it was given."""

from __future__ import annotations

import email
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast


class _Conversation(socketserver.StreamRequestHandler):
    """One caller, from the greeting to QUIT."""

    def handle(self) -> None:
        mails = cast("MailServer", self.server)
        self._say("220 mail.example")
        receivers: list[str] = []
        while line := self.rfile.readline():
            words = line.decode("ascii").strip()
            match words[:4].upper():
                case "EHLO" | "HELO" | "RSET":
                    receivers = []
                case "RCPT":
                    receivers.append(words.partition("<")[2].partition(">")[0])
                case "DATA":
                    self._say("354 Go on")
                    if not self._take(mails, receivers):
                        return
                    continue
                case "QUIT":
                    self._say("221 Bye")
                    return
            self._say("250 OK")

    def _take(self, mails: MailServer, receivers: list[str]) -> bool:
        """Read a mail and answer it; False when the line is cut instead of an answer."""
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b"."))
        if not line:  # killed in the middle of a mail: it has given nothing
            return False
        answer = mails.answers.pop(0) if mails.answers else "250 Taken"
        if answer.startswith("250") or answer == CUT:
            message = email.message_from_bytes(b"".join(lines), policy=default)
            mails.taken += [(receiver, message) for receiver in receivers]
        if answer == CUT:
            return False
        self._say(answer)
        return True

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


# It took the mail, and the line broke before it could say so.
CUT = "cut"


class MailServer(socketserver.ThreadingTCPServer):
    """`taken` are receivers and mails in order; `answers` what the next mails hear, first first."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Conversation)
        self.taken: list[tuple[str, EmailMessage]] = []
        self.answers: list[str] = []

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller who was killed in the middle of a mail has given nothing."""

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def identifiers(self) -> list[tuple[str, str]]:
        """Who got which Message-ID, in order; a repeat is in it twice."""
        return [(receiver, str(message["Message-ID"])) for receiver, message in self.taken]


@contextmanager
def mail_server(port: int = 0) -> Iterator[MailServer]:
    with MailServer(port) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
