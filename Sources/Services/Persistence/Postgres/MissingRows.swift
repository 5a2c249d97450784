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

    /// The table of a statement's rows, which must exist, and their number; without one, the first value is an array
    /// with an element for each.
    private typealias Expectation = (table: String, rows: Int?)

    private static let expectations: [String: Expectation] = {
        var expectations: [String: Expectation] = [
            "lane_change_listings": ("runs", nil),
            "lane_set_alarms": ("alarms", nil),
            "lane_close_alarms": ("alarms", nil),
            "lane_remove_alarms": ("alarms", nil),
            "lane_store_backlog": ("backlog", nil),
        ]
        for form in LaneStatements.closeRuns.forms { expectations[form.name] = ("runs", form.rows) }
        return expectations
    }()

    static func find(in batch: PostgresBatch, _ results: [PostgresResult]) -> [MissingRows] {
        var missing: [MissingRows] = []
        for (item, result) in zip(batch.items, results) {
            guard let expectation = expectations[item.statement.name],
                let expected = expectation.rows ?? item.values.first?.elementCount
            else { continue }
            let found = result.affectedRows
            if found != expected {
                missing.append(MissingRows(table: expectation.table, expected: expected, found: found))
            }
        }
        return missing
    }
}
