public import SagamoreEngine
public import SagamoreKafkaClient

/// What a client asks of the broker.
public struct BrokerOperation: Sendable, Hashable {
    /// A kind of request.
    public enum Kind: Sendable, Hashable {
        case initTransactions, flush, commit, abort
        /// A record is handed to the client, which refuses it at once or sends it later.
        case produce(topic: String)
        /// A batch of records arrives at its partition.
        case send(KafkaPartition)
        case sendOffsets(group: String)
        case clusterID, partitionCounts, createTopics, createPartitions
        case committedOffset(group: String)
        case heartbeat(group: String)
        case fetch(KafkaPartition)
        case commitOffsets(group: String)
        case storedOffsets(group: String)
        case firstOffset(KafkaPartition)
    }

    /// The name of the process that asks.
    public let process: String
    /// The transactional id, the member of a group, or `admin`.
    public let client: String
    /// What it asks for.
    public let kind: Kind
}

/// What goes wrong with an operation.
public enum BrokerFault: Sendable, Hashable {
    case none
    /// Nothing is done. The client waits as long as it may.
    case unreachable
    /// The client waits as long as it may and learns nothing; the operation is done or not.
    case unanswered(isDone: Bool)
    /// Done, but it takes this long. A fetch returns nothing until then.
    case slow(Interval)
    /// Nothing is done. The broker says that the same call may succeed later.
    case retriable
    /// Nothing is done. The transaction must be aborted.
    case requiresAbort
    /// Another producer took the transactional id just before. For a group's member: it was removed from its group.
    case fenced
    /// The client is unusable from now on.
    case fatal
    /// Records or a topic are refused.
    case refused(Refusal)

    /// Why records or a topic are refused.
    public enum Refusal: Sendable, Hashable, CaseIterable {
        case tooLarge, invalidRecord, invalidTimestamp, unknownTopic, topicAuthorization
    }
}

/// The errors of librdkafka, by the numbers of its header.
enum BrokerError {
    static let timedOut = KafkaError(code: .init(rawValue: -185))
    static let transport = KafkaError(code: .init(rawValue: -195))
    static let allBrokersDown = KafkaError(code: .init(rawValue: -187))
    static let unknownTopic = KafkaError(code: .init(rawValue: 3))
    static let coordinatorLoading = KafkaError(code: .init(rawValue: 14))
    static let illegalGeneration = KafkaError(code: .init(rawValue: 22))
    static let unstableOffset = KafkaError(code: .init(rawValue: 88))
    static let offsetOutOfRange = KafkaError(code: .init(rawValue: 1))
    static let topicExists = KafkaError(code: .init(rawValue: 36))
    static let invalidPartitions = KafkaError(code: .init(rawValue: 37))
    static let purged = KafkaError(code: .init(rawValue: -152))

    /// Another producer has the transactional id.
    static let fenced = fatal(.init(rawValue: -144))
    /// Some failure that only a new client ends.
    static let fatal = fatal(.init(rawValue: -150))

    static func fatal(_ code: KafkaError.Code) -> KafkaError {
        KafkaError(code: code, message: KafkaError(code: code).message, isFatal: true)
    }

    /// The transaction cannot be committed because of this error.
    static func requiresAbort(_ error: KafkaError) -> KafkaError {
        KafkaError(code: error.code, message: error.message, requiresAbort: true)
    }

    /// Records were not delivered, and no broker refused them.
    static let inconsistent = KafkaError(code: .init(rawValue: -149))
    /// The numbering of records has a gap.
    static let outOfOrder = KafkaError(code: .init(rawValue: 45))

    static func refused(_ refusal: BrokerFault.Refusal) -> KafkaError {
        let number: Int32 =
            switch refusal {
            case .tooLarge: 10
            case .invalidRecord: 87
            case .invalidTimestamp: 32
            case .unknownTopic: 3
            case .topicAuthorization: 29
            }
        return KafkaError(code: .init(rawValue: number))
    }
}
