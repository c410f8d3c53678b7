"""Readers that sleep, a thousand connections, connections that are killed: bounded memory, and right sets after it."""

import asyncio
import os
import socket
import time
import unittest

from phone import FAR, HOME, Event, Phone, Update
from server import PATIENCE_S, ServerTest, eventually

# How long the reader sleeps at least, besides until the server has had to merge: 60 to see it sleep a minute.
SLEEP_S = float(os.environ.get("NEARBY_E2E_SLEEP_S", "0"))

# A sanitizer keeps for a while what the server has freed: its resident memory says nothing about the server's.
MEMORY_COUNTS = os.environ.get("NEARBY_E2E_SANITIZED") != "1"


def small_socket(port):
    """A connection with hardly any buffer, so that not reading is felt soon."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect(("127.0.0.1", port))
    connection.setblocking(False)
    return connection


class SlowReaderTest(ServerTest):
    OPTIONS = ("--calls-per-second", "100000", "--call-burst", "100000", "--idle-timeout", "600")

    async def test_a_reader_sleeps_and_comes_back_to_the_right_set(self):
        sleeper, friends = 1, range(2, 42)
        for friend in friends:
            self.server.befriend(sleeper, friend)
        phone = await Phone.arrive(self.server, sleeper, HOME, sock=small_socket(self.server.port))
        others = {friend: await Phone.arrive(self.server, friend, HOME) for friend in friends}
        await phone.until(lambda: len(phone.in_sight) == len(friends), "all have entered")

        phone.socket.transport.pause_reading()
        began = time.monotonic()
        rounds = 0

        def has_felt_it():
            return self.server.metric("nearby_busy_sessions") >= 1 and self.server.metric("nearby_events_merged_total") > 0

        memory_kib = self.server.memory_kib()
        while rounds < 10 or not has_felt_it() or time.monotonic() - began < SLEEP_S:
            rounds += 1
            for number, other in enumerate(others.values()):
                await other.report((HOME[0] + 0.00001 * ((rounds + number) % 100), HOME[1]))
            await asyncio.sleep(0)
            if rounds % 50 == 0:
                self.assertLess(time.monotonic() - began, PATIENCE_S + SLEEP_S, "the server never felt it")
        # At last half of them go away, some come back, and the rest stand somewhere.
        for friend, other in others.items():
            await other.report(FAR if friend % 2 else HOME)
            if friend % 4 == 1:
                await other.report(HOME)
        if MEMORY_COUNTS:
            self.assertLess(self.server.memory_kib() - memory_kib, 20_000)
        wanted = {friend for friend in friends if friend % 2 == 0 or friend % 4 == 1}
        heard = len(phone.messages)
        phone.socket.transport.resume_reading()
        await phone.until(lambda: set(phone.in_sight) == wanted, "the right set")
        # The set stays right, and is at the places where they are.
        for friend in wanted:
            await others[friend].report((HOME[0], HOME[1] + 0.0001))
        await phone.until(
            lambda: all(round(f.lng - HOME[1], 5) == 0.0001 for f in phone.in_sight.values()), "the newest places"
        )
        self.assertEqual(set(phone.in_sight), wanted)
        # Far fewer events came than happened.
        events = sum(len(message.update.events) for message in phone.messages[heard:])
        self.assertLess(events, rounds * len(friends))
        for other in [phone, *others.values()]:
            await other.close()


class ManyTest(ServerTest):
    OPTIONS = ("--max-connections", "1100")

    async def test_a_thousand_connections_and_then_half_of_them_killed(self):
        pairs = 500
        for pair in range(pairs):
            self.server.befriend(2 * pair, 2 * pair + 1)
        phones = []
        for begin in range(0, 2 * pairs, 50):
            phones += await asyncio.gather(
                *(Phone.arrive(self.server, user, HOME, is_json=user % 3 == 0) for user in range(begin, begin + 50))
            )
        eventually(lambda: self.server.metric("nearby_sessions") == 2 * pairs, "all are there")
        for user, phone in enumerate(phones):
            await phone.until(lambda u=user, p=phone: set(p.in_sight) == {u ^ 1}, "each sees the other")
        # The odd ones vanish without a word.
        for phone in phones[1::2]:
            phone.socket.transport.abort()
        for user, phone in enumerate(phones):
            if user % 2 == 0:
                await phone.until(lambda p=phone: not p.in_sight, "the other has gone")
                self.assertEqual(phone.events()[-1].reason, Event.OFFLINE)
        eventually(lambda: self.server.metric("nearby_sessions") == pairs, "their sessions have ended")
        for phone in phones[::2]:
            await phone.close()
        eventually(lambda: self.server.metric("nearby_sessions") == 0, "so have the others'")

    async def test_beyond_the_limit(self):
        sockets = [socket.create_connection(("127.0.0.1", self.server.port)) for _ in range(1100)]
        eventually(lambda: self.answer_to_one_more().startswith(b"HTTP/1.1 503"), "no more are let in")
        for connection in sockets:
            connection.close()
        eventually(lambda: self.answer_to_one_more().startswith(b"HTTP/1.1 200"), "there is room again")

    def answer_to_one_more(self):
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=PATIENCE_S) as connection:
            try:
                connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                return connection.recv(1000)
            except ConnectionError:
                return b""


class DeadPeerTest(ServerTest):
    OPTIONS = ("--idle-timeout", "6")

    async def test_who_does_not_answer_pings_is_closed(self):
        self.server.befriend(1, 2)
        async with await Phone.arrive(self.server, 1, HOME) as phone:
            dead = await Phone.arrive(self.server, 2, HOME)
            await phone.until(lambda: 2 in phone.in_sight, "the other enters")
            dead.socket.transport.pause_reading()
            await phone.until(lambda: not phone.in_sight, "the other is given up")
            self.assertEqual(phone.events()[-1].reason, Event.OFFLINE)
            dead.socket.transport.abort()
            # Who does answer them stays.
            self.assertIsNone(phone.closed)
            self.assertEqual([m for m in phone.messages if m.update.start == Update.RESYNC], [])


if __name__ == "__main__":
    unittest.main()
