#!/usr/bin/env python3
"""The hash ring a second time, to the letter of src/parts/ring_assignment.h and nothing else.

    hash_ring_reference.py check FILE    computes every golden value again; exit status 0 if all agree
    hash_ring_reference.py write FILE    writes the golden values

The C++ test holds the library against the same file. So the two implementations agree, and neither can change unnoticed.
Where Python's xxhash is missing, the exit status is 77, which CTest takes for "skipped".

A golden file has these lines, the fields separated by one space, names without spaces:

    seed HEX-OF-NAME SEED           the seed of a name, both in hexadecimal
    channel ID PARTITION            the partition of a channel
    ring RING                       begins a ring; what follows belongs to it
    seats PREFIX FIRST COUNT WEIGHT adds seats named PREFIX followed by a number
    counts COUNT...                 the partitions owned by each seat, in the order of names (rings of up to ten seats)
    owner PARTITION NAME            an owner
    owners ID NAME...               the owner of a channel and all who come next, at most eight names
    table CHECKSUM                  XXH3_64bits of the owners' indices in the order of names, 16 bits each, low byte first
"""

import heapq
import random
import sys

try:
    import xxhash
except ImportError:
    print("hash_ring_reference: no module xxhash (Debian: python3-xxhash): skipped")
    sys.exit(77)

HALF_BITS = 9
HALF = 1 << HALF_BITS
PARTITIONS = HALF * HALF
MASK = (1 << 64) - 1


def seed_of(name):
    return xxhash.xxh3_64_intdigest(name)


def partition_of(channel):
    x = channel
    x = ((x ^ (x >> 33)) * 0xFF51AFD7ED558CCD) & MASK
    x = ((x ^ (x >> 33)) * 0xC4CEB9FE1A85EC53) & MASK
    x ^= x >> 33
    return x >> 46


def split_mix(state):
    """An endless SplitMix64."""
    while True:
        state = (state + 0x9E3779B97F4A7C15) & MASK
        x = state
        x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
        yield x ^ (x >> 31)


