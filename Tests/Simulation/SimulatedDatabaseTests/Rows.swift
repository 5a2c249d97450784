import SagamoreEngine
import SagamorePersistence
import SagamorePostgresClient
import SagamoreServices

@testable import SagamoreSimulatedDatabase

extension PostgresUnderTest {
    /// The tables, with their columns as text and their order.
    private static let tables: [(name: String, columns: [String], order: String)] = [
        (
            "shards",
            [
                "id", "epoch", "node", "owner", "lease_until = '-infinity'", "outbox_sequence", "commit_count",
                "slice_version", "outbox_found", "outbox_start",
            ],
            "id"
        ),
        ("(select string_agg(shard::text, '' order by slice) as shards from sagamore.slices) s", ["shards"], "1"),
        ("namespaces", ["number", "retention"], "number"),
        (
            "runs",
            [
                "run_id", "namespace", "slice", "status", "started_at", "closed_at", "history_length",
                "history_bytes", "workflow_id", "workflow_type", "task_queue", "start_request_id",
            ],
            "run_id"
        ),
        ("alarms", ["run_id", "alarm_at", "open_namespace", "slice", "open_workflow_id"], "run_id"),
        ("resets", ["run_id", "base_run_id"], "run_id"),
        ("deletions", ["run_id", "slice"], "run_id"),
        ("backlog", ["run_id", "task", "since", "place", "slice", "priority", "queue"], "run_id, task"),
        (
            "journal", ["run_id", "sequence", "first_event_id", "encode(events, 'hex')", "encode(facts, 'hex')"],
            "run_id, sequence"
        ),
        ("snapshots", ["run_id", "sequence", "format", "encode(state, 'hex')"], "run_id"),
        (
            "inbox",
            [
                "received_at", "namespace", "workflow_id", "command_id", "cluster", "topic", "topic_partition",
                "record_offset",
            ],
            "received_at, workflow_id, command_id"
        ),
        (
            "outbox",
            [
                "shard", "sequence", "topic", "encode(key, 'hex')", "encode(value, 'hex')", "encode(headers, 'hex')",
            ],
            "shard, sequence"
        ),
        (
            "outbox_waits", ["shard", "after_sequence", "for_shard", "through_sequence"],
            "shard, after_sequence, for_shard"
        ),
        ("outbox_positions", ["shard", "topic", "sequence"], "shard, topic"),
        (
            "dead_events",
            [
                "shard", "sequence", "topic", "encode(key, 'hex')", "encode(value, 'hex')", "encode(headers, 'hex')",
                "error",
            ],
            "shard, sequence"
        ),
        (
            "heartbeats", ["run_id", "scheduled_event_id", "attempt", "encode(details, 'hex')", "recorded_at"],
            "run_id, scheduled_event_id"
        ),
        ("installation", ["format_level"], "1"),
    ]

    func rows() throws -> [String] {
        var lines: [String] = []
        for (table, columns, order) in Self.tables {
            let isQuery = table.hasPrefix("(")
            let text = columns.map { "coalesce((\($0))::text, '-')" }.joined(separator: ", ")
            let source = isQuery ? table : "sagamore.\(table)"
            let label = isQuery ? "slices" : table
            let sql = "select concat_ws('|', \(text)) from \(source) order by \(order)"
            let rows = try session.query(PostgresStatement("rows \(table)", sql, readsOnly: true))
            for row in 0..<rows.rowCount { lines.append("\(label): \(rows.text(row, 0))") }
        }
        return lines
    }
}

extension SimulatedUnderTest {
    func rows() throws -> [String] {
        let tables = database.tables
        var lines: [String] = []
        func add(_ table: String, _ columns: String?...) {
            lines.append("\(table): " + columns.map { $0 ?? "-" }.joined(separator: "|"))
        }
        addShards(tables, add)
        addRuns(tables, add)
        for (id, base) in database.resets { add("resets", "\(id)", "\(base)") }
        for id in database.deletions { add("deletions", "\(id)", tables.deletions[id].map { "\($0)" }) }
        for (key, entry) in tables.backlog.sorted(by: { ($0.key.runID, $0.key.task) < ($1.key.runID, $1.key.task) }) {
            let (row, slice) = (entry.row, "\(entry.slice)")
            let (since, place) = ("\(row.since.nanoseconds)", "\(row.place)")
            add("backlog", "\(key.runID)", "\(key.task)", since, place, slice, "\(row.priority)", row.queue)
        }
        for id in tables.journal.keys.sorted() {
            for row in tables.journal[id] ?? [] {
                add("journal", "\(id)", "\(row.sequence)", "\(row.firstEventID)", row.events.hex, row.facts.hex)
            }
        }
        for id in tables.snapshots.keys.sorted() {
            guard let row = tables.snapshots[id] else { continue }
            add("snapshots", "\(id)", "\(row.sequence)", "\(row.format)", row.state.hex)
        }
        addRecords(tables, add)
        for id in tables.heartbeats.keys.sorted() {
            for row in tables.heartbeats[id] ?? [] {
                let at = "\(row.recordedAt.nanoseconds)"
                add("heartbeats", "\(id)", "\(row.scheduledEventID)", "\(row.attempt)", row.details.hex, at)
            }
        }
        add("installation", "\(tables.formatLevel)")
        return lines
    }

