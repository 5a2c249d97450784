internal import SagamoreEngine
internal import SagamorePostgresClient

/// Rows of runs: what lists show, and what they are found by.
extension LaneStatements {
    private static let closeRuns = PostgresStatement(
        "lane_close_runs",
        """
        update sagamore.runs as r set status = c.status, closed_at = c.closed_at, history_length = c.length,
            history_bytes = c.bytes, transitions = c.transitions, saga_status = coalesce(c.saga,
                case when r.saga_status = 2 then case c.status when 2 then 3 when 4 then 3 when 6 then 2 else 4 end
                    else r.saga_status end)
            from unnest($1::uuid[], $2::int4[], $3::int8[], $4::int8[], $5::int8[], $6::int8[], $7::int4[])
                as c(run_id, status, closed_at, length, bytes, transitions, saga)
            where r.run_id = c.run_id
        """
    )

    static func append(closings: [RunClosing], to statements: inout PostgresBatch) {
        guard !closings.isEmpty else { return }
        let count = closings.count
        var ids = PostgresArray(of: .uuid, capacity: count)
        var statuses = PostgresArray(of: .int32, capacity: count)
        var times = PostgresArray(of: .int64, capacity: count)
        var lengths = PostgresArray(of: .int64, capacity: count)
        var bytes = PostgresArray(of: .int64, capacity: count)
        var transitions = PostgresArray(of: .int64, capacity: count)
        var sagas = PostgresArray(of: .int32, capacity: count)
        for closing in closings {
            ids.append(closing.runID)
            statuses.append(closing.status.rawValue)
            times.append(closing.closedAt.nanoseconds)
            lengths.append(closing.historyLength)
            bytes.append(closing.historyBytes)
            transitions.append(closing.transitions)
            sagas.append(optional: closing.saga?.rawValue)
        }
        statements.append(closeRuns, [ids, statuses, times, lengths, bytes, transitions, sagas].map { .array($0) })
    }

    private static let insertRuns = PostgresStatement(
        "lane_insert_runs",
        """
        insert into sagamore.runs (run_id, slice, namespace, workflow_id, workflow_type, task_queue, start_request_id,
            status, started_at, closed_at, history_length, history_bytes, execution_at, transitions, parent_workflow_id,
            parent_run_id, root_workflow_id, root_run_id, command_id, saga_status, memo, search_attributes)
            select * from unnest($1::uuid[], $2::int4[], $3::int4[], $4::text[], $5::text[], $6::text[], $7::text[],
                $8::int4[], $9::int8[], $10::int8[], $11::int8[], $12::int8[], $13::int8[], $14::int8[], $15::text[],
                $16::uuid[], $17::text[], $18::uuid[], $19::text[], $20::int4[], $21::bytea[], $22::bytea[])
        """
    )

    static func append(runs: [RunRow], to statements: inout PostgresBatch) {
        guard !runs.isEmpty else { return }
        var columns = RunColumns(capacity: runs.count)
        var listings = ListingColumns(capacity: runs.count)
        for run in runs {
            columns.append(run)
            listings.append(run.listing)
        }
        statements.append(insertRuns, (columns.all + listings.all).map { .array($0) })
        var values = SearchValueColumns()
        for run in runs { values.append(run.listing.values, of: run.runID, run.key.namespace) }
        if !values.isEmpty { statements.append(SearchValueColumns.insert, values.parameters) }
    }

    private struct RunColumns {
        private var ids, slices, namespaces, workflowIDs, types, queues, requests: PostgresArray
        private var statuses, started, closed, lengths, bytes: PostgresArray

        init(capacity count: Int) {
            ids = PostgresArray(of: .uuid, capacity: count)
            slices = PostgresArray(of: .int32, capacity: count)
            namespaces = slices
            statuses = slices
            workflowIDs = PostgresArray(of: .text, capacity: count)
            types = workflowIDs
            queues = workflowIDs
            requests = workflowIDs
            started = PostgresArray(of: .int64, capacity: count)
            closed = started
            lengths = started
            bytes = started
        }

        mutating func append(_ run: RunRow) {
            ids.append(run.runID)
            slices.append(Int32(SliceTable.slice(of: run.key)))
            namespaces.append(run.key.namespace)
            workflowIDs.append(run.key.workflowID)
            types.append(run.workflowType)
            queues.append(run.taskQueue)
            requests.append(run.startRequestID)
            statuses.append(run.status.rawValue)
            started.append(run.startedAt.nanoseconds)
            closed.append(optional: run.closedAt?.nanoseconds)
            lengths.append(run.historyLength)
            bytes.append(run.historyBytes)
        }

        var all: [PostgresArray] {
            [
                ids, slices, namespaces, workflowIDs, types, queues, requests, statuses, started, closed, lengths,
                bytes,
            ]
        }
    }

    private struct ListingColumns {
        private var executions, transitions, parents, parentRuns, roots, rootRuns: PostgresArray
        private var commands, sagas, memos, attributes: PostgresArray

        init(capacity count: Int) {
            executions = PostgresArray(of: .int64, capacity: count)
            transitions = executions
            parents = PostgresArray(of: .text, capacity: count)
            roots = parents
            commands = parents
            parentRuns = PostgresArray(of: .uuid, capacity: count)
            rootRuns = parentRuns
            sagas = PostgresArray(of: .int32, capacity: count)
            memos = PostgresArray(of: .bytea, capacity: count)
            attributes = memos
        }

        mutating func append(_ listing: RunListing) {
            executions.append(optional: listing.executionAt?.nanoseconds)
            transitions.append(optional: listing.transitions)
            parents.append(optional: listing.parent?.workflowID)
            parentRuns.append(optional: listing.parent?.runID)
            roots.append(optional: listing.root?.workflowID)
            rootRuns.append(optional: listing.root?.runID)
            commands.append(optional: listing.commandID)
            sagas.append(optional: listing.saga?.rawValue)
            memos.append(optional: listing.memo)
            attributes.append(optional: listing.searchAttributes)
        }

        var all: [PostgresArray] {
            [
                executions, transitions, parents, parentRuns, roots, rootRuns, commands, sagas, memos, attributes,
            ]
        }
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
        statements.append(changeListings, [ids, memos, attributes, sagas].map { .array($0) })
        if changedRuns.count > 0 {
            statements.append(removeValues, [.array(changedRuns), .array(changedAttributes)])
        }
        if !values.isEmpty { statements.append(SearchValueColumns.insert, values.parameters) }
    }
}

extension PostgresArray {
    mutating func append(_ id: RunID) { append(uuidHigh: id.high, low: id.low) }
    mutating func append(optional id: RunID?) { if let id { append(id) } else { appendNull() } }
    mutating func append(optional number: Int64?) { if let number { append(number) } else { appendNull() } }
    mutating func append(optional number: Int32?) { if let number { append(number) } else { appendNull() } }
    mutating func append(optional text: String?) { if let text { append(text) } else { appendNull() } }
    mutating func append(optional bytes: [UInt8]?) { if let bytes { append(bytes) } else { appendNull() } }
}
