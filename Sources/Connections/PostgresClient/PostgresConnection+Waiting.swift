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
        if cancelHandle.isInterrupted { throw lost("interrupted") }
        if readiness(handle, [], timeout: 0).isReadable, PQconsumeInput(handle) == 0 || !isAlive(handle) {
            throw lost(errorMessage(handle))
        }
        return handle
    }

    /// Whether the next call can start: connected as far as the socket tells, and no transaction open.
    var isReadyForWork: Bool {
        guard let handle = try? openHandle() else { return false }
        return PQtransactionStatus(handle) == PQTRANS_IDLE
    }

    /// Gives libpq's buffer to the kernel, reading meanwhile. False when the connection is lost.
    func flush(_ handle: OpaquePointer) -> Bool {
        while true {
            switch PQflush(handle) {
            case 0: return true
            case 1:
                let ready = readiness(handle, [.writable], timeout: -1)
                if ready.isInterrupted { return false }
                if ready.isReadable, PQconsumeInput(handle) == 0 { return false }
            default: return false
            }
        }
    }

    /// The next result, as `PQgetResult`; waits until it can be had. Throws when interrupted.
    func nextResult(_ handle: OpaquePointer) throws(PostgresError) -> OpaquePointer? {
        var isFlushed = false
        while PQisBusy(handle) != 0 {
            // After a failed write there may still be an answer to read that says why.
            if !isFlushed { isFlushed = PQflush(handle) != 1 }
            let ready = readiness(handle, isFlushed ? [] : [.writable], timeout: -1)
            if ready.isInterrupted { throw lost("interrupted") }
            if ready.isReadable, PQconsumeInput(handle) == 0 { break }
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
            && (!readiness(handle, [], timeout: 0).isReadable || PQconsumeInput(handle) != 0)
            && PQstatus(handle) == CONNECTION_OK
    }

    private struct Wanted: OptionSet {
        let rawValue: Int
        static let writable = Wanted(rawValue: 1)
    }

    private struct Readiness {
        var isReadable = false
        var isInterrupted = false
    }

    /// Waits until the socket can be read (or written, if wanted), or the handle was interrupted.
    private func readiness(_ handle: OpaquePointer, _ wanted: Wanted, timeout: Int32) -> Readiness {
        let events = Int16(POLLIN) | (wanted.contains(.writable) ? Int16(POLLOUT) : 0)
        let socket = PQsocket(handle)
        // A socket that is gone counts as readable: the read then reports the loss.
        if socket < 0 { return Readiness(isReadable: true) }
        return withUnsafeTemporaryAllocation(of: pollfd.self, capacity: 2) { descriptors in
            descriptors[0] = pollfd(fd: socket, events: events, revents: 0)
            descriptors[1] = pollfd(fd: cancelHandle.descriptor, events: Int16(POLLIN), revents: 0)
            while poll(descriptors.baseAddress, 2, timeout) < 0, errno == EINTR || errno == EAGAIN {}
            return Readiness(
                isReadable: descriptors[0].revents & ~Int16(POLLOUT) != 0,
                isInterrupted: descriptors[1].revents != 0
            )
        }
    }
}
