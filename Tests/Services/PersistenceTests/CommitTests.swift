import Foundation
import SagamoreEngine
import SagamorePersistence
import SagamorePostgresClient
import SagamoreServices
import Testing

extension PersistenceTests {
    /// What a commit writes, and how its errors are classified.
    @Suite struct Commit {
        @Test func aBatchIsWrittenAsAWholeOrNotAtAll() throws {
            let storage = try Storage()
            let fence = try storage.take()
            var batch = CommitBatch()
            batch.newRuns = [Storage.run(1), Storage.run(2)]
            batch.journal = [
                Storage.journal(1, 1, first: 1, events: [1, 2, 3], facts: [4]),
                Storage.journal(2, 1, first: 1, events: [5]),
            ]
            batch.alarms = [Storage.alarm(1, .insert(.active)), Storage.alarm(2, .insert(.active))]
            batch.inbox = [Storage.inbox(1, "command")]
            batch.outbox = (0..<3).map {
                OutboxRecord(topic: "saga.events", key: nil, value: [UInt8($0)], headers: [.init(name: "a", value: [])])
            }
            batch.heartbeats = [
                HeartbeatRow(
                    runID: Storage.runID(1),
                    scheduledEventID: 5,
                    attempt: 2,
                    details: [7],
                    recordedAt: Storage.noon
                )
            ]
            try storage.lane.commit(batch, fence: fence)
            #expect(try storage.lane.isCommitted(runID: Storage.runID(1), sequence: 1))
            #expect(try !storage.lane.isCommitted(runID: Storage.runID(1), sequence: 2))
            #expect(try storage.lane.isCommitted(Storage.inbox(1, "command")))
            #expect(try !storage.lane.isCommitted(Storage.inbox(2, "command")))
            let journals = try storage.loader.journals([Storage.runID(1), Storage.runID(2), Storage.runID(3)])
            #expect(journals == [Storage.runID(1): [batch.journal[0]], Storage.runID(2): [batch.journal[1]]])
            #expect(try storage.loader.loadRuns([Storage.runID(1)]) == [Storage.runID(1): Storage.run(1)])
            #expect(try storage.loader.heartbeats([Storage.runID(1)]) == batch.heartbeats)
            #expect(try storage.number("select max(sequence) from sagamore.outbox") == 3)

            // One row of the second batch exists already, so none is written.
            var second = CommitBatch()
            second.journal = [
                Storage.journal(1, 2, first: 4, events: [6]), Storage.journal(2, 1, first: 1, events: [7]),
            ]
            second.closedRuns = [
                RunClosing(
                    runID: Storage.runID(1),
                    status: .completed,
                    closedAt: Storage.noon,
                    historyLength: 4,
                    historyBytes: 400
                )
            ]
            second.outbox = [OutboxRecord(topic: "saga.events", key: nil, value: nil, headers: [])]
            let next = ShardFence(shard: 0, epoch: fence.epoch, outboxSequence: 3)
            do throws(CommitError) {
                try storage.lane.commit(second, fence: next)
                #expect(Bool(false), "a row was written twice")
            } catch {
                guard case .data(let cause) = error else { return #expect(Bool(false), "\(error)") }
                #expect(cause.sqlState == "23505")
            }
            #expect(try storage.number("select outbox_sequence from sagamore.shards") == 3)
            second.journal.removeLast()
            try storage.lane.commit(second, fence: next)
            let run = try #require(try storage.loader.loadRuns([Storage.runID(1)])[Storage.runID(1)])
            #expect(run.status == .completed && run.closedAt == Storage.noon && run.historyLength == 4)
            #expect(try storage.number("select max(sequence) from sagamore.outbox") == 4)
        }

        @Test func aDuplicateCommandNamesItsConstraint() throws {
            let storage = try Storage()
            let fence = try storage.take()
            var batch = CommitBatch()
            batch.inbox = [Storage.inbox(1, "command")]
            try storage.lane.commit(batch, fence: fence)
            do throws(CommitError) {
                try storage.lane.commit(batch, fence: fence)
                #expect(Bool(false), "a command was written twice")
            } catch {
                guard case .data(let cause) = error else { return #expect(Bool(false), "\(error)") }
                #expect(cause.constraint == "inbox_commands")
            }
        }

        @Test func aBatchIsRefusedWhenAnAssumedNewWorkflowHasARun() throws {
            let storage = try Storage()
            let fence = try storage.take()
            var batch = CommitBatch()
            batch.newRuns = [Storage.run(1)]
            batch.assumedNew = [Storage.run(1).key]
            try storage.lane.commit(batch, fence: fence)
            var second = CommitBatch()
            second.newRuns = [Storage.run(2)]
            second.assumedNew = [Storage.run(2).key, Storage.run(1).key]
            do throws(CommitError) {
                try storage.lane.commit(second, fence: fence)
                #expect(Bool(false), "a workflow with a run was taken to be new")
            } catch {
                guard case .data(let cause) = error else { return #expect(Bool(false), "\(error)") }
                #expect(cause.sqlState == CommitError.knownWorkflow)
            }
            #expect(try storage.number("select count(*) from sagamore.runs") == 1)
            second.assumedNew.removeLast()
            try storage.lane.commit(second, fence: fence)
            #expect(try storage.number("select count(*) from sagamore.runs") == 2)
        }

        @Test func alarmsAreSetClearedAndRemoved() throws {
            let storage = try Storage()
            let fence = try storage.take()
            func write(_ changes: AlarmChange...) throws {
                var batch = CommitBatch()
                batch.alarms = changes
                try storage.lane.commit(batch, fence: fence)
            }
            func value(_ column: String) throws -> Int64 {
                try storage.number(
                    "select coalesce(\(column)::text, '-1')::bigint from sagamore.alarms where run_id = "
                        + "'\(Storage.runID(1))'"
                )
            }
            var runs = CommitBatch()
            runs.newRuns = [Storage.run(1), Storage.run(2)]
            runs.alarms = [Storage.alarm(1, .insert(.active)), Storage.alarm(2, .insert(.active))]
            try storage.lane.commit(runs, fence: fence)
            #expect(try value("alarm_at") == -1)
            try write(Storage.alarm(1, .set(AlarmValue(at: .distantFuture))))
            #expect(try value("alarm_at") == .max)
            try write(Storage.alarm(1, .set(AlarmValue(at: Instant(nanoseconds: 7)))))
            #expect(try value("alarm_at") == 7)
            try write(Storage.alarm(1, .set(.active)))
            #expect(try storage.loader.activeRuns(shard: 0, after: nil, limit: 9).count == 2)
            try write(Storage.alarm(1, .remove))
            #expect(try storage.loader.activeRuns(shard: 0, after: nil, limit: 9) == [Storage.run(2)])
        }

        /// A workflow id has one open run, and any number of closed runs with debts.
        @Test func anAlarmMayOutliveItsRun() throws {
            let storage = try Storage()
            let fence = try storage.take()
            func write(_ changes: AlarmChange..., runs: [RunRow] = []) throws {
                var batch = CommitBatch()
                batch.newRuns = runs
                batch.alarms = changes
                try storage.lane.commit(batch, fence: fence)
            }
            let runs = (1...4).map { Storage.run($0, workflowID: "one") }
            try write(Storage.alarm(1, .insert(.active)), runs: [runs[0]])
            #expect(throws: CommitError.self) {
                try write(Storage.alarm(2, .insert(.active)), runs: [runs[1]])
            }
            // The order within the batch does not matter.
            try write(
                Storage.alarm(2, .insert(.active)),
                Storage.alarm(1, .close(.active)),
                Storage.alarm(3, .insert(.active, isOpen: false)),
                runs: [runs[1], runs[2]]
            )
            #expect(try storage.loader.activeRuns(shard: 0, after: nil, limit: 9) == [runs[0], runs[1], runs[2]])
            #expect(throws: CommitError.self) {
                try write(Storage.alarm(4, .insert(.active)), runs: [runs[3]])
            }
            try write(Storage.alarm(1, .set(AlarmValue(at: Instant(nanoseconds: 7)))))
            let parked = try storage.loader.parkedRuns(shard: 0, before: .distantFuture, after: nil, limit: 9)
            #expect(parked.map(\.0) == [runs[0]])
            try write(Storage.alarm(1, .remove), Storage.alarm(3, .remove))
            #expect(try storage.loader.activeRuns(shard: 0, after: nil, limit: 9) == [runs[1]])
        }

        @Test func aTaskHasOneRowInTheBacklog() throws {
            let storage = try Storage()
            let fence = try storage.take()
            func row(_ run: Int, _ task: Int64, _ queue: String) -> BacklogRow {
                let key = BacklogRow.Key(runID: Storage.runID(run), task: task)
                return BacklogRow(key: key, queue: queue, since: Instant(nanoseconds: task), priority: 3, place: task)
            }
            func write(_ changes: [BacklogChange], ended: [RunID] = []) throws {
                var batch = CommitBatch()
                batch.backlog = changes
                batch.endedBacklogs = ended
                try storage.lane.commit(batch, fence: fence)
            }
            func stored(_ queue: String) throws -> [BacklogRow] {
                try storage.loader.waitingTasks(shard: 0, queue: queue, limit: 9).map(\.row)
            }
            var runs = CommitBatch()
            runs.newRuns = [Storage.run(1), Storage.run(2)]
            try storage.lane.commit(runs, fence: fence)
            try write([.store(row(1, 5, "a")), .store(row(1, 6, "b")), .store(row(2, 7, "a"))])
            #expect(try stored("a") == [row(1, 5, "a"), row(2, 7, "a")])
            #expect(try stored("b") == [row(1, 6, "b")])
            // The task has moved to another queue: removing the rows read from the old queue keeps its new row.
            try write([.store(row(1, 5, "b"))])
            try write([.remove(row(1, 5, "a")), .remove(row(2, 7, "a"))])
            #expect(try stored("a") == [])
            #expect(try stored("b") == [row(1, 5, "b"), row(1, 6, "b")])
            try write([], ended: [Storage.runID(1)])
            #expect(try storage.loader.waitingQueues(shard: 0) == [])
        }

        @Test func heartbeatsOfClosedRunsAreDeleted() throws {
            let storage = try Storage()
            let fence = try storage.take()
            func beat(_ details: [UInt8]) throws {
                var batch = CommitBatch()
                let id = Storage.runID(1)
                batch.heartbeats = [
                    HeartbeatRow(runID: id, scheduledEventID: 5, attempt: 1, details: details, recordedAt: Storage.noon)
                ]
                try storage.lane.commit(batch, fence: fence)
            }
            try beat([1])
            try beat([2])
            #expect(try storage.loader.heartbeats([Storage.runID(1)]).map(\.details) == [[2]])
            var batch = CommitBatch()
            batch.endedHeartbeats = [Storage.runID(1)]
            try storage.lane.commit(batch, fence: fence)
            #expect(try storage.loader.heartbeats([Storage.runID(1)]).isEmpty)
        }

        @Test func errorsAreClassifiedByTheirRemedy() throws {
            let storage = try Storage()
            let fence = try storage.take()
            var batch = CommitBatch()
            batch.inbox = [Storage.inbox(1, "command")]
            func refusal() -> CommitError? {
                do throws(CommitError) {
                    try storage.lane.commit(batch, fence: fence)
                    return nil
                } catch {
                    return error
                }
            }
            // The workflow id is too long for an index.
            batch.newRuns = [
                Storage.run(1, workflowID: (0..<300).map { "\(UInt64($0) &* 0x9E37_79B9_7F4A_7C15)" }.joined())
            ]
            guard case .data(let limit)? = refusal() else { return #expect(Bool(false), "a row fitted") }
            #expect(limit.sqlState == "54000")
            // The workflow id contains NUL, which PostgreSQL does not store.
            batch.newRuns = [Storage.run(1, workflowID: "a\0b")]
            switch refusal() {
            case .data, .permanent: break
            case let other: #expect(Bool(false), "NUL: \(String(describing: other))")
            }
            batch.newRuns = []
            // A server that is read-only for a while, like a standby: no row is at fault.
            let name = storage.url.split(separator: "/").last.map { $0.prefix { $0 != "?" } } ?? ""
            try storage.session.execute("alter database \(name) set default_transaction_read_only = on")
            try storage.lane.reconnect()
            guard case .transient? = refusal() else { return #expect(Bool(false), "a read-only server is to blame") }
            try storage.session.execute(
                "set default_transaction_read_only = off; alter database \(name) reset default_transaction_read_only"
            )
            try storage.lane.reconnect()
            // A terminated session.
            try storage.session.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() "
                    + "and pid <> pg_backend_pid()"
            )
            while try storage.number("select count(*) from pg_stat_activity where datname = current_database()") > 1 {
                usleep(1_000)
            }
            // The request may have reached the terminated session, so its outcome is unknown.
            switch refusal() {
            case .transient?, .outcomeUnknown?: break
            case let other: return #expect(Bool(false), "a lost session is to blame: \(String(describing: other))")
            }
            try storage.lane.reconnect()
            #expect(refusal() == nil)
            // The schema is at fault, not a row.
            try storage.session.execute("alter table sagamore.inbox rename to elsewhere")
            batch.inbox = [Storage.inbox(2, "another")]
            guard case .misconfigured? = refusal() else { return #expect(Bool(false), "a row is to blame") }
        }
    }
}
