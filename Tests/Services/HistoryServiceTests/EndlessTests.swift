import Foundation
import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamorePersistence
import SagamoreProtobuf
import SagamoreServices
import Testing

@testable import SagamoreHistoryService

extension HistoryTests {
    /// Activities and workflow tasks that fail without end. The journal stays small, and so do its loads.
    @Suite struct Endless {
        private static let activityCount = 20
        /// The most facts that a load may read: a snapshot is due after 500, and a batch adds a few more.
        private static let mostFacts: Int64 = 700
        private static let facts = "select count(*) from sagamore.journal where length(events) = 0"
        private static let bytes = "select sum(length(events) + length(facts)) from sagamore.journal"

        /// Starts a run with activities that are retried without end, each a millisecond after its last attempt.
        private func startFailing(_ node: Node, sticky: String = "") throws {
            try node.start("one").get()
            let commands = (0..<Self.activityCount).map { number in
                Samples.schedule("activity \(number)") { attributes in
                    var policy = RetryPolicy()
                    policy.initialInterval = Interval.milliseconds(1).duration
                    policy.backoffCoefficient = 1
                    attributes.retryPolicy = policy
                    attributes.startToCloseTimeout = Interval.seconds(100_000).duration
                }
            }
            try node.complete(try node.workflowTask(), sticky: sticky, commands).get()
        }

        /// Fails all activities this many times. Afterwards a worker holds each next attempt.
        private func fail(_ node: Node, _ count: Int) throws -> [AssignedActivityTask] {
            var tasks = try (0..<Self.activityCount).map { _ in try node.activityTask() }
            for _ in 0..<count {
                let failures = try tasks.map { try node.fail($0) }
                let polls = tasks.map { _ in node.pollActivity() }
                for failure in failures { try failure.get() }
                tasks = try polls.map { try #require(try $0.get()) }
            }
            return tasks
        }

        private func attempts(_ node: Node) throws -> [Int32] {
            try node.describe("one").get().pendingActivities.map(\.attempt)
        }

        @Test func activitiesThatFailForEverKeepTheJournalSmall() throws {
            let database = try TestDatabase()
            var node = try Node(database).started()
            defer { node.stop() }
            try startFailing(node)
            let rounds = 120
            let tasks = try fail(node, rounds)
            // 4,800 facts were written.
            #expect(try database.number(Self.facts) < Self.mostFacts)
            #expect(try database.number(Self.bytes) < 300_000)
            #expect(try database.number("select count(*) from sagamore.snapshots") == 1)
            #expect(node.faults.committed.reduce(0) { $0 + $1.snapshots.count } > 5)

            // The run leaves memory, and comes back for a signal.
            node.clock.jump(.seconds(20))
            try eventually("parked") { !node.isCached("one") }
            try node.signal("one", "hello").get()
            var read = try #require(node.faults.journalPages.last)
            #expect(node.faults.journalPages.count == 1 && read < 300_000, "read \(node.faults.journalPages)")
            #expect(try attempts(node) == Array(repeating: Int32(rounds + 1), count: Self.activityCount))

            // So it does after a crash.
            node.kill()
            node = try Node(database, clock: node.clock).started()
            read = try #require(node.faults.journalPages.last)
            #expect(read < 300_000, "read \(read)")
            #expect(try attempts(node) == Array(repeating: Int32(rounds + 1), count: Self.activityCount))
            for task in tasks { try node.complete(task).get() }
            while let task = try node.workflowTaskIfDue() { try node.complete(task).get() }
            try node.signal("one", "end").get()
            try node.work(Samples.complete())
            let outline = try node.outline("one")
            #expect(outline.count { $0.hasSuffix("ActivityTaskCompleted") } == Self.activityCount)
            #expect(outline.last?.hasSuffix("WorkflowExecutionCompleted") == true)
            #expect(try node.signals("one") == ["hello", "end"])
            try database.checkNumbers()
        }

        /// While an installation has a lower format level, nothing in a newer format is written.
        @Test func aLowerFormatLevelHasNoSnapshots() throws {
            let database = try TestDatabase()
            try database.session.execute("update sagamore.installation set format_level = 1")
            let node = try Node(database).started()
            defer { node.stop() }
            try startFailing(node)
            _ = try fail(node, 30)
            #expect(try database.number("select count(*) from sagamore.snapshots") == 0)
            #expect(node.faults.committed.allSatisfy { $0.snapshots.isEmpty })
        }

        @Test func aWorkflowTaskThatFailsForEverKeepsTheJournalSmall() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            defer { node.stop() }
            try node.start("one").get()
            for _ in 0..<1_600 { try node.fail(try node.workflowTask()).get() }
            #expect(try database.number(Self.facts) < Self.mostFacts)
            #expect(try database.number("select count(*) from sagamore.snapshots") == 1)
            node.kill()
            let next = try Node(database, clock: node.clock).started()
            defer { next.stop() }
            #expect(try #require(next.faults.journalPages.last) < 100_000)
            let task = try next.workflowTask()
            #expect(task.delivery.task.attempt > 1_500)
            try next.complete(task, [Samples.complete()]).get()
            #expect(try next.outline("one").last?.hasSuffix("WorkflowExecutionCompleted") == true)
        }

