internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamorePostgresClient
internal import SagamoreServices

/// A count, as a statement.
struct CountQuery {
    let statement: PostgresStatement
    let values: [PostgresValue]
    private let group: FilterField?

    /// The most groups that are shown, the largest first.
    static let groupLimit = 1_000

    init(_ filter: Filter, namespace: Int32) {
        var sql = QuerySQL()
        let source = QuerySource(filter.condition, namespace: namespace, &sql)
        let conditions = source.conditions.joined(separator: " and ")
        group = filter.group
        if let group {
            let key = sql.expression(group)
            let shown = group.kind == .keyword ? key : "(\(key))::bigint"
            statement = .unnamed(
                """
                select key, count(*) from (
                    select \(shown) as key from \(source.tables) where \(conditions)
                ) as runs group by key order by 2 desc, 1 limit \(Self.groupLimit)
                """,
                readsOnly: true
            )
        } else {
            statement = .unnamed("select count(*) from \(source.tables) where \(conditions)", readsOnly: true)
        }
        values = sql.values
    }

    func counts(_ rows: PostgresResult) -> [CountedRuns] {
        guard let group else { return [CountedRuns(group: nil, count: rows.int64(0, 0))] }
        return (0..<rows.rowCount).map { row in
            CountedRuns(group: Self.group(group, rows, row), count: rows.int64(row, 1))
        }
    }

    private static func group(_ field: FilterField, _ rows: PostgresResult, _ row: Int) -> CountedRuns.Group {
        switch field.kind {
        case .keyword: return .init(type: .keyword, value: rows.optionalText(row, 0).map { .keyword($0) })
        case .status:
            let number = rows.optionalInt64(row, 0)
            let name = WorkflowExecutionStatus.inFilters.first { Int64($0.status.rawValue) == number }?.name
            return .init(type: .keyword, value: name.map { .keyword($0) })
        case .bool: return .init(type: .bool, value: rows.optionalInt64(row, 0).map { .bool($0 != 0) })
        default: return .init(type: .int, value: rows.optionalInt64(row, 0).map { .int($0) })
        }
    }
}
