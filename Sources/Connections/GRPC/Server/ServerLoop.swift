internal import CSagamoreHTTP2
internal import Glibc

/// The server's thread: it owns all connections, reads requests, runs hot handlers, and writes answers.
///
/// Each turn reads all requests, takes all answers that other threads have given, and writes each connection once. All
/// members but `context` belong to the thread.
final class ServerLoop {
    private let context: ServerContext
    private let poll: EventPoll
    private var listeners: [Int32]
    // The loop's thread alone uses these: see `ServerConnection`.
    @exclusivity(unchecked) private var connections: [Int32: ServerConnection] = [:]
    /// Connections to be written at the end of this turn.
    @exclusivity(unchecked) private var marked: [ServerConnection] = []
    @exclusivity(unchecked) private var mail = ServerMail()
    @exclusivity(unchecked) private var pace = CallPace()
    private let inflater: MessageInflater
    @exclusivity(unchecked) private var now = ContinuousClock.now
    /// Nothing is due before this time.
    @exclusivity(unchecked) private var next: ContinuousClock.Instant
    /// When to listen again after the system had no resources for a connection.
    private var listensAgain: ContinuousClock.Instant?
    private var isFinishing = false
    private var refusals = 0
    private var nextRefusalLine = ContinuousClock.now
    /// A connection has more input than one turn reads.
    private var hasMoreInput = false

