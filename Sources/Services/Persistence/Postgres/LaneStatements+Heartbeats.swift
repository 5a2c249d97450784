internal import SagamoreEngine
internal import SagamorePostgresClient

extension LaneStatements {
    private static let upsertHeartbeats = PostgresStatement(
        "lane_upsert_heartbeats",
        """
        insert into sagamore.heartbeats (run_id, scheduled_event_id, attempt, details, recorded_at)
            select * from unnest($1::uuid[], $2::int8[], $3::int4[], $4::bytea[], $5::int8[])
            on conflict (run_id, scheduled_event_id) do update
            set attempt = excluded.attempt, details = excluded.details, recorded_at = excluded.recorded_at
        """
    )
    private static let deleteHeartbeats = PostgresStatement(
        "lane_delete_heartbeats",
        "delete from sagamore.heartbeats where run_id = any($1::uuid[])"
    )

    static func append(heartbeats: [HeartbeatRow], to statements: inout PostgresBatch) {
        guard !heartbeats.isEmpty else { return }
        var runIDs = PostgresArray(of: .uuid, capacity: heartbeats.count)
        var eventIDs = PostgresArray(of: .int64, capacity: heartbeats.count)
        var attempts = PostgresArray(of: .int32, capacity: heartbeats.count)
        var details = PostgresArray(of: .bytea, capacity: heartbeats.count)
        var times = PostgresArray(of: .int64, capacity: heartbeats.count)
        for row in heartbeats {
            runIDs.append(uuidHigh: row.runID.high, low: row.runID.low)
            eventIDs.append(row.scheduledEventID)
            attempts.append(row.attempt)
            details.append(row.details)
            times.append(row.recordedAt.nanoseconds)
        }
        let values: [PostgresArray] = [runIDs, eventIDs, attempts, details, times]
        statements.append(upsertHeartbeats, values.map { .array($0) })
    }

    static func append(endedHeartbeats: [RunID], to statements: inout PostgresBatch) {
        guard !endedHeartbeats.isEmpty else { return }
        var runIDs = PostgresArray(of: .uuid, capacity: endedHeartbeats.count)
        for id in endedHeartbeats { runIDs.append(uuidHigh: id.high, low: id.low) }
        statements.append(deleteHeartbeats, [.array(runIDs)])
    }
}
