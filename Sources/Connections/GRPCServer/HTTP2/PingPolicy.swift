/// When pings are answered, and whether a client pings more often than it may.
///
/// Each ping costs a wake here, so clients that have nothing to send are held to a shortest time between two, as gRPC's
/// servers hold them.
///
/// Answers wait for a moment. Clients of gRPC measure the connection: when an answer to a call comes they send a ping
/// (and a window update with it), and the next one when data comes after that has been answered. Answered at once,
/// nearly every call would bring a ping, and wake both sides for nothing else.
struct PingPolicy: Sendable {
    private let shortest: Duration
    private var last: ContinuousClock.Instant?
    private var strikes = 0
    /// Pings without an answer, with the time of it: the oldest first.
    private var waiting: [(content: UInt64, due: ContinuousClock.Instant)] = []

    /// So many pings may come early before the connection ends.
    static let allowedStrikes = 2
    /// So long a ping waits for its answer. Nobody who pings to know whether this side lives waits for less than
    /// seconds.
    static let patience = Duration.milliseconds(10)
    /// So many wait at most; further ones are answered with the oldest of them.
    static let capacity = 16

    /// - Parameter shortest: the time between two pings that is in order.
    init(shortest: Duration) { self.shortest = shortest }

    /// A ping has come. Returns when to answer; nil: it is one too many.
    mutating func came(_ content: UInt64, at now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        defer { last = now }
        if let last, now - last < shortest { strikes += 1 }
        guard strikes <= Self.allowedStrikes else { return nil }
        waiting.append((content, now + Self.patience))
        if waiting.count > Self.capacity { waiting[0].due = now }
        return waiting[0].due
    }

    /// When the next answer is due; nil: no ping waits.
    var nextAnswer: ContinuousClock.Instant? { waiting.first?.due }

    /// Takes the pings that are to be answered by now.
    mutating func due(by now: ContinuousClock.Instant) -> [UInt64] {
        guard let first = waiting.first, first.due <= now else { return [] }
        let end = waiting.firstIndex { $0.due > now } ?? waiting.endIndex
        defer { waiting.removeFirst(end) }
        return waiting[..<end].map(\.content)
    }

    /// Something was sent to the client, whose pings tell it then whether that arrives.
    mutating func answered() {
        last = nil
        strikes = 0
    }
}
