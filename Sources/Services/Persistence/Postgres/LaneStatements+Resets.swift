internal import SagamoreEngine
internal import SagamorePostgresClient

extension LaneStatements {
    /// Raises if the base has lost rows of its journal: the new run would have a gap.
    private static let copyJournals = PostgresStatement(
        "lane_copy_journals",
        """
        with wanted as (
            select * from unnest($1::uuid[], $2::uuid[], $3::int8[], $4::int8[]) as w(run_id, base, through, rows)
        ), noted as (
            insert into sagamore.resets (run_id, base_run_id) select run_id, base from wanted
        ), copied as (
            insert into sagamore.journal (run_id, sequence, first_event_id, events, facts, step, build_id,
                    binary_checksum)
                select w.run_id, j.sequence, j.first_event_id, j.events, '', j.step, j.build_id, j.binary_checksum
                from wanted w join sagamore.journal j
                    on j.run_id = w.base and j.sequence <= w.through and length(j.events) > 0
                returning run_id
        )
        select sagamore.refuse_incomplete_copy() from wanted w
            where w.rows <> (select count(*) from copied c where c.run_id = w.run_id)
        """
    )

    /// Runs before the other rows of journals are written: a batch tells by its last row whether it was committed.
    static func append(resets: [RunReset], to statements: inout PostgresBatch) {
        guard !resets.isEmpty else { return }
        var runIDs = PostgresArray(of: .uuid, capacity: resets.count)
        var bases = PostgresArray(of: .uuid, capacity: resets.count)
        var sequences = PostgresArray(of: .int64, capacity: resets.count)
        var counts = PostgresArray(of: .int64, capacity: resets.count)
        for reset in resets {
            runIDs.append(uuidHigh: reset.runID.high, low: reset.runID.low)
            bases.append(uuidHigh: reset.baseRunID.high, low: reset.baseRunID.low)
            sequences.append(reset.throughSequence)
            counts.append(reset.rowCount)
        }
        statements.append(copyJournals, [.array(runIDs), .array(bases), .array(sequences), .array(counts)])
    }
}
