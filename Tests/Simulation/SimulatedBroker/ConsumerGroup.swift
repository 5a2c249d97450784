internal import SagamoreEngine
internal import SagamoreKafkaClient

/// A consumer group: its offsets, its members, and what is assigned to them.
struct ConsumerGroup {
    struct Member {
        let topics: [String]
        var lastHeard: Instant
        /// It takes part in the rebalance that is under way, and holds no partitions.
        var hasJoined = true
        var assignment: [KafkaPartition] = []
        /// It has not heard of its assignment yet.
        var isAssignmentNew = false
    }

    var offsets: [KafkaPartition: KafkaAdmin.CommittedOffset] = [:]
    private(set) var members: [String: Member] = [:]
    private(set) var generation = 0
    private(set) var isRebalancing = false
    /// The numbers of partitions by which partitions were assigned.
    private var layout: [String: Int] = [:]

    mutating func forgetOffsets(of topic: String) { offsets = offsets.filter { $0.key.topic != topic } }

    mutating func join(_ member: String, topics: [String], at now: Instant) {
        if !isRebalancing { beginRebalance() }
        members[member] = Member(topics: topics, lastHeard: now)
    }

    mutating func remove(_ member: String) {
        guard members.removeValue(forKey: member) != nil, !isRebalancing else { return }
        beginRebalance()
    }

    mutating func expireMembers(at now: Instant, limit: Interval) {
        for (name, member) in members.sorted(by: { $0.key < $1.key }) where now - member.lastHeard > limit {
            remove(name)
        }
    }

    private mutating func beginRebalance() {
        isRebalancing = true
        for name in members.keys { members[name]?.hasJoined = false }
    }

    mutating func heard(_ member: String, at now: Instant) { members[member]?.lastHeard = now }

    /// Begins a rebalance when topics have other partitions than those that were assigned.
    mutating func follow(_ counts: [String: Int]) {
        if !isRebalancing, counts != layout { beginRebalance() }
    }

    /// Ends the rebalance when all members take part: assigns ranges of each topic's partitions.
    ///
    /// - Returns: whether it has ended.
    mutating func complete(_ counts: [String: Int]) -> Bool {
        guard isRebalancing, members.values.allSatisfy(\.hasJoined) else { return false }
        isRebalancing = false
        generation += 1
        layout = counts
        for name in members.keys {
            members[name]?.assignment = []
            members[name]?.isAssignmentNew = true
        }
        for (topic, count) in counts.sorted(by: { $0.key < $1.key }) {
            let names = members.filter { $0.value.topics.contains(topic) }.keys.sorted()
            var next = 0
            for (index, name) in names.enumerated() {
                let share = count / names.count + (index < count % names.count ? 1 : 0)
                let range = (next..<next + share).map { KafkaPartition(topic: topic, partition: Int32($0)) }
                members[name]?.assignment += range
                next += share
            }
        }
        return true
    }

    /// The assignment of a member that it has not heard of.
    mutating func takeAssignment(of member: String) -> [KafkaPartition]? {
        guard members[member]?.isAssignmentNew == true else { return nil }
        members[member]?.isAssignmentNew = false
        return members[member]?.assignment
    }
}

extension SimulatedBroker {
    /// What a member of a group hears.
    enum Membership {
        case stable
        /// It is to give up its partitions and to join again.
        case rebalancing
        /// Others have not joined yet.
        case waiting
        case assigned([KafkaPartition], generation: Int)
        /// It was removed from the group.
        case unknown
    }

    private func counts(of group: ConsumerGroup) -> [String: Int] {
        var counts: [String: Int] = [:]
        for member in group.members.values {
            for topic in member.topics { counts[topic] = partitionCount(topic) }
        }
        return counts
    }

    private func change(_ name: String, _ body: (inout ConsumerGroup) -> Void) {
        var group = groups[name] ?? ConsumerGroup()
        body(&group)
        let hasEnded = group.complete(counts(of: group))
        groups[name] = group
        if hasEnded { notifyObservers() }
    }

    func joinGroup(_ name: String, _ member: String, topics: [String]) {
        change(name) { $0.join(member, topics: topics, at: now()) }
    }

    func leaveGroup(_ name: String, _ member: String) {
        change(name) { $0.remove(member) }
    }

    func heartbeat(_ name: String, _ member: String) -> Membership {
        var membership = Membership.unknown
        change(name) { group in
            group.heard(member, at: now())
            group.expireMembers(at: now(), limit: sessionLimit)
            group.follow(counts(of: group))
        }
        guard let state = groups[name]?.members[member] else { return .unknown }
        if groups[name]?.isRebalancing == true {
            membership = state.hasJoined ? .waiting : .rebalancing
        } else if let assignment = groups[name]?.takeAssignment(of: member) {
            membership = .assigned(assignment, generation: groups[name]?.generation ?? 0)
        } else {
            membership = .stable
        }
        return membership
    }

    /// Commits a member's offsets.
    func commitOffsets(
        _ name: String,
        _ member: String,
        generation: Int,
        _ offsets: [KafkaPartition: Int64]
    ) throws(KafkaError) {
        guard groups[name]?.members[member] != nil, groups[name]?.generation == generation else {
            throw BrokerError.illegalGeneration
        }
        for (partition, offset) in offsets where log(partition) != nil {
            groups[name]?.offsets[partition] = KafkaAdmin.CommittedOffset(offset: offset, metadata: "")
        }
    }
}
