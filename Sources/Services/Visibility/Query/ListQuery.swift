internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamorePostgresClient

/// A page of a list, as a statement.
struct ListQuery {
    let statement: PostgresStatement
    let values: [PostgresValue]

    /// The columns that `ListedRow` reads. The last one decides about the order.
    private static let columns = """
        r.run_id, r.workflow_id, r.workflow_type, r.task_queue, r.status::int, r.started_at, r.closed_at,
        r.execution_at, r.history_length, r.history_bytes, r.transitions, r.parent_workflow_id, r.parent_run_id,
        r.root_workflow_id, r.root_run_id, r.memo, r.search_attributes,
        case when r.saga_status is not null then \(QuerySQL.expression(.sagaStatus)) end,
        case when r.saga_status is not null then \(QuerySQL.expression(.sagaStep)) end,
        \(QuerySQL.expression(.buildIDs)), \(QuerySQL.expression(.binaryChecksums))
        """

    /// - Parameter limit: the most rows.
    init(_ filter: Filter, namespace: Int32, after token: PageToken?, limit: Int) {
        var sql = QuerySQL()
        let source = QuerySource(filter.condition, namespace: namespace, &sql)
        var conditions = source.conditions
        let isDescending = filter.order?.isDescending ?? true
        let key = filter.order.map { sql.ordered($0.field) }
        if let token {
            conditions.append(Self.behind(token, key: key, isDescending: isDescending, source, &sql))
        }
        let direction = isDescending ? "desc" : "asc"
        let order = ([key].compactMap { $0 } + [source.runID]).map { "\($0) \(direction)" }
        let rows = sql.parameter(raw: .int64(Int64(limit)))
        let end = "order by \(order.joined(separator: ", ")) limit \(rows)::bigint"
        let isOfEverything = filter.condition == nil && filter.order == nil
        let tables = isOfEverything ? Self.eachStatus(source.tables, conditions, end) : source.tables
        if isOfEverything { conditions = ["true"] }
        statement = .unnamed(
            """
            select \(Self.columns), \(Self.shown(key, filter.order?.field)) from \(tables)
            where \(conditions.joined(separator: " and "))
            \(end)
            """,
            readsOnly: true
        )
        values = sql.values
    }

    /// A page of the runs of each status, which the index by status has in their order. The primary key has that order,
    /// too, but for all namespaces: in one whose runs are old, a page would wait for all the younger ones of others to
    /// be passed over.
    private static func eachStatus(_ tables: String, _ conditions: [String], _ end: String) -> String {
        let pages = WorkflowExecutionStatus.inFilters.map { status in
            let all = (conditions + ["r.status = \(status.status.rawValue)"]).joined(separator: " and ")
            return "(select r.* from \(tables) where \(all) \(end))"
        }
        return "(\(pages.joined(separator: " union all "))) r"
    }

    /// What the next page begins behind, in a form that can be read.
    private static func shown(_ key: String?, _ field: FilterField?) -> String {
        guard let key, let field else { return "null::bigint" }
        switch field.kind {
        case .keyword, .keywordList, .text: return key
        case .runID: return key
        case .double: return "(\(key))::text"
        case .int, .bool, .time, .duration, .status: return "(\(key))::bigint"
        }
    }

    /// Runs behind a token. What a run lacks is larger than everything, as in PostgreSQL's order.
    private static func behind(
        _ token: PageToken,
        key: String?,
        isDescending: Bool,
        _ source: QuerySource,
        _ sql: inout QuerySQL
    ) -> String {
        let sign = isDescending ? "<" : ">"
        let id = sql.parameter(raw: .uuid(high: token.runID.high, low: token.runID.low))
        let tie = "\(source.runID) \(sign) \(id)::uuid"
        guard let key else { return tie }
        guard let last = token.key else {
            return isDescending ? "(\(key) is not null or \(tie))" : "(\(key) is null and \(tie))"
        }
        let value = sql.parameter(last)
        let rest = "(\(key) \(sign)= \(value) and (\(key) \(sign) \(value) or \(tie)))"
        return isDescending ? rest : "(\(key) is null or \(rest))"
    }
}

/// The tables of a query, and what every run of it fulfills.
struct QuerySource {
    let tables: String
    let conditions: [String]
    let runID: String

    /// Runs that have to have a value of an attribute are found by the rows of that value, which are in the order of
    /// their ids: without this, each run of the namespace would be asked for it.
    init(_ condition: Condition?, namespace: Int32, _ sql: inout QuerySQL) {
        let number = sql.parameter(raw: .int32(namespace))
        // A run that is deleted keeps its row for a while, without a status.
        var conditions = ["r.namespace = \(number)", "r.status <> 0"]
        var rest = condition
        if let (attribute, value) = rest.takeRequiredValue() {
            tables = "sagamore.search_values d join sagamore.runs r on r.run_id = d.run_id"
            runID = "d.run_id"
            conditions.append("d.namespace = \(number)")
            conditions.append("d.attribute = \(sql.parameter(raw: .int32(attribute.id)))")
            conditions.append("d.\(attribute.column) = \(sql.parameter(value))")
        } else {
            tables = "sagamore.runs r"
            runID = "r.run_id"
        }
        if let rest { conditions.append(sql.sql(rest)) }
        self.conditions = conditions
    }
}

extension Condition? {
    /// Takes out a value that every run of the condition has. It is not asked for again: PostgreSQL would expect
    /// next to nothing to be left, and sort what it finds instead of reading it in its order.
    fileprivate mutating func takeRequiredValue() -> (SearchAttribute, FilterValue)? {
        switch self {
        case .and(var parts):
            for index in parts.indices {
                var part: Condition? = parts[index]
                guard let found = part.takeRequiredValue() else { continue }
                if let part { parts[index] = part } else { parts.remove(at: index) }
                self = parts.isEmpty ? nil : .and(parts)
                return found
            }
            return nil
        case .comparison(.attribute(let attribute), .equal, let value) where attribute.type != .text:
            self = nil
            return (attribute, value)
        default: return nil
        }
    }
}