    private let place = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 16)
    private let plain = UnsafeMutableRawBufferPointer.allocate(byteCount: 32 * 1024, alignment: 16)

    /// - Throws: `noThread` with the system's error when there are no file descriptors left.
    init(_ context: ServerContext, _ listener: ServerListener) throws(GRPCServerError) {
        self.context = context
        listeners = listener.descriptors
        inflater = MessageInflater(limit: context.configuration.maximumMessageBytes)
        next = now + .seconds(3600)
        guard let poll = EventPoll() else { throw .noThread(errno: errno) }
        self.poll = poll
        for descriptor in listeners + [context.mailbox.bell] { self.poll.watch(descriptor) }
    }

    deinit {
        place.deallocate()
        plain.deallocate()
    }

    /// The body of the thread. Returns when the server has shut down.
    func run() {
        while !(isFinishing && connections.isEmpty) {
            wait()
            drainMailbox()
            if now >= next { checkTimers() }
            flush()
        }
        for descriptor in listeners { close(descriptor) }
        listeners = []
        // Answers that came after the last turn and their connections retain each other.
        context.mailbox.take(&mail)
        mail = ServerMail()
    }

    // MARK: Waiting

    private func wait() {
        if pace.isBusy, !hasMoreInput { usleep(UInt32(CallPace.pause / .microseconds(1))) }
        hasMoreInput = false
        let sleeps = context.mailbox.fallAsleep()
        let count = poll.wait(milliseconds: sleeps ? EventPoll.milliseconds(until: next) : 0)
        if sleeps { context.mailbox.wakeUp() }
        let before = now
        now = .now
        pace.waited(now - before)
        for index in 0..<count {
            let (descriptor, isReadable, _) = poll[index]
            if let connection = connections[descriptor] {
                handleEvent(isReadable: isReadable, on: connection)
            } else if descriptor == context.mailbox.bell {
                context.mailbox.silence()
            } else if listeners.contains(descriptor) {
                accept(from: descriptor)
            }
        }
    }

    // MARK: Connections

    private func accept(from listener: Int32) {
        while true {
            var address = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let descriptor = withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { csagamore_accept(listener, $0, &length) }
            }
            if descriptor >= 0 {
                begin(descriptor, SocketAddress.text(address, length: length))
            } else if errno == EAGAIN {
                return
            } else if errno != EINTR, errno != ECONNABORTED {
                // Most likely there are no descriptors or no memory left; retrying at once would not help.
                return pauseListening(errno)
            }
        }
    }

    private func begin(_ descriptor: Int32, _ peer: String) {
        guard connections.count < context.configuration.maximumConnections else {
            close(descriptor)
            return refused(peer)
        }
        var yes: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
        guard let connection = ServerConnection(descriptor: descriptor, peer: peer, context: context, now: now) else {
            close(descriptor)
            return
        }
        connections[descriptor] = connection
        poll.watch(descriptor)
        next = min(next, connection.times.next)
        mark(connection)
    }

    /// Says it once in a while, however many come.
    private func refused(_ peer: String) {
        refusals += 1
        guard refusals == 1 || now >= nextRefusalLine else { return }
        nextRefusalLine = now + .seconds(10)
        let limit = context.configuration.maximumConnections
        context.log(.warning, "there are \(limit) connections, no more are accepted: \(refusals) closed, last \(peer)")
    }

    private func pauseListening(_ code: Int32) {
        context.log(.warning, "failed to accept a connection: \(String(cString: strerror(code))); retrying in 0.2 s")
        for listener in listeners { poll.forget(listener) }
        let again = now + .milliseconds(200)
        listensAgain = again
        next = min(next, again)
    }

    private func handleEvent(isReadable: Bool, on connection: ServerConnection) {
        mark(connection)
        guard isReadable else { return }
        if connection.receive(place, plain, now: now) { hasMoreInput = true }
        next = min(next, connection.times.next)
        guard !connection.ready.isEmpty else { return }
        let ready = connection.ready
        connection.ready.removeAll(keepingCapacity: true)
        for record in ready {
            pace.callArrived { now }
            dispatch(record)
        }
    }

    private func dispatch(_ record: ServerCallRecord) {
        do throws(GRPCStatus) {
            try unpack(record)
        } catch {
            record.refuse(error)
            return
        }
        context.dispatch(record)
    }

    private func unpack(_ record: ServerCallRecord) throws(GRPCStatus) {
        guard record.request.isPacked else { return }
        guard case .packed(let algorithm) = record.head.encoding else {
            throw GRPCStatus(.internalError, "the message is marked as compressed, but the call has no grpc-encoding")
        }
        try record.request.replace(with: try inflater.inflate(record.request.bytes, algorithm))
    }

    // MARK: Answers

    private func drainMailbox() {
        context.mailbox.take(&mail)
        for answer in mail.answers {
            let connection = answer.record.connection
            connection.submit(answer)
            mark(connection)
        }
        mail.answers.removeAll(keepingCapacity: mail.answers.count <= 4096)
        for command in mail.commands { execute(command) }
        mail.commands.removeAll()
    }

    private func mark(_ connection: ServerConnection) {
        guard !connection.isScheduledForWrite else { return }
        connection.isScheduledForWrite = true
        marked.append(connection)
    }

    private func flush() {
        for connection in marked {
            connection.isScheduledForWrite = false
            let waits = connection.flush(now: now) == .waitsForRoom
            if connection.isClosed {
                forget(connection)
                continue
            }
            next = min(next, connection.times.next)
            guard waits != connection.isWatchedForRoom else { continue }
            connection.isWatchedForRoom = waits
            poll.watchAgain(connection.descriptor, room: waits)
        }
        marked.removeAll(keepingCapacity: true)
    }

    private func forget(_ connection: ServerConnection) {
        guard connections[connection.descriptor] === connection else { return }
        connections[connection.descriptor] = nil
    }

    // MARK: Times

    private func checkTimers() {
        next = now + .seconds(3600)
        if let again = listensAgain, now >= again {
            listensAgain = nil
            for listener in listeners { poll.watch(listener) }
        }
        if let listensAgain { next = min(next, listensAgain) }
        for connection in connections.values {
            if now >= connection.times.next {
                connection.checkTimers(now)
                mark(connection)
            }
            next = min(next, connection.times.next)
        }
    }

    // MARK: Shutdown

    private func execute(_ command: ServerCommand) {
        switch command {
        case .leave:
            for descriptor in listeners { close(descriptor) }
            listeners = []
            listensAgain = nil
            for connection in connections.values { connection.sendShutdownNotice() }
        case .finish:
            isFinishing = true
            for connection in connections.values { connection.leave() }
        case .cancel:
            let late = connections.values.reduce(0) { $0 + $1.calls.count }
            if late > 0 { context.log(.info, "shutdown: cancelling \(late) open calls") }
            let end = GRPCStatus(.unavailable, "the server has shut down: try again")
            for connection in connections.values { connection.endCalls(end) }
        case .close:
            for connection in connections.values { connection.close() }
        }
        for connection in connections.values { mark(connection) }
    }
}
