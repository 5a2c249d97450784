import SagamoreEngine
import SagamorePersistence
import SagamorePostgresClient
import SagamoreServices
import Testing

extension PersistenceTests {
    /// A commit that updates or deletes a row that does not exist happens, and is reported.
    @Suite struct MissingRows {
        enum Change: CaseIterable {
            case close, setAlarm, closeAlarm, removeAlarm, storeBacklog

            var table: String {
                switch self {
                case .close: "runs"
                case .setAlarm, .closeAlarm, .removeAlarm: "alarms"
                case .storeBacklog: "backlog"
                }
            }

            func add(_ number: Int, to batch: inout CommitBatch) {
                let runID = Storage.runID(number)
                switch self {
                case .close:
                    batch.closedRuns.append(
                        RunClosing(
                            runID: runID,
                            status: .completed,
                            closedAt: Storage.noon,
                            historyLength: 5,
                            historyBytes: 500
                        )
                    )
                case .setAlarm: batch.alarms.append(Storage.alarm(number, .set(AlarmValue(at: Storage.noon))))
                case .closeAlarm: batch.alarms.append(Storage.alarm(number, .close(.active)))
                case .removeAlarm: batch.alarms.append(Storage.alarm(number, .remove))
                case .storeBacklog:
                    let key = BacklogRow.Key(runID: runID, task: 5)
                    let row = BacklogRow(key: key, queue: "travel", since: Storage.noon, priority: 3, place: 1)
                    batch.backlog.append(.store(row))
                }
            }
        }

        @Test(arguments: Change.allCases)
        func aMissingRowIsReportedAndTheCommitStands(_ change: Change) throws {
            let storage = try Storage()
            let connection = try PostgresConnection(
                storage.url,
                applicationName: "tests",
                sessionSettings: SessionSettings.lane
            )
            var reports: [String] = []
            let lane = PostgresLaneStore(connection) { reports.append($0) }
            let fence = try storage.take()
            var batch = CommitBatch()
            batch.newRuns = (1...3).map { Storage.run($0) }
            batch.alarms = (1...3).map { Storage.alarm($0, .insert(.active)) }
            try lane.commit(batch, fence: fence)
            batch = CommitBatch()
            for number in 1...2 { change.add(number, to: &batch) }
            try lane.commit(batch, fence: fence)
            #expect(reports == [])

            batch = CommitBatch()
            batch.journal = [Storage.journal(3, 1, first: 1, events: [1])]
            for number in 3...5 { change.add(number, to: &batch) }
            try lane.commit(batch, fence: fence)
            #expect(reports.count == 1)
            #expect(reports.first?.hasPrefix("a commit changed 1 of 3 rows in sagamore.\(change.table), ") == true)
            #expect(try storage.number("select count(*) from sagamore.journal") == 1)
            #expect(try storage.number("select commit_count from sagamore.shards") == 3)
        }
    }
}
