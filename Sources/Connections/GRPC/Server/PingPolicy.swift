/// Decides when pings are answered, and whether a client pings too often.
///
/// Each ping costs a wakeup, so the shortest interval between pings is limited, as in other gRPC servers.
///
/// Answers are delayed. gRPC clients measure the connection: on data they send a ping and a window update, and the next
/// ping on data after the last one was answered. If pings were answered at once, nearly every call would bring one, and
/// both sides would wake for it.
struct PingPolicy: Sendable {
    private let shortest: Duration
    private var last: ContinuousClock.Instant?
    private var strikes = 0
    /// Pings to be answered, each with its due time; the oldest first.
    private var waiting: [(content: UInt64, due: ContinuousClock.Instant)] = []

    /// Early pings tolerated before the connection is closed.
    static let allowedStrikes = 2
    /// The delay of an answer. Clients that ping to check the connection wait for seconds.
    static let patience = Duration.milliseconds(10)
    /// The most pings that wait; a further ping is answered together with the oldest one.
    static let capacity = 16

    /// - Parameter shortest: the shortest allowed interval between two pings.
    init(shortest: Duration) { self.shortest = shortest }

    /// A ping has arrived. Returns when to answer it; nil when the client has pinged too often.
    mutating func received(_ content: UInt64, at now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        defer { last = now }
        if let last, now - last < shortest { strikes += 1 }
        guard strikes <= Self.allowedStrikes else { return nil }
        waiting.append((content, now + Self.patience))
        if waiting.count > Self.capacity { waiting[0].due = now }
        return waiting[0].due
    }

    /// When the next answer is due; nil when no ping waits.
    var nextAnswer: ContinuousClock.Instant? { waiting.first?.due }

    /// Removes and returns the pings that are due.
    mutating func due(by now: ContinuousClock.Instant) -> [UInt64] {
        guard let first = waiting.first, first.due <= now else { return [] }
        let end = waiting.firstIndex { $0.due > now } ?? waiting.endIndex
        defer { waiting.removeFirst(end) }
        return waiting[..<end].map(\.content)
    }

    /// Data was sent to the client, which may ping to see whether it arrives.
    mutating func answered() {
        last = nil
        strikes = 0
    }
}
