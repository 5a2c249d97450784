internal import SagamoreEngine
internal import SagamorePostgresClient

/// Rows of runs: what lists show, and what they are found by.
extension LaneStatements {
    private static let closeRuns = RowStatement(
        "lane_close_runs",
        [
            .init("run_id", .uuid), .init("status", .int32), .init("closed_at", .int64), .init("length", .int64),
            .init("bytes", .int64), .init("transitions", .int64), .init("saga", .int32),
        ]
    ) { rows in
        """
        update sagamore.runs as r set status = c.status, closed_at = c.closed_at, history_length = c.length,
            history_bytes = c.bytes, transitions = c.transitions, saga_status = coalesce(c.saga,
                case when r.saga_status = 2 then case c.status when 2 then 3 when 4 then 3 when 6 then 2 else 4 end
                    else r.saga_status end)
            from \(rows) where r.run_id = c.run_id
        """
    }

    static func append(closings: [RunClosing], to statements: inout PostgresBatch) {
        guard !closings.isEmpty else { return }
        var rows = RowValues(closeRuns, count: closings.count)
        for closing in closings {
            rows.append(closing.runID)
            rows.append(closing.status.rawValue)
            rows.append(closing.closedAt.nanoseconds)
            rows.append(closing.historyLength)
            rows.append(closing.historyBytes)
            rows.append(closing.transitions)
            rows.append(closing.saga?.rawValue)
        }
        statements.append(rows, changing: closings.count)
    }

    private static let insertRuns = RowStatement.insert(
        "lane_insert_runs",
        into: "runs",
        [
            .init("run_id", .uuid), .init("slice", .int32), .init("namespace", .int32), .init("workflow_id", .text),
            .init("workflow_type", .text), .init("task_queue", .text), .init("start_request_id", .text),
            .init("status", .int32), .init("started_at", .int64), .init("closed_at", .int64),
            .init("history_length", .int64), .init("history_bytes", .int64), .init("execution_at", .int64),
            .init("transitions", .int64), .init("parent_workflow_id", .text), .init("parent_run_id", .uuid),
            .init("root_workflow_id", .text), .init("root_run_id", .uuid), .init("command_id", .text),
            .init("saga_status", .int32), .init("memo", .bytea), .init("search_attributes", .bytea),
        ]
    )

    static func append(runs: [RunRow], to statements: inout PostgresBatch) {
        guard !runs.isEmpty else { return }
        var rows = RowValues(insertRuns, count: runs.count)
        var values = SearchValueColumns()
        for run in runs {
            append(run, to: &rows)
            values.append(run.listing.values, of: run.runID, run.key.namespace)
        }
        statements.append(rows)
        if !values.isEmpty { statements.append(SearchValueColumns.insert, values.parameters) }
    }

    private static func append(_ run: RunRow, to rows: inout RowValues) {
        rows.append(run.runID)
        rows.append(Int32(SliceTable.slice(of: run.key)))
        rows.append(run.key.namespace)
        rows.append(run.key.workflowID)
        rows.append(run.workflowType)
        rows.append(run.taskQueue)
        rows.append(run.startRequestID)
        rows.append(run.status.rawValue)
        rows.append(run.startedAt.nanoseconds)
        rows.append(run.closedAt?.nanoseconds)
        rows.append(run.historyLength)
        rows.append(run.historyBytes)
        let listing = run.listing
        rows.append(listing.executionAt?.nanoseconds)
        rows.append(listing.transitions)
        rows.append(listing.parent?.workflowID)
        rows.append(listing.parent?.runID)
        rows.append(listing.root?.workflowID)
        rows.append(listing.root?.runID)
        rows.append(listing.commandID)
        rows.append(listing.saga?.rawValue)
        rows.append(listing.memo)
        rows.append(listing.searchAttributes)
    }
}

// MARK: - Changes

extension LaneStatements {
    private static let changeListings = PostgresStatement(
        "lane_change_listings",
        """
        update sagamore.runs as r set memo = coalesce(c.memo, r.memo),
            search_attributes = coalesce(c.attributes, r.search_attributes),
            saga_status = coalesce(c.saga, r.saga_status)
            from unnest($1::uuid[], $2::bytea[], $3::bytea[], $4::int4[]) as c(run_id, memo, attributes, saga)
            where r.run_id = c.run_id
        """
    )
    private static let removeValues = PostgresStatement(
        "lane_remove_search_values",
        """
        delete from sagamore.search_values as v using unnest($1::uuid[], $2::int4[]) as c(run_id, attribute)
            where v.run_id = c.run_id and v.attribute = c.attribute
        """
    )
    static func append(listingChanges changes: [RunListingChange], to statements: inout PostgresBatch) {
        guard !changes.isEmpty else { return }
        var ids = PostgresArray(of: .uuid, capacity: changes.count)
        var memos = PostgresArray(of: .bytea, capacity: changes.count)
        var attributes = memos
        var sagas = PostgresArray(of: .int32, capacity: changes.count)
        var (changedRuns, changedAttributes) = (PostgresArray(of: .uuid), PostgresArray(of: .int32))
        var values = SearchValueColumns()
        for change in changes {
            ids.append(change.runID)
            memos.append(optional: change.memo)
            attributes.append(optional: change.searchAttributes)
            sagas.append(optional: change.saga?.rawValue)
            for attribute in change.changedAttributes {
                changedRuns.append(change.runID)
                changedAttributes.append(attribute)
            }
            values.append(change.values, of: change.runID, change.namespace)
        }
        let columns = [ids, memos, attributes, sagas]
        statements.append(changeListings, columns.map { .array($0) }, changing: changes.count)
        if changedRuns.count > 0 {
            statements.append(removeValues, [.array(changedRuns), .array(changedAttributes)])
        }
        if !values.isEmpty { statements.append(SearchValueColumns.insert, values.parameters) }
    }
}

extension PostgresArray {
    mutating func append(_ id: RunID) { append(uuidHigh: id.high, low: id.low) }
    mutating func append(optional number: Int64?) { if let number { append(number) } else { appendNull() } }
    mutating func append(optional number: Int32?) { if let number { append(number) } else { appendNull() } }
    mutating func append(optional text: String?) { if let text { append(text) } else { appendNull() } }
    mutating func append(optional bytes: [UInt8]?) { if let bytes { append(bytes) } else { appendNull() } }
}
