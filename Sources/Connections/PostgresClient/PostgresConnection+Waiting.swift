internal import CSagamorePostgres
internal import Glibc

/// Waiting for the server without ever refusing to read: a full send buffer is emptied only by a server that can send
/// its answers.
extension PostgresConnection {
    /// The live connection, with nothing unread; notices here what the server closed meanwhile.
    ///
    /// - Throws: `.connectionLost`: nothing has been sent.
    func openHandle() throws(PostgresError) -> OpaquePointer {
        guard let handle, PQstatus(handle) == CONNECTION_OK else { throw lost("not connected") }
        if isReadable(handle, timeout: 0), PQconsumeInput(handle) == 0 || !isAlive(handle) {
            throw lost(errorMessage(handle))
        }
        return handle
    }

    /// Gives libpq's buffer to the kernel, reading meanwhile. False when the connection is lost.
    func flush(_ handle: OpaquePointer) -> Bool {
        while true {
            switch PQflush(handle) {
            case 0: return true
            case 1:
                if isReadable(handle, orWritable: true, timeout: -1), PQconsumeInput(handle) == 0 { return false }
            default: return false
            }
        }
    }

    /// The next result, as `PQgetResult`; waits for it.
    func nextResult(_ handle: OpaquePointer) -> OpaquePointer? {
        var isFlushed = false
        while PQisBusy(handle) != 0 {
            // After a failed write there may still be an answer to read that says why.
            if !isFlushed { isFlushed = PQflush(handle) != 1 }
            if isReadable(handle, orWritable: !isFlushed, timeout: -1), PQconsumeInput(handle) == 0 { break }
        }
        return PQgetResult(handle)
    }

    /// What libpq has to say about its last failure.
    func errorMessage(_ handle: OpaquePointer) -> String {
        let message = String(cString: PQerrorMessage(handle)).trimmingLineEnd()
        return message.isEmpty ? "the connection was lost" : message
    }

    /// An error for a connection that can't be used, to be refined by what was on its way.
    func lost(_ message: String) -> PostgresError { PostgresError(.connectionLost, message) }

    /// Whether the server has closed its end: seen by reading once more, since a first read returns what was there.
    private func isAlive(_ handle: OpaquePointer) -> Bool {
        PQisBusy(handle) == 0 && PQstatus(handle) == CONNECTION_OK
            && (!isReadable(handle, timeout: 0) || PQconsumeInput(handle) != 0)
            && PQstatus(handle) == CONNECTION_OK
    }

    /// Waits until the socket can be read, or written where that is asked for. Returns whether it can be read.
    private func isReadable(_ handle: OpaquePointer, orWritable: Bool = false, timeout: Int32) -> Bool {
        let socket = PQsocket(handle)
        // A closed socket counts as readable: the read then reports the loss.
        if socket < 0 { return true }
        let events = Int16(POLLIN) | (orWritable ? Int16(POLLOUT) : 0)
        var descriptor = pollfd(fd: socket, events: events, revents: 0)
        while poll(&descriptor, 1, timeout) < 0, errno == EINTR || errno == EAGAIN {}
        return descriptor.revents & ~Int16(POLLOUT) != 0
    }
}
