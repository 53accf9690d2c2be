"""A headless Chromium, driven over the pipe of its debugging protocol: pages, keys, screenshots."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import warnings
from pathlib import Path
from typing import Any

import pytest


def found() -> str:
    """Chromium on this machine; the test that asks is skipped, loudly, where there is none."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    warnings.warn("no Chromium here: nobody looked at the page", stacklevel=2)
    pytest.skip("no Chromium on this machine: THE PAGE IS NOT LOOKED AT")


class Browser:
    """One page of a browser of its own; to be used in a ``with`` statement."""

    def __init__(self, profile: Path, width: int = 1100, height: int = 900) -> None:
        self.asked = 0
        self.said: list[dict[str, Any]] = []
        to_read, self.to = os.pipe()
        self.from_, to_write = os.pipe()

        def place() -> None:  # the protocol is spoken on the descriptors 3 and 4
            os.dup2(os.dup(to_read), 3)
            os.dup2(os.dup(to_write), 4)

        self.process = subprocess.Popen(
            [found(), "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}",
             "--remote-debugging-pipe", f"--window-size={width},{height}", "about:blank"],
            close_fds=False, preexec_fn=place, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,  # noqa: PLW1509
        )
        os.close(to_read)
        os.close(to_write)
        self.rest = b""
        self.session: str | None = None
        targets = self.ask("Target.getTargets")["targetInfos"]
        page = next(target["targetId"] for target in targets if target["type"] == "page")
        self.session = self.ask("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_error: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.to)
        os.close(self.from_)

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol; what else is said meanwhile is kept in ``said``."""
        self.asked += 1
        message = {"id": self.asked, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self.asked:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]
            self.said.append(answer)

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self.rest:
            more = os.read(self.from_, 1 << 16)
            assert more, "the browser has gone"
            self.rest += more
        one, _, self.rest = self.rest.partition(b"\0")
        return json.loads(one)

    def open(self, page: str) -> None:
        """Go to an address and wait until it is loaded."""
        self.ask("Page.navigate", url=page)
        for _ in range(200):
            if self.run("document.readyState") == "complete" and self.run("location.href").split("#")[0] in page:
                return

    def run(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page."""
        result = self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def press(self, *keys: str) -> None:
        """Press keys: characters, or names such as Enter, Tab and Escape."""
        codes = {"Enter": (13, "\r"), "Tab": (9, ""), "Escape": (27, "")}
        for key in keys:
            code, text = codes.get(key) or (ord(key.upper()) if key.isalnum() else 0, key)
            down = {"key": key, "windowsVirtualKeyCode": code, "text": text}
            self.ask("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", **down)
            self.ask("Input.dispatchKeyEvent", type="keyUp", **down)

    def dark(self, dark: bool = True) -> None:
        """Ask for the dark or the light colours, as the reader's settings would."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", features=[scheme])

    def shot(self, path: Path) -> bytes:
        """A picture of what is seen."""
        data = base64.b64decode(self.ask("Page.captureScreenshot", format="png")["data"])
        path.write_bytes(data)
        return data

    def complaints(self) -> list[str]:
        """What the console has to say, and every request beside that for the page itself."""
        logged = [event["params"]["entry"]["text"] for event in self.said if event.get("method") == "Log.entryAdded"]
        thrown = [str(event["params"]) for event in self.said if event.get("method") == "Runtime.exceptionThrown"]
        asked = [event["params"]["request"]["url"] for event in self.said
                 if event.get("method") == "Network.requestWillBeSent"]
        return [*logged, *thrown, *(url for url in asked if not url.startswith("file:"))]
