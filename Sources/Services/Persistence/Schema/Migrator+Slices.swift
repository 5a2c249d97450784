public import SagamorePostgresClient

extension Migrator {
    /// The result of a change of the number of shards.
    public struct Rebalancing: Sendable, Equatable {
        /// The shards that had slices before.
        public let previousCount: Int
        /// The slices that moved to another shard.
        public let movedSlices: Int
    }

    /// Gives all slices to the first `shardCount` shards, moving as few as possible, in one transaction.
    ///
    /// The epoch of each shard that gives or gets slices is raised, so earlier decisions of its owner are refused. A
    /// running owner loads the new table by itself. Records of a shard that got slices wait in its outbox until the
    /// older records of the shards that had these slices are published.
    ///
    /// - Throws: `.usage` for a number outside the allowed range.
    public static func rebalance(
        _ connection: PostgresConnection,
        shardCount: Int
    ) throws(PostgresError) -> Rebalancing {
        guard shardLimit.contains(shardCount) else {
            throw PostgresError(.usage, "no database has \(shardCount) shards")
        }
        try connection.execute("begin; select pg_advisory_xact_lock(7233823301)")
        do throws(PostgresError) {
            let table = try SliceTable.read(connection)
            let moves = table.moves(over: shardCount)
            if !moves.isEmpty { try carryOut(moves, of: table, to: shardCount, connection) }
            try connection.execute("commit")
            return Rebalancing(previousCount: table.usedShardCount, movedSlices: moves.count)
        } catch {
            try? connection.execute("rollback")
            throw error
        }
    }

    private static func carryOut(
        _ moves: [SliceTable.Move],
        of table: SliceTable,
        to shardCount: Int,
        _ connection: PostgresConnection
    ) throws(PostgresError) {
        // Commits of these shards are over or will be refused, so that their counters stand still.
        _ = try connection.query(lockShards)
        _ = try connection.query(addShards, [.int32(Int32(table.shardCount)), .int32(Int32(shardCount))])
        var slices = PostgresArray(of: .int32, capacity: moves.count)
        var shards = PostgresArray(of: .int32, capacity: moves.count)
        for move in moves {
            slices.append(Int32(move.slice))
            shards.append(move.to)
        }
        let steps = Set(moves.map { Step(from: $0.from, to: $0.to) })
        var from = PostgresArray(of: .int32, capacity: steps.count)
        var to = PostgresArray(of: .int32, capacity: steps.count)
        for step in steps.sorted(by: { ($0.from, $0.to) < ($1.from, $1.to) }) {
            from.append(step.from)
            to.append(step.to)
        }
        _ = try connection.query(inheritWaits, [.array(from), .array(to)])
        _ = try connection.query(addWaits, [.array(from), .array(to)])
        _ = try connection.query(moveSlices, [.array(slices), .array(shards)])
        _ = try connection.query(raiseEpochs, [.array(from), .array(to), .int64(table.version(after: moves))])
    }

    /// Slices go from one shard to another.
    private struct Step: Hashable {
        let from: Int32
        let to: Int32
    }

    /// Shards that come into use belong to the owner of the first one, which has all: another process that waits for
    /// the shards must not be faster with these.
    private static let addShards = PostgresStatement(
        "slices_add_shards",
        """
        insert into sagamore.shards (id, slice_version, node, owner, lease_until)
            select number, slice_version, node, owner, lease_until from sagamore.shards
                cross join generate_series($1, $2 - 1) as number where id = 0
            on conflict (id) do update
                set node = excluded.node, owner = excluded.owner, lease_until = excluded.lease_until
        """
    )
    private static let lockShards = PostgresStatement(
        "slices_lock_shards",
        "select id from sagamore.shards order by id for update"
    )
    private static let steps = "unnest($1::int4[], $2::int4[]) as step(source, target)"
    /// What the source still waits for concerns the keys of its slices, and so does the target's wait.
    private static let inheritWaits = PostgresStatement(
        "slices_inherit_waits",
        """
        insert into sagamore.outbox_waits as w (shard, after_sequence, for_shard, through_sequence)
            select target, t.outbox_sequence, old.for_shard, max(old.through_sequence) from \(steps)
            join sagamore.outbox_waits old on old.shard = source and old.for_shard <> target
            join sagamore.shards t on t.id = target
            group by target, t.outbox_sequence, old.for_shard
            on conflict (shard, after_sequence, for_shard)
                do update set through_sequence = greatest(w.through_sequence, excluded.through_sequence)
        """
    )
    private static let addWaits = PostgresStatement(
        "slices_add_waits",
        """
        insert into sagamore.outbox_waits as w (shard, after_sequence, for_shard, through_sequence)
            select target, t.outbox_sequence, source, s.outbox_sequence from \(steps)
            join sagamore.shards s on s.id = source
            join sagamore.shards t on t.id = target
            where exists (select from sagamore.outbox o where o.shard = source)
            on conflict (shard, after_sequence, for_shard)
                do update set through_sequence = greatest(w.through_sequence, excluded.through_sequence)
        """
    )
    private static let moveSlices = PostgresStatement(
        "slices_move",
        """
        update sagamore.slices s set shard = m.shard from unnest($1::int4[], $2::int4[]) as m(slice, shard)
            where s.slice = m.slice
        """
    )
    private static let raiseEpochs = PostgresStatement(
        "slices_raise_epochs",
        """
        update sagamore.shards set slice_version = $3,
            epoch = epoch + case when id = any($1::int4[]) or id = any($2::int4[]) then 1 else 0 end
        """
    )
}

extension SliceTable {
    private static let rows = PostgresStatement(
        "slices_read",
        """
        select shard, (select max(slice_version) from sagamore.shards),
            1 + greatest(
                (select max(shard) from sagamore.slices), (select max(shard) from sagamore.outbox))
            from sagamore.slices order by slice
        """,
        readsOnly: true
    )

    /// The stored table, read in one statement.
    static func read(_ connection: PostgresConnection) throws(PostgresError) -> SliceTable {
        let rows = try connection.query(rows)
        guard rows.rowCount == sliceCount else {
            throw PostgresError(.usage, "the database has \(rows.rowCount) of \(sliceCount) slices; restore a backup")
        }
        return SliceTable(
            version: rows.int64(0, 1),
            shardCount: Int(rows.int32(0, 2)),
            shards: (0..<sliceCount).map { rows.int32($0, 0) }
        )
    }
}
