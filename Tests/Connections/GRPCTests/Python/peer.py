"""Servers of other makes for the tests of the channel: prints its port, and serves until standard input ends.

usage: peer.py SCENARIO 0 [ARGUMENT]

`grpcio` is a server on gRPC's C core. The others speak bare HTTP/2, or none, and do what no server would do.
"""

import concurrent.futures
import socket
import struct
import sys
import threading

import grpc
import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.settings

PATIENCE = 30


def say(port):
    print(port, flush=True)


# A server on the C core


class Handlers(grpc.GenericRpcHandler):
    def service(self, details):
        method = details.method.rsplit("/", 1)[-1]
        return grpc.unary_unary_rpc_method_handler(getattr(self, method))

    def Echo(self, request, context):
        return request

    def Packed(self, request, context):
        context.set_compression(grpc.Compression.Gzip)
        return request

    def Fail(self, request, context):
        context.set_trailing_metadata((("grpc-status-details-bin", b"\x01\x02\xff"),))
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, "not „now\" 100%")

    def Metadata(self, request, context):
        found = dict(context.invocation_metadata())
        return repr([found.get("name"), found.get("bytes-bin"), context.time_remaining() is not None]).encode()


def grpcio(argument):
    options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    if argument:
        # Connections end all the time.
        options += [("grpc.max_connection_age_ms", int(argument)), ("grpc.max_connection_age_grace_ms", 5000)]
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(8), options=options)
    server.add_generic_rpc_handlers((Handlers(),))
    say(server.add_insecure_port("127.0.0.1:0"))
    server.start()
    sys.stdin.read()
    server.stop(0).wait()


# Bare HTTP/2


class Peer:
    """A connection of a client, on which a scenario answers requests."""

    def __init__(self, descriptor, number, settings=None, greets=True):
        self.socket = descriptor
        self.number = number
        self.state = h2.connection.H2Connection(
            h2.config.H2Configuration(client_side=False, validate_outbound_headers=False, header_encoding="utf-8")
        )
        self.requests = {}
        self.most_open = 0
        if greets:
            self.state.initiate_connection()
            if settings:
                self.state.update_settings(settings)
            self.flush()

    def flush(self):
        self.socket.sendall(self.state.data_to_send())

    def serve(self, answer):
        """Calls `answer(peer, stream, request)` for each whole request."""
        while data := self.socket.recv(65536):
            for event in self.state.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    self.requests[event.stream_id] = b""
                    self.most_open = max(self.most_open, len(self.requests))
                    if self.early:
                        self.early(self, event.stream_id)
                elif isinstance(event, h2.events.DataReceived):
                    self.requests[event.stream_id] += event.data
                    self.state.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, h2.events.StreamEnded):
                    answer(self, event.stream_id, self.requests.pop(event.stream_id, b""))
            self.flush()

    early = None

    def reply(self, stream, message, status="0", head=(), trailers=()):
        self.state.send_headers(stream, [(":status", "200"), ("content-type", "application/grpc"), *head])
        if message is not None:
            self.state.send_data(stream, message)
        self.state.send_headers(stream, [("grpc-status", status), *trailers], end_stream=True)


def framed(message):
    return struct.pack(">BI", 0, len(message)) + message


def echo(peer, stream, request):
    peer.reply(stream, request)


def on_each(answer, settings=None):
    def run(descriptor, number):
        Peer(descriptor, number, settings).serve(answer)

    return run


def leaves_first(descriptor, number):
    """Takes no call of the first connection."""

    def answer(peer, stream, request):
        if number > 0:
            return echo(peer, stream, request)
        peer.state.close_connection(last_stream_id=0)
        peer.flush()
        peer.socket.shutdown(socket.SHUT_RDWR)

    Peer(descriptor, number).serve(answer)


def refuses(times):
    seen = []

    def answer(peer, stream, request):
        seen.append(stream)
        if len(seen) <= times:
            peer.state.reset_stream(stream, h2.errors.ErrorCodes.REFUSED_STREAM)
        else:
            echo(peer, stream, request)

    return on_each(answer)


def resets(code):
    return on_each(lambda peer, stream, request: peer.state.reset_stream(stream, code))


def page(peer, stream, request):
    """A proxy's answer."""
    peer.state.send_headers(stream, [(":status", "503"), ("content-type", "text/html")])
    peer.state.send_data(stream, b"<p>busy", end_stream=True)


