# SPDX-License-Identifier: GPL-2.0-or-later
"""Headless Chromium, told what to do through a pair of pipes."""
import base64
import json
import os
import select
import subprocess
import tempfile
import time

SHIFTED = '~!@#$%^&*()_+{}|:"<>?'

class Browser:
    """One page of a browser that runs until close()."""

    def __init__(self, width, height):
        self.profile = tempfile.TemporaryDirectory(prefix="browser-")
        to_read, self.to = os.pipe()
        self.answers, from_write = os.pipe()
        self.rest = b""
        self.last = 0
        # as descriptors 3 and 4, which is where it looks for them
        command = ["sh", "-c", f'exec "$@" 3<&{to_read} 4>&{from_write}',
                   "-", "chromium", "--headless", "--no-sandbox",
                   "--disable-gpu", "--mute-audio", "--no-first-run",
                   "--disable-background-networking",
                   f"--user-data-dir={self.profile.name}",
                   "--remote-debugging-pipe", "about:blank"]
        self.process = subprocess.Popen(
            command, pass_fds=(to_read, from_write),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(from_write)
        self.session = None
        target = self.call("Target.createTarget", url="about:blank")
        self.session = self.call("Target.attachToTarget", flatten=True,
                                 targetId=target["targetId"])["sessionId"]
        self.resize(width, height)

    def _message(self, seconds):
        end = time.monotonic() + seconds
        while b"\0" not in self.rest:
            if not select.select([self.answers], [], [],
                                 max(0, end - time.monotonic()))[0]:
                raise TimeoutError("the browser does not answer")
            data = os.read(self.answers, 1 << 16)
            if not data:
                raise EOFError("the browser has ended")
            self.rest += data
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **params):
        """A command of the DevTools protocol, and its result."""
        self.last += 1
        message = {"id": self.last, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._message(60)
            if answer.get("id") == self.last:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]

    def resize(self, width, height):
        """What a person does with the window."""
        self.call("Emulation.setDeviceMetricsOverride", width=width,
                  height=height, deviceScaleFactor=1, mobile=False)

    def open(self, url):
        """Begins to load a page."""
        self.call("Page.navigate", url=url)

    def value(self, script):
        """What a script in the page, or its promise, comes to."""
        result = self.call("Runtime.evaluate", expression=script,
                           awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(result["exceptionDetails"])
        return result["result"].get("value")

    def wait(self, script, seconds):
        """Until a script's value is true; it may throw until then."""
        end = time.monotonic() + seconds
        while True:
            try:
                if self.value(script):
                    return
            except RuntimeError:
                pass
            if time.monotonic() > end:
                raise TimeoutError(f"not within {seconds} s: {script}")
            time.sleep(0.1)

    def type(self, text):
        """Keys, as on a US keyboard; a newline is Return."""
        for char in text:
            shift = char in SHIFTED or char.isupper()
            key = {"\n": "Enter"}.get(char, char)
            code = key if key == "Enter" else ""
            if shift:
                self._key("keyDown", "Shift", "ShiftLeft")
            self._key("keyDown", key, code)
            self._key("keyUp", key, code)
            if shift:
                self._key("keyUp", "Shift", "ShiftLeft")

    def _key(self, kind, key, code):
        self.call("Input.dispatchKeyEvent", type=kind, key=key, code=code)

    def screenshot(self, path):
        """The window, as a PNG file."""
        data = self.call("Page.captureScreenshot", format="png")["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))

    def close(self):
        """Ends it."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.to)
        os.close(self.answers)
        self.profile.cleanup()
