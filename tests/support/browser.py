"""Chromium, headless, as a user meets a page: opened from disk, driven by keys, looked at.

It is spoken to by the DevTools protocol over two pipes, messages of JSON that end with a zero byte
(https://chromedevtools.github.io/devtools-protocol/), so no package is needed.
"""

import base64
import contextlib
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
BROWSER = next(filter(None, map(shutil.which, NAMES)), None)
needs_browser = pytest.mark.skipif(
    BROWSER is None, reason=f"no browser: none of {', '.join(NAMES)}"
)
LIMIT = 120  # seconds until an answer that does not come fails its test
OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)  # fmt: skip
CODES = {"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, " ": 32}


class Tab:
    """A tab of a browser, and what its page has complained of and asked for."""

    def __init__(self, reading: int, writing: int):
        self.reading, self.writing = reading, writing
        self.pending, self.last, self.session = b"", 0, None
        self.complaints: list[str] = []  # errors, warnings and exceptions
        self.requests: list[str] = []  # addresses, without data: and blob:

    def attach(self) -> None:
        """Take the browser's one tab."""
        (target,) = (
            info for info in self.call("Target.getTargets")["targetInfos"] if info["type"] == "page"
        )
        attached = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self.session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params) -> dict:
        """Ask the browser something, and hear what happens until it answers."""
        self.last += 1
        message = {"id": self.last, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.writing, json.dumps(message).encode() + b"\0")
        while (answer := self._next()).get("id") != self.last:
            self._hear(answer)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def _next(self) -> dict:
        deadline = time.monotonic() + LIMIT
        while b"\0" not in self.pending:
            if not select.select([self.reading], [], [], deadline - time.monotonic())[0]:
                raise TimeoutError("the browser does not answer")
            if not (part := os.read(self.reading, 1 << 20)):
                raise EOFError("the browser has ended")
            self.pending += part
        message, self.pending = self.pending.split(b"\0", 1)
        return json.loads(message)

    def _hear(self, event: dict) -> None:
        method, params = event.get("method"), event.get("params", {})
        if method == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(params["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning"):
            self.complaints.append(json.dumps(params["args"]))
        elif method == "Log.entryAdded":
            self.complaints.append(params["entry"]["text"])
        elif method == "Network.requestWillBeSent":
            address = params["request"]["url"]
            if not address.startswith(("data:", "blob:")):
                self.requests.append(address)

    def open(self, page: Path) -> None:
        """Go to a page on the disk, and wait until its scripts have run."""
        if failure := self.call("Page.navigate", url=page.as_uri()).get("errorText"):
            raise RuntimeError(f"{page}: {failure}")
        self.wait("document.readyState === 'complete' && location.protocol === 'file:'")

    def run(self, script: str):
        """The value of an expression in the page; a promise is waited for."""
        answer = self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in answer:
            raise RuntimeError(json.dumps(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def wait(self, condition: str) -> None:
        """Until an expression is true."""
        deadline = time.monotonic() + LIMIT
        while not self.run(condition):
            if time.monotonic() > deadline:
                raise TimeoutError(f"never true: {condition}")
            time.sleep(0.02)

    def hold(self, key: str) -> None:
        """Press a key and hold it."""
        code = CODES.get(key, ord(key.upper()[0]))
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, windowsVirtualKeyCode=code)

    def release(self, key: str) -> None:
        code = CODES.get(key, ord(key.upper()[0]))
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)

    def show(self, width: int, height: int, dark: bool = False, phone: bool = False) -> None:
        """The size of the screen, its colours, and whether it is touched."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=2 if phone else 1, mobile=phone,
        )  # fmt: skip
        self.call("Emulation.setTouchEmulationEnabled", enabled=phone)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def picture(self, whole: bool = False, **clip) -> bytes:
        """A PNG of what is seen, or of the whole page."""
        given = {"clip": clip | {"scale": 1}} if clip else {}
        answer = self.call("Page.captureScreenshot", captureBeyondViewport=whole, **given)
        return base64.b64decode(answer["data"])


@contextlib.contextmanager
def browsing(folder: Path) -> Iterator[Tab]:
    """A browser of its own, which resolves no name; its profile is in the folder."""
    (its_input, writing), (reading, its_output) = os.pipe(), os.pipe()
    options = [*OPTIONS, "--remote-debugging-pipe", f"--user-data-dir={folder / 'profile'}"]
    # The browser reads its third and writes its fourth file: a shell puts the pipes there.
    shell = f'exec "$@" 3<&{its_input} 4>&{its_output}'
    process = subprocess.Popen(
        ["bash", "-c", shell, "bash", BROWSER, *options, "about:blank"],
        pass_fds=(its_input, its_output), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(its_input)
    os.close(its_output)
    try:
        tab = Tab(reading, writing)
        tab.attach()
        yield tab
    finally:
        process.terminate()
        process.wait(LIMIT)
        os.close(reading)
        os.close(writing)
