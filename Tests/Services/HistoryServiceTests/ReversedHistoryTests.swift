import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreServices
import Testing

@testable import SagamoreHistoryService

extension HistoryTests {
    /// Histories that are read from their end.
    @Suite struct ReversedHistories {
        private func events(_ node: Node, _ size: Int, _ runID: RunID? = nil) throws -> [[Int64]] {
            var pages: [[Int64]] = []
            var token: [UInt8] = []
            repeat {
                let page = try node.page("one", runID, token: token, size: size, reversed: true).get()
                pages.append(try ids(page.frames))
                token = page.nextPageToken
            } while !token.isEmpty
            return pages
        }

        @Test func pagesLeadFromTheNewestEventToTheFirst() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            let run = try node.start("one").get()
            for number in 0..<30 { try node.signal("one", "signal \(number)").get() }
            for size in [1, 7, 31, 32, 33] {
                let pages = try events(node, size)
                #expect(pages.flatMap { $0 } == (1...32).reversed(), "pages of \(size)")
                #expect(pages.dropLast().allSatisfy { $0.count == size })
            }
            // What comes later is in no later page.
            let first = try node.page("one", size: 30, reversed: true).get()
            try node.work(Samples.complete())
            let rest = try node.page("one", token: first.nextPageToken, reversed: true).get()
            #expect(try ids(rest.frames) == [2, 1] && rest.nextPageToken.isEmpty)
            #expect(try events(node, 4).flatMap { $0 } == (1...35).reversed())
            // The same from the database, and beside a newer run.
            try eventually("out of memory") { !node.isCached("one") }
            #expect(try events(node, 4).flatMap { $0 } == (1...35).reversed())
            try node.start("one").get()
            #expect(try events(node, 4, run.runID).flatMap { $0 } == (1...35).reversed())
            #expect(try events(node, 4) == [[2, 1]])
            #expect(try node.page("one", RunID(high: 1, low: 1), reversed: true).error().code == .notFound)
            #expect(try node.page("two", reversed: true).error().code == .notFound)
        }

        /// The Started event of a task that a worker holds is not written yet.
        @Test func theTaskOfAWorkerComesFirst() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            try node.start("one").get()
            let task = try node.workflowTask()
            #expect(try events(node, 1) == [[3, 2], [1]])
            try node.fail(task)
            let retried = try decoded(try node.page("one", reversed: true).get().frames)
            #expect(
                retried.map(\.eventType) == [
                    .workflowTaskScheduled, .workflowTaskFailed, .workflowTaskStarted, .workflowTaskScheduled,
                    .workflowExecutionStarted,
                ]
            )
        }

        @Test func largeEventsMakeSmallPages() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            try node.start("one").get()
            let large = Samples.payloads(String(repeating: "x", count: 1_500_000))
            for number in 0..<3 {
                let request = try SignalRequest(
                    name: "large",
                    input: large,
                    header: nil,
                    identity: "client",
                    requestID: "\(number)",
                    limits: Limits()
                )
                try Call<RunID> { node.history.signal(node.reference("one"), request, reply: $0) }.get()
            }
            #expect(try events(node, 0) == [[5, 4], [3, 2, 1]])
        }

        @Test func aTokenIsOfOneDirection() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            try node.start("one").get()
            let forward = try node.page("one", size: 1).get().nextPageToken
            let back = try node.page("one", size: 1, reversed: true).get().nextPageToken
            #expect(!forward.isEmpty && !back.isEmpty)
            #expect(try node.page("one", token: forward, reversed: true).error().message == "Invalid NextPageToken.")
            #expect(try node.page("one", token: back).error().message == "Invalid NextPageToken.")
            #expect(try node.page("one", token: [1, 2, 3], reversed: true).error().code == .invalidArgument)
            // A forged one reads no other workflow's run.
            try node.start("two").get()
            #expect(try node.page("two", token: back, reversed: true).error().code == .notFound)
        }

        /// Nothing is shown before it is committed.
        @Test func aReadWaitsForWhatItSaw() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            try node.start("one").get()
            node.faults.hold()
            let signal = try node.signal("one", "signal")
            try eventually("commit at the gate") { node.faults.isHolding }
            let page = node.page("one", reversed: true)
            #expect(!page.isAnswered)
            node.faults.letGo()
            try signal.get()
            #expect(try ids(page.get().frames) == [3, 2, 1])
        }
    }
}
