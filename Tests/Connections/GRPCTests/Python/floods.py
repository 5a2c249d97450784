"""Clients that no gRPC library would be: each scenario attacks a server over bare HTTP/2 and prints as JSON how that
ended.

usage: floods.py SCENARIO PORT PATH
"""

import json
import socket
import sys
import time

import hpack

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 2, 3, 4, 6, 7, 8, 9
END_STREAM, END_HEADERS = 1, 4
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
LARGEST = (1 << 31) - 1


def frame(kind, flags=0, stream=0, payload=b""):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def fields(path):
    return hpack.Encoder().encode(
        [
            (":method", "POST"),
            (":scheme", "http"),
            (":path", path),
            (":authority", "test"),
            ("content-type", "application/grpc"),
            ("te", "trailers"),
        ]
    )


class Attacker:
    def __init__(self, port, settings=b""):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.is_closed = False
        self.received = b""
        self.send(PREFACE + frame(SETTINGS, payload=settings))

    def send(self, data):
        """A server that no longer reads counts as one that has ended the connection: it leaves the kernel's buffers
        full."""
        if self.is_closed:
            return
        try:
            self.socket.sendall(data)
        except (ConnectionError, TimeoutError):
            self.is_closed = True

    def flood(self, data, count, at_once=500):
        sent = 0
        while sent < count and not self.is_closed:
            self.send(data * at_once)
            sent += at_once

    def end(self, patience=5.0):
        """Reads what the server still says. Whether it has ended the connection, and with which error code."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            self.socket.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                data = self.socket.recv(1 << 16)
            except TimeoutError:
                break
            except ConnectionError:
                data = b""
            if not data:
                self.is_closed = True
                break
            self.received += data
        frames = list(self.frames())
        codes = [int.from_bytes(payload[4:8], "big") for kind, _, _, payload in frames if kind == GOAWAY]
        resets = [int.from_bytes(payload[:4], "big") for kind, _, _, payload in frames if kind == RST_STREAM]
        self.socket.close()
        return {"ended": self.is_closed, "goaway": codes[-1] if codes else None, "resets": sorted(set(resets))}

    def frames(self):
        place = 0
        while place + 9 <= len(self.received):
            length = int.from_bytes(self.received[place : place + 3], "big")
            kind, flags = self.received[place + 3], self.received[place + 4]
            stream = int.from_bytes(self.received[place + 5 : place + 9], "big") & LARGEST
            yield kind, flags, stream, self.received[place + 9 : place + 9 + length]
            place += 9 + length


def pings(port, _):
    """Pings whose answers are never read."""
    attacker = Attacker(port)
    attacker.flood(frame(PING, payload=bytes(8)), 3_000_000)
    return attacker.end()


def settings(port, _):
    """Settings whose acknowledgments are never read."""
    attacker = Attacker(port)
    attacker.flood(frame(SETTINGS), 3_000_000)
    return attacker.end()


def continuations(port, path):
    """Header fields without an end."""
    attacker = Attacker(port)
    attacker.send(frame(HEADERS, END_STREAM, 1, fields(path)))
    part = b"\x00\x01a" + b"\x7f\x81\x1f" + b"b" * 4_096
    attacker.flood(frame(CONTINUATION, 0, 1, part), 20_000, at_once=10)
    return attacker.end()


def header_bomb(port, path):
    """One field of 4,000 bytes in the table, named 16,000 times by a byte each."""
    attacker = Attacker(port)
    value = b"v" * 4_000
    entry = b"\x40\x01a" + b"\x7f" + bytes([(len(value) - 127) & 0x7F | 0x80, (len(value) - 127) >> 7]) + value
    block = fields(path) + entry + b"\xbe" * 16_000
    pieces = [block[place : place + 16_000] for place in range(0, len(block), 16_000)]
    for index, piece in enumerate(pieces):
        last = END_HEADERS if index == len(pieces) - 1 else 0
        attacker.send(frame(CONTINUATION if index else HEADERS, last | (0 if index else END_STREAM), 1, piece))
    return attacker.end()


def window_overflow(port, _):
    attacker = Attacker(port)
    attacker.send(frame(WINDOW_UPDATE, payload=LARGEST.to_bytes(4, "big")) * 2)
    return attacker.end()


def window_of_nothing(port, _):
    attacker = Attacker(port)
    attacker.send(frame(WINDOW_UPDATE, payload=bytes(4)))
    return attacker.end()


def too_large_window(port, _):
    attacker = Attacker(port, settings=(4).to_bytes(2, "big") + (1 << 31).to_bytes(4, "big"))
    return attacker.end()


def too_large_frame(port, path):
    attacker = Attacker(port)
    attacker.send(frame(HEADERS, END_HEADERS, 1, fields(path)) + frame(DATA, 0, 1, bytes(1 << 17)))
    return attacker.end()


def data_on_no_stream(port, _):
    attacker = Attacker(port)
    attacker.send(frame(DATA, END_STREAM, 0, b"data"))
    return attacker.end()


def data_on_an_idle_stream(port, _):
    attacker = Attacker(port)
    attacker.send(frame(DATA, END_STREAM, 7, b"data"))
    return attacker.end()


def a_stream_of_the_server(port, path):
    attacker = Attacker(port)
    attacker.send(frame(HEADERS, END_HEADERS | END_STREAM, 2, fields(path)))
    return attacker.end()


def unknown_frames(port, _):
    attacker = Attacker(port)
    attacker.flood(frame(0xEE, payload=bytes(100)), 200_000)
    return attacker.end(patience=1)


def priorities(port, _):
    attacker = Attacker(port)
    attacker.flood(frame(PRIORITY, 0, 1, (3).to_bytes(4, "big") + b"\x10"), 200_000)
    return attacker.end(patience=1)


def empty_data(port, path):
    """A request that goes on and on without a byte."""
    attacker = Attacker(port)
    attacker.send(frame(HEADERS, END_HEADERS, 1, fields(path)))
    attacker.flood(frame(DATA, 0, 1), 200_000)
    return attacker.end(patience=1)


def rapid_reset(port, path):
    """Calls that are taken back as soon as they are made."""
    attacker = Attacker(port)
    block = fields(path)
    for number in range(50_000):
        stream = 2 * number + 1
        call = frame(HEADERS, END_STREAM | END_HEADERS, stream, block)
        attacker.send(call + frame(RST_STREAM, 0, stream, (8).to_bytes(4, "big")))
        if attacker.is_closed:
            break
    return attacker.end(patience=2)


def slow_request(port, path):
    """A request of which a byte comes every tenth of a second, without an end."""
    attacker = Attacker(port)
    attacker.send(frame(HEADERS, END_HEADERS, 1, fields(path)))
    attacker.send(frame(DATA, 0, 1, b"\x00\x00\x00\x03\xe8"))
    began = time.monotonic()
    attacker.socket.settimeout(0.1)
    status = None
    while status is None and time.monotonic() - began < 15 and not attacker.is_closed:
        attacker.send(frame(DATA, 0, 1, b"x"))
        try:
            attacker.received += attacker.socket.recv(1 << 16)
        except TimeoutError:
            continue
        decoder = hpack.Decoder()
        for kind, _, stream, payload in attacker.frames():
            if kind == HEADERS and stream == 1:
                status = dict(decoder.decode(payload)).get("grpc-status")
    return attacker.end(patience=0.1) | {"status": status, "seconds": round(time.monotonic() - began, 1)}


def connections(port, path):
    """Many of them: how many stay open."""
    attackers = [Attacker(port) for _ in range(40)]
    return {"ended": False, "goaway": None, "resets": [], "closed": sum(each.end(0.2)["ended"] for each in attackers)}


def half_requests(port, path):
    """More open calls than a connection may have, none of which ever ends."""
    attacker = Attacker(port)
    for number in range(6_000):
        attacker.send(frame(HEADERS, END_HEADERS, 2 * number + 1, fields(path)))
    return attacker.end(patience=2)


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]](int(sys.argv[2]), sys.argv[3])), flush=True)
