internal import SagamorePostgresClient

/// Rows that a commit updates or deletes, and that should exist but do not.
///
/// A statement that finds fewer rows than it names does not fail. The counts arrive with the results, so checking them
/// takes no round trip and no time, but the commit has happened by then. Raising inside the transaction would take 1 to
/// 2 µs a row, and a run whose rows are damaged could never end.
struct MissingRows: Equatable, CustomStringConvertible {
    let table: String
    let expected: Int
    let found: Int

    var description: String {
        "a commit changed \(found) of \(expected) rows in sagamore.\(table), the others do not exist; something else "
            + "deleted them, or the database was restored in part"
    }

    /// The tables of the statements that must find their rows, by how their names begin.
    private static let tables = [
        "lane_close_runs": "runs",
        "lane_change_listings": "runs",
        "lane_set_alarms": "alarms",
        "lane_close_alarms": "alarms",
        "lane_remove_alarms": "alarms",
        "lane_store_backlog": "backlog",
    ]

    static func find(in batch: PostgresBatch, _ results: [PostgresResult]) -> [MissingRows] {
        var missing: [MissingRows] = []
        for (item, result) in zip(batch.items, results) {
            guard let expected = item.expectedRows else { continue }
            let found = result.affectedRows
            guard found != expected else { continue }
            let name = item.statement.name
            let table = tables.first { name.hasPrefix($0.key) }?.value ?? name
            missing.append(MissingRows(table: table, expected: expected, found: found))
        }
        return missing
    }
}
