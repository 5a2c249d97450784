internal import SagamoreEngine
internal import SagamorePostgresClient

extension LaneStatements {
    private static let writeSnapshots = PostgresStatement(
        "lane_write_snapshots",
        """
        insert into sagamore.snapshots (run_id, sequence, format, state)
            select * from unnest($1::uuid[], $2::int8[], $3::int4[], $4::bytea[])
            on conflict (run_id) do update
            set sequence = excluded.sequence, format = excluded.format, state = excluded.state
        """
    )
    /// Rows without events are not needed once a snapshot covers their facts.
    private static let deleteFacts = PostgresStatement(
        "lane_delete_facts",
        """
        delete from sagamore.journal as j
            using unnest($1::uuid[], $2::int8[], $3::int8[]) as s(run_id, previous, sequence)
            where j.run_id = s.run_id and j.sequence >= s.previous and j.sequence < s.sequence
                and length(j.events) = 0
        """
    )
    /// The other rows keep their events, and up to 1 KiB of facts: rewriting a row costs more than these take.
    private static let cutFacts = PostgresStatement(
        "lane_cut_facts",
        """
        update sagamore.journal as j set facts = ''
            from unnest($1::uuid[], $2::int8[], $3::int8[]) as s(run_id, previous, sequence)
            where j.run_id = s.run_id and j.sequence >= s.previous and j.sequence < s.sequence
                and length(j.events) > 0 and length(j.facts) > 1024
        """
    )

    /// Runs after the journal's rows are written, because some rows of the same batch may not be needed. The row with a
    /// snapshot's number stays until the next snapshot, since it may have to tell whether the batch was committed.
    static func append(snapshots: [SnapshotRow], to statements: inout PostgresBatch) {
        guard !snapshots.isEmpty else { return }
        var runIDs = PostgresArray(of: .uuid, capacity: snapshots.count)
        var previous = PostgresArray(of: .int64, capacity: snapshots.count)
        var sequences = PostgresArray(of: .int64, capacity: snapshots.count)
        var formats = PostgresArray(of: .int32, capacity: snapshots.count)
        var states = PostgresArray(of: .bytea, capacity: snapshots.count)
        for snapshot in snapshots {
            runIDs.append(uuidHigh: snapshot.runID.high, low: snapshot.runID.low)
            previous.append(snapshot.previousSequence)
            sequences.append(snapshot.sequence)
            formats.append(Int32(snapshot.format))
            states.append(snapshot.state)
        }
        statements.append(writeSnapshots, [.array(runIDs), .array(sequences), .array(formats), .array(states)])
        let range: [PostgresValue] = [.array(runIDs), .array(previous), .array(sequences)]
        statements.append(deleteFacts, range)
        statements.append(cutFacts, range)
    }
}