    private func addShards(_ tables: Tables, _ add: (String, String?...) -> Void) {
        for (id, row) in tables.shards.enumerated() {
            let hasNoLease = row.leaseUntil == .distantPast ? "true" : "false"
            let counts = ["\(row.outboxSequence)", "\(row.commitCount)", "\(tables.sliceVersion)"]
            let leftOut = [row.outboxFound, row.outboxStart].map { $0.map { "\($0)" } ?? "-" }
            let numbers = (counts + leftOut).joined(separator: "|")
            add("shards", "\(id)", "\(row.epoch)", row.node, row.owner, hasNoLease, numbers)
        }
        add("slices", tables.slices.map { "\($0)" }.joined())
        for (number, retention) in tables.retentions.sorted(by: { $0.key < $1.key }) {
            add("namespaces", "\(number)", "\(retention.nanoseconds)")
        }
    }

    private func addRuns(_ tables: Tables, _ add: (String, String?...) -> Void) {
        for run in tables.runs.values {
            let numbers: [String?] = [
                "\(run.runID)", "\(run.key.namespace)", "\(SliceTable.slice(of: run.key))", "\(run.status.rawValue)",
                "\(run.startedAt.nanoseconds)", run.closedAt.map { "\($0.nanoseconds)" }, "\(run.historyLength)",
                "\(run.historyBytes)",
            ]
            let texts = [run.key.workflowID, run.workflowType, run.taskQueue, run.startRequestID]
            add("runs", numbers.map { $0 ?? "-" }.joined(separator: "|"), texts.joined(separator: "|"))
        }
        for (id, alarm) in database.alarms {
            add(
                "alarms",
                "\(id)",
                alarm.at.map { "\($0.nanoseconds)" },
                alarm.open.map { "\($0.namespace)" },
                "\(alarm.slice)",
                alarm.open?.workflowID
            )
        }
    }

    private func addRecords(_ tables: Tables, _ add: (String, String?...) -> Void) {
        let inbox = tables.inboxByTime.values.sorted {
            ($0.receivedAt.nanoseconds, $0.key.workflowID, $0.commandID)
                < ($1.receivedAt.nanoseconds, $1.key.workflowID, $1.commandID)
        }
        for row in inbox {
            let source = row.source
            let record = [source.cluster, source.topic, "\(source.partition)", "\(source.offset)"]
            let key = ["\(row.receivedAt.nanoseconds)", "\(row.key.namespace)", row.key.workflowID, row.commandID]
            add("inbox", (key + record).joined(separator: "|"))
        }
        func text(_ record: OutboxRecord) -> String {
            let headers = OutboxHeaders.encode(record.headers).hex
            return [record.topic, record.key?.hex ?? "-", record.value?.hex ?? "-", headers].joined(separator: "|")
        }
        for shard in tables.outbox.indices {
            for (sequence, record) in database.outbox(of: Int32(shard)) {
                add("outbox", "\(shard)", "\(sequence)", text(record))
            }
        }
        for row in database.outboxWaits {
            add("outbox_waits", "\(row.shard)", "\(row.afterSequence)", "\(row.forShard)", "\(row.throughSequence)")
        }
        for shard in tables.positions.indices {
            for (topic, sequence) in database.positions(of: Int32(shard)) {
                add("outbox_positions", "\(shard)", topic, "\(sequence)")
            }
        }
        for row in database.deadEvents {
            add("dead_events", "\(row.shard)", "\(row.sequence)", text(row.record), row.error)
        }
    }
}

extension [UInt8] {
    fileprivate var hex: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
