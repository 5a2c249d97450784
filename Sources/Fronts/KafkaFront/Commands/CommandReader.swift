public import SagamoreEngine
internal import SagamoreJSONText
public import SagamoreKafkaClient
public import SagamoreServices

/// Parses records of a command topic. Pure: the namespaces' numbers and the time are parameters.
public struct CommandReader: Sendable {
    /// The result of reading a record.
    public enum Reading: Sendable {
        /// A command, to be carried out or to be rejected.
        case command(IncomingCommand)
        /// The record cannot be parsed: its dead letter.
        case deadLetter(OutboxRecord)
    }

    /// The route of the records.
    public let route: Route
    private let limitsInForce: LimitsInForce
    var limits: Limits { limitsInForce.current }
    let cluster: String
    let namespaceNumber: @Sendable (String) -> Int32?
    let searchAttributes: @Sendable (String) -> SearchAttributeCatalog?
    /// The identity of the requests in histories.
    let identity: String

    /// - Parameters:
    ///   - cluster: the id of the Kafka cluster, for the records' coordinates.
    ///   - namespaceNumber: returns the number of a namespace; nil when there is none of this name.
    ///   - searchAttributes: returns what a namespace knows; nil: everything.
    public init(
        route: Route,
        limits: LimitsInForce,
        cluster: String,
        namespaceNumber: @escaping @Sendable (String) -> Int32?,
        searchAttributes: @escaping @Sendable (String) -> SearchAttributeCatalog? = { _ in nil }
    ) {
        self.route = route
        limitsInForce = limits
        self.cluster = cluster
        self.namespaceNumber = namespaceNumber
        self.searchAttributes = searchAttributes
        identity = "kafka:" + route.commandTopic
    }

    /// The coordinates of a record.
    public func coordinates(of record: KafkaRecord) -> RecordCoordinates {
        RecordCoordinates(
            cluster: cluster,
            topic: record.topic,
            partition: record.partition,
            offset: record.offset,
            timestamp: record.timestamp
        )
    }

    /// Reads a record.
    ///
    /// - Parameter now: the time for a dead letter.
    public func read(_ record: KafkaRecord, at now: Instant) -> Reading {
        guard let bytes = record.value else { return .deadLetter(letter(for: record, .noValue, at: now)) }
        let value = Self.withoutByteOrderMark(bytes)
        do throws(Unreadable) {
            let envelope = try CloudEvent.envelope(of: value, headers: record.headers)
            return .command(
                try value.withUnsafeBufferPointer { (bytes) throws(Unreadable) in
                    try command(UnsafeRawBufferPointer(bytes), envelope, record)
                }
            )
        } catch {
            return .deadLetter(letter(for: record, error, at: now))
        }
    }

    /// .NET's text encoders begin UTF-8 with a byte order mark. RFC 8259 allows a reader to ignore it.
    private static func withoutByteOrderMark(_ bytes: [UInt8]) -> [UInt8] {
        bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes.dropFirst(3)) : bytes
    }

    private func command(
        _ bytes: UnsafeRawBufferPointer,
        _ envelope: CloudEvent?,
        _ record: KafkaRecord
    ) throws(Unreadable) -> IncomingCommand {
        var fields = CommandFields(UnsafeRawBufferPointer(rebasing: bytes[envelope?.data ?? 0..<bytes.count]))
        if envelope?.hasNoData != true { try fields.scan() }
        let commandID = try fields.commandID(envelope)
        let draft = CommandDraft(self, fields, commandID, envelope, record)
        return draft.command()
    }

    // MARK: Dead letters

    /// The dead letter: the record's value, key and headers, with the error in headers.
    func letter(for record: KafkaRecord, _ error: Unreadable, at now: Instant) -> OutboxRecord {
        var headers = record.headers.map { OutboxRecord.Header(name: $0.name, value: $0.value) }
        func add(_ name: String, _ text: String) {
            headers.append(OutboxRecord.Header(name: name, value: Array(text.utf8)))
        }
        add("error.code", error.code)
        add("error.message", error.message)
        add("source.topic", record.topic)
        add("source.partition", String(record.partition))
        add("source.offset", String(record.offset))
        let timestamp = now.timestamp
        add("failed.at", RFC3339.string(secondsSince1970: timestamp.seconds, nanos: timestamp.nanos))
        return OutboxRecord(topic: route.deadLetterTopic, key: record.key, value: record.value, headers: headers)
    }
}

/// Why a record cannot be parsed as a command.
struct Unreadable: Error, Equatable {
    let code: String
    let message: String

    static let noValue = Unreadable(code: "NO_VALUE", message: "the record has no value")
    static let noCommandID = Unreadable(
        code: "NO_COMMAND_ID",
        message: "command_id must be a string of 1 to 255 characters without NUL, given once"
    )

    init(code: String, message: String) {
        self.code = code
        self.message = message
    }

    init(_ error: JSONError) {
        if error.code == .notAnObject {
            self.init(code: "NOT_AN_OBJECT", message: "the value is not a JSON object")
        } else {
            self.init(code: "INVALID_JSON", message: "the value is not valid JSON: \(error)")
        }
    }
}
