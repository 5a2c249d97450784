internal import SagamoreEngine
internal import SagamoreJSONText
internal import SagamoreKafkaClient
internal import SagamoreKafkaFront
internal import SagamoreSimulatedBroker

/// A status event as others read it.
struct ShopEvent {
    let commandID: String
    let workflowID: String
    let status: String
    let sequence: Int64
    let runID: RunID?

    /// Nil when the value is not an event.
    init?(_ value: [UInt8]?) {
        guard let value, let json = try? JSONValue.parse(value), let commandID = json["command_id"]?.string,
            let workflowID = json["workflow_id"]?.string, let status = json["status"]?.string,
            let sequence = json["sequence"]?.int64
        else { return nil }
        self.commandID = commandID
        self.workflowID = workflowID
        self.status = status
        self.sequence = sequence
        runID = json["run_id"]?.string.flatMap { RunID($0) }
    }
}

/// Reads the topic of the events from its beginning, as a member of a group of its own.
///
/// Unchecked: the whole world runs in one thread.
final class ShopReader: @unchecked Sendable {
    private let handle: (ShopEvent) -> Void
    /// The next offset of each partition: records may be delivered again.
    private var offsets: [Int32: Int64] = [:]
    private var consumer: (any PartitionControl)?

    init(_ handle: @escaping (ShopEvent) -> Void) { self.handle = handle }

    func start(_ host: FrontHost) {
        let handlers = KafkaConsumer.Handlers(records: { [weak self] in self?.read($0) })
        consumer = try? host.environment.clients.consumer(
            KafkaConfiguration(bootstrap: "simulated"),
            group: "shop",
            topics: [ServerKafka.eventsTopic],
            handlers: handlers
        )
    }

    private func read(_ records: [KafkaRecord]) {
        for record in records where record.offset >= offsets[record.partition] ?? 0 {
            offsets[record.partition] = record.offset + 1
            if let event = ShopEvent(record.value) { handle(event) }
        }
    }
}
