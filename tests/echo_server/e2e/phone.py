"""A phone, made of Debian's websockets and protobuf: speaks the five calls in either kind of frame."""

import asyncio
import time

import websockets
from google.protobuf import json_format

from nearby.v1 import client_pb2
from server import PATIENCE_S

HOME = (48.1374, 11.5755)
NEARBY = (48.1384, 11.5755)  # 111 m to the north
FAR = (49.0, 11.5755)

Event = client_pb2.Event
Update = client_pb2.Update


class ProtocolViolation(AssertionError):
    pass


class Phone:
    """One connection. Keeps the set of friends in sight by the rules of docs/wire.md, and objects to
    whatever they don't allow."""

    def __init__(self, socket, is_json):
        self.socket = socket
        self.is_json = is_json
        self.in_sight = {}
        self.messages = []  # everything that came, in order
        self._request_id = 0
        self._waiting = []  # (condition, future) of each who waits
        self._reader = asyncio.ensure_future(self._read())
        self.closed = None  # the close code

    @classmethod
    async def connect(cls, url, is_json=False, **options):
        options.setdefault("ping_interval", None)
        options.setdefault("max_size", 2**22)
        options.setdefault("open_timeout", PATIENCE_S)
        return cls(await websockets.connect(url, **options), is_json)

    @classmethod
    async def arrive(cls, server, user, where=None, is_json=False, **options):
        """Connects and inits."""
        phone = await cls.connect(server.url(user), is_json, **options)
        answer = await phone.init(where)
        assert answer.HasField("init_answer"), answer
        return phone

    async def close(self):
        await self.socket.close()
        await self.wait_closed()

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        await self.close()

    # --- what it says ---

    async def send(self, message):
        if self.is_json:
            await self.socket.send(json_format.MessageToJson(message, indent=None))
        else:
            await self.socket.send(message.SerializeToString())

    async def call(self, **kind):
        """Sends a call and waits for its answer."""
        self._request_id += 1
        await self.send(client_pb2.ClientMessage(request_id=self._request_id, **kind))
        number = self._request_id
        return await self.wait_for(lambda message: message.request_id == number, f"an answer to {kind}")

    async def init(self, where=None, radius_m=None):
        init = client_pb2.Init()
        if where is not None:
            init.location.CopyFrom(self.location(where))
        if radius_m is not None:
            init.radius_m = radius_m
        return await self.call(init=init)

    async def report(self, where, reported_at_ms=None):
        """Sends a report, which is not answered unless it is refused."""
        await self.send(client_pb2.ClientMessage(report=self.location(where, reported_at_ms)))

    @staticmethod
    def location(where, reported_at_ms=None):
        return client_pb2.Report(
            lat=where[0], lng=where[1], reported_at_ms=reported_at_ms or int(time.time() * 1000)
        )

    # --- what it hears ---

    async def _read(self):
        try:
            async for frame in self.socket:
                message = client_pb2.ServerMessage()
                if isinstance(frame, str):
                    json_format.Parse(frame, message)
                else:
                    message.ParseFromString(frame)
                if message.WhichOneof("kind") != "error":
                    assert isinstance(frame, str) == self.is_json, "the answer is in the other kind of frame"
                self._take(message)
                self._tell_waiting()
        except websockets.ConnectionClosed:
            pass
        finally:
            self.closed = self.socket.close_code

    def _take(self, message):
        self.messages.append(message)
        if message.HasField("init_answer"):
            for friend in message.init_answer.friends:
                self.in_sight[friend.friend_id] = friend
        elif message.HasField("update"):
            if message.update.start in (Update.RESET, Update.RESYNC):
                self.in_sight.clear()
            for event in message.update.events:
                self._apply(event)

    def _apply(self, event):
        is_known = event.friend_id in self.in_sight
        if (event.kind == Event.ENTER) == is_known:
            raise ProtocolViolation(f"in sight: {is_known}, and then {event}")
        if event.kind == Event.LEAVE:
            if event.lat or event.lng or event.distance_mm:
                raise ProtocolViolation(f"a leave that says where: {event}")
            del self.in_sight[event.friend_id]
        else:
            if is_known and event.reported_at_ms < self.in_sight[event.friend_id].reported_at_ms:
                raise ProtocolViolation(f"time goes backward: {event}")
            self.in_sight[event.friend_id] = event

    def events(self):
        return [event for message in self.messages for event in message.update.events]

    def errors(self):
        return [message.error for message in self.messages if message.HasField("error")]

    def _tell_waiting(self):
        for condition, future in self._waiting:
            if not future.done() and condition():
                future.set_result(None)

    async def until(self, condition, what):
        """Waits until the condition holds, which is looked at after each message: what one message brings about
        and the next one ends is not missed."""
        if condition():
            return
        entry = (condition, asyncio.get_running_loop().create_future())
        self._waiting.append(entry)
        try:
            if not self._reader.done():
                await asyncio.wait([entry[1], self._reader], timeout=PATIENCE_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._waiting.remove(entry)
        if entry[1].done():
            return
        if not self._reader.done():
            raise asyncio.TimeoutError(f"waited in vain until {what}; {self.messages[-3:]}")
        if self._reader.exception() is not None:
            raise self._reader.exception()
        raise AssertionError(f"the connection was closed ({self.closed}) before {what}; {self.messages[-3:]}")

    async def wait_for(self, matches, what):
        """The first message that matches, old or new."""
        await self.until(lambda: any(map(matches, self.messages)), what)
        return next(filter(matches, self.messages))

    async def wait_error(self, code):
        return await self.wait_for(
            lambda message: message.error.code == code, f"error {client_pb2.Error.Code.Name(code)}"
        )

    async def wait_closed(self):
        await asyncio.wait_for(asyncio.wait([self._reader]), PATIENCE_S)
        return self.closed
