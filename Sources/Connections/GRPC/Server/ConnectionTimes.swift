/// The timers of a connection: keepalive, idle time, greeting.
///
/// Input from the client costs one store. What is due is computed only when something may be.
struct ConnectionTimes: Sendable {
    /// What to do now.
    enum Action: Equatable {
        case none
        /// Ping the client.
        case ping
        /// The client is gone: close the connection.
        case close
        /// The connection has been idle: end it.
        case leave
    }

    private let keepaliveInterval: Duration
    private let keepaliveTimeout: Duration
    private let idleLimit: Duration?
    private let begin: ContinuousClock.Instant
    private var lastHeard: ContinuousClock.Instant
    private var pingedAt: ContinuousClock.Instant?
    private var lastUsed: ContinuousClock.Instant
    /// Nothing is due before this time.
    private(set) var next: ContinuousClock.Instant

    /// The time within which a client must send its HTTP/2 settings.
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

    /// When the client has sent something last.
    var lastHeardAt: ContinuousClock.Instant { lastHeard }

    /// Makes sure that `check` runs by this time.
    mutating func due(at instant: ContinuousClock.Instant) { next = min(next, instant) }

    /// The client has sent something.
    mutating func heard(at now: ContinuousClock.Instant) {
        lastHeard = now
        pingedAt = nil
    }

    /// A call has begun or ended. The clock is read only when idle connections are ended.
    mutating func used() {
        if idleLimit != nil { lastUsed = .now }
    }

    /// Returns what to do, and sets `next` to the time of the next check. The deadlines of calls are kept elsewhere.
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
