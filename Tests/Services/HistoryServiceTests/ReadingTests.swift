import Foundation
import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreProtobuf
import SagamoreServices
import Testing

@testable import SagamoreHistoryService

extension HistoryTests {
    /// Histories, page by page and while they grow.
    @Suite struct Reading {
        /// A client can forge a page token. It must not give access to histories of another namespace.
        @Test func aTokenReadsNoOtherWorkflowsRun() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            let run = try node.start("one").get()
            let token = HistoryPageToken(runID: run.runID, nextEventID: 1, lastEventID: 2, suffix: [])
            #expect(try !node.page("one", token: token.bytes).get().frames.isEmpty)
            let stranger = WorkflowReference(key: WorkflowKey(namespace: 2, workflowID: "one"), runID: nil)
            let read = HistoryRead(
                pageToken: token.bytes,
                pageSize: 0,
                waitsForNews: false,
                onlyCloseEvent: false,
                deadline: .distantFuture
            )
            let page = Call<HistoryPage> { node.history.readHistory(stranger, read, reply: $0) }
            #expect(try page.error().code == .notFound)
        }

        /// The two keys are canonically equivalent, so Swift's `String` considers them equal. Other languages do not.
        @Test func markersKeepKeysThatDifferOnlyInBytes() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            try node.start("one").get()
            let keys = ["caf\u{E9}", "cafe\u{301}"]
            // The request as a client sends it: one message whose map has both entries.
            let marker = keys.reduce(into: [UInt8]()) { bytes, key in
                guard
                    case .recordMarkerCommandAttributes(let attributes)? =
                        Samples.marker("marker", details: [key: key]).attributes
                else { return }
                bytes += attributes.serializedBytes()
            }
            var command = Command()
            command.commandType = .recordMarker
            command.attributes = try .recordMarkerCommandAttributes(
                RecordMarkerCommandAttributes(serializedBytes: marker)
            )
            try node.complete(node.workflowTask(), [command]).get()
            let event = try #require(try node.events("one").first { $0.eventType == .markerRecorded })
            guard case .markerRecordedEventAttributes(let recorded)? = event.attributes else {
                return #expect(Bool(false), "an event without attributes")
            }
            for key in keys { #expect(Samples.text(recorded.details[key]) == "\"\(key)\"") }
            #expect(Set(recorded.details.map { Array($0.key.utf8) }) == Set(keys.map { Array($0.utf8) }))
        }