        /// The outcome of the commit that writes a snapshot is unknown. The row that tells it must not be deleted.
        @Test(arguments: [Faults.Cut.unknownAndAbsent, .unknownAndThere])
        func aSnapshotIsWrittenOnceWhateverBecameOfItsCommit(_ cut: Faults.Cut) throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            defer { node.stop() }
            try startFailing(node)
            // Transitions before and after the snapshot share its batch.
            let tasks = try fail(node, 12)
            node.faults.hold()
            let first = try node.signal("one", "first")
            try eventually("commit at the gate") { node.faults.isHolding }
            let failures = try tasks.map { try node.fail($0) }
            let signals = try (0..<500).map { try node.signal("one", "signal \($0)", requestID: "\($0)") }
            node.faults.cut(nil, cut)
            node.faults.letGo()
            try first.get()
            for failure in failures { try failure.get() }
            for signal in signals { try signal.get() }
            #expect(!node.faults.hasCuts)
            #expect(node.faults.committed.contains { $0.snapshots.count == 1 && $0.journal.count > 2 })
            #expect(try node.signals("one").count == 501)
            node.kill()
            let next = try Node(database, clock: node.clock).started()
            defer { next.stop() }
            #expect(try attempts(next) == Array(repeating: 14, count: Self.activityCount))
            #expect(try next.signals("one").count == 501)
            // A request id in a snapshot is known, also after the run has closed.
            try next.signal("one", "signal 7", requestID: "7").get()
            try next.work(Samples.complete())
            #expect(try next.signals("one").count == 501)
            try eventually("out of memory") { !next.isCached("one") }
            try next.signal("one", "signal 8", requestID: "8").get()
            #expect(try next.signal("one", "late", requestID: "late").error().code == .notFound)
        }

        /// The events that a sticky worker has not seen are on both sides of a snapshot, or all after it.
        @Test(arguments: [true, false])
        func aStickyWorkerGetsAllThatItHasNotSeen(isBeforeToo: Bool) throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            defer { node.stop() }
            try startFailing(node, sticky: "sticky")
            if isBeforeToo { try node.signal("one", "before").get() }
            let tasks = try fail(node, 20)
            #expect(try database.number("select count(*) from sagamore.snapshots") == 1)
            try node.signal("one", "behind").get()
            withExtendedLifetime(tasks) {}
            node.kill()
            let next = Node(database, clock: node.clock)
            defer { next.stop() }
            // The worker polls already. Otherwise its sticky queue would be abandoned.
            let poll = next.pollWorkflowTask("sticky", sticky: true)
            try next.started()
            guard case .task(let task) = try poll.get() else { return #expect(Bool(false), "no task came") }
            let seen = try decoded(task.history)
            #expect(seen.first?.eventType == .workflowTaskCompleted && seen.last?.eventType == .workflowTaskStarted)
            #expect(seen.map(\.eventID) == Array(seen[0].eventID..<seen[0].eventID + Int64(seen.count)))
            let signals = seen.count { $0.eventType == .workflowExecutionSignaled }
            #expect(signals == (isBeforeToo ? 2 : 1))
        }

        /// A page of history has only events, however many facts are between them.
        @Test func aHistoryIsReadWithoutFacts() throws {
            let database = try TestDatabase()
            try database.session.execute("update sagamore.installation set format_level = 1")
            let node = try Node(database).started()
            defer { node.stop() }
            try startFailing(node)
            _ = try fail(node, 20)
            #expect(try database.number("select sum(length(facts)) from sagamore.journal") > 10_000)
            let before = node.faults.historyRows
            #expect(try node.outline("one").count == 4 + Self.activityCount)
            let rows = node.faults.historyRows.dropFirst(before.count)
            #expect(rows.allSatisfy { !$0.events.isEmpty && $0.facts.isEmpty })
            #expect(!rows.isEmpty)
        }
    }
}
