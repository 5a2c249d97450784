internal import SagamoreThreads

/// How far each topic of a shard is published, and which topics wait. Pure: the time is a parameter.
///
/// *Joined* topics are read together, in the order of the shard's records. A topic that cannot be written is *blocked*:
/// it is left out until its next attempt is due. Then it is *lagging*: it is read separately, from its position, until
/// nothing is left. Then it is joined again.
struct TopicTable {
    typealias Time = ContinuousClock.Instant

    private enum State {
        /// Can transition to: `blocked`.
        case joined
        /// Can transition to: `joined`, `blocked`.
        case lagging
        /// Can transition to: `lagging`.
        case blocked(until: Time)
    }

    private struct Entry {
        /// The number of its last published record.
        var position: Int64
        var state: State
        var backoff: Backoff
    }

    private var entries: [String: Entry] = [:]
    /// Joined topics have nothing unpublished up to this number.
    private(set) var scanned: Int64 = 0
    /// Topics that were reported as blocked, and of which nothing was published since.
    private(set) var reported: Set<String>

    private let chance: Chance

    /// - Parameters:
    ///   - reported: topics that an earlier table reported as blocked.
    ///   - chance: the jitter of attempts.
    init(reported: Set<String> = [], chance: Chance = .system) {
        self.reported = reported
        self.chance = chance
    }

    /// Adds a topic at its position, joined.
    mutating func add(_ topic: String, position: Int64) {
        entries[topic] = Entry(
            position: position,
            state: .joined,
            backoff: Backoff(first: .milliseconds(500), longest: .seconds(15))
        )
    }

    func isKnown(_ topic: String) -> Bool { entries[topic] != nil }
    func position(_ topic: String) -> Int64 { entries[topic]?.position ?? 0 }
    var positions: [String: Int64] { entries.mapValues(\.position) }

    private func isBlocked(_ topic: String) -> Bool {
        if case .blocked = entries[topic]?.state { true } else { false }
    }

    func isJoined(_ topic: String) -> Bool {
        if case .joined = entries[topic]?.state { true } else { false }
    }

    /// Records of a joined topic wait for those of another shard: it is read separately, from where it stopped.
    mutating func readSeparately(_ topic: String) {
        if isJoined(topic) { entries[topic]?.state = .lagging }
    }

    /// Topics that are not read together with the others.
    var separate: [String] {
        entries.compactMap { topic, entry in
            if case .joined = entry.state { nil } else { topic }
        }.sorted()
    }

    var lagging: [String] {
        entries.compactMap { topic, entry in
            if case .lagging = entry.state { topic } else { nil }
        }.sorted()
    }

    /// Blocked topics whose next attempt is due.
    func due(_ now: Time) -> [String] {
        entries.compactMap { topic, entry in
            if case .blocked(let until) = entry.state, until <= now { topic } else { nil }
        }.sorted()
    }

    /// When the next blocked topic is due.
    var nextDue: Time? {
        entries.values.compactMap { entry in
            if case .blocked(let until) = entry.state { until } else { nil }
        }.min()
    }

    /// Blocks a topic, which cannot be written now.
    ///
    /// - Returns: whether to report it. A topic is reported once until records of it are published again.
    @discardableResult
    mutating func block(_ topic: String, at now: Time) -> Bool {
        guard var entry = entries[topic] else { return false }
        entry.state = .blocked(until: now + entry.backoff.next(chance))
        entries[topic] = entry
        return reported.insert(topic).inserted
    }

    /// Makes a blocked topic lagging: its next attempt begins.
    mutating func unblock(_ topic: String) {
        guard isBlocked(topic) else { return }
        entries[topic]?.state = .lagging
    }

    /// Records up to these numbers are published.
    ///
    /// - Returns: the topics that were reported as blocked and have recovered.
    @discardableResult
    mutating func published(_ positions: [String: Int64]) -> [String] {
        for (topic, position) in positions {
            let highest = max(position, self.position(topic))
            entries[topic]?.position = highest
            entries[topic]?.backoff.reset()
        }
        let recovered = reported.intersection(positions.keys)
        reported.subtract(recovered)
        return recovered.sorted()
    }

    /// All joined topics are published up to this number.
    mutating func scanned(to sequence: Int64) { scanned = max(scanned, sequence) }

    /// Joins a lagging topic, of which nothing is left to publish.
    mutating func caughtUp(_ topic: String) {
        if case .lagging = entries[topic]?.state { entries[topic]?.state = .joined }
    }
}
