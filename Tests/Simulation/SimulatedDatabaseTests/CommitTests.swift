import SagamoreEngine
import SagamorePersistence
import SagamoreServices
import Testing

extension DatabaseContract {
    /// What a commit writes, and what it is refused for.
    @Suite struct Commits {
        @Test(arguments: DatabaseKind.allCases)
        func allOfABatchOrNothing(_ kind: DatabaseKind) throws {
            let database = try kind.make()
            var fence = try database.take()
            var batch = Sample.starts(1, 2)
            batch.inbox = [Sample.inbox(1, "command")]
            batch.outbox = [Sample.record("one"), Sample.record("two")]
            batch.heartbeats = [Sample.heartbeat(1, 5, details: [7])]
            try database.lane.commit(batch, fence: fence)
            let rows = try database.rows()

            fence = ShardFence(shard: 0, epoch: fence.epoch, outboxSequence: 2)
            var second = Sample.starts(3)
            second.closedRuns = [Sample.closing(1)]
            second.journal.append(Sample.journal(2, 1, first: 1, events: [9]))
            second.outbox = [Sample.record("three")]
            #expect(database.refusal(second, fence) == "data 23505 journal_pkey 4")
            #expect(try database.rows() == rows)
            second.journal.removeLast()
            try database.lane.commit(second, fence: fence)
            #expect(try database.loader.loadRuns([Sample.runID(1)])[Sample.runID(1)]?.status == .completed)
            #expect(try database.lane.isCommitted(runID: Sample.runID(3), sequence: 1))
            #expect(try !database.lane.isCommitted(runID: Sample.runID(3), sequence: 2))
        }

        @Test(arguments: DatabaseKind.allCases)
        func aCommitThatChangesRowsThatDoNotExistIsReported(_ kind: DatabaseKind) throws {
            let database = try kind.make()
            let fence = try database.take()
            try database.lane.commit(Sample.starts(1), fence: fence)
            #expect(database.missingRows == 0)
            let changes: [(inout CommitBatch) -> Void] = [
                { $0.closedRuns = [Sample.closing(2)] }, { $0.alarms = [Sample.alarm(2, .set(.active))] },
                { $0.alarms = [Sample.alarm(2, .close(.active))] }, { $0.alarms = [Sample.alarm(2, .remove)] },
            ]
            for (number, change) in changes.enumerated() {
                try database.lane.commit(Sample.batch(change), fence: fence)
                #expect(database.missingRows == number + 1)
            }
        }

        @Test(arguments: DatabaseKind.allCases)
        func aCommandIsWrittenOnce(_ kind: DatabaseKind) throws {
            let database = try kind.make()
            let fence = try database.take()
            let batch = Sample.batch { $0.inbox = [Sample.inbox(1, "command")] }
            try database.lane.commit(batch, fence: fence)
            #expect(database.refusal(batch, fence) == "data 23505 inbox_commands 1")
            #expect(try database.lane.isCommitted(Sample.inbox(1, "command")))
            #expect(try !database.lane.isCommitted(Sample.inbox(1, "another")))
            let source = RecordCoordinates(cluster: "c", topic: "saga.commands", partition: 0, offset: 2)
            let elsewhere = InboxRow(
                receivedAt: Sample.noon,
                key: Sample.key(1),
                commandID: "command",
                source: source
            )
            #expect(try !database.lane.isCommitted(elsewhere))
        }

        @Test(arguments: DatabaseKind.allCases)
        func aWorkflowThatIsNotNewRefusesTheBatch(_ kind: DatabaseKind) throws {
            let database = try kind.make()
            let fence = try database.take()
            try database.lane.commit(Sample.starts(1), fence: fence)
            var second = Sample.starts(2)
            second.assumedNew = [Sample.key(2), Sample.key(1)]
            // Although the unique index of alarms would refuse it, too.
            second.newRuns.append(Sample.run(3, workflow: 1))
            second.alarms.append(Sample.alarm(3, .insert(.active)))
            #expect(database.refusal(second, fence) == "data SG002 - 1")
        }

        @Test(arguments: DatabaseKind.allCases)
        func oneOpenRunAWorkflow(_ kind: DatabaseKind) throws {
            let database = try kind.make()
            let fence = try database.take()
            try database.lane.commit(Sample.starts(1), fence: fence)
            var second = CommitBatch()
            second.newRuns = [Sample.run(2, workflow: 1)]
            second.alarms = [Sample.alarm(2, .insert(.active))]
            #expect(database.refusal(second, fence) == "data 23505 alarms_open 1")
            // Closed with debts, it lets another be open.
            second.alarms.append(Sample.alarm(1, .close(AlarmValue(at: .distantFuture))))
            second.closedRuns = [Sample.closing(1)]
            try database.lane.commit(second, fence: fence)
            let third = Sample.batch {
                $0.newRuns = [Sample.run(3, workflow: 1), Sample.run(4, workflow: 1)]
                $0.alarms = [Sample.alarm(4, .insert(.active, isOpen: false)), Sample.alarm(3, .insert(.active))]
            }
            #expect(database.refusal(third, fence) == "data 23505 alarms_open 1")
            let replacing = Sample.batch {
                $0.newRuns = third.newRuns
                $0.alarms = third.alarms + [Sample.alarm(2, .remove)]
            }
            try database.lane.commit(replacing, fence: fence)
            #expect(try database.rows().filter { $0.hasPrefix("alarms") }.count == 3)
        }

