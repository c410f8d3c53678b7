"""Bad input, and peers that mean no good: each gets the right answer, and the server stays up."""

import contextlib
import os
import socket
import sqlite3
import tempfile
import time
import unittest

import websockets

from nearby.v1 import client_pb2
from phone import HOME, Phone
from server import PATIENCE_S, Server, ServerTest, eventually

Error = client_pb2.Error


class HostileTest(ServerTest):
    async def test_locations_that_are_none(self):
        for is_json in (False, True):
            async with await Phone.arrive(self.server, 7, HOME, is_json) as phone:
                for lat, lng in ((float("nan"), 0), (91, 0), (-90.1, 0), (0, 180.5), (0, float("inf"))):
                    with self.subTest(is_json=is_json, lat=lat, lng=lng):
                        answer = await phone.call(report=phone.location((lat, lng)))
                        self.assertEqual(answer.error.code, Error.INVALID_ARGUMENT)
                        self.assertIn("latitude" if lng == 0 else "longitude", answer.error.message)

    async def test_times_that_are_wrong(self):
        async with await Phone.arrive(self.server, 7, HOME) as phone:
            now_ms = phone.location(HOME).reported_at_ms
            await phone.report(HOME, now_ms + 3_600_000)
            await phone.wait_error(Error.INVALID_ARGUMENT)
            await phone.report(HOME, now_ms - 3_600_000)
            await phone.wait_error(Error.FAILED_PRECONDITION)

    async def test_frames_that_are_no_messages(self):
        async with await Phone.arrive(self.server, 7, HOME) as phone:
            for frame in (
                b"\xff\xff\xff\xff",
                b"",
                "",
                "null",
                "[]",
                "{",
                '{"report": 7}',
                '{"report": {"lat": 1}}',
                "[" * 2000,
                '{"a":' * 500 + "1" + "}" * 500,
                '{"requestId": "x"}',
                '{"requestId": 5}',
            ):
                with self.subTest(frame[:30]):
                    errors = len(phone.errors())
                    await phone.socket.send(frame)
                    await phone.until(lambda: len(phone.errors()) > errors, "an error")
                    self.assertIn(phone.errors()[-1].code, (Error.INVALID_ARGUMENT, Error.UNIMPLEMENTED))
                    # The connection lives on, and is none the worse for it.
                    answer = await phone.call(nearby=client_pb2.NearbyRequest())
                    self.assertTrue(answer.HasField("nearby_answer"))

    async def test_errors_bear_the_number_of_their_call(self):
        async with await Phone.arrive(self.server, 7, HOME, is_json=True) as phone:
            await phone.socket.send('{"requestId": "77", "subscribe": {"friendId": "x"}}')
            await phone.wait_for(lambda m: m.request_id == 77 and m.HasField("error"), "error 77")

    async def test_whoever_goes_on_with_nonsense_is_closed(self):
        async with await Phone.arrive(self.server, 7, HOME) as phone:
            for _ in range(100):
                try:
                    await phone.socket.send(b"\xff")
                except websockets.ConnectionClosed:
                    break
            self.assertEqual(await phone.wait_closed(), 1008)

    async def test_oversized_frames(self):
        async with await Phone.arrive(self.server, 7, HOME) as phone:
            await phone.socket.send(b"\0" * 100_000)
            self.assertEqual(await phone.wait_closed(), 1009)

    async def test_fragmented_frames(self):
        message = client_pb2.ClientMessage(request_id=99, nearby=client_pb2.NearbyRequest(page_size=5))
        data = message.SerializeToString()
        async with await Phone.arrive(self.server, 7, HOME) as phone:
            await phone.socket.send([data[i : i + 1] for i in range(len(data))])
            await phone.wait_for(lambda m: m.request_id == 99 and m.HasField("nearby_answer"), "the page")
            # In pieces, it must not grow beyond what it may be as a whole. The reason may be lost on the way to one who
            # is still sending.
            with contextlib.suppress(websockets.ConnectionClosed):
                await phone.socket.send(b"\0" * 1000 for _ in range(100))
            self.assertIn(await phone.wait_closed(), (1006, 1009))

    async def test_too_many_calls(self):
        async with await Phone.arrive(self.server, 7, HOME) as phone:
            for number in range(1000, 1200):
                await phone.send(
                    client_pb2.ClientMessage(request_id=number, nearby=client_pb2.NearbyRequest())
                )
            error = await phone.wait_error(Error.RESOURCE_EXHAUSTED)
            self.assertGreater(error.error.retry_after_ms, 0)

    async def test_calls_that_name_nobody(self):
        async with await Phone.arrive(self.server, 7, HOME) as phone:
            answer = await phone.call(subscribe=client_pb2.Subscribe(friend_id=7))
            self.assertEqual(answer.error.code, Error.INVALID_ARGUMENT)
            answer = await phone.call(nearby=client_pb2.NearbyRequest(page_size=10**6))
            self.assertEqual(answer.error.code, Error.INVALID_ARGUMENT)
            answer = await phone.call(nearby=client_pb2.NearbyRequest(page_token=b"nonsense"))
            self.assertEqual(answer.error.code, Error.INVALID_ARGUMENT)
        async with await Phone.connect(self.server.url(7)) as phone:
            self.assertEqual((await phone.init(HOME, radius_m=-1)).error.code, Error.INVALID_ARGUMENT)

    # --- HTTP ---

    async def test_requests_that_make_no_sense(self):
        token = self.server.token(7)
        for method, path, wanted in (
            ("GET", "/", 404),
            ("GET", "/v1/users/7", 404),
            ("GET", "/v1/users/x/nearby", 400),
            ("GET", "/v1/users/18446744073709551616/nearby", 400),
            ("PUT", "/v1/users/7/friends/7", 400),
            ("GET", "/v1/users/7/nearby", 404),
            ("GET", "/ws", 426),
            ("GET", "/%zz", 400),
        ):
            with self.subTest(f"{method} {path}"):
                status, _, body = self.server.request(method, path, token)
                self.assertIn(status, (426, 400) if wanted == 426 else (wanted,), body)
                self.assertIn("code", body["error"])
        status, headers, _ = self.server.request("POST", "/v1/users/7/friends/8", token)
        self.assertEqual((status, headers["Allow"].replace(" ", "")), (405, "PUT,DELETE"))
        self.assertIn(self.server.request("PUT", "/v1/users/7/friends/8", token, body="x" * 2_000_000)[0], (413, 400))
        self.assertIn(self.server.request("GET", "/healthz", headers={"X": "y" * 100_000})[0], (400, 431))

    def raw(self, data):
        """What comes back for some bytes, until the server closes."""
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=PATIENCE_S) as connection:
            connection.sendall(data)
            answer = b""
            try:
                while piece := connection.recv(65536):
                    answer += piece
            except ConnectionResetError:
                pass
            return answer

    async def test_a_goodbye_that_crosses_the_servers(self):
        """A client's close frame that comes along with other frames while the server closes, and is read with them."""

        def frame(opcode, payload):
            return bytes((0x80 | opcode, 0x80 | len(payload), 0, 0, 0, 0)) + payload

        nonsense = frame(2, b"\xff")
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=PATIENCE_S) as connection:
            path = self.server.url(7).split("/", 3)[3]
            connection.sendall(
                f"GET /{path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
            )
            self.assertIn(b" 101 ", connection.recv(65536))
            for _ in range(15):  # one less than ends it
                connection.sendall(nonsense)
                self.assertTrue(connection.recv(65536))
            began = time.monotonic()
            connection.sendall(nonsense + nonsense + frame(8, b"\x03\xe8"))
            while connection.recv(65536):
                pass
            # It gives up after 5 s where the closing handshake does not end.
            self.assertLess(time.monotonic() - began, 4)

    async def test_bytes_that_are_no_http(self):
        self.raw(b"\0\xff\x16\x03\x01" * 1000 + b"\r\n\r\n")
        self.raw(b"GET / HTTP/9.9\r\n\r\n")
        self.raw(b"GET /healthz HTTP/1.1\r\nContent-Length: -1\r\n\r\n")

    async def test_metrics_are_prometheus_text(self):
        async with await Phone.arrive(self.server, 7, HOME):
            _, headers, text = self.server.request("GET", "/metrics")
            self.assertTrue(headers["Content-Type"].startswith("text/plain"))
            typed = set()
            for line in text.splitlines():
                if line.startswith("# TYPE "):
                    name = line.split()[2]
                    self.assertNotIn(name, typed, "metrics of one name stand together")
                    typed.add(name)
                elif not line.startswith("#"):
                    self.assertIn(line.split("{")[0].split()[0], typed)
            eventually(lambda: self.server.metric("nearby_sessions") == 1, "one session")


