internal import SagamoreEngine
internal import SagamorePostgresClient

extension LaneStatements {
    /// A batch whose outcome was in doubt may be written twice.
    private static let deleteRuns = PostgresStatement(
        "lane_delete_runs",
        """
        with gone as (update sagamore.runs set status = 0 where run_id = any($1::uuid[]))
        insert into sagamore.deletions (run_id, slice) select * from unnest($1::uuid[], $2::int4[])
            on conflict (run_id) do nothing
        """
    )

    /// Runs after the inserts of runs: one that begins in this batch may be deleted in it, too.
    static func append(deletions: [RunDeletion], to statements: inout PostgresBatch) {
        guard !deletions.isEmpty else { return }
        var runIDs = PostgresArray(of: .uuid, capacity: deletions.count)
        var slices = PostgresArray(of: .int32, capacity: deletions.count)
        for deletion in deletions {
            runIDs.append(uuidHigh: deletion.runID.high, low: deletion.runID.low)
            slices.append(Int32(SliceTable.slice(of: deletion.key)))
        }
        statements.append(deleteRuns, [.array(runIDs), .array(slices)])
    }
}
