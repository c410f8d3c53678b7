"""SIGTERM: clients are asked to move, new ones are sent away, and the server ends by itself."""

import asyncio
import contextlib
import os
import socket
import sqlite3
import tempfile
import unittest

import websockets

from phone import HOME, Phone
from server import PATIENCE_S, Server, eventually


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port)).close()
        return True
    except ConnectionError:
        return False


class DrainTest(unittest.IsolatedAsyncioTestCase):
    async def test_under_load(self):
        with Server("--drain-spread", "4", "--drain-timeout", "60") as server:
            for user in range(0, 100, 2):
                server.befriend(user, user + 1)
            phones = [await Phone.arrive(server, user, HOME, is_json=user % 2 == 0) for user in range(100)]

            async def keep_reporting(phone):
                while phone.closed is None:
                    try:
                        await phone.report(HOME)
                    except websockets.ConnectionClosed:
                        return
                    await asyncio.sleep(0.05)

            reporters = [asyncio.ensure_future(keep_reporting(phone)) for phone in phones]
            late_token = server.token(1000)
            server.terminate()
            await phones[0].wait_for(lambda m: m.HasField("drain"), "a drain notice")
            # Who is still there is still served; nobody new is.
            status, _, body = server.request("GET", "/healthz")
            self.assertEqual((status, body.strip()), (503, "draining"))
            with self.assertRaises(websockets.InvalidStatusCode) as raised:
                await websockets.connect(server.url(token=late_token))
            self.assertEqual(raised.exception.status_code, 503)
            for phone in phones:
                notice = await phone.wait_for(lambda m: m.HasField("drain"), "a drain notice")
                self.assertLessEqual(notice.drain.reconnect_after_ms, 4000)
            for phone in phones:
                self.assertEqual(await phone.wait_closed(), 1012)
            await asyncio.gather(*reporters)
            self.assertEqual(server.wait(), 0, server.errors())
            self.assertNotIn("Sanitizer", server.errors())

    async def test_with_nobody_there(self):
        with Server() as server:
            server.terminate()
            self.assertEqual(server.wait(), 0, server.errors())

    async def test_who_does_not_leave_is_closed_in_the_end(self):
        with Server("--drain-timeout", "1") as server:
            phone = await Phone.arrive(server, 1, HOME)
            phone.socket.transport.pause_reading()
            server.terminate()
            self.assertEqual(server.wait(), 0, server.errors())
            phone.socket.transport.abort()

    async def test_who_waits_for_a_commit_is_still_answered(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "friends.db")
            with Server("--db", path) as server, contextlib.closing(sqlite3.connect(path)) as database:
                database.execute("BEGIN IMMEDIATE")  # the server's commits wait for this one to end
                with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_S) as connection:
                    token = server.token(7)
                    connection.sendall(
                        f"PUT /v1/users/7/hidden/8 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
                    )
                    eventually(lambda: server.metric("nearby_server_requests_under_way") == 2, "it waits")
                    server.terminate()
                    eventually(lambda: not listens(server.port), "the server is about to end")
                    database.rollback()
                    self.assertTrue(connection.recv(1000).startswith(b"HTTP/1.1 204 "))
                self.assertEqual(server.wait(), 0, server.errors())

    async def test_friendships_in_a_database_outlive_the_server(self):
        with tempfile.TemporaryDirectory() as directory:
            database = os.path.join(directory, "friends.db")
            with Server("--db", database) as server:
                server.befriend(1, 2)
                server.befriend(1, 3)
                self.assertEqual(server.request("PUT", "/v1/users/3/hidden/1", server.token(3))[0], 204)
                server.terminate()
                self.assertEqual(server.wait(), 0, server.errors())
            with Server("--db", database) as server:
                phones = [await Phone.arrive(server, user, HOME) for user in (1, 2, 3)]
                await phones[0].until(lambda: set(phones[0].in_sight) == {2}, "2 is a friend, 3 hides")
                await phones[2].until(lambda: set(phones[2].in_sight) == {1}, "hiding is one-way")
                for phone in phones:
                    await phone.close()
                eventually(lambda: server.metric("nearby_sessions") == 0, "all have gone")


if __name__ == "__main__":
    unittest.main()
