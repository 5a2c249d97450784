/// Decides when a client pings its server, and when the server counts as gone. Only with open calls: without them the
/// connection may rest.
struct Keepalive: Sendable {
    enum Action: Equatable {
        case none
        case ping
        /// A ping was not answered.
        case close
    }

    private let interval: Duration?
    private let timeout: Duration
    private var lastHeard: ContinuousClock.Instant
    private var pingedAt: ContinuousClock.Instant?

    init(interval: Duration?, timeout: Duration, now: ContinuousClock.Instant) {
        self.interval = interval
        self.timeout = timeout
        lastHeard = now
    }

    /// When to check next, with open calls.
    var due: ContinuousClock.Instant? {
        guard let interval else { return nil }
        return pingedAt.map { $0 + timeout } ?? lastHeard + interval
    }

    /// The server has sent something.
    mutating func heard(at now: ContinuousClock.Instant) {
        lastHeard = now
        pingedAt = nil
    }

    mutating func check(at now: ContinuousClock.Instant) -> Action {
        guard let due, due <= now else { return .none }
        if pingedAt != nil { return .close }
        pingedAt = now
        return .ping
    }
}
