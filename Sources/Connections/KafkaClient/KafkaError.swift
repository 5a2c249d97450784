internal import CSagamoreRdKafka
internal import SagamoreThreads

/// An error of a Kafka client or broker, and its consequence for the caller.
public struct KafkaError: Error, Sendable, Hashable, CustomStringConvertible {
    /// An error number of the Kafka protocol (0 and up) or of librdkafka itself (below 0).
    public struct Code: Sendable, Hashable, RawRepresentable, CustomStringConvertible {
        /// The number, as librdkafka's `rd_kafka_resp_err_t` has it.
        public let rawValue: Int32

        /// Creates a code from its number, which may be unknown to this version of librdkafka.
        public init(rawValue: Int32) { self.rawValue = rawValue }

        /// The symbolic name, for example `UNKNOWN_TOPIC_OR_PART`.
        public var description: String { String(cString: rd_kafka_err2name(native)) }

        /// The client lacks a permission for the topic.
        public static let topicAuthorizationFailed = Code(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)

        /// A failure without a number of its own.
        package static let failed = Code(RD_KAFKA_RESP_ERR__FAIL)

        init(_ native: rd_kafka_resp_err_t) { rawValue = native.rawValue }
        var native: rd_kafka_resp_err_t { rd_kafka_resp_err_t(rawValue: rawValue) }
    }

    /// The kind of error.
    public let code: Code
    /// librdkafka's description; no payloads and no secrets.
    public let message: String
    /// True when the client is unusable and must be replaced.
    public let isFatal: Bool
    /// True when the same call may succeed later.
    public let isRetriable: Bool
    /// True when the current transaction must be aborted first.
    public let requiresAbort: Bool

    /// Creates an error.
    public init(
        code: Code,
        message: String,
        isFatal: Bool = false,
        isRetriable: Bool = false,
        requiresAbort: Bool = false
    ) {
        self.code = code
        self.message = message
        self.isFatal = isFatal
        self.isRetriable = isRetriable
        self.requiresAbort = requiresAbort
    }

    /// Name, message and consequence in one line.
    public var description: String {
        let consequence = isFatal ? " (fatal)" : requiresAbort ? " (abort)" : isRetriable ? " (retriable)" : ""
        return "\(code): \(message)\(consequence)"
    }
}

/// Kinds of errors.
extension KafkaError {
    /// The topic or the partition does not exist.
    public var isUnknownTopic: Bool {
        code.isOne(
            of: RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART,
            RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC,
            RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION
        )
    }

    /// The client lacks a permission for the topic.
    public var isTopicAuthorization: Bool { code.isOne(of: RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) }

    /// The record, or the batch in which it was sent, exceeds the size limit of the client or the topic.
    public var isMessageTooLarge: Bool {
        code.isOne(
            of: RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
            RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE,
            RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE
        )
    }

    /// The broker does not accept this record, whatever its size: no key on a compacted topic, or a format that the
    /// topic does not take.
    public var isInvalidRecord: Bool {
        code.isOne(
            of: RD_KAFKA_RESP_ERR_INVALID_RECORD,
            RD_KAFKA_RESP_ERR_INVALID_MSG,
            RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT
        )
    }

    /// The record's timestamp is outside the topic's bounds. The same record is accepted once the clocks of this
    /// machine and the broker agree, or the topic's bounds are wider.
    public var isTimestampRefused: Bool { code.isOne(of: RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP) }

    /// The record will never be accepted, however often it is sent.
    public var isRecordRefused: Bool { isMessageTooLarge || isInvalidRecord }

    /// Another producer with the same transactional id has fenced this one. Fatal.
    public var isFenced: Bool {
        code.isOne(
            of: RD_KAFKA_RESP_ERR__FENCED,
            RD_KAFKA_RESP_ERR_PRODUCER_FENCED,
            RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH
        )
    }

