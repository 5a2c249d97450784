internal import Glibc
internal import SagamoreThreads

/// The channel's thread: it connects, sends requests, reads responses, and completes calls.
///
/// Each turn reads all input, takes all calls that other threads have made, and writes each connection once. All
/// members belong to the thread.
final class ChannelLoop {
    private let configuration: GRPCChannelConfiguration
    private let mailbox: ChannelMailbox
    private let poll: EventPoll
    private let servers: [ChannelAddress]
    /// Why no server can be reached with this configuration.
    private let invalid: GRPCStatus?
    private let tls: TLSContext?
    private let fields: RequestFields
    private let codec: MessageCodec
    private var connectivity: Connectivity<PeerAddress>
    private var connections: [Int32: ClientConnection] = [:]
    /// The connection that connects, or that takes new calls.
    private var current: ClientConnection?
    /// Calls that wait for a connection.
    private var waiting: [ClientCall] = []
    private var mail = ChannelMail()
    private var now = ContinuousClock.now
    private var random = SystemRandomNumberGenerator()
    private var isClosing = false
    private var hasMoreInput = false

    private let place = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 16)
    private let plain = UnsafeMutableRawBufferPointer.allocate(byteCount: 32 * 1024, alignment: 16)

    /// - Returns: nil, with the system's error in `errno`, when there are no file descriptors left.
    init?(_ configuration: GRPCChannelConfiguration, _ mailbox: ChannelMailbox) {
        self.configuration = configuration
        self.mailbox = mailbox
        let known = configuration.addresses.map { ($0, ChannelAddress($0)) }
        servers = known.compactMap(\.1)
        tls = configuration.tls.flatMap { TLSContext(client: $0) }
        if let wrong = known.first(where: { $0.1 == nil })?.0 {
            invalid = GRPCStatus(.invalidArgument, "the address \(wrong.debugDescription) is not HOST:PORT")
        } else if servers.isEmpty {
            invalid = GRPCStatus(.invalidArgument, "the channel has no address")
        } else if configuration.tls != nil, tls == nil {
            invalid = GRPCStatus(
                .unavailable,
                "the TLS roots, the certificate or its private key are invalid: all must be PEM, and the key must match"
            )
        } else {
            invalid = nil
        }
        fields = RequestFields(configuration)
        codec = MessageCodec(configuration)
        connectivity = Connectivity(first: configuration.initialBackoff, longest: configuration.maximumBackoff)
        guard let poll = EventPoll() else { return nil }
        self.poll = poll
        self.poll.watch(mailbox.bell)
    }

    deinit {
        place.deallocate()
        plain.deallocate()
    }

    /// The body of the thread. Returns when the channel is closed and all calls have ended.
    func run() {
        while !isClosing {
            wait()
            takeMail()
            checkTimers()
            flush()
        }
        // Calls that came after the last turn.
        takeMail()
    }

    // MARK: Waiting

    private func wait() {
        let sleeps = mailbox.fallAsleep()
        let limit = sleeps && !hasMoreInput ? EventPoll.milliseconds(until: nextCheck) : 0
        hasMoreInput = false
        let count = poll.wait(milliseconds: limit)
        if sleeps { mailbox.wakeUp() }
        now = .now
        for index in 0..<count {
            let (descriptor, isReadable, isWritable) = poll[index]
            if let connection = connections[descriptor] {
                handle(connection, isReadable: isReadable, isWritable: isWritable)
            } else if descriptor == mailbox.bell {
                mailbox.silence()
            }
        }
    }

    private var nextCheck: ContinuousClock.Instant {
        var next = connectivity.due ?? now + .seconds(3600)
        for connection in connections.values { next = min(next, connection.next) }
        for call in waiting { if let deadline = call.deadline { next = min(next, deadline) } }
        return next
    }

    private func handle(_ connection: ClientConnection, isReadable: Bool, isWritable: Bool) {
        if connection.isConnecting, isReadable || isWritable, let problem = connection.becameWritable() {
            connection.fail(problem)
        }
        if isReadable, !connection.isClosed, connection.receive(place, plain, now: now) { hasMoreInput = true }
    }

    // MARK: Calls

    private func takeMail() {
        mailbox.take(&mail)
        for call in mail.calls { begin(call) }
        for call in mail.cancelled { end(call, ClientCall.cancelled) }
        let closes = mail.closes
        let resolution = mail.resolution
        mail.removeAll()
        if let resolution {
            carryOut(connectivity.resolved(resolution.addresses, resolution.problem, at: now, using: &random))
        }
        if closes { close() }
    }

    private func begin(_ call: ClientCall) {
        if let problem = invalid ?? fields.problem(with: call.metadata) { return call.finish(.failure(problem)) }
        if call.isLate(at: now) { return call.finish(.failure(ClientCall.expired)) }
        send(call)
    }

    private func send(_ call: ClientCall) {
        if isClosing { return call.finish(.failure(ClientCall.cancelled)) }
        if let current, current.isOpen { return current.submit(call, at: now) }
        if connectivity.failsAtOnce, !configuration.waitsForReady {
            return call.finish(.failure(unreachable(connectivity.problem)))
        }
        waiting.append(call)
        carryOut(connectivity.wanted())
    }

    private func end(_ call: ClientCall, _ status: GRPCStatus) {
        guard !call.isOver else { return }
        if let connection = call.connection {
            connection.end(call, status)
        } else {
            call.finish(.failure(status))
            waiting.removeAll { $0 === call }
        }
    }

    private func unreachable(_ problem: String?) -> GRPCStatus {
        GRPCStatus(
            .unavailable,
            "no connection to \(configuration.target): is a server running there, and are address and TLS setting "
                + "right? (\(problem ?? "it was lost"))"
        )
    }

    // MARK: Connecting

    private func carryOut(_ action: Connectivity<PeerAddress>.Action?) {
        switch action {
        case nil: return
        case .resolve?: resolve()
        case .connect(let address)?: connect(address)
        case .fail(let problem)?:
            let failed = configuration.waitsForReady ? [] : waiting
            if !configuration.waitsForReady { waiting = [] }
            for call in failed { call.finish(.failure(unreachable(problem))) }
        }
    }

    /// Looks up names in a thread of its own, since the system's call for it blocks.
    private func resolve() {
        let numeric = servers.compactMap { try? PeerAddress.all(of: $0, asksNetwork: false) }
        if numeric.count == servers.count {
            return carryOut(connectivity.resolved(numeric.flatMap { $0 }, nil, at: now, using: &random))
        }
        let (servers, mailbox) = (servers, mailbox)
        do throws(ThreadError) {
            _ = try SystemThread("grpc-names") {
                let resolution = ChannelMail.Resolution(servers)
                mailbox.post { mail in
                    mail.resolution = resolution
                    return true
                }
            }
        } catch {
            carryOut(connectivity.resolved([], error.description, at: now, using: &random))
        }
    }

    private func connect(_ address: PeerAddress) {
        let descriptor: Int32
        switch address.connect() {
        case .success(let opened): descriptor = opened
        case .failure(let error):
            return carryOut(
                connectivity.failed("\(address.server.authority): \(error)", at: now, using: &random)
            )
        }
        let made = ClientConnection(
            descriptor: descriptor,
            to: address.server,
            configuration,
            tls: tls,
            fields: fields,
            codec: codec,
            now: now
        )
        guard let made else { fatalError("out of memory") }
        connections[descriptor] = made
        current = made
        poll.watch(descriptor, room: true)
    }

    /// Follows what has become of the current connection, and takes back calls that no server has processed.
    private func settle(_ connection: ClientConnection) {
        let returned = connection.takeReturned()
        if connection === current {
            switch connection.stage {
            case .connecting, .greeting: break
            case .open:
                if case .connecting = connectivity.state {
                    connectivity.connected()
                    let calls = waiting
                    waiting = []
                    for call in calls where !call.isOver { connection.submit(call, at: now) }
                }
            case .leaving, .closed:
                current = nil
                if case .ready = connectivity.state {
                    carryOut(connectivity.ended(hasCalls: !waiting.isEmpty))
                } else {
                    let problem = "\(connection.server.authority): \(connection.problem)"
                    carryOut(connectivity.failed(problem, at: now, using: &random))
                }
            }
        }
        for call in returned where !call.isOver {
            if call.isLate(at: now) { call.finish(.failure(ClientCall.expired)) } else { send(call) }
        }
    }

    // MARK: Turns

    private func checkTimers() {
        carryOut(connectivity.paused(at: now, hasCalls: !waiting.isEmpty))
        for connection in connections.values where now >= connection.next { connection.checkTimers(now) }
        let late = waiting.filter { $0.isLate(at: now) }
        guard !late.isEmpty else { return }
        waiting.removeAll { $0.isLate(at: now) }
        for call in late { call.finish(.failure(ClientCall.expired)) }
    }

    private func flush() {
        // What one connection returns, another one sends.
        repeat {
            for connection in connections.values {
                connection.isScheduledForWrite = false
                let waits = connection.flush(now: now)
                settle(connection)
                if connection.isClosed {
                    forget(connection)
                } else if waits != connection.isWatchedForRoom {
                    connection.isWatchedForRoom = waits
                    poll.watchAgain(connection.descriptor, room: waits)
                }
            }
        } while connections.values.contains(where: \.isScheduledForWrite)
    }

    private func forget(_ connection: ClientConnection) {
        // The system may have given the number to a new one already.
        if connections[connection.descriptor] === connection { connections[connection.descriptor] = nil }
    }

    private func close() {
        isClosing = true
        let calls = waiting
        waiting = []
        for call in calls { call.finish(.failure(ClientCall.cancelled)) }
        for connection in connections.values {
            connection.endCalls(ClientCall.cancelled)
            connection.sayGoodbye()
            _ = connection.flush(now: now)
            connection.close()
        }
        connections = [:]
        current = nil
    }
}
