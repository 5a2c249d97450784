"""Bare HTTP/2 for frames that no gRPC client sends: runs one scenario and prints what it saw as JSON.

usage: frames.py SCENARIO PORT [ARGUMENT]
"""

import json
import socket
import ssl
import sys
import tempfile
import time

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings


class Connection:
    """A client's connection, and what it has received."""

    def __init__(self, port, settings=None):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.settimeout(30)
        config = h2.config.H2Configuration(
            client_side=True, validate_outbound_headers=False, normalize_outbound_headers=False
        )
        self.state = h2.connection.H2Connection(config)
        self.state.initiate_connection()
        if settings:
            self.state.update_settings(settings)
        self.calls = {}
        self.goaway = None
        self.is_closed = False
        self.flush()

    def flush(self):
        data = self.state.data_to_send()
        if data:
            try:
                self.socket.sendall(data)
            except ConnectionError:
                self.is_closed = True

    def open(self, fields, end_stream=False):
        stream = self.state.get_next_available_stream_id()
        self.calls[stream] = {"fields": {}, "data": b"", "ended": False, "reset": None}
        self.state.send_headers(stream, fields, end_stream=end_stream)
        return stream

    def read(self, acknowledge=True):
        """Waits for bytes and handles them. Returns false once the connection is closed."""
        try:
            data = self.socket.recv(65536)
        except ConnectionError:
            data = b""
        if not data:
            self.is_closed = True
            return False
        for event in self.state.receive_data(data):
            call = self.calls.get(getattr(event, "stream_id", None))
            if isinstance(event, (h2.events.ResponseReceived, h2.events.TrailersReceived)):
                call["fields"].update((name.decode(), value.decode()) for name, value in event.headers)
            elif isinstance(event, h2.events.DataReceived):
                call["data"] += event.data
                if acknowledge:
                    self.state.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.StreamEnded):
                call["ended"] = True
            elif isinstance(event, h2.events.StreamReset):
                call["reset"] = int(event.error_code)
            elif isinstance(event, h2.events.ConnectionTerminated):
                self.goaway = (event.additional_data or b"").decode() or h2.errors.ErrorCodes(event.error_code).name
        self.flush()
        return True

    def wait(self, stream):
        """Reads until the stream has ended or the connection is closed."""
        call = self.calls[stream]
        while not call["ended"] and call["reset"] is None and self.read():
            pass
        return call


def request(path, **changes):
    """The header fields of a call; a change to None removes a field."""
    fields = {
        ":method": "POST",
        ":scheme": "http",
        ":path": path,
        ":authority": "test",
        "content-type": "application/grpc",
        "te": "trailers",
    }
    fields.update(changes)
    return [(name, value) for name, value in fields.items() if value is not None]


def message(content):
    return b"\0" + len(content).to_bytes(4, "big") + content


def told(connection, call):
    return {
        "http": call["fields"].get(":status"),
        "status": call["fields"].get("grpc-status"),
        "message": call["fields"].get("grpc-message"),
        "answer": call["data"][5:].decode("latin1"),
        "reset": call["reset"],
        "goaway": connection.goaway,
        "closed": connection.is_closed,
    }


def call(port, argument):
    """One call with changed header `fields` and a body in hexadecimal `pieces`."""
    wanted = json.loads(argument)
    connection = Connection(port)
    pieces = [bytes.fromhex(piece) for piece in wanted["pieces"]]
    ends = wanted.get("ends", True)
    stream = connection.open(request(wanted["path"], **wanted.get("fields", {})), end_stream=ends and not pieces)
    for index, piece in enumerate(pieces):
        connection.state.send_data(stream, piece, end_stream=ends and index == len(pieces) - 1)
        connection.flush()
        time.sleep(wanted.get("pause", 0))
    connection.flush()
    connection.wait(stream)
    # A malformed call must not affect the next one.
    after = connection.open(request(wanted["path"]))
    connection.state.send_data(after, message(b"after"), end_stream=True)
    connection.flush()
    second = connection.wait(after)
    return {**told(connection, connection.calls[stream]), "after": second["data"][5:].decode()}