    /// The client's queue is full; retry after some records have been delivered.
    public var isQueueFull: Bool { code.isOne(of: RD_KAFKA_RESP_ERR__QUEUE_FULL) }

    /// The time limit of a call or of a record has expired.
    public var isTimeout: Bool {
        code.isOne(
            of: RD_KAFKA_RESP_ERR__TIMED_OUT,
            RD_KAFKA_RESP_ERR__MSG_TIMED_OUT,
            RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
            RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE
        )
    }

    /// This client discarded the record (aborted transaction, closed producer); it was not refused.
    public var isPurged: Bool {
        code.isOne(of: RD_KAFKA_RESP_ERR__PURGE_QUEUE, RD_KAFKA_RESP_ERR__PURGE_INFLIGHT)
    }

    /// No broker can be reached at the moment.
    public var isUnreachable: Bool {
        code.isOne(
            of: RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN,
            RD_KAFKA_RESP_ERR__TRANSPORT,
            RD_KAFKA_RESP_ERR__RESOLVE,
            RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION,
            RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE
        )
    }
}

extension KafkaError.Code {
    func isOne(of natives: rd_kafka_resp_err_t...) -> Bool { natives.contains { $0.rawValue == rawValue } }

    /// Raised by librdkafka, not answered by a broker.
    var isLocal: Bool { rawValue < 0 }

    /// Errors that resolve themselves: lost connections, elections, coordinators that move.
    var isTransient: Bool {
        isOne(
            of: RD_KAFKA_RESP_ERR__TRANSPORT,
            RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN,
            RD_KAFKA_RESP_ERR__TIMED_OUT,
            RD_KAFKA_RESP_ERR__MSG_TIMED_OUT,
            RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE,
            RD_KAFKA_RESP_ERR__QUEUE_FULL,
            RD_KAFKA_RESP_ERR__WAIT_COORD,
            RD_KAFKA_RESP_ERR__RESOLVE,
            RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
            RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE,
            RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
            RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
            RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE,
            RD_KAFKA_RESP_ERR_NOT_COORDINATOR,
            RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
            RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
            RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT,
            RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION,
            RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE,
            RD_KAFKA_RESP_ERR_NOT_CONTROLLER,
            RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS
        )
    }
}

extension KafkaError {
    /// An error as librdkafka reports it by its number alone.
    package init(code: Code) { self.init(code.native) }

    /// An error that is known by its number only. `message` replaces librdkafka's description.
    init(_ native: rd_kafka_resp_err_t, _ message: String? = nil) {
        let code = Code(native)
        self.init(
            code: code,
            message: message ?? String(cString: rd_kafka_err2str(native)),
            isFatal: native == RD_KAFKA_RESP_ERR__FATAL,
            isRetriable: code.isTransient
        )
    }

    /// A thread that the client needs could not be started.
    init(_ error: ThreadError) {
        self.init(RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE, error.description)
    }

    /// Converts and frees librdkafka's error object; nil is success.
    init?(consuming error: OpaquePointer?) {
        guard let error else { return nil }
        self.init(
            code: Code(rd_kafka_error_code(error)),
            message: String(cString: rd_kafka_error_string(error)),
            isFatal: rd_kafka_error_is_fatal(error) != 0,
            isRetriable: rd_kafka_error_is_retriable(error) != 0,
            requiresAbort: rd_kafka_error_txn_requires_abort(error) != 0
        )
        rd_kafka_error_destroy(error)
    }

    /// The fatal error that a client has raised, if any.
    init?(fatalOf client: OpaquePointer) {
        var text = [CChar](repeating: 0, count: 512)
        let native = rd_kafka_fatal_error(client, &text, text.count)
        guard native != RD_KAFKA_RESP_ERR_NO_ERROR else { return nil }
        self.init(code: Code(native), message: String(cText: text), isFatal: true)
    }
}

extension String {
    /// The text up to the terminating zero.
    init(cText: [CChar]) {
        self.init(decoding: cText.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
