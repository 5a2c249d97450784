"""A wire that carries bytes to an address, badly when told to."""

import asyncio
import contextlib
import socket
import struct

from ports import free_port

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Wire:
    """Listens at an address of its own, and carries each connection to another address."""

    def __init__(self, target: str) -> None:
        host, _, port = target.rpartition(":")
        self.target = (host, int(port))
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.connections: set[Connection] = set()
        self.server: asyncio.Server | None = None
        self.delay = 0.0
        """Seconds that bytes wait."""
        self.is_refusing = False
        self.is_dropping = False
        """Bytes vanish. A connection that lost some is cut afterwards: TCP never delivers what comes behind a gap."""
        self.carried = 0

    async def start(self) -> None:
        self.server = await asyncio.start_server(self.accept, "127.0.0.1", self.port)

    async def stop(self) -> None:
        if self.server:
            self.server.close()
        for connection in list(self.connections):
            connection.cut()

    async def connect(self) -> Streams:
        return await asyncio.open_connection(*self.target)

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(self, writer)
        self.connections.add(connection)
        try:
            if self.is_refusing:
                return
            other_reader, other = await self.connect()
            connection.other = other
            await asyncio.gather(
                connection.carry(reader, other), connection.carry(other_reader, writer), return_exceptions=True
            )
        except OSError:
            pass
        finally:
            connection.cut()
            self.connections.discard(connection)


class SocketWire(Wire):
    """A wire to a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("unix:0")
        self.path = path

    async def connect(self) -> Streams:
        return await asyncio.open_unix_connection(self.path)


class Connection:
    def __init__(self, wire: Wire, writer: asyncio.StreamWriter) -> None:
        self.wire, self.writer = wire, writer
        self.other: asyncio.StreamWriter | None = None
        self.goes_on = asyncio.Event()
        self.goes_on.set()
        self.left: int | None = None
        """Bytes after which it is cut, perhaps within a frame."""
        self.has_gap = False

    async def carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(1 << 14):
            if self.wire.delay:
                await asyncio.sleep(self.wire.delay)
            await self.goes_on.wait()
            if self.has_gap or self.wire.is_dropping:
                self.has_gap = True
                continue
            if self.left is not None:
                data, self.left = data[: self.left], self.left - len(data)
            target.write(data)
            self.wire.carried += len(data)
            if self.left is not None and self.left <= 0:
                await target.drain()
                return self.cut()
            await target.drain()
        self.cut()

    def cut(self) -> None:
        """Ends it at once on both sides, with a reset."""
        for writer in (self.writer, self.other):
            if writer is None or writer.is_closing():
                continue
            with contextlib.suppress(OSError):
                end = writer.get_extra_info("socket")
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        self.goes_on.set()
