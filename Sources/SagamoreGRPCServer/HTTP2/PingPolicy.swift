/// Whether a client pings more often than it may. Each ping costs a wake here, so clients that have nothing to send are
/// held to a shortest time between two, as gRPC's servers hold them.
struct PingPolicy: Sendable {
    private let shortest: Duration
    private var last: ContinuousClock.Instant?
    private var strikes = 0

    /// So many pings may come early before the connection ends.
    static let allowedStrikes = 2

    /// - Parameter shortest: the time between two pings that is in order.
    init(shortest: Duration) { self.shortest = shortest }

    /// A ping has come. False: it is one too many.
    mutating func came(at now: ContinuousClock.Instant) -> Bool {
        defer { last = now }
        if let last, now - last < shortest { strikes += 1 }
        return strikes <= Self.allowedStrikes
    }

    /// Something was sent to the client, whose pings tell it then whether that arrives.
    mutating func answered() {
        last = nil
        strikes = 0
    }
}
