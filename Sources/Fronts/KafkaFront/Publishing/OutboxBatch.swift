internal import SagamoreKafkaClient
internal import SagamorePersistence
internal import SagamoreServices

/// Outbox rows that are published together, and what refusals have shown about their records. Pure.
///
/// The broker refuses whole batches and names all their records. So records that may be to blame are *isolated* first,
/// each in a batch of its own; then a refusal means the record that it names.
struct OutboxBatch {
    /// What is sent for a row.
    private enum Form {
        /// A smaller form of the record, because the topic does not accept the whole.
        case smaller(OutboxRecord)
        /// Nothing: the record is never accepted, and is in the dead events.
        case dead
    }

    /// A row whose record is never accepted.
    struct DeadRow {
        let row: OutboxRow
        let error: KafkaError
    }

    /// In order.
    private(set) var rows: [OutboxRow]
    private var forms: [Int64: Form] = [:]
    private var isolated: Set<Int64> = []

    init(_ rows: [OutboxRow]) { self.rows = rows }

    /// The record to send for a row; nil when there is none.
    func record(of row: OutboxRow) -> OutboxRecord? {
        switch forms[row.sequence] {
        case nil: row.record
        case .smaller(let record): record
        case .dead: nil
        }
    }

    /// Whether the row's record is sent in a batch of its own.
    func isIsolated(_ row: OutboxRow) -> Bool { isolated.contains(row.sequence) }

    /// Whether any record is sent in a batch of its own.
    var isolatesAny: Bool { !isolated.isEmpty }

    /// The topics, in the order of their first rows.
    var topics: [String] {
        var names: [String] = []
        for row in rows where !names.contains(row.record.topic) { names.append(row.record.topic) }
        return names
    }

    /// The number of each topic's last row: where its cursor is once the batch is published.
    var cursors: [String: Int64] {
        var cursors: [String: Int64] = [:]
        for row in rows { cursors[row.record.topic] = row.sequence }
        return cursors
    }

    /// Removes the rows of topics that cannot be written now.
    mutating func remove(_ topics: some Collection<String>) {
        rows.removeAll { topics.contains($0.record.topic) }
    }

    /// Takes a refusal that names these rows: isolates suspects, or sends smaller forms of those that are to blame.
    ///
    /// - Returns: the rows to put in the dead events before the batch is sent again. They are skipped from now on.
    mutating func refuse(_ suspects: [Int64: KafkaError]) -> [DeadRow] {
        guard suspects.count == 1 || suspects.keys.allSatisfy(isolated.contains) else {
            isolated.formUnion(likelySuspects(suspects))
            return []
        }
        return rows.compactMap { row in
            guard let error = suspects[row.sequence] else { return nil }
            let record = record(of: row) ?? row.record
            if error.isMessageTooLarge, let form = OversizeLetter.smaller(record) ?? OversizeEvent.smaller(record) {
                forms[row.sequence] = .smaller(form)
                return nil
            }
            forms[row.sequence] = .dead
            return DeadRow(row: row, error: error)
        }
    }

    /// The suspects to isolate next: when all are said to be too large, those of at least half the largest size.
    private func likelySuspects(_ suspects: [Int64: KafkaError]) -> [Int64] {
        let new = rows.filter { suspects[$0.sequence] != nil && !isolated.contains($0.sequence) }
        guard suspects.values.allSatisfy(\.isMessageTooLarge) else { return new.map(\.sequence) }
        func size(_ row: OutboxRow) -> Int { row.record.value?.count ?? 0 }
        let largest = new.map(size).max() ?? 0
        return new.filter { size($0) >= largest / 2 }.map(\.sequence)
    }
}
