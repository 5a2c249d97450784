/// What is due on a connection without anything happening on it.
///
/// Hearing from the client costs a store: when something is really due is only worked out when it may be.
struct ConnectionTimes: Sendable {
    /// What is to be done now.
    enum Action: Equatable {
        case none
        /// Ask the client for a sign.
        case ping
        /// The client has gone, without a word.
        case close
        /// Nobody has used the connection.
        case leave
    }

    private let keepaliveInterval: Duration
    private let keepaliveTimeout: Duration
    private let idleLimit: Duration?
    private let begin: ContinuousClock.Instant
    private var lastHeard: ContinuousClock.Instant
    private var pingedAt: ContinuousClock.Instant?
    private var lastUsed: ContinuousClock.Instant
    /// Nothing is due before.
    private(set) var next: ContinuousClock.Instant

    /// So long a client may take to speak HTTP/2.
    static let greeting = Duration.seconds(20)

    init(_ configuration: GRPCServerConfiguration, now: ContinuousClock.Instant) {
        keepaliveInterval = configuration.keepaliveInterval
        keepaliveTimeout = configuration.keepaliveTimeout
        idleLimit = configuration.maximumConnectionIdle
        begin = now
        lastHeard = now
        lastUsed = now
        next = now + min(Self.greeting, keepaliveInterval, idleLimit ?? Self.greeting)
    }

    /// Something is to be looked at then.
    mutating func due(at instant: ContinuousClock.Instant) { next = min(next, instant) }

    /// Something has come from the client.
    mutating func heard(at now: ContinuousClock.Instant) {
        lastHeard = now
        pingedAt = nil
    }

    /// A call has begun or ended. The clock is asked only where idle connections are ended.
    mutating func used() {
        if idleLimit != nil { lastUsed = .now }
    }

    /// Says what is to be done, and sets `next` to when to ask again; calls have deadlines of their own.
    mutating func check(at now: ContinuousClock.Instant, isGreeted: Bool, hasCalls: Bool) -> Action {
        next = now + keepaliveInterval
        if !isGreeted {
            if now >= begin + Self.greeting { return .close }
            due(at: begin + Self.greeting)
        }
        if let idleLimit {
            let end = (hasCalls ? now : lastUsed) + idleLimit
            if now >= end { return .leave }
            due(at: end)
        }
        if let pingedAt {
            if now >= pingedAt + keepaliveTimeout { return .close }
            due(at: pingedAt + keepaliveTimeout)
        } else if now >= lastHeard + keepaliveInterval {
            pingedAt = now
            due(at: now + keepaliveTimeout)
            return .ping
        } else {
            due(at: lastHeard + keepaliveInterval)
        }
        return .none
    }
}