class SlowRequestTest(ServerTest):
    OPTIONS = ("--request-timeout", "2", "--init-timeout", "2")

    async def test_half_a_request_is_not_waited_for(self):
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=PATIENCE_S) as connection:
            connection.sendall(b"GET /healthz HTT")
            self.assertEqual(connection.recv(10), b"")

    async def test_nor_is_a_first_call(self):
        phone = await Phone.connect(self.server.url(7))
        self.assertEqual(await phone.wait_closed(), 1008)


class SlowStoreTest(ServerTest):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        path = os.path.join(directory.name, "friends.db")
        self.server = Server("--db", path, "--request-timeout", "1")
        self.database = sqlite3.connect(path, isolation_level=None)
        self.addCleanup(self.database.close)

    async def test_the_store_is_not_waited_for_for_ever(self):
        token = self.server.token(7)
        began = time.monotonic()
        # Who locks the file makes the server's commits wait, for 5 s at most.
        self.database.execute("BEGIN IMMEDIATE")
        status, headers, body = self.server.request("PUT", "/v1/users/7/hidden/8", token)
        self.assertEqual((status, body["error"]["code"]), (504, "DEADLINE_EXCEEDED"))
        self.assertEqual(headers["Connection"], "close")
        # This request's own connection is left.
        eventually(lambda: self.server.metric("nearby_server_connections") == 1, "the other's place is free")
        self.assertLess(time.monotonic() - began, 5, "the store has given up by itself")
        self.database.execute("ROLLBACK")
        # By now the late answer has come to nobody, because the store answers in order.
        self.assertEqual(self.server.request("DELETE", "/v1/users/7/hidden/8", token)[0], 204)


class ManyRequestsTest(ServerTest):
    OPTIONS = ("--calls-per-second", "0.01", "--call-burst", "5")

    async def test_too_many_requests_of_one_user(self):
        def ask(user, token):
            status, headers, _ = self.server.request("PUT", f"/v1/users/{user}/hidden/100", token)
            return status, headers["Retry-After"]

        seven = self.server.token(7)
        answers = [ask(7, seven) for _ in range(8)]
        self.assertEqual([status for status, _ in answers], 5 * [204] + 3 * [429])
        self.assertIn(int(answers[-1][1]), range(2, 101))
        # Others are not concerned, nor is who acts for all.
        self.assertEqual(ask(8, self.server.token(8))[0], 204)
        admin = self.server.token(9, "--admin")
        self.assertEqual({ask(7, admin)[0] for _ in range(8)}, {204})


if __name__ == "__main__":
    unittest.main()
