"""A real Chromium, spoken to over a pipe (Chrome DevTools Protocol): pages, what is in them, and pictures."""

import base64
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.peers.house import until

ELSEWHERE = ("Inspected target navigated or closed", "Cannot find default execution context")


class WentElsewhereError(Exception):
    """The page went to another address while it was asked for something."""


class Browser:
    """One page. `errors` are what its console said of errors, refusals of the content policy included."""

    def __init__(self, sends: int, hears: int) -> None:
        self._sends, self._hears = sends, hears
        self._held = b""
        self._number = 0
        self.errors: list[str] = []
        target = self._ask("Target.createTarget", {"url": "about:blank"})["targetId"]
        attached = self._ask("Target.attachToTarget", {"targetId": target, "flatten": True})
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.do(f"{domain}.enable")

    def do(self, what: str, **words: Any) -> dict[str, Any]:
        """Have the page do something of the protocol."""
        return self._ask(what, words, self._session)

    def size(self, width: int, height: int) -> None:
        """Make the page as large as a screen."""
        self.do("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def open(self, url: str) -> None:
        """Open an address and wait until it is loaded."""
        self.do("Page.navigate", url=url)
        until(lambda: self.value("document.readyState === 'complete' && location.href !== 'about:blank'"))

    def value(self, script: str) -> Any:
        """Return what an expression is in the page; None while the page goes to another."""
        try:
            return self.do("Runtime.evaluate", expression=script, returnByValue=True)["result"].get("value")
        except WentElsewhereError:
            return None

    def cut(self, yes: bool) -> None:
        """Cut the page off from the network, or bring it back."""
        self.do("Network.enable")
        self.do("Network.emulateNetworkConditions", offline=yes, latency=0, downloadThroughput=-1, uploadThroughput=-1)

    def promise(self, script: str) -> Any:
        """Return what an expression comes to that the page has to wait for."""
        asked = self.do("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in asked, asked
        return asked["result"].get("value")

    def picture(self, path: Path) -> None:
        """Keep a picture of the page."""
        path.write_bytes(base64.b64decode(self.do("Page.captureScreenshot")["data"]))

    def _ask(self, what: str, words: dict[str, Any], session: str = "") -> dict[str, Any]:
        self._number += 1
        asked = {"id": self._number, "method": what, "params": words} | ({"sessionId": session} if session else {})
        os.write(self._sends, json.dumps(asked).encode() + b"\0")
        while True:
            told = self._next()
            if told.get("id") == self._number:
                if told.get("error", {}).get("message") in ELSEWHERE:
                    raise WentElsewhereError
                assert "error" not in told, told
                result: dict[str, Any] = told["result"]
                return result
            entry = told.get("params", {}).get("entry", {})
            said = told.get("method") == "Runtime.consoleAPICalled" and told["params"]["type"] == "error"
            if entry.get("level") == "error" or said or told.get("method") == "Runtime.exceptionThrown":
                self.errors.append(f"{entry['text']} {entry.get('url', '')}" if entry else json.dumps(told))

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._held:
            more = os.read(self._hears, 1 << 16)
            assert more, "the browser has ended"
            self._held += more
        line, _, self._held = self._held.partition(b"\0")
        told: dict[str, Any] = json.loads(line)
        return told


@contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """Run Chromium without a window; skips the test where there is none."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no Chromium here")
    (theirs_in, ours_out), (ours_in, theirs_out) = os.pipe(), os.pipe()
    line = [chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe",
            f"--user-data-dir={folder}"]  # fmt: skip
    start = "import os, sys; os.dup2(int(sys.argv[1]), 63); os.dup2(int(sys.argv[2]), 4); os.dup2(63, 3)"
    start += "; os.close(63); os.execv(sys.argv[3], sys.argv[3:])"
    shell = [sys.executable, "-c", start, str(theirs_in), str(theirs_out), *line]
    running = subprocess.Popen(shell, pass_fds=(theirs_in, theirs_out), stderr=subprocess.DEVNULL)
    os.close(theirs_in)
    os.close(theirs_out)
    try:
        yield Browser(ours_out, ours_in)
    finally:
        running.terminate()
        running.wait(20)
        os.close(ours_out)
        os.close(ours_in)
