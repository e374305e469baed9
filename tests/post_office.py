"""Where messages go in tests: a real mail server (Debian's aiosmtpd), a real receiver of webhooks, and certificates."""

import base64
import contextlib
import hashlib
import hmac
import json
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

PYTHON = "/usr/bin/python3"  # Debian's, which has python3-aiosmtpd
PEER = Path(__file__).with_name("peers") / "mail_server.py"


class Post:
    """A mail server under way: its port and what it took."""

    def __init__(self, port: int, file: Path) -> None:
        self.port = port
        self.file = file

    @property
    def mails(self) -> list[dict[str, Any]]:
        if not self.file.exists():
            return []
        return [json.loads(line) for line in self.file.read_text(encoding="utf-8").splitlines()]

    def to(self, address: str) -> list[dict[str, Any]]:
        return [mail for mail in self.mails if mail["to"] == [address]]


@contextlib.contextmanager
def a_mail_server(folder: Path, *options: str) -> Iterator[Post]:
    there = subprocess.run([PYTHON, "-c", "import aiosmtpd"], capture_output=True, check=False)
    if there.returncode:
        pytest.skip("python3-aiosmtpd is not installed")
    file = folder / "mails.jsonl"
    with subprocess.Popen([PYTHON, str(PEER), str(file), *options], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Post(int(process.stdout.readline()), file)
        finally:
            process.kill()


class Receiver:
    """A receiver of webhooks under way: what came, and what it answers (a status for each, the last for all more)."""

    def __init__(self) -> None:
        self.came: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = [204]
        self.port = 0

    def answer(self, headers: dict[str, str], body: bytes) -> int:
        self.came.append((headers, body))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.came]

    def proven(self, secret: str) -> bool:
        """Verify every signature as the specification says, from its own words."""
        for headers, body in self.came:
            signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
            digest = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
            if headers["webhook-signature"] != f"v1,{base64.b64encode(digest).decode()}":
                return False
        return True


@contextlib.contextmanager
def a_receiver() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status = receiver.answer({name.lower(): value for name, value in self.headers.items()}, body)
            self.send_response(status)
            if status in {302, 307}:
                self.send_header("location", "/elsewhere")
            if status == 429:
                self.send_header("retry-after", "77")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
