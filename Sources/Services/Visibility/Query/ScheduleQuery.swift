internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamorePostgresClient
internal import SagamoreServices

/// A page of a list of schedules, or their number, as a statement.
struct ScheduleQuery {
    let statement: PostgresStatement
    let values: [PostgresValue]

    /// Named as the columns of runs, by which filters become SQL.
    private static let tables = "(select instance as run_id, schedule_id as workflow_id, * from sagamore.schedules) r"

    /// The newest schedules behind a token.
    init(_ filter: Filter, namespace: Int32, after token: PageToken?, limit: Int) {
        var sql = QuerySQL()
        var conditions = Self.conditions(filter, namespace, &sql)
        if let token {
            let last = sql.parameter(raw: .uuid(high: token.runID.high, low: token.runID.low))
            conditions += " and r.run_id < \(last)::uuid"
        }
        statement = .unnamed(
            """
            select r.schedule_id, r.instance, r.definition, r.progress, r.memo, r.search_attributes
            from \(Self.tables) where \(conditions)
            order by r.run_id desc limit \(sql.parameter(raw: .int64(Int64(limit))))::bigint
            """,
            readsOnly: true
        )
        values = sql.values
    }

    /// How many there are.
    init(counting filter: Filter, namespace: Int32) {
        var sql = QuerySQL()
        let conditions = Self.conditions(filter, namespace, &sql)
        statement = .unnamed("select count(*) from \(Self.tables) where \(conditions)", readsOnly: true)
        values = sql.values
    }

    private static func conditions(_ filter: Filter, _ namespace: Int32, _ sql: inout QuerySQL) -> String {
        let own = "r.namespace = \(sql.parameter(raw: .int32(namespace)))"
        return filter.condition.map { "\(own) and \(sql.sql($0))" } ?? own
    }

    static func schedules(_ rows: PostgresResult, count: Int) -> [ListedSchedule] {
        (0..<count).map { row in
            let instance = rows.uuid(row, 1)
            return ListedSchedule(
                id: rows.text(row, 0),
                instance: RunID(high: instance.0, low: instance.1),
                definition: rows.bytes(row, 2),
                progress: rows.bytes(row, 3),
                memo: rows.optionalBytes(row, 4),
                searchAttributes: rows.optionalBytes(row, 5)
            )
        }
    }
}
