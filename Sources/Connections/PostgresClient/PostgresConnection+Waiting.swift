internal import CSagamorePostgres
internal import Glibc

/// Waits for the server while always reading: the server drains a full send buffer only while it can send answers.
extension PostgresConnection {
    /// The live connection with no unread data. Detects a connection that the server has closed.
    ///
    /// - Throws: `.connectionLost`; nothing was sent.
    func openHandle() throws(PostgresError) -> OpaquePointer {
        guard let handle, PQstatus(handle) == CONNECTION_OK else { throw lost("not connected") }
        if isReadable(handle, timeout: 0), PQconsumeInput(handle) == 0 || !isAlive(handle) {
            throw lost(errorMessage(handle))
        }
        return handle
    }

    /// Flushes libpq's buffer while reading. Returns false when the connection is lost.
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
            // After a failed write there may be an answer that explains it.
            if !isFlushed { isFlushed = PQflush(handle) != 1 }
            if isReadable(handle, orWritable: !isFlushed, timeout: -1), PQconsumeInput(handle) == 0 { break }
        }
        return PQgetResult(handle)
    }

    /// libpq's message for its last failure.
    func errorMessage(_ handle: OpaquePointer) -> String {
        let message = String(cString: PQerrorMessage(handle)).trimmingLineEnd()
        return message.isEmpty ? "the connection was lost" : message
    }

    /// The error for a lost connection. The caller refines it by what was sent.
    func lost(_ message: String) -> PostgresError { PostgresError(.connectionLost, message) }

    /// Whether the server has not closed its end. It reads twice: the first read may return buffered data.
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