def few_streams(descriptor, number):
    """Answers when as many calls as it allows are open, which it reports in its answers."""
    peer = Peer(descriptor, number, {h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: 3})
    peer.serve(lambda peer, stream, request: peer.reply(stream, framed(str(peer.most_open).encode())))


def answers_early(descriptor, number):
    """Refuses a call before it has its message, which it has no room for."""
    peer = Peer(descriptor, number, {h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 0})
    peer.early = lambda peer, stream: peer.reply(stream, None, "8", trailers=[("grpc-message", "full")])
    peer.serve(echo)


def is_silent(descriptor, number):
    """Greets, and then neither answers nor acknowledges anything."""
    Peer(descriptor, number)
    while descriptor.recv(65536):
        pass


def says_nothing(descriptor, number):
    while descriptor.recv(65536):
        pass


def says(text):
    def run(descriptor, number):
        descriptor.recv(65536)
        descriptor.sendall(text)
        says_nothing(descriptor, number)

    return run


def floods(frame, first=b""):
    """Sends the same frame without end, and reads nothing."""

    def run(descriptor, number):
        Peer(descriptor, number)
        descriptor.recv(65536)
        descriptor.sendall(first)
        descriptor.settimeout(PATIENCE)
        while True:
            descriptor.sendall(frame * 100)

    return run


def frame(kind, flags, stream, payload):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


HEADERS, SETTINGS, PING, CONTINUATION = 1, 4, 6, 9
# A literal header field, without indexing, of 16,000 bytes.
LONG_FIELD = b"\x00" + b"\x01a" + b"\x7f" + bytes([0x80 | (15873 & 0x7F), 15873 >> 7]) + b"x" * 16000

SCENARIOS = {
    "echo": on_each(echo),
    "leaves-first": leaves_first,
    "refuses-twice": refuses(2),
    "refuses-always": refuses(1_000_000),
    "resets": resets(h2.errors.ErrorCodes.INTERNAL_ERROR),
    "asks-for-calm": resets(h2.errors.ErrorCodes.ENHANCE_YOUR_CALM),
    "page": on_each(page),
    "few-streams": few_streams,
    "answers-early": answers_early,
    "no-message": on_each(lambda peer, stream, request: peer.reply(stream, None)),
    "half-a-message": on_each(lambda peer, stream, request: peer.reply(stream, framed(b"12345")[:-2])),
    "two-messages": on_each(lambda peer, stream, request: peer.reply(stream, request * 2)),
    "large-message": on_each(lambda peer, stream, request: peer.reply(stream, struct.pack(">BI", 0, 1 << 30) + b"x")),
    "odd-flag": on_each(lambda peer, stream, request: peer.reply(stream, b"\x07\0\0\0\1x")),
    "odd-compression": on_each(
        lambda peer, stream, request: peer.reply(stream, b"\1\0\0\0\1x", head=[("grpc-encoding", "snappy")])
    ),
    "odd-status": on_each(lambda peer, stream, request: peer.reply(stream, None, "many")),
    "long-fields": on_each(
        lambda peer, stream, request: peer.reply(stream, request, trailers=[(f"f{n}", "x" * 900) for n in range(100)])
    ),
    "silent": is_silent,
    "nothing": says_nothing,
    "http1": says(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"),
    "noise": says(bytes(range(256)) * 40),
    "closes": lambda descriptor, number: descriptor.recv(65536),
    "ping-flood": floods(frame(PING, 0, 0, b"12345678")),
    "settings-flood": floods(frame(SETTINGS, 0, 0, b"")),
    "header-flood": floods(frame(CONTINUATION, 0, 1, LONG_FIELD), frame(HEADERS, 0, 1, b"\x88")),
    "empty-header-flood": floods(frame(CONTINUATION, 0, 1, b""), frame(HEADERS, 0, 1, b"\x88")),
}


def serve(scenario):
    listener = socket.create_server(("127.0.0.1", 0))
    say(listener.getsockname()[1])

    def one(descriptor, number):
        try:
            scenario(descriptor, number)
        except (OSError, h2.exceptions.ProtocolError):
            pass
        finally:
            descriptor.close()

    def accept():
        number = 0
        while True:
            descriptor, _ = listener.accept()
            threading.Thread(target=one, args=(descriptor, number), daemon=True).start()
            number += 1

    threading.Thread(target=accept, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    if sys.argv[1] == "grpcio":
        grpcio(sys.argv[3])
    else:
        serve(SCENARIOS[sys.argv[1]])
