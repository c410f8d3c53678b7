"""Nobody reports, reads or befriends as somebody else."""

import subprocess
import time
import unittest

import websockets

from nearby.v1 import client_pb2
from phone import HOME, Event, Phone
from server import PATIENCE_S, PROGRAM, Server, ServerTest


class IdentityTest(ServerTest):
    async def refused(self, url, **options):
        with self.assertRaises(websockets.InvalidStatusCode) as raised:
            await websockets.connect(url, **options)
        return raised.exception.status_code

    async def test_web_sockets_need_a_good_token(self):
        good = self.server.token(7)
        head, payload, mac = good.split(".")
        forged = {
            "no token": None,
            "nonsense": "nonsense",
            "no mac": f"{head}.{payload}",
            "another's payload": f"{head}.{self.server.token(8).split('.')[1]}.{mac}",
            "a changed mac": f"{head}.{payload}.{('A' if mac[0] != 'A' else 'B') + mac[1:]}",
            "another version": f"v2.{payload}.{mac}",
            "another secret": self.server.token(
                7, secret_file=self.server.other_secret("another secret, which is as long as it must be")
            ),
            "padding": good + "=",
            "huge": "A" * 5000,
        }
        for name, token in forged.items():
            with self.subTest(name):
                self.assertIn(await self.refused(self.server.url(token=token)), (400, 401, 431))
        # By the header as well.
        self.assertEqual(await self.refused(self.server.url(), extra_headers={"Authorization": "Bearer x"}), 401)
        async with await Phone.connect(self.server.url(), extra_headers={"Authorization": f"Bearer {good}"}) as phone:
            self.assertTrue((await phone.init(HOME)).HasField("init_answer"))

    async def test_expired_tokens(self):
        token = self.server.token(7, "--ttl-s", "6")
        async with await Phone.connect(self.server.url(token=token)) as phone:
            self.assertTrue((await phone.init(HOME)).HasField("init_answer"))
            # The connection ends with its token.
            self.assertEqual(await phone.wait_closed(), 1008)
        self.assertEqual(await self.refused(self.server.url(token=token)), 401)
        self.assertEqual(self.server.request("PUT", "/v1/users/7/friends/8", token)[0], 401)

    async def test_http_is_for_oneself(self):
        seven, eight = self.server.token(7), self.server.token(8)
        for method, path in (
            ("PUT", "/v1/users/7/friends/9"),
            ("DELETE", "/v1/users/7/friends/9"),
            ("PUT", "/v1/users/7/hidden/9"),
            ("DELETE", "/v1/users/7/hidden/9"),
            ("GET", "/v1/users/7/nearby"),
        ):
            with self.subTest(f"{method} {path}"):
                status, _, body = self.server.request(method, path)
                self.assertEqual((status, body["error"]["code"]), (401, "UNAUTHENTICATED"))
                status, _, body = self.server.request(method, path, eight)
                self.assertEqual((status, body["error"]["code"]), (403, "PERMISSION_DENIED"))
                status, _, body = self.server.request(method, path, seven + "x")
                self.assertEqual(status, 401)

    async def test_befriending_takes_both(self):
        seven, eight = self.server.token(7), self.server.token(8)
        async with await Phone.arrive(self.server, 7, HOME) as one, await Phone.arrive(self.server, 8, HOME) as other:
            status, _, body = self.server.request("PUT", "/v1/users/7/friends/8", seven)
            self.assertEqual((status, body), (202, {"state": "requested"}))
            # Asking gives nothing away.
            await one.report(HOME)
            answer = await other.call(subscribe=client_pb2.Subscribe(friend_id=7))
            self.assertFalse(answer.subscribe_answer.HasField("in_sight"))
            self.assertEqual(one.in_sight, {})
            status, _, body = self.server.request("PUT", "/v1/users/8/friends/7", eight)
            self.assertEqual((status, body), (200, {"state": "friends"}))
            await one.until(lambda: 8 in one.in_sight, "they see each other")
            await other.until(lambda: 7 in other.in_sight, "they see each other")
            self.assertEqual(self.server.request("DELETE", "/v1/users/8/friends/7", eight)[0], 204)
            await one.until(lambda: not one.in_sight, "they don't any more")
            await other.until(lambda: not other.in_sight, "they don't any more")
            self.assertEqual(one.events()[-1].reason, Event.OFFLINE, "who unfriended is nobody's business")

    async def test_nothing_after_an_acknowledged_hide(self):
        self.server.befriend(7, 8)
        seven = self.server.token(7)
        async with await Phone.arrive(self.server, 7, HOME) as one, await Phone.arrive(self.server, 8, HOME) as other:
            self.assertIn(7, other.in_sight)
            for _ in range(20):
                await one.report(HOME)
            self.assertEqual(self.server.request("PUT", "/v1/users/7/hidden/8", seven)[0], 204)
            acknowledged_ms = int(time.time() * 1000)
            for _ in range(20):
                await one.report(HOME, acknowledged_ms + 1)
            await other.until(lambda: not other.in_sight, "he has left")
            self.assertEqual(other.events()[-1].reason, Event.OFFLINE, "hidden reads offline")
            await other.call(nearby=client_pb2.NearbyRequest())
            late = [e for e in other.events() if e.kind != Event.LEAVE and e.reported_at_ms > acknowledged_ms]
            self.assertEqual(late, [])
            # One-way: he sees her.
            self.assertIn(8, one.in_sight)
            self.assertEqual(self.server.request("DELETE", "/v1/users/7/hidden/8", seven)[0], 204)
            await other.until(lambda: 7 in other.in_sight, "he is back")

    async def test_insecure_is_for_loopback(self):
        refused = subprocess.run(
            [PROGRAM, "--insecure", "--listen", "0.0.0.0:0"], capture_output=True, text=True, timeout=PATIENCE_S
        )
        self.assertEqual(refused.returncode, 2)
        self.assertIn("loopback", refused.stderr)
        with Server(insecure=True) as server:
            url = f"ws://127.0.0.1:{server.port}/ws"
            async with await Phone.connect(f"{url}?user=7") as phone:
                self.assertTrue((await phone.init(HOME)).HasField("init_answer"))
            self.assertIn(await self.refused(url), (400, 401))
            self.assertEqual(server.request("PUT", "/v1/users/1/friends/2")[0], 202)

    async def test_insecurely_no_page_of_another_host_comes_in(self):
        with Server(insecure=True) as server:
            url = f"ws://127.0.0.1:{server.port}/ws?user=7"
            for origin in ("https://example.com", "http://127.0.0.1.example.com", "null"):
                with self.subTest(origin):
                    self.assertEqual(await self.refused(url, origin=origin), 403)
                    for method, path in (("PUT", "/v1/users/1/friends/2"), ("GET", "/metrics")):
                        status, _, body = server.request(method, path, headers={"Origin": origin})
                        self.assertEqual((status, body["error"]["code"]), (403, "PERMISSION_DENIED"))
            for origin in ("http://localhost:3000", "http://127.0.0.1", "http://[::1]:8080"):
                with self.subTest(origin):
                    await (await Phone.connect(url, origin=origin)).close()
                    self.assertEqual(server.request("PUT", "/v1/users/1/friends/2", headers={"Origin": origin})[0], 202)
        # Where tokens are asked for, they say enough.
        await (await Phone.connect(self.server.url(7), origin="https://example.com")).close()


if __name__ == "__main__":
    unittest.main()