        @Test(arguments: DatabaseKind.allCases)
        func anAlarmNeedsItsRun(_ kind: DatabaseKind) throws {
            let database = try kind.make()
            let fence = try database.take()
            let batch = Sample.batch { $0.alarms = [Sample.alarm(1, .insert(.active))] }
            #expect(database.refusal(batch, fence) == "data 23502 - 1")
            // Changes of rows that are not there are none.
            let changes = Sample.batch {
                $0.alarms = [
                    Sample.alarm(1, .set(.active)), Sample.alarm(2, .close(.active)), Sample.alarm(3, .remove),
                ]
                $0.closedRuns = [Sample.closing(1)]
            }
            try database.lane.commit(changes, fence: fence)
            #expect(try database.rows().filter { $0.hasPrefix("alarms") || $0.hasPrefix("runs") } == [])
        }

        @Test(arguments: DatabaseKind.allCases)
        func rowsWithOneKeyInABatch(_ kind: DatabaseKind) throws {
            let database = try kind.make()
            let fence = try database.take()
            let heartbeats = Sample.batch {
                $0.heartbeats = [Sample.heartbeat(1, 5, details: [1]), Sample.heartbeat(1, 5, details: [2])]
            }
            #expect(database.refusal(heartbeats, fence) == "permanent 21000 - 1")
            let snapshots = Sample.batch {
                $0.snapshots = [Sample.snapshot(1, 1, state: [1]), Sample.snapshot(1, 2, state: [2])]
            }
            #expect(database.refusal(snapshots, fence) == "permanent 21000 - 1")
            let runs = Sample.batch { $0.newRuns = [Sample.run(1), Sample.run(1)] }
            #expect(database.refusal(runs, fence) == "data 23505 runs_pkey 1")
            let alarms = Sample.batch {
                $0.newRuns = [Sample.run(1)]
                $0.alarms = [Sample.alarm(1, .insert(.active)), Sample.alarm(1, .insert(.active))]
            }
            #expect(database.refusal(alarms, fence) == "data 23505 alarms_pkey 1")
        }

        @Test(arguments: DatabaseKind.allCases)
        func textWithNULIsRefused(_ kind: DatabaseKind) throws {
            let database = try kind.make()
            let fence = try database.take()
            let batch = Sample.batch { $0.inbox = [Sample.inbox(1, "a"), Sample.inbox(1, "b\0")] }
            #expect(database.refusal(batch, fence) == "data 22021 - 1")
            let found = failure { () throws(CommitError) in
                _ = try database.loader.lookUp([LookUp(key: Sample.key(1), commandID: "\0")])
            }
            #expect(found?.kind == "data" && found?.sqlState == "22021" && found?.statement == nil)
        }

        @Test(arguments: DatabaseKind.allCases)
        func aSnapshotReplacesTheFactsBeforeIt(_ kind: DatabaseKind) throws {
            let database = try kind.make()
            let fence = try database.take()
            let large = [UInt8](repeating: 1, count: 1_025)
            let batch = Sample.batch {
                $0.journal = [
                    Sample.journal(1, 1, first: 1, events: [1], facts: large),
                    Sample.journal(1, 2, first: 2, events: [2], facts: Array(large.dropLast())),
                    Sample.journal(1, 3, first: 3, events: [], facts: [3]),
                    Sample.journal(1, 5, first: 3, events: [], facts: [5]),
                    Sample.journal(1, 6, first: 3, events: [6], facts: large),
                ]
                $0.snapshots = [Sample.snapshot(1, 5, state: [9])]
            }
            try database.lane.commit(batch, fence: fence)
            func sizes() throws -> [String] {
                try database.rows().filter { $0.hasPrefix("journal") }.map { row in
                    let columns: [Substring] = row.split(separator: "|", omittingEmptySubsequences: false)
                    return "\(columns[1]) \(columns[3].count / 2) \(columns[4].count / 2)"
                }
            }
            #expect(try sizes() == ["1 1 0", "2 1 1024", "5 0 1", "6 1 1025"])
            let next = Sample.batch {
                $0.journal = [Sample.journal(1, 7, first: 3, events: [7], facts: [])]
                $0.snapshots = [Sample.snapshot(1, 7, after: 5, state: [10])]
            }
            try database.lane.commit(next, fence: fence)
            #expect(try sizes() == ["1 1 0", "2 1 1024", "6 1 0", "7 1 0"])
        }
    }
}
