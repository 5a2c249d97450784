"""An independent gRPC client for the tests of SagamoreGRPC: runs one scenario and prints what it saw as JSON.

usage: client.py SCENARIO PORT [ARGUMENT]
"""

import faulthandler
import hashlib
import json
import socket
import struct
import sys
import threading
import time

import grpc

OPTIONS = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


def channel(port, *options):
    return grpc.insecure_channel(f"127.0.0.1:{port}", options=OPTIONS + list(options))


def outcome(call, request, **arguments):
    """The answer or the status of one call."""
    try:
        return {"code": "OK", "answer": call(request, timeout=30, **arguments).decode("latin1")}
    except grpc.RpcError as error:
        trailers = dict(error.trailing_metadata() or ())
        details = trailers.get("grpc-status-details-bin")
        return {
            "code": error.code().name,
            "message": error.details(),
            "details": list(details) if details is not None else None,
        }


def echo(port, path):
    call = channel(port).unary_unary(path)
    sizes = [0, 1, 15, 23, 24, 31, 100, 16383, 16384, 65535, 65536, 65537, 1 << 20, (1 << 22) - 1, 1 << 22]
    wrong = []
    for size in sizes:
        body = (hashlib.sha256(str(size).encode()).digest() * (size // 32 + 1))[:size]
        if call(body, timeout=30) != body:
            wrong.append(size)
    return {"echoed": len(sizes), "wrong": wrong}


def once(port, path):
    """One call with the path as its request."""
    return outcome(channel(port).unary_unary(path), path.encode())


def send(port, argument):
    """One call with a request of the given size."""
    path, size = argument.split(",")
    return outcome(channel(port).unary_unary(path), b"x" * int(size))


def compressed(port, argument):
    """Echoes of compressed messages of many sizes."""
    path, algorithm = argument.split(",")
    call = channel(port).unary_unary(path)
    wrong = []
    for size in [0, 1, 15, 100, 1023, 16384, 65537, 1 << 20, 1 << 22]:
        # Half of it is compressible.
        body = hashlib.shake_256(str(size).encode()).digest(size // 2) + b"x" * (size - size // 2)
        if call(body, timeout=30, compression=getattr(grpc.Compression, algorithm)) != body:
            wrong.append(size)
    too_large = outcome(call, b"x" * ((1 << 22) + 1), compression=getattr(grpc.Compression, algorithm))
    return {"wrong": wrong, "tooLarge": too_large["code"]}


def inflated(port, argument):
    """Concurrent calls whose messages are large only when inflated. Calls `/test.S/Open` once `ended` of them ended."""
    path, count, ended = argument.split(",")
    connection = channel(port)
    call = connection.unary_unary(path)
    futures = [
        call.future(b"x" * (1 << 22), timeout=60, compression=grpc.Compression.Gzip) for _ in range(int(count))
    ]
    deadline = time.monotonic() + 30
    while sum(future.done() for future in futures) < int(ended) and time.monotonic() < deadline:
        time.sleep(0.01)
    connection.unary_unary("/test.S/Open")(b"", timeout=30)
    codes = [future.code().name for future in futures]
    return {code: codes.count(code) for code in codes}


def metadata(port, path):
    call = channel(port).unary_unary(path)
    sent = (("text", "one two"), ("blob-bin", bytes(range(256))))
    return {"answer": call(b"", timeout=30, metadata=sent).decode()}


def huge_metadata(port, argument):
    """One call with the given bytes of metadata, in fields of 10,000."""
    path, size = argument.split(",")
    fields = tuple((f"text{index}", "x" * 10_000) for index in range(int(size) // 10_000))
    return outcome(channel(port).unary_unary(path), b"", metadata=fields)


def deadline(port, path):
    """One call with a deadline of 20 s."""
    return {"answer": channel(port).unary_unary(path)(b"", timeout=20).decode()}


def give_up(port, path):
    """A call with a short deadline, a cancelled call, and a call whose connection is closed."""
    call = channel(port).unary_unary(path)
    try:
        call(b"deadline", timeout=0.2)
        first = "OK"
    except grpc.RpcError as error:
        first = error.code().name
    wait = threading.Event()
    future = call.future(b"cancel")
    future.add_done_callback(lambda _: wait.set())
    print("started", flush=True)
    sys.stdin.readline()
    future.cancel()
    wait.wait(30)
    own = channel(port, ("grpc.use_local_subchannel_pool", 1))
    held = own.unary_unary(path).future(b"close")
    print("started", flush=True)
    sys.stdin.readline()
    own.close()
    del held
    return {"deadline": first, "cancelled": future.cancelled()}


def poll(port, argument):
    """Concurrent calls on one connection. The server answers once all have arrived."""
    path, count = argument.split(",")
    call = channel(port).unary_unary(path)
    futures = [call.future(str(index).encode(), timeout=60) for index in range(int(count))]
    return {"right": sum(future.result() == str(index).encode() for index, future in enumerate(futures))}


def load(port, argument):
    """Calls from several threads until each fails; counts the outcomes."""
    path, threads = argument.split(",")
    shared = channel(port, ("grpc.enable_retries", 0))
    call = shared.unary_unary(path)
    counts = {}
    lock = threading.Lock()

    def run():
        while True:
            try:
                call(b"x", timeout=60)
                name = "OK"
            except grpc.RpcError as error:
                name = error.code().name
                if name != "UNAVAILABLE":
                    name += ": " + error.details()
            with lock:
                counts[name] = counts.get(name, 0) + 1
            if name != "OK":
                return

    workers = [threading.Thread(target=run) for _ in range(int(threads))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return counts


def keepalive(port, path):
    """A client that pings every 50 ms while its call waits."""
    own = channel(
        port,
        ("grpc.keepalive_time_ms", 50),
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.keepalive_permit_without_calls", 1),
    )
    return outcome(own.unary_unary(path), b"")


def pings(port, argument):
    """Bare HTTP/2 pings with a pause between them: the number answered, and how the connection was closed."""
    count, pause = argument.split(",")
    connection = socket.create_connection(("127.0.0.1", port))
    connection.settimeout(30)
    connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00")
    buffer = b""

    def frame():
        nonlocal buffer
        while True:
            if len(buffer) >= 9:
                length = int.from_bytes(buffer[:3], "big")
                if len(buffer) >= 9 + length:
                    kind, flags, body = buffer[3], buffer[4], buffer[9 : 9 + length]
                    buffer = buffer[9 + length :]
                    return kind, flags, body
            try:
                more = connection.recv(65536)
            except ConnectionError:
                return None
            if not more:
                return None
            buffer += more

    answered = 0
    for index in range(int(count)):
        own = struct.pack(">Q", index + 1)
        try:
            connection.sendall(b"\x00\x00\x08\x06\x00\x00\x00\x00\x00" + own)
        except ConnectionError:
            return {"answered": answered, "closed": "reset"}
        while True:
            got = frame()
            if got is None:
                return {"answered": answered, "closed": "end"}
            kind, flags, body = got
            if kind == 7:
                return {"answered": answered, "closed": body[8:].decode()}
            if kind == 6 and flags == 1 and body == own:
                answered += 1
                break
        time.sleep(float(pause))
    return {"answered": answered, "closed": None}


def health(port, service):
    """The status of a service in `grpc.health.v1`."""
    name = service.encode()
    request = b"\x0a" + bytes([len(name)]) + name if name else b""
    return outcome(channel(port).unary_unary("/grpc.health.v1.Health/Check"), request)


def health_watch(port, _):
    call = channel(port).unary_stream("/grpc.health.v1.Health/Watch")
    try:
        return {"code": "OK", "answer": str(list(call(b"", timeout=30)))}
    except grpc.RpcError as error:
        return {"code": error.code().name}


if __name__ == "__main__":
    # No scenario takes so long: one that hangs says where, before the test's time is over.
    faulthandler.dump_traceback_later(120)
    result = globals()[sys.argv[1]](int(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else "")
    print(json.dumps(result), flush=True)
