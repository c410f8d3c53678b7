"""The echo server as its users meet it: a process, its tokens, its HTTP and its metrics."""

import base64
import hmac
import http.client
import json
import os
import re
import signal
import subprocess
import tempfile
import time
import unittest

PROGRAM = os.environ["NEARBY_ECHO_SERVER"]
SECRET = "a secret of the tests, long enough"
PATIENCE_S = 60  # before a test gives up: not a measure of anything, sanitizers are slow


class Server:
    """A server on a free port. Use it as a context: it is killed at the end if it still runs."""

    def __init__(self, *options, threads=2, insecure=False):
        self._directory = tempfile.TemporaryDirectory()
        self.secret_file = os.path.join(self._directory.name, "secret")
        with open(self.secret_file, "w", encoding="ascii") as file:
            file.write(SECRET)
        identity = ["--insecure"] if insecure else ["--secret-file", self.secret_file]
        self._stderr = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [PROGRAM, "--listen", "127.0.0.1:0", "--threads", str(threads), *identity, *options],
            stdout=subprocess.PIPE,
            stderr=self._stderr,
        )
        line = self.process.stdout.readline().decode()
        match = re.fullmatch(r"listening on 127\.0\.0\.1:(\d+)\n", line)
        if not match:
            self.close()
            raise AssertionError(f"the server did not start: {line!r} {self.errors()}")
        self.port = int(match.group(1))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self._stderr.closed:
            return
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self._output = self.errors()
        self._stderr.close()
        self._directory.cleanup()

    def errors(self):
        """What it has written to standard error."""
        if self._stderr.closed:
            return self._output
        self._stderr.seek(0)
        return self._stderr.read().decode(errors="replace")

    def token(self, user, *options, secret_file=None):
        """As the server's own command makes it."""
        command = [PROGRAM, "token", "--user", str(user), "--secret-file", secret_file or self.secret_file]
        return subprocess.run([*command, *options], check=True, capture_output=True, text=True).stdout.strip()

    def own_token(self, user, scope="user"):
        """The same by the documented format (examples/echo_server/token.h), without a process for each."""

        def encode(data):
            return base64.urlsafe_b64encode(data).rstrip(b"=")

        signed = b"v1." + encode(f"{user}:{int(time.time()) + 3600}:{scope}".encode())
        mac = hmac.new(SECRET.encode(), signed, "sha256").digest()
        return (signed + b"." + encode(mac)).decode()

    def other_secret(self, secret):
        """A file with another secret, of the same server's directory."""
        path = os.path.join(self._directory.name, "other-secret")
        with open(path, "w", encoding="ascii") as file:
            file.write(secret)
        return path

    def url(self, user=None, token=None):
        base = f"ws://127.0.0.1:{self.port}/ws"
        if token is not None:
            return f"{base}?token={token}"
        return base if user is None else f"{base}?token={self.own_token(user)}"

    def request(self, method, path, token=None, headers=None, body=None):
        """(status, headers, body as JSON if it is)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            headers = dict(headers or {})
            if token is not None:
                headers["Authorization"] = f"Bearer {token}"
            try:
                connection.request(method, path, body=body, headers=headers)
            except (BrokenPipeError, ConnectionResetError):
                pass  # Refused before all of the body was sent: the answer must be there all the same.
            response = connection.getresponse()
            text = response.read().decode()
            is_json = (response.getheader("Content-Type") or "").startswith("application/json")
            return response.status, response.headers, json.loads(text) if is_json and text else text
        finally:
            connection.close()

    def befriend(self, a, b):
        admin = self.own_token(0, "admin")
        status, _, body = self.request("PUT", f"/v1/users/{a}/friends/{b}", admin)
        assert (status, body) == (200, {"state": "friends"}), (status, body)

    def metric(self, name):
        """The sum of a metric over its labels."""
        _, _, text = self.request("GET", "/metrics")
        values = re.findall(rf"^{name}(?:{{[^}}]*}})? ([0-9.e+]+)$", text, re.MULTILINE)
        assert values, f"no metric {name}"
        return sum(float(value) for value in values)

    def memory_kib(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            return int(re.search(r"^VmRSS:\s+(\d+) kB", file.read(), re.MULTILINE).group(1))

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def wait(self):
        return self.process.wait(timeout=PATIENCE_S)


def eventually(condition, what):
    """Waits until the condition holds."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"it never came to this: {what}")
        time.sleep(0.02)


class ServerTest(unittest.IsolatedAsyncioTestCase):
    """A test with a server of its own, which must be well at the end."""

    OPTIONS = ()

    def setUp(self):
        self.server = Server(*self.OPTIONS)

    def tearDown(self):
        is_up = self.server.process.poll() is None
        healthy = is_up and self.server.request("GET", "/healthz")[0] == 200
        self.server.close()
        self.assertTrue(healthy, f"the server is not well: {self.server.errors()}")
        self.assertNotIn("Sanitizer", self.server.errors())
