"""Two users see each other enter, move and leave, in both kinds of frame."""

import unittest
import urllib.parse

from nearby.v1 import client_pb2
from phone import FAR, HOME, NEARBY, Event, Phone
from server import ServerTest

Error = client_pb2.Error


class LifeTest(ServerTest):
    async def both(self, test):
        """Alice by protobuf and Bob by JSON, then the other way round."""
        for number, (alice_json, bob_json) in enumerate([(False, True), (True, False)]):
            alice, bob = 100 + 10 * number, 101 + 10 * number
            self.server.befriend(alice, bob)
            with self.subTest(alice_json=alice_json):
                await test(alice, bob, alice_json, bob_json)

    async def test_enter_move_leave(self):
        await self.both(self.enter_move_leave)

    async def enter_move_leave(self, alice, bob, alice_json, bob_json):
        async with await Phone.arrive(self.server, alice, HOME, alice_json) as one:
            async with await Phone.arrive(self.server, bob, NEARBY, bob_json) as other:
                # Who comes later has the first in the answer; the first is told.
                self.assertEqual(list(other.in_sight), [alice])
                await one.until(lambda: bob in one.in_sight, "Bob enters")
                self.assertAlmostEqual(one.in_sight[bob].distance_mm, 111_195, delta=20)
                self.assertAlmostEqual(one.in_sight[bob].lat, NEARBY[0], places=6)

                await other.report(HOME)
                await one.until(lambda: one.events()[-1].kind == Event.MOVE, "Bob moves")
                self.assertEqual(one.in_sight[bob].distance_mm, 0)

                await other.report(FAR)
                await one.until(lambda: not one.in_sight, "Bob leaves")
                await other.until(lambda: not other.in_sight, "Alice leaves")
                self.assertEqual(one.events()[-1].reason, Event.RANGE)
                self.assertEqual(other.events()[-1].reason, Event.RANGE)

                await other.report(NEARBY)
                await one.until(lambda: bob in one.in_sight, "Bob enters again")
            await one.until(lambda: not one.in_sight, "Bob is gone")
            self.assertEqual(one.events()[-1].reason, Event.OFFLINE)

    async def test_unsubscribe_and_subscribe(self):
        await self.both(self.unsubscribe_and_subscribe)

    async def unsubscribe_and_subscribe(self, alice, bob, alice_json, bob_json):
        async with await Phone.arrive(self.server, alice, HOME, alice_json) as one:
            async with await Phone.arrive(self.server, bob, NEARBY, bob_json) as other:
                await one.until(lambda: bob in one.in_sight, "Bob enters")
                answer = await one.call(unsubscribe=client_pb2.Unsubscribe(friend_id=bob))
                self.assertTrue(answer.HasField("unsubscribe_answer"))
                await one.until(lambda: not one.in_sight, "Bob leaves")
                self.assertEqual(one.events()[-1].reason, Event.UNSUBSCRIBED)
                # One-way: Bob sees Alice still, and Alice hears nothing of Bob.
                self.assertEqual(list(other.in_sight), [alice])
                heard = len(one.events())
                await other.report(HOME)
                await one.report(HOME)
                await other.until(lambda: other.events() and other.events()[-1].kind == Event.MOVE, "Alice moves")
                answer = await one.call(subscribe=client_pb2.Subscribe(friend_id=bob))
                self.assertEqual(len(one.events()) - heard, sum(e.kind == Event.ENTER for e in one.events()[heard:]))
                self.assertEqual(answer.subscribe_answer.in_sight.friend_id, bob)
                self.assertEqual(answer.subscribe_answer.in_sight.distance_mm, 0)
                await one.until(lambda: bob in one.in_sight, "Bob enters")

    async def test_subscribing_answers_alike_for_far_hidden_offline_and_strangers(self):
        alice, far, hidden, offline, stranger = 1, 2, 3, 4, 5
        for friend in (far, hidden, offline):
            self.server.befriend(alice, friend)
        token = self.server.token(hidden)
        self.assertEqual(self.server.request("PUT", f"/v1/users/{hidden}/hidden/{alice}", token)[0], 204)
        async with await Phone.arrive(self.server, alice, HOME) as phone:
            async with await Phone.arrive(self.server, far, FAR), await Phone.arrive(self.server, hidden, HOME):
                async with await Phone.arrive(self.server, stranger, HOME):
                    answers = []
                    for friend in (far, hidden, offline, stranger):
                        answer = await phone.call(subscribe=client_pb2.Subscribe(friend_id=friend))
                        answer.request_id = 0
                        answers.append(answer)
                    for answer in answers:
                        self.assertEqual(answer, answers[0])
                        self.assertFalse(answer.subscribe_answer.HasField("in_sight"))
                    self.assertEqual(phone.in_sight, {})

    async def test_pages(self):
        me, friends = 1, range(100, 150)
        for friend in friends:
            self.server.befriend(me, friend)
        phones = [
            await Phone.arrive(self.server, friend, (HOME[0] + 0.0001 * (friend - 99), HOME[1])) for friend in friends
        ]
        async with await Phone.arrive(self.server, me, HOME, is_json=True) as phone:
            answer = next(m.init_answer for m in phone.messages if m.HasField("init_answer"))
            self.assertEqual(answer.in_sight, 50)
            self.assertEqual([friend.friend_id for friend in answer.friends], list(friends)[:20])
            listed = [friend.friend_id for friend in answer.friends]
            token = answer.next_page_token
            while token:
                page = await phone.call(nearby=client_pb2.NearbyRequest(page_size=15, page_token=token))
                listed += [friend.friend_id for friend in page.nearby_answer.friends]
                token = page.nearby_answer.next_page_token
            self.assertEqual(listed, list(friends))
            await phone.until(lambda: len(phone.in_sight) == 50, "all have entered")
            # The same by HTTP.
            status, _, body = self.server.request(
                "GET", f"/v1/users/{me}/nearby?page_size=3", self.server.token(me)
            )
            self.assertEqual(status, 200, body)
            page = body["nearbyAnswer"]
            self.assertEqual([int(friend["friendId"]) for friend in page["friends"]], [100, 101, 102])
            self.assertEqual(page["inSight"], 50)
            status, _, body = self.server.request(
                "GET",
                f"/v1/users/{me}/nearby?page_size=3&page_token={urllib.parse.quote_plus(page['nextPageToken'])}",
                self.server.token(me),
            )
            self.assertEqual([int(f["friendId"]) for f in body["nearbyAnswer"]["friends"]], [103, 104, 105], body)
        for friend in phones:
            await friend.close()

    async def test_a_second_connection_replaces_the_first(self):
        self.server.befriend(1, 2)
        first = await Phone.arrive(self.server, 1, HOME)
        async with await Phone.arrive(self.server, 2, HOME) as friend:
            async with await Phone.arrive(self.server, 1, HOME) as second:
                self.assertEqual(await first.wait_closed(), 4001)
                self.assertIn(2, second.in_sight)
                # To the friend, nobody has left.
                self.assertEqual([e.kind for e in friend.events() if e.kind == Event.LEAVE], [])

    async def test_calls_out_of_turn(self):
        async with await Phone.connect(self.server.url(1)) as phone:
            await phone.report(HOME)
            await phone.wait_error(Error.FAILED_PRECONDITION)
            answer = await phone.call(subscribe=client_pb2.Subscribe(friend_id=2))
            self.assertEqual(answer.error.code, Error.FAILED_PRECONDITION)
            self.assertTrue((await phone.init(HOME)).HasField("init_answer"))
            self.assertEqual((await phone.init(HOME)).error.code, Error.FAILED_PRECONDITION)

    async def test_a_location_expires(self):
        self.server.close()
        self.server = type(self.server)("--ttl-s", "4")
        self.server.befriend(1, 2)
        async with await Phone.arrive(self.server, 1, HOME) as one, await Phone.arrive(self.server, 2, HOME) as other:
            await one.until(lambda: 2 in one.in_sight, "she enters")
            first = max(event.reported_at_ms for event in one.events())
            await one.until(lambda: not one.in_sight, "her location, or one's own, expires")
            await other.until(lambda: not other.in_sight, "likewise")
            await one.report(HOME)
            await other.report(HOME)
            # One's own location may have expired first: then hers, if it has not yet, is told once more.
            await one.until(
                lambda: 2 in one.in_sight and one.in_sight[2].reported_at_ms > first, "she enters afresh"
            )


if __name__ == "__main__":
    unittest.main()
