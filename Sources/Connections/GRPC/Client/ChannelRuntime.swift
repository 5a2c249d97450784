internal import Glibc
internal import SagamoreThreads
internal import Synchronization

/// Calls and commands from other threads to the channel's thread.
typealias ChannelMailbox = LoopMailbox<ChannelMail>

/// What other threads pass to the channel's thread.
struct ChannelMail: LoopMail {
    /// The addresses of the servers, looked up.
    struct Resolution: Sendable {
        var addresses: [PeerAddress] = []
        var problem: String?

        /// Asks the system, which may take seconds.
        init(_ servers: [ChannelAddress]) {
            for server in servers {
                do throws(PeerAddress.Unresolved) {
                    addresses += try PeerAddress.all(of: server, asksNetwork: true)
                } catch {
                    problem = error.reason
                }
            }
        }
    }

    var calls: [ClientCall] = []
    var cancelled: [ClientCall] = []
    var resolution: Resolution?
    var closes = false

    var isEmpty: Bool { calls.isEmpty && cancelled.isEmpty && resolution == nil && !closes }

    mutating func removeAll() {
        calls.removeAll(keepingCapacity: calls.count <= 4096)
        cancelled.removeAll()
        resolution = nil
        closes = false
    }
}

/// A running channel: its thread, and the way to it.
final class ChannelRuntime: Sendable {
    private let configuration: GRPCChannelConfiguration
    private let mailbox: ChannelMailbox
    /// Guarded by the mailbox's lock: no call is posted after the command to close.
    private let isClosed = Atomic(false)
    private let isOver = Monitor(false)
    private let thread: SystemThread

    init(_ configuration: GRPCChannelConfiguration) {
        self.configuration = configuration
        guard let mailbox = ChannelMailbox(), let loop = ChannelLoop(configuration, mailbox) else {
            fatalError("the system refused a file descriptor: \(String(cString: strerror(errno)))")
        }
        self.mailbox = mailbox
        // The thread does not retain the runtime: the channel closes it when it is released.
        thread = SystemThread.required("grpc-channel") { [isOver] in
            loop.run()
            isOver.change { $0 = true }
        }
    }

    /// Makes a call; its completion runs on the channel's thread, or now when the channel is closed.
    func start(_ call: ClientCall) {
        let isPosted = mailbox.post { mail in
            guard !isClosed.load(ordering: .relaxed) else { return false }
            mail.calls.append(call)
            return true
        }
        if !isPosted { call.finish(.failure(GRPCStatus(.unavailable, "the channel was shut down"))) }
    }

    /// The metadata that the configuration has for a call of its own.
    func callMetadata() throws(GRPCStatus) -> GRPCChannelConfiguration.Metadata {
        guard let callMetadata = configuration.callMetadata else { return [] }
        return try callMetadata()
    }

    func cancel(_ call: ClientCall) {
        mailbox.post { mail in
            guard !isClosed.load(ordering: .relaxed) else { return false }
            mail.cancelled.append(call)
            return true
        }
    }

    /// Rejects new calls and cancels open ones. Their completions and the end of the thread follow.
    func close() {
        mailbox.post { mail in
            guard !isClosed.exchange(true, ordering: .relaxed) else { return false }
            mail.closes = true
            return true
        }
    }

    /// Waits until a closed channel has ended; not in a completion, which it would wait for.
    func waitForEnd() {
        if !thread.isCurrent { isOver.wait(until: { $0 }) }
    }
}
