"""What clients do to a broker that has little memory. Each abuse takes the address and a number of seconds."""
import threading
import time

from wire import *


def at_once(count, work):
    """Runs work(i) in so many threads; what goes wrong in one is its own matter: the broker may close it."""
    def run(i):
        try:
            work(i)
        except OSError:
            pass
    threads = [threading.Thread(target=run, args=(i,), daemon=True) for i in range(count)]
    for t in threads:
        t.start()
    return threads


def wait(threads, until):
    for t in threads:
        t.join(max(0, until - time.time()))


def nothing(address, seconds):
    """No abuse: the neighbour alone."""
    time.sleep(seconds)


def partial_frames(address, seconds):
    """100 connections begin a request of 9 MB, send 3 MB of it, and no more."""
    piece, until = bytes(1 << 20), time.time() + seconds

    def work(_):
        s = connect(address, seconds)
        s.sendall(int32(9_000_000) + int16(PRODUCE) + int16(8) + int32(1) + text("x"))
        for _ in range(3):
            s.sendall(piece)
        time.sleep(max(0, until - time.time()))
    wait(at_once(100, work), until)


def slow_frames(address, seconds):
    """1,000 connections begin a request of 900 kB and send 50 bytes a second of it."""
    connections, until = [], time.time() + seconds
    for _ in range(1000):
        try:
            s = connect(address)
            s.sendall(int32(900_000) + int16(PRODUCE) + int16(8) + int32(1) + text("x") + bytes(20_000))
            connections.append(s)
        except OSError:
            pass
    while time.time() < until:
        for s in connections:
            try:
                s.sendall(bytes(50))
            except OSError:
                pass
        time.sleep(1)


def stalled_readers(address, seconds):
    """4 producers fill a topic; every 50 ms one more consumer asks three times for all that there is, and never reads."""
    topic, one, until, ends = new_topic(address, "stalled", 4), batch(10_000, 90), time.time() + seconds, [0] * 4

    def fill(p):
        s = connect(address)
        while time.time() < until:
            ends[p] = produce(s, topic, one, p)[1] + 90
    threads, readers = at_once(4, fill), []
    while time.time() < until:
        s = connect(address, receive_buffer=4096)
        p = len(readers) % 4
        for _ in range(3):
            s.sendall(fetch_request(topic, [p], max(0, ends[p] - 2000), 64 << 20, 100))
        readers.append(s)
        time.sleep(0.05)
    wait(threads, until + 5)


def flood_without_acks(address, seconds):
    """8 connections produce with acks=0 as fast as they can: half of them 100 bytes a request, the others 900 kB."""
    topic, until = new_topic(address, "flood", 8), time.time() + seconds
    small, large = batch(100), batch(10_000, 90)

    def work(p):
        s = connect(address)
        frames = produce_request(topic, small, p, 0) * 500 if p % 2 else produce_request(topic, large, p, 0)
        while time.time() < until:
            s.sendall(frames)
    wait(at_once(8, work), until + 5)


def bombs(address, seconds):
    """4 connections produce 2 kB that unpack to 60 MB, and others that unpack to 4 MB, to a topic that compresses anew."""
    topic, until = new_topic(address, "bombs", 4, {"compression.type": "gzip"}), time.time() + seconds
    kinds = [bomb(60_000_000), bomb(4_000_000)]

    def work(p):
        s = connect(address)
        while time.time() < until:
            produce(s, topic, kinds[p % 2], p)
    wait(at_once(4, work), until + 5)


def many_connections(address, seconds):
    """8,000 connections, each with a request."""
    connections, until = [], time.time() + seconds
    while time.time() < until and len(connections) < 8000:
        try:
            s = connect(address, 1)
            s.sendall(request(API_VERSIONS, 0, b""))
            connections.append(s)
        except OSError:
            time.sleep(0.001)
    time.sleep(max(0, until - time.time()))


def huge_fetches(address, seconds):
    """20 connections fetch as much as a reply may have, from cold and warm data, and read slowly; each with 10,000 partitions."""
    topic, one, until = new_topic(address, "huge", 4), batch(10_000, 90), time.time() + seconds
    s = connect(address)
    for i in range(100):
        produce(s, topic, one, i % 4)

    def work(i):
        s = connect(address)
        while time.time() < until:
            s.sendall(fetch_request(topic, [n % 4 for n in range(10_000 if i % 2 else 4)], 0, 0x7FFF_FFFF))
            left = struct.unpack(">i", exactly(s, 4))[0]
            while left > 0 and time.time() < until:
                left -= len(s.recv(min(left, 1 << 20)))
                time.sleep(0.01)
    wait(at_once(20, work), until + 5)


def pipelined_requests(address, seconds):
    """200 connections send ApiVersions and Metadata without pause, and never read."""
    until = time.time() + seconds

    def work(_):
        s = connect(address, 1, receive_buffer=4096)
        frames = (request(API_VERSIONS, 0, b"") + request(METADATA, 5, int32(-1) + int8(0))) * 100
        while time.time() < until:
            try:
                s.sendall(frames)
            except TimeoutError:
                time.sleep(max(0, until - time.time()))
    wait(at_once(200, work), until + 5)


def large_group(address, seconds):
    """Members join one group with 50 kB of metadata each, every one over a connection of its own."""
    until, connections = time.time() + seconds, []
    s = connect(address)
    while struct.unpack(">ih", ask(s, FIND_COORDINATOR, 1, text("crowd") + int8(0))[:6])[1] != 0:
        time.sleep(0.2)
    # Version 3 knows no ids that are asked for first: the request makes the member.
    join = request(JOIN_GROUP, 3, text("crowd") + int32(60_000) + int32(300_000) + text("") + text("consumer")
                   + array([text("range") + blob(bytes(50_000))]))
    while time.time() < until:
        try:
            s = connect(address, 1)
            s.sendall(join)
            connections.append(s)
        except OSError:
            time.sleep(0.001)


ALL = [nothing, partial_frames, slow_frames, stalled_readers, flood_without_acks, bombs, many_connections, huge_fetches,
       pipelined_requests, large_group]