def base_times():
    times = []
    total = 0
    for rank in range(PARTITIONS):
        times.append(total + (1 << 47) // (PARTITIONS - rank))
        total += (1 << 48) // (PARTITIONS - rank)
    return times


BASE_TIMES = base_times()


class Seat:
    def __init__(self, name, weight):
        self.name = name.encode()
        self.weight = weight
        generator = split_mix(seed_of(self.name))
        self.rounds = [[next(generator) >> (64 - HALF_BITS) for _ in range(HALF)] for _ in range(4)]

    def rank_of(self, partition):
        f0, f1, f2, f3 = self.rounds
        high, low = divmod(partition, HALF)
        high ^= f0[low]
        low ^= f1[high]
        high ^= f2[low]
        low ^= f3[high]
        return high * HALF + low

    def partition_at(self, rank):
        f0, f1, f2, f3 = self.rounds
        high, low = divmod(rank, HALF)
        low ^= f3[high]
        high ^= f2[low]
        low ^= f1[high]
        high ^= f0[low]
        return high * HALF + low

    def time_of(self, rank):
        return (BASE_TIMES[rank] << 10) // self.weight


def quota(weight, total):
    share = (PARTITIONS * weight + total - 1) // total
    slack = 0
    while 4 * slack * slack < 9 * share:
        slack += 1
    return share + slack


def assign(seats):
    """The owner of each partition, as an index into the seats, which are in the order of their names."""
    total = sum(seat.weight for seat in seats)
    owners = [None] * PARTITIONS
    free = PARTITIONS
    room = [quota(seat.weight, total) if seat.weight else 0 for seat in seats]
    visits = [(seat.time_of(0), index, 0) for index, seat in enumerate(seats) if seat.weight]
    heapq.heapify(visits)
    while free:
        _, index, rank = visits[0]
        seat = seats[index]
        partition = seat.partition_at(rank)
        if owners[partition] is None:
            owners[partition] = index
            free -= 1
            room[index] -= 1
        if room[index] and rank + 1 < PARTITIONS:
            heapq.heapreplace(visits, (seat.time_of(rank + 1), index, rank + 1))
        else:
            heapq.heappop(visits)
    return owners


def successors(seats, owners, channel, count):
    partition = partition_of(channel)
    owner = owners[partition]
    others = [index for index, seat in enumerate(seats) if seat.weight and index != owner]
    others.sort(key=lambda index: (seats[index].time_of(seats[index].rank_of(partition)), index))
    return [seats[index].name.decode() for index in [owner] + others][:count]


def seed_lines():
    # XXH3 has ways of its own for 1-3, 4-8, 9-16, 17-128, 129-240 and more bytes.
    lengths = [1, 2, 3, 4, 5, 8, 9, 12, 16, 17, 32, 33, 64, 65, 96, 97, 128, 129, 160, 240, 241, 254, 255]
    for length in lengths:
        yield bytes((7 * i + 131 * length) % 256 for i in range(length))
    yield from [b"a", b"node-17", b"redis-a.example.net"]


def channels():
    yield from range(4)
    for bit in (8, 16, 31, 32, 33, 46, 62, 63):
        yield from ((1 << bit) - 1, 1 << bit)
    yield MASK
    generator = random.Random(17)
    for _ in range(64):
        yield generator.getrandbits(64)


RINGS = {
    "one": [("only", 0, 1, 1)],
    "two": [("left", 0, 1, 100), ("right", 0, 1, 100)],
    "three": [("node-", 1, 3, 100)],
    "seven-weighted": [
        ("one", 1, 1, 1), ("ten", 1, 1, 10), ("hundred", 1, 1, 100), ("thousand", 1, 1, 1000),
        ("odd", 1, 1, 333), ("none", 1, 1, 0), ("like-odd", 1, 1, 333)],
    "hundred": [("node-", 0, 100, 100)],
    "hundred-mixed": [("light-", 0, 40, 37), ("normal-", 0, 40, 100), ("heavy-", 0, 19, 1000), ("none-", 0, 1, 0)],
    "thousand": [("10.0.0.1:", 6000, 1000, 100)],
}


def ring_lines(groups):
    seats = [Seat(f"{prefix}{first + i}", weight) for prefix, first, count, weight in groups for i in range(count)]
    seats.sort(key=lambda seat: seat.name)
    owners = assign(seats)
    for group in groups:
        yield "seats {} {} {} {}".format(*group)
    if len(seats) <= 10:
        yield "counts " + " ".join(str(owners.count(index)) for index in range(len(seats)))
    generator = random.Random(len(seats))
    for partition in [0, 1, PARTITIONS - 1] + [generator.getrandbits(2 * HALF_BITS) for _ in range(12)]:
        yield f"owner {partition} {seats[owners[partition]].name.decode()}"
    for channel in [0, MASK] + [generator.getrandbits(64) for _ in range(6)]:
        yield f"owners {channel} " + " ".join(successors(seats, owners, channel, 8))
    table = b"".join(owner.to_bytes(2, "little") for owner in owners)
    yield f"table {seed_of(table):016x}"


def golden_lines():
    yield "# Golden values of the hash ring, written by hash_ring_reference.py, which says what the lines mean."
    yield "# They hold for ever: nodes of different versions must agree on the owner of a channel."
    for name in seed_lines():
        yield f"seed {name.hex()} {seed_of(name):016x}"
    for channel in channels():
        yield f"channel {channel} {partition_of(channel)}"
    for name, groups in RINGS.items():
        yield f"ring {name}"
        yield from ring_lines(groups)


def main(arguments):
    if len(arguments) != 2 or arguments[0] not in ("check", "write"):
        print(__doc__, file=sys.stderr)
        return 2
    command, path = arguments
    if command == "write":
        with open(path, "w", encoding="ascii") as file:
            file.writelines(line + "\n" for line in golden_lines())
        return 0
    with open(path, encoding="ascii") as file:
        golden = file.read().splitlines()
    computed = list(golden_lines())
    differences = [(a, b) for a, b in zip(golden, computed) if a != b]
    for written, expected in differences[:10]:
        print(f"{path} says  {written}\nthe reference {expected}", file=sys.stderr)
    if len(golden) != len(computed):
        print(f"{path} has {len(golden)} lines, the reference {len(computed)}", file=sys.stderr)
    return 1 if differences or len(golden) != len(computed) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
