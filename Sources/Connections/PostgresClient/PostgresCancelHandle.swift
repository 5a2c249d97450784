internal import CSagamorePostgres
internal import Glibc
internal import SagamoreThreads

/// Lets another thread stop what a connection is doing. Valid for the connection's whole life.
public final class PostgresCancelHandle: Sendable {
    private struct State {
        /// libpq's `PGcancel` of the current session, as a number: pointers are not `Sendable`.
        var cancel: UInt?
        var isInterrupted = false
    }

    private let state = Locked(State())
    private let readEnd: Int32
    private let writeEnd: Int32

    init() throws(PostgresError) {
        var ends: [Int32] = [-1, -1]
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        guard socketpair(AF_UNIX, type, 0, &ends) == 0 else {
            throw PostgresError(.cannotConnect, "no socket pair: \(String(cString: strerror(errno)))")
        }
        readEnd = ends[0]
        writeEnd = ends[1]
    }

    deinit {
        replaceSession(nil)
        Glibc.close(readEnd)
        Glibc.close(writeEnd)
    }

    /// Ends the connection's current call at once, and every later one: they throw `.connectionLost`, or
    /// `.outcomeUnknown` where a commit was on its way. Cannot be taken back. A connect in progress ends at its own
    /// time limit.
    public func interrupt() {
        let isFirst = state.withLock { state in
            defer { state.isInterrupted = true }
            return !state.isInterrupted
        }
        guard isFirst else { return }
        var byte: UInt8 = 1
        _ = write(writeEnd, &byte, 1)
    }

    /// Asks the server to cancel the statement that is running, if there is one: it then fails with SQLSTATE 57014 and
    /// the connection lives on. Blocks for the time of a connect.
    public func cancelStatement() {
        // Under the lock, so that the owner doesn't free it meanwhile.
        state.withLock { state in
            guard let cancel = state.cancel.flatMap(OpaquePointer.init(bitPattern:)) else { return }
            withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { text in
                _ = PQcancel(cancel, text.baseAddress, 256)
            }
        }
    }

    /// Readable once interrupted, and for ever after.
    var descriptor: Int32 { readEnd }

    var isInterrupted: Bool { state.withLock { $0.isInterrupted } }

    /// The connection has a new session, or none.
    func replaceSession(_ connection: OpaquePointer?) {
        let new = connection.flatMap { PQgetCancel($0) }.map { UInt(bitPattern: $0) }
        let old = state.withLock { state in
            defer { state.cancel = new }
            return state.cancel
        }
        if let old = old.flatMap(OpaquePointer.init(bitPattern:)) { PQfreeCancel(old) }
    }
}
