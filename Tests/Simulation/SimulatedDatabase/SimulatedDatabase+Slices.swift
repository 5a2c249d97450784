internal import SagamoreEngine
internal import SagamorePersistence
public import SagamorePostgresClient

extension SimulatedDatabase {
    /// Gives all slices to the first `shardCount` shards, as `Migrator.rebalance` does (`sagamore migrate --shards N`).
    ///
    /// - Returns: how many shards had slices before, and how many slices moved.
    /// - Throws: `.usage` for a number outside of 1...1,024; `55P03` while a transaction that hangs holds a row.
    @discardableResult
    public func rebalance(
        shardCount: Int
    ) throws(PostgresError) -> (previousCount: Int, movedSlices: Int) {
        guard (1...1_024).contains(shardCount) else {
            throw PostgresError(.usage, "no database has \(shardCount) shards")
        }
        if lockedUntil(nil) != nil {
            throw PostgresError(.server, "canceling statement due to lock timeout", sqlState: "55P03")
        }
        let table = tables.sliceTable
        let moves = table.moves(over: shardCount)
        if !moves.isEmpty {
            // Nothing in it throws.
            try? transaction { () throws(CommitError) in carryOut(moves, of: table, to: shardCount) }
        }
        return (table.usedShardCount, moves.count)
    }

    private func carryOut(_ moves: [SliceTable.Move], of table: SliceTable, to shardCount: Int) {
        var shards = tables.shards
        for id in table.shardCount..<max(table.shardCount, shardCount) {
            if id == shards.count { shards.append(ShardRow()) }
            shards[id].node = shards[0].node
            shards[id].owner = shards[0].owner
            shards[id].leaseUntil = shards[0].leaseUntil
        }
        let steps = Set(moves.map { Step(from: $0.from, to: $0.to) }).sorted()
        inheritWaits(steps, shards)
        for step in steps where !tables.outbox(of: step.from).isEmpty {
            let wait = WaitKey(
                shard: step.to,
                afterSequence: shards[Int(step.to)].outboxSequence,
                forShard: step.from
            )
            extend(wait, through: shards[Int(step.from)].outboxSequence)
        }
        var slices = tables.slices
        for move in moves { slices[move.slice] = move.to }
        for id in Set(steps.flatMap { [$0.from, $0.to] }) { shards[Int(id)].epoch += 1 }
        write(.shards(shards, slices: slices, version: table.version(after: moves)))
    }

    /// What the source still waits for concerns the keys of its slices.
    private func inheritWaits(_ steps: [Step], _ shards: [ShardRow]) {
        var inherited: [(WaitKey, Int64)] = []
        for step in steps {
            tables.scanWaits(of: step.from) { old, through in
                guard old.forShard != step.to else { return }
                let sequence = shards[Int(step.to)].outboxSequence
                inherited.append((WaitKey(shard: step.to, afterSequence: sequence, forShard: old.forShard), through))
            }
        }
        for (wait, through) in inherited { extend(wait, through: through) }
    }

    private func extend(_ wait: WaitKey, through sequence: Int64) {
        write(.wait(wait, max(tables.waits[wait] ?? sequence, sequence)))
    }

    private struct Step: Hashable, Comparable {
        let from: Int32
        let to: Int32

        static func < (left: Step, right: Step) -> Bool { (left.from, left.to) < (right.from, right.to) }
    }
}

extension Tables {
    /// As loaders read it: shards without slices count while they have records.
    var sliceTable: SliceTable {
        let used = slices.max() ?? 0
        let publishing = outbox.lastIndex { !$0.isEmpty } ?? 0
        return SliceTable(version: sliceVersion, shardCount: 1 + max(Int(used), publishing), shards: slices)
    }

    func scanWaits(of shard: Int32, _ body: (WaitKey, Int64) -> Void) {
        guard !waits.isEmpty else { return }
        waits.scan(after: WaitKey(shard: shard, afterSequence: .min, forShard: .min)) { key, through in
            guard key.shard == shard else { return false }
            body(key, through)
            return true
        }
    }
}
