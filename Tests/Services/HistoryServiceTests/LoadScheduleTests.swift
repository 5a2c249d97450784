import SagamoreEngine
import SagamorePersistence
import SagamoreServices
import Testing

@testable import SagamoreHistoryService

extension HistoryTests {
    /// Which jobs a loader carries out next.
    @Suite struct LoadSchedules {
        /// A schedule whose decisions are returned as names of jobs.
        private final class Loading {
            var schedule = LoadSchedule()
            let now = Instant(nanoseconds: 1_000_000_000)

            func add(_ jobs: LoadJob..., after pause: Interval = .zero) {
                for job in jobs { schedule.add(job, notBefore: now + pause) }
            }

            func next(after pause: Interval = .zero, isLaneFull: Bool = false) -> String {
                switch schedule.next(at: now + pause, isLaneFull: isLaneFull) {
                case .turn(let jobs): jobs.map(Self.name).joined(separator: " ")
                case .wait(nil): "wait"
                case .wait(let instant?): "wait \((instant - now).nanoseconds / 1_000_000) ms"
                }
            }

            private static func name(_ job: LoadJob) -> String {
                switch job {
                case .workflow(let context): context.key.workflowID
                case .run: "run"
                case .debtor: "debtor"
                case .read: "read"
                case .closedRun: "closed"
                case .journals: "journals"
                case .wakeParked(nil): "wake"
                case .wakeParked: "wake more"
                case .recover: "recover"
                case .pageIn: "page in"
                case .erase: "erase"
                case .retain: "retain"
                }
            }
        }

        private static func workflow(_ id: String) -> LoadJob {
            .workflow(WorkflowContext(WorkflowKey(namespace: 1, workflowID: id)))
        }

        private static var read: LoadJob { .read({ (_) throws(CommitError) in }, failed: { _ in }) }
        private static let queue = TaskQueueKey(namespace: 1, name: "travel", kind: .workflow)

        @Test func kindsTakeTurns() {
            let loading = Loading()
            loading.add(.retain, .erase, .recover(after: nil, count: 0), Self.read, Self.read, .journals)
            loading.add(Self.workflow("a"), Self.workflow("b"), .wakeParked(after: nil))
            loading.add(.pageIn(Self.queue, limit: 1, done: { _ in }))
            #expect(loading.next() == "a b")
            #expect(loading.next() == "read")
            #expect(loading.next() == "journals")
            // A large load continues while other jobs come in.
            loading.add(.journals, Self.workflow("c"))
            #expect(loading.next() == "wake")
            #expect(loading.next() == "recover")
            #expect(loading.next() == "page in")
            #expect(loading.next() == "erase")
            #expect(loading.next() == "c")
            #expect(loading.next() == "retain")
            #expect(loading.next() == "read")
            #expect(loading.next() == "journals")
            #expect(loading.next() == "wait")
        }

        @Test func periodicJobsAreQueuedOnceAndTheirNextPagesAreKept() {
            let loading = Loading()
            loading.add(.wakeParked(after: nil), .wakeParked(after: nil))
            loading.add(.wakeParked(after: (loading.now, RunID(high: 1, low: 1))))
            #expect(loading.next() == "wake")
            #expect(loading.next() == "wake more")
            #expect(loading.next() == "wait")
        }

        @Test func retentionWaitsButNotForEver() {
            let loading = Loading()
            loading.add(.retain)
            for _ in 0..<LoadSchedule.retentionPatience {
                loading.add(.journals)
                #expect(loading.next() == "journals")
            }
            loading.add(.journals)
            #expect(loading.next() == "retain")
            #expect(loading.next() == "journals")
        }

        @Test func lookupsAreTakenTogetherUpToALimit() {
            let loading = Loading()
            for _ in 0..<300 { loading.add(Self.workflow("a")) }
            #expect(loading.next().split(separator: " ").count == 256)
            #expect(loading.next().split(separator: " ").count == 44)
        }

        @Test func whatTimeAsksForIsQueuedOnce() {
            let loading = Loading()
            for _ in 0..<3 {
                for _ in 0..<100 { loading.add(.wakeParked(after: nil), .erase, .retain) }
                loading.add(.recover(after: nil, count: 0), .recover(after: nil, count: 0))
                #expect(loading.schedule.count == 5)
                // A job may be queued again once it was taken.
                for _ in 0..<5 { #expect(loading.next() != "wait") }
            }
        }

        @Test func aFullLaneHoldsBackWhatNobodyAskedFor() {
            let loading = Loading()
            loading.add(.wakeParked(after: nil), .recover(after: nil, count: 0))
            loading.add(.pageIn(Self.queue, limit: 1, done: { _ in }), Self.workflow("a"))
            #expect(loading.next(isLaneFull: true) == "a")
            #expect(loading.next(isLaneFull: true) == "wait 20 ms")
            #expect(loading.next() == "wake")
        }

        @Test func aJobThatFailedWaits() {
            let loading = Loading()
            loading.add(.recover(after: nil, count: 0), after: .milliseconds(250))
            #expect(loading.next() == "wait 250 ms")
            loading.add(Self.read)
            #expect(loading.next() == "read")
            #expect(loading.next(after: .milliseconds(250)) == "recover")
        }
    }
}