        @Test func pagesHoldEachEventOnce() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            try node.start("one").get()
            for number in 0..<30 { try node.signal("one", "signal \(number)").get() }
            let whole = try node.events("one").map(\.eventID)
            #expect(whole == Array(1...32))
            for size in [1, 7, 31, 32, 33] {
                #expect(try node.events("one", pageSize: size).map(\.eventID) == whole, "pages of \(size)")
                let first = try node.page("one", size: size).get()
                #expect(try ids(first.frames).count == min(size, 32))
                #expect(first.nextPageToken.isEmpty == (size >= 32))
            }
            try node.work(Samples.complete())
            #expect(try node.events("one", pageSize: 5).map(\.eventID) == Array(1...35))
            #expect(try node.page("one", token: [1, 2, 3]).error().code == .invalidArgument)
        }

        @Test func aWorkersHistoryOfManyEventsGoesOnWhereItsPageEnds() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            try node.start("one").get()
            // More events than the tail in memory keeps.
            let calls = try (0..<3_000).map { try node.signal("one", "signal \($0)") }
            for call in calls { try call.get() }
            let task = try node.workflowTask()
            // Events that arrive while the worker has the task are not part of its history.
            try node.signal("one", "late").get()
            #expect(try ids(task.history) == Array(1...2_000))
            var rest: [HistoryEvent] = []
            var token = task.nextPageToken
            while !token.isEmpty {
                let page = try node.page("one", token: token, size: 60).get()
                rest += try decoded(page.frames)
                token = page.nextPageToken
            }
            #expect(rest.map(\.eventID) == Array(2_001...3_003))
            #expect(rest.last?.eventType == .workflowTaskStarted)
        }

        @Test func largeEventsMakeSmallPages() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            try node.start("one").get()
            node.faults.hold()
            let held = try node.signal("one", "held")
            try eventually("commit at the gate") { node.faults.isHolding }
            // The events share a row of the journal.
            let large = String(repeating: "x", count: 1_500_000)
            let calls = try (0..<4).map { number in
                let request = try SignalRequest(
                    name: "large",
                    input: Samples.payloads(large),
                    header: nil,
                    identity: "client",
                    requestID: "\(number)",
                    limits: Limits()
                )
                return Call<RunID> { node.history.signal(node.reference("one"), request, reply: $0) }
            }
            node.faults.letGo()
            try held.get()
            for call in calls { try call.get() }
            var token: [UInt8] = []
            var seen: [Int64] = []
            repeat {
                let page = try node.page("one", token: token).get()
                seen += try ids(page.frames)
                #expect(page.frames.count < 4 << 20)
                token = page.nextPageToken
            } while !token.isEmpty
            #expect(seen == Array(1...7))
        }

        @Test func aFollowerGetsEachEventOnce() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            let run = try node.start("one").get()
            var seen: [Int64] = []
            var token: [UInt8] = []
            func follow() throws {
                let page = try node.page("one", run.runID, token: token, waits: true).get()
                seen += try ids(page.frames)
                token = page.nextPageToken
            }
            try follow()
            #expect(seen == [1, 2] && !token.isEmpty)
            for number in 0..<5 {
                let waiting = node.page("one", run.runID, token: token, waits: true)
                try eventually("waits") { node.shard.perform { !node.shard.state.runs.waitedFor.isEmpty } }
                #expect(!waiting.isAnswered)
                try node.signal("one", "signal \(number)").get()
                let page = try waiting.get()
                seen += try ids(page.frames)
                token = page.nextPageToken
                while seen.count < 3 + number { try follow() }
            }
            // A Started event that only a worker holds is not committed.
            let task = try node.workflowTask()
            try node.complete(task, [Samples.complete()]).get()
            while !token.isEmpty { try follow() }
            #expect(seen == Array(1...10))
            #expect(try node.outline("one").last == "10 WorkflowExecutionCompleted")
        }

        /// A run that gets events all the time always has uncommitted ones.
        @Test func aBusyRunTellsItsFollowers() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            let run = try node.start("one").get()
            let first = try node.page("one", run.runID, waits: true).get()
            #expect(try ids(first.frames) == [1, 2])
            let follower = node.page("one", run.runID, token: first.nextPageToken, waits: true)
            try eventually("waits") { node.shard.perform { !node.shard.state.runs.waitedFor.isEmpty } }
            node.faults.hold()
            defer { node.faults.letGo() }
            var signals = [try node.signal("one", "signal 0")]
            for number in 1...5 {
                try eventually("commit at the gate") { node.faults.isHolding }
                // The next signal is queued before this one is committed.
                signals.append(try node.signal("one", "signal \(number)"))
                node.faults.letOneGo()
                try signals[number - 1].get()
            }
            let page = try follower.get()
            #expect(try ids(page.frames).first == 3)
            // A new follower reads what is committed, and does not wait for the rest.
            let next = try node.page("one", run.runID, token: page.nextPageToken, waits: true).get()
            let seen = try ids(page.frames) + ids(next.frames)
            #expect(seen == Array(3..<3 + Int64(seen.count)) && seen.count > 1)
            #expect(!signals[5].isAnswered)
        }

        @Test func theCloseEventIsWaitedForAndFound() throws {
            let node = try Node(TestDatabase()) { $0.historyWait = .seconds(3) }.started()
            defer { node.stop() }
            let run = try node.start("one").get()
            // Without waiting the answer is empty and final.
            let none = try node.page("one", onlyClose: true).get()
            #expect(none.frames.isEmpty && none.nextPageToken.isEmpty)
            let expired = node.page("one", waits: true, onlyClose: true)
            node.clock.jump(.seconds(4))
            let empty = try expired.get()
            #expect(empty.frames.isEmpty && !empty.nextPageToken.isEmpty)
            let waiting = (0..<3).map { _ in
                node.page("one", run.runID, token: empty.nextPageToken, waits: true, onlyClose: true)
            }
            try node.terminate("one").get()
            for call in waiting {
                let page = try call.get()
                #expect(try ids(page.frames) == [3] && page.nextPageToken.isEmpty)
            }
            #expect(try ids(try node.page("one", onlyClose: true).get().frames) == [3])
            // An older run, after a newer one has started.
            try node.start("one").get()
            let older = try node.page("one", run.runID, waits: true, onlyClose: true).get()
            #expect(try ids(older.frames) == [3])
            #expect(try node.page("one", RunID(high: 1, low: 1)).error().code == .notFound)
            #expect(try node.page("two").error().code == .notFound)
        }

        /// Retention may delete a run while it is read.
        @Test func aRunThatIsDeletedMeanwhileIsNotFound() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            defer { node.stop() }
            let run = try node.start("one").get()
            try node.work(Samples.complete())
            try eventually("out of memory") { !node.isCached("one") }
            let first = try node.page("one", size: 2).get()
            #expect(try ids(first.frames) == [1, 2])
            // The row of the run was read before the journal was deleted.
            try database.session.execute("delete from sagamore.journal")
            #expect(try node.page("one", token: first.nextPageToken).error().code == .notFound)
            #expect(try node.page("one", run.runID).error().code == .notFound)
            #expect(try node.describe("one").error().code == .notFound)
            #expect(try node.query("one").error().code == .notFound)
        }

        @Test func theRunThatIsReplacedTellsItsFollowers() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            let first = try node.start("one").get()
            let waiting = node.page("one", waits: true, onlyClose: true)
            try eventually("waits") { node.shard.perform { !node.shard.state.runs.waitedFor.isEmpty } }
            let second = try node.start("one") { $0.workflowIDConflictPolicy = .terminateExisting }.get()
            #expect(second.runID > first.runID)
            #expect(try decoded(try waiting.get().frames).map(\.eventType) == [.workflowExecutionTerminated])
            #expect(try node.status("one", first.runID) == .terminated)
            #expect(try node.status("one") == .running)
        }
    }
}
