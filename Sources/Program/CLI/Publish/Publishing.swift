internal import SagamoreCommandLineArguments
internal import SagamoreJSONText
internal import SagamoreKafkaClient
internal import SagamoreServer
internal import SagamoreThreads

/// Publishes records and waits for their delivery.
struct Publishing: Sendable {
    struct Outgoing: Sendable {
        let value: [UInt8]
        var key: [UInt8]?
        /// Nil for a record published without checks.
        let command: CommandDocument?

        init(value: [UInt8], key: [UInt8]?, command: CommandDocument?) {
            self.value = value
            self.key = key
            self.command = command
        }

        init(_ command: CommandDocument) {
            self.init(value: command.value, key: Array(command.key.utf8), command: command)
        }
    }

    let records: [Outgoing]
    let topic: String
    let eventsTopic: String
    let kafka: String
    let waits: Bool
    let timeout: Duration?
    let format: OutputFormat
    let times: TimeFormat

    /// The delivery timeout: an available broker confirms a record within this time.
    private static let patience: Duration = .seconds(15)

    /// - Throws: `CommandFailure`; `ExitCode` when a command that was waited for did not succeed.
    func run() throws {
        guard waits else { return try publish(showing: true) }
        // Before anything is sent, so that a missing topic is detected in time.
        let reader = try TopicReader(eventsTopic, from: .beginning, kafka: kafka)
        defer { reader.close() }
        try publish(showing: false)
        var waiting = Waiting(records.compactMap(\.command))
        try waiting.run(timeout: timeout, format: format, times: times) { reader.next(within: $0) }
    }

    private func publish(showing: Bool) throws(CommandFailure) {
        let deliveries = Deliveries()
        var at = ""
        do throws(KafkaError) {
            try checkTopic()
            let producer = try KafkaProducer(
                KafkaConfiguration(bootstrap: kafka, clientID: "sagamore-cli"),
                deliveryTimeout: Self.patience
            )
            defer { producer.close() }
            at = Self.now()
            for (index, record) in records.enumerated() {
                try producer.produce(topic: topic, key: record.key, value: record.value) { result in
                    deliveries.results.withLock { $0[index] = result }
                }
            }
            try producer.flush(timeout: Self.patience + .seconds(5))
        } catch {
            throw failure(error)
        }
        let results = deliveries.results.withLock { $0 }
        for (index, record) in records.enumerated() {
            switch results[index] {
            case .success(let delivery)?: if showing { StandardOutput.show(line(record, delivery, at: at)) }
            case .failure(let error)?: throw failure(error)
            case nil: throw CommandFailure("the broker has not confirmed every record")
            }
        }
    }

    /// Otherwise a producer could auto-create a missing topic, with a number of partitions that nobody chose.
    private func checkTopic() throws(KafkaError) {
        let admin = try KafkaAdmin(KafkaConfiguration(bootstrap: kafka, clientID: "sagamore-cli"))
        _ = try admin.partitionCounts([topic])[topic]?.get()
    }

    /// The delivery of each record, by index.
    private final class Deliveries: Sendable {
        let results = Locked<[Int: Result<KafkaProducer.Delivery, KafkaError>]>([:])
    }

    private static func now() -> String {
        let now = SystemClock.now().timestamp
        return RFC3339.string(secondsSince1970: now.seconds, nanos: now.nanos, precision: .microseconds)
    }

    private func failure(_ error: KafkaError) -> CommandFailure {
        if error.isUnknownTopic { return CommandFailure("topic '\(topic)' does not exist on \(kafka)") }
        if error.isTopicAuthorization { return CommandFailure("not authorized to write to topic '\(topic)'") }
        if error.isTimeout || error.isUnreachable {
            return CommandFailure("no Kafka broker answers at \(kafka): is it running, and is the address right?")
        }
        return CommandFailure("the broker rejected the request: \(error.message)")
    }

    private func line(_ record: Outgoing, _ delivery: KafkaProducer.Delivery, at: String) -> String {
        let place = delivery.partition
        guard format.isJSON else {
            let name = record.command.map { "command \($0.commandID)" } ?? "a record"
            return "published \(name) to \(place.topic), partition \(place.partition), offset \(delivery.offset)\n"
        }
        var json = JSONObject()
        json["command_id"] = record.command.map { .string($0.commandID) }
        json["workflow_id"] = record.command?.workflowID.map { .string($0) }
        json["at"] = .string(at)
        json["topic"] = .string(place.topic)
        json["partition"] = .number(JSONNumber(place.partition))
        json["offset"] = .number(JSONNumber(delivery.offset))
        return JSONValue.object(json).text() + "\n"
    }
}
