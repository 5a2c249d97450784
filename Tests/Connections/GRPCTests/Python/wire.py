"""A wire to a server that keeps a copy of all that goes over it, both ways.

usage: wire.py tap PORT TEXT    prints its own port; after a line on standard input, what it has seen of TEXT, as JSON
"""

import json
import socket
import sys
import threading


class Tap:
    def __init__(self, port):
        self.port = port
        self.said = [b"", b""]
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            server = socket.create_connection(("127.0.0.1", self.port))
            for number, (source, target) in enumerate([(client, server), (server, client)]):
                threading.Thread(target=self.carry, args=(number, source, target), daemon=True).start()

    def carry(self, number, source, target):
        try:
            while data := source.recv(1 << 16):
                with self.lock:
                    self.said[number] += data
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def tap(port, text):
    wire = Tap(port)
    print(wire.listener.getsockname()[1], flush=True)
    sys.stdin.readline()
    with wire.lock:
        client, server = wire.said
    return {
        "bytes": len(client) + len(server),
        "begins": client[:3].hex(),
        "shows": text.encode() in client or text.encode() in server,
        "showsTheProtocol": b"PRI * HTTP/2.0" in client,
    }


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]](int(sys.argv[2]), sys.argv[3])), flush=True)
