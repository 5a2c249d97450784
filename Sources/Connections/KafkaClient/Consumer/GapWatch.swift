/// Finds records that were removed from a partition before they were read. Pure: the time is a parameter.
///
/// Skipped offsets may be markers of transactions. Only the partition's first offset tells: what lies below it was
/// removed. It is queried after an assignment, and where offsets were skipped.
package struct GapWatch {
    package typealias Time = ContinuousClock.Instant

    /// The least time between two queries for one partition: transactional producers skip offsets all the time.
    package let interval: Duration

    private struct Position {
        /// The next offset to read.
        var next: Int64
        /// Skipped offsets for which no query was answered yet.
        var gap: Range<Int64>?
        var notBefore: Time?
    }

    private var positions: [KafkaPartition: Position] = [:]

    package init(interval: Duration) { self.interval = interval }

    /// A partition was assigned; `offset` is the next one to read.
    package mutating func assign(_ partition: KafkaPartition, at offset: Int64) {
        // The records that were removed lie below the first one that is read.
        positions[partition] = Position(next: offset, gap: offset..<Int64.max)
    }

    /// Forgets a partition.
    package mutating func revoke(_ partition: KafkaPartition) { positions[partition] = nil }

    /// A record was read.
    package mutating func read(_ partition: KafkaPartition, _ offset: Int64) {
        guard let position = positions[partition] else {
            positions[partition] = Position(next: offset + 1)
            return
        }
        if offset > position.next, position.gap == nil { positions[partition]?.gap = position.next..<offset }
        positions[partition]?.next = offset + 1
    }

    /// The first partition whose first offset is to be queried now.
    package mutating func query(at now: Time) -> KafkaPartition? {
        var first: KafkaPartition?
        for (partition, position) in positions where position.gap != nil {
            if let notBefore = position.notBefore, now < notBefore { continue }
            if first.map({ partition < $0 }) ?? true { first = partition }
        }
        if let first { positions[first]?.notBefore = now + interval }
        return first
    }

    /// - Returns: the offsets below `first` that were removed unread.
    package mutating func answered(_ partition: KafkaPartition, first: Int64) -> Range<Int64>? {
        guard let gap = positions[partition]?.gap else { return nil }
        positions[partition]?.gap = nil
        guard first > gap.lowerBound else { return nil }
        return gap.lowerBound..<min(first, gap.upperBound)
    }
}
