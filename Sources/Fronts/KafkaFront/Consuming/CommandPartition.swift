internal import SagamoreEngine
internal import SagamoreKafkaClient
internal import SagamoreServices
internal import SagamoreThreads

/// One assigned partition of a command topic.
final class CommandPartition: Sendable {
    /// What is submitted for a record.
    enum Item: Sendable {
        case command(IncomingCommand, KafkaRecord)
        case letter(RecordCoordinates, OutboxRecord)

        /// When the command's record was written, by its producer's or the broker's clock; nil if nobody says.
        var sentAt: Instant? {
            guard case .command(_, let record) = self, let milliseconds = record.timestamp else { return nil }
            return Instant(nanoseconds: milliseconds &* 1_000_000)
        }

        /// The workflow whose shard it is submitted to.
        var key: WorkflowKey {
            switch self {
            case .command(let command, _): command.key
            case .letter(let source, _): source.letterKey
            }
        }
    }

    typealias Submission = PartitionFlow<Item>.Submission

    struct State: Sendable {
        var flow: PartitionFlow<Item>
        var isRevoked = false
        var isPaused = false
    }

    let partition: KafkaPartition
    let reader: CommandReader
    let state: Locked<State>

    init(_ partition: KafkaPartition, _ reader: CommandReader, _ chance: Chance) {
        self.partition = partition
        self.reader = reader
        state = Locked(State(flow: PartitionFlow(chance: chance)))
    }

    static func weight(of record: KafkaRecord) -> Int { 1 + (record.value?.count ?? 0) / 4_096 }

    func item(for record: KafkaRecord, at now: Instant) -> Item {
        switch reader.read(record, at: now) {
        case .command(let command): .command(command, record)
        case .deadLetter(let letter): .letter(reader.coordinates(of: record), letter)
        }
    }

    /// The dead letter of a command that cannot be stored; nil if the item is a dead letter already.
    func letter(for item: Item, _ error: RequestError, at now: Instant) -> Item? {
        guard case .command(let command, let record) = item else { return nil }
        let why = Unreadable(code: "NOT_CARRIED_OUT", message: "failed to store the command: \(error.message)")
        return .letter(command.source, reader.letter(for: record, why, at: now))
    }
}
