import Foundation
import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamorePersistence
import SagamoreServices
import Testing

@testable import SagamoreHistoryService

extension HistoryTests {
    /// Transitions of a run that are committed together share a row of the journal, which has the number of the first.
    /// So the numbers of rows have gaps, and a loaded run counts on from its last row.
    @Suite struct MergedTransitions {
        /// Activities with results that are large enough for a snapshot.
        enum Large: String, CaseIterable {
            case none = ""
            case first = "a"
            case both = "ac"
        }

        /// What a run is in memory.
        private struct Memory: Equatable {
            var sequence: Int64
            var state: DurableState
        }

        @Test(arguments: Large.allCases)
        func aRunThatIsLoadedFromSharedRowsIsTheSame(_ large: Large) throws {
            let database = try TestDatabase()
            let clock = TestClock()
            var node = try Node(database, clock: clock).started()
            defer { node.stop() }
            try start(node)
            try merge(node, large)
            let batch = try #require(node.faults.committed.last)
            let first = try memory(node).sequence - 7
            let rows: [Int64] =
                switch large {
                case .none: [0]
                case .first: [0, 4, 5]
                case .both: [0, 4, 5, 6, 7]
                }
            #expect(batch.journal.map { $0.sequence - first } == rows)
            #expect(batch.snapshots.map { $0.sequence - first } == (large == .none ? [] : [large == .first ? 4 : 6]))
            // The next row leaves a gap.
            try node.signal("one", "alone", requestID: "alone").get()
            var before = try memory(node)
            var history = try node.events("one")
            node.kill()

            node = try Node(database, clock: clock).started()
            #expect(try memory(node) == before)
            #expect(try node.events("one") == history)
            try merge(node) { node in
                let signals = try (0..<3).map { try node.signal("one", "later \($0)", requestID: "later \($0)") }
                return { for signal in signals { try signal.get() } }
            }
            before = try memory(node)
            history = try node.events("one")
            node.kill()

            // The last row is a shared one, so the run counts on from the first of its three transitions.
            node = try Node(database, clock: clock).started()
            before.sequence -= 2
            #expect(try memory(node) == before)
            #expect(try node.events("one") == history)
            try finish(node)
            try database.checkNumbers()
        }

        /// The run has three activities and a workflow task in the hands of workers.
        private func start(_ node: Node) throws {
            try node.start("one").get()
            let activities = ["a", "b", "c"].map { id in
                Samples.schedule(id) { attributes in
                    attributes.startToCloseTimeout = Interval.seconds(600).duration
                    attributes.taskQueue = Samples.queue("queue of \(id)")
                }
            }
            try node.complete(try node.workflowTask(), activities).get()
            try node.signal("one", "early", requestID: "early").get()
        }

        /// Eight transitions of all kinds share a commit. The fifth and the seventh may bring a snapshot.
        private func merge(_ node: Node, _ large: Large) throws {
            let task = try node.workflowTask()
            let (a, b, c) = (
                try node.activityTask("queue of a"), try node.activityTask("queue of b"),
                try node.activityTask("queue of c")
            )
            func result(_ id: String) -> String {
                large.rawValue.contains(id) ? String(repeating: id, count: 1_100_000) : id
            }
            try merge(node) { node in
                let buffered = try node.signal("one", "buffered", requestID: "buffered")
                let failure = try node.fail(b)
                let commands = [Samples.schedule("d"), Samples.startTimer("timer", .seconds(300))]
                let completion = try node.complete(task, commands)
                let second = try node.signal("one", "second", requestID: "second")
                let first = try node.complete(a, result: result("a"))
                let third = try node.signal("one", "third", requestID: "third")
                let last = try node.complete(c, result: result("c"))
                let fourth = try node.signal("one", "fourth", requestID: "fourth")
                return {
                    for signal in [buffered, second, third, fourth] { try signal.get() }
                    for answer in [failure, first, last] { try answer.get() }
                    try completion.get()
                }
            }
        }

        /// What `begin` asks for gathers behind a commit and shares the next one. It returns the wait for the answers.
        private func merge(_ node: Node, _ begin: (Node) throws -> () throws -> Void) throws {
            node.faults.hold()
            let ahead = try node.signal("one", "ahead")
            try eventually("a commit at the gate") { node.faults.isHolding }
            let answers = try begin(node)
            node.faults.letGo()
            try ahead.get()
            try answers()
        }

        private func memory(_ node: Node) throws -> Memory {
            let run = node.shard.perform {
                node.shard.state.runs[Node.key("one")]?.cached.map {
                    Memory(sequence: $0.sequence, state: $0.execution.durable)
                }
            }
            return try #require(run)
        }

        /// The run goes on to its end.
        private func finish(_ node: Node) throws {
            for id in ["early", "buffered", "fourth", "alone", "later 2"] {
                try node.signal("one", "again", requestID: id).get()
            }
            #expect(try node.signals("one").count == 11)
            try node.work()
            node.clock.jump(.seconds(2))
            let retried = try node.activityTask("queue of b")
            #expect(retried.delivery.activity.attempt == 2)
            try node.complete(retried).get()
            try node.complete(try node.activityTask()).get()
            node.clock.jump(.seconds(300))
            try eventually("fired") { try node.outline("one").contains { $0.hasSuffix("TimerFired") } }
            try node.work(Samples.complete())
            #expect(try node.status("one") == .completed)
            #expect(HistoryRules.violations(in: try node.events("one")) == [])
            #expect(try node.outline("one").count { $0.hasSuffix("ActivityTaskCompleted") } == 4)
        }
    }
}
