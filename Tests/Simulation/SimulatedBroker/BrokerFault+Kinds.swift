public import SagamoreEngine

extension BrokerFault {
    /// The name of the fault without its details, for tables of what occurred.
    public var name: String {
        switch self {
        case .none: "none"
        case .unreachable: "unreachable"
        case .unanswered(isDone: true): "unanswered, done"
        case .unanswered(isDone: false): "unanswered, not done"
        case .slow: "slow"
        case .retriable: "retriable"
        case .requiresAbort: "requires abort"
        case .fenced: "fenced"
        case .fatal: "fatal"
        case .refused(let refusal): "\(refusal)"
        }
    }

    /// What can go wrong with a kind of request on a real cluster, or between it and the client.
    ///
    /// - Parameters:
    ///   - delay: the time of slow answers.
    ///   - refusesRecords: whether records may be refused for good. Those are moved to the dead events.
    public static func possible(
        for kind: BrokerOperation.Kind,
        delay: Interval,
        refusesRecords: Bool
    ) -> [BrokerFault] {
        let lost: [BrokerFault] = [
            .unreachable, .unanswered(isDone: true), .unanswered(isDone: false), .slow(delay), .retriable,
        ]
        switch kind {
        case .produce: return [.refused(refusesRecords ? .tooLarge : .unknownTopic)]
        case .send:
            let forGood: [BrokerFault] = refusesRecords ? [.refused(.tooLarge), .refused(.invalidRecord)] : []
            let passing = [Refusal.invalidTimestamp, .unknownTopic, .topicAuthorization].map(BrokerFault.refused)
            return passing + forGood + [.requiresAbort, .fenced, .fatal, .slow(delay)]
        case .commit, .sendOffsets: return lost + [.requiresAbort, .fenced, .fatal]
        case .initTransactions, .flush, .abort, .heartbeat: return lost + [.fenced, .fatal]
        case .fetch: return [.unreachable, .slow(delay), .refused(.topicAuthorization)]
        case .partitionCounts: return lost + [.refused(.unknownTopic), .refused(.topicAuthorization)]
        case .clusterID, .createTopics, .createPartitions, .committedOffset, .commitOffsets, .storedOffsets,
            .firstOffset:
            return lost
        }
    }
}