def slow(port, path):
    """Reads a large answer through a window of 1,000 bytes, beside small calls on the same connection."""
    connection = Connection(port, {h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 1000})
    large = connection.open(request(path))
    connection.state.send_data(large, message(b"300000"), end_stream=True)
    connection.flush()
    small = 0
    taken = 0
    while not connection.calls[large]["ended"]:
        if not connection.read(acknowledge=False):
            break
        new = len(connection.calls[large]["data"]) - taken
        if new:
            taken += new
            connection.state.increment_flow_control_window(new)
            if not connection.calls[large]["ended"]:
                connection.state.increment_flow_control_window(new, large)
        if taken > 10_000 and not small:
            small = connection.open(request(path))
            connection.state.send_data(small, message(b"3"), end_stream=True)
        connection.flush()
    return {
        "bytes": len(connection.calls[large]["data"]) - 5,
        "status": connection.calls[large]["fields"].get("grpc-status"),
        "small": connection.wait(small)["data"][5:].decode(),
    }


def stuck(port, path):
    """Requests a large answer and never reads it. Disconnects when the test says so."""
    connection = Connection(port)
    connection.state.increment_flow_control_window(1 << 24)
    stream = connection.open(request(path))
    connection.state.increment_flow_control_window(1 << 24, stream)
    connection.state.send_data(stream, message(b"8000000"), end_stream=True)
    connection.flush()
    print("asked", flush=True)
    sys.stdin.readline()
    connection.socket.close()
    return {"left": True}


def silent(port, _):
    """Opens a connection and then sends nothing, not even answers to pings: how the connection ends."""
    connection = Connection(port)
    begin = time.monotonic()
    while True:
        try:
            if not connection.socket.recv(65536):
                break
        except ConnectionError:
            break
    return {"seconds": time.monotonic() - begin}


def idle(port, path):
    """One call, then nothing but answers to pings: how the connection ends."""
    connection = Connection(port)
    stream = connection.open(request(path))
    connection.state.send_data(stream, message(b"x"), end_stream=True)
    connection.flush()
    connection.wait(stream)
    while connection.read():
        pass
    return {"goaway": connection.goaway}


def other_protocol(port, _):
    """An HTTP/1.1 request."""
    connection = socket.create_connection(("127.0.0.1", port))
    connection.settimeout(30)
    connection.sendall(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
    received = b""
    while True:
        try:
            data = connection.recv(65536)
        except ConnectionError:
            break
        if not data:
            break
        received += data
    return {"received": len(received)}


def resets(port, path):
    """Opens and resets calls, far more often than a real client."""
    connection = Connection(port)
    opened = 0
    try:
        for _ in range(20_000):
            stream = connection.open(request(path))
            connection.state.send_data(stream, message(b"x"), end_stream=True)
            connection.state.reset_stream(stream, error_code=h2.errors.ErrorCodes.CANCEL)
            opened += 1
            if opened % 100 == 0:
                connection.flush()
                if connection.is_closed:
                    break
    except h2.exceptions.ProtocolError:
        pass
    while not connection.is_closed and connection.read():
        pass
    return {"ended": connection.is_closed}


def sessions(port, pem):
    """Two TLS connections with a client certificate; the second resumes the session of the first."""
    context = ssl.create_default_context(cadata=pem[: pem.index("-----BEGIN PRIVATE KEY")])
    context.set_alpn_protocols(["h2"])
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(pem)
        file.flush()
        context.load_cert_chain(file.name)
    protocols = []
    reused = []
    session = None
    for _ in range(2):
        plain = socket.create_connection(("127.0.0.1", port), timeout=30)
        with context.wrap_socket(plain, server_hostname="sagamore.test", session=session) as connection:
            # The session tickets arrive with the SETTINGS frame, so read it before taking the session.
            connection.recv(9)
            protocols.append(connection.selected_alpn_protocol())
            reused.append(bool(connection.session_reused))
            session = connection.session
    return {"protocols": protocols, "reused": reused}


if __name__ == "__main__":
    result = globals()[sys.argv[1]](int(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else "")
    print(json.dumps(result), flush=True)
