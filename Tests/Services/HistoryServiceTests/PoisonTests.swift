import Foundation
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamorePersistence
import SagamoreServices
import Testing

@testable import SagamoreHistoryService

extension HistoryTests {
    /// A row that only PostgreSQL refuses, among valid ones.
    @Suite struct Poison {
        /// Too long and too random for an index: SQLSTATE 54000.
        private static let poisonousID = (0..<300).map { "\(UInt64($0) &* 0x9E37_79B9_7F4A_7C15)" }.joined()

        private func poisonousStart(_ node: Node, origin: CommandOrigin? = nil) throws -> StartRequest {
            var limits = Limits()
            limits.identifierLength = 10_000
            return try node.startRequest(Self.poisonousID, origin: origin, limits: limits)
        }

        @Test func theCulpritIsRefusedWithWhatWasDecidedOnItAndTheOthersGoOn() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            defer { node.stop() }
            try node.start("before").get()
            node.faults.hold()
            let held = try node.signal("before", "held")
            try eventually("commit at the gate") { node.faults.isHolding }

            let good = try node.start("good")
            let culprit = node.start(try poisonousStart(node))
            try eventually("started in memory") { node.isCached(Self.poisonousID) && node.isCached("good") }
            let signal = try node.signal(Self.poisonousID, "on top")
            let description = node.describe(Self.poisonousID)
            let deduplicated = try node.start(Self.poisonousID.prefix(1_000).description)
            let goodSignal = try node.signal("good", "one")
            let last = try node.start("last")
            node.faults.letGo()

            try held.get()
            let error = try culprit.error()
            #expect(error.code == .internalError && error.message.contains("54000"))
            #expect(try signal.error().code == .unavailable)
            #expect(try description.error().code == .unavailable)
            let goodRun = try good.get()
            #expect(try goodSignal.get() == goodRun.runID)
            try deduplicated.get()
            try last.get()
            #expect(try node.describe(Self.poisonousID).error().code == .notFound)
            #expect(try node.signals("good") == ["one"])
            // The same start again. The lane continues.
            #expect(try node.start(try poisonousStart(node)).error().code == .internalError)
            try node.signal("last", "two").get()
            try database.checkNumbers()
        }

        @Test func aRejectionThatRestsOnItIsNotDurableEither() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            defer { node.stop() }
            node.faults.hold()
            let held = try node.start("held")
            try eventually("commit at the gate") { node.faults.isHolding }
            let request = try poisonousStart(node, origin: Samples.origin("first"))
            let first = node.submit(node.command(Self.poisonousID, "first", offset: 1, .start(request)))
            let twice = try poisonousStart(node, origin: Samples.origin("second"))
            let second = node.submit(node.command(Self.poisonousID, "second", offset: 2, .start(twice)))
            try eventually("queued") { node.queuedCount >= 2 }
            let duplicate = node.submit(node.command(Self.poisonousID, "second", offset: 3, .start(twice)))
            try eventually("queued") { node.queuedCount >= 3 }
            node.faults.letGo()
            try held.get()
            #expect(try first.error().code == .internalError)
            // Otherwise the answer would be ALREADY_STARTED, with a run that never existed.
            #expect(try second.error().code == .unavailable)
            #expect(try duplicate.error().code == .unavailable)
            #expect(try database.number("select count(*) from sagamore.inbox") == 0)
            #expect(try database.number("select count(*) from sagamore.outbox") == 0)
            // The command id is not known, so the command is carried out when it is repeated.
            let short = try node.startCommand("short", "second", offset: 4)
            #expect(try node.submit(short).get() == .carriedOut)
            try database.checkNumbers()
        }

        @Test func theRunGoesOnFromWhatIsStored() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            defer { node.stop() }
            try node.start("one").get()
            try node.work(Samples.startTimer("timer", .seconds(300)))
            node.faults.corrupt { batch in
                // The transition with this word gets the number of a stored one.
                for index in batch.journal.indices where batch.journal[index].events.contains(word: "poison") {
                    batch.journal[index].sequence = 1
                }
            }
            node.faults.hold()
            let first = try node.signal("one", "first")
            try eventually("commit at the gate") { node.faults.isHolding }
            let second = try node.signal("one", "second", requestID: "twice")
            let poison = try node.signal("one", "poison")
            let third = try node.signal("one", "third")
            let other = try node.start("two")
            node.faults.letGo()
            try first.get()
            try second.get()
            #expect(try poison.error().code == .internalError)
            #expect(try third.error().code == .unavailable)
            try other.get()
            node.faults.corrupt(nil)
            // No request asks for the run, but its timer still fires.
            try eventually("loaded again") { node.isCached("one") }
            node.clock.jump(.seconds(301))
            try eventually("fired") {
                try database.number("select count(*) from sagamore.journal where position('timer' in events) > 0") > 1
            }
            #expect(try node.signals("one") == ["first", "second"])
            try node.signal("one", "second", requestID: "twice").get()
            try node.signal("one", "fourth").get()
            #expect(try node.signals("one") == ["first", "second", "fourth"])
            try node.work(Samples.complete())
            #expect(try node.status("one") == .completed)
        }

        @Test func aStartAfterAnEndThatIsLostIsLostToo() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            defer { node.stop() }
            try node.start("one").get()
            node.faults.corrupt { batch in
                for index in batch.journal.indices where batch.journal[index].events.contains(word: "enough") {
                    batch.journal[index].sequence = 1
                }
            }
            node.faults.hold()
            let held = try node.signal("one", "held")
            try eventually("commit at the gate") { node.faults.isHolding }
            let end = node.terminate("one")
            let next = try node.start("one")
            let signal = try node.signal("one", "to the next")
            let replaced = try node.start("one") { $0.workflowIDConflictPolicy = .terminateExisting }
            node.faults.letGo()
            try held.get()
            #expect(try end.error().code == .internalError)
            #expect(try next.error().code == .unavailable)
            #expect(try signal.error().code == .unavailable)
            #expect(try replaced.error().code == .unavailable)
            node.faults.corrupt(nil)
            #expect(try node.status("one") == .running)
            #expect(try database.number("select count(*) from sagamore.runs where closed_at is null") == 1)
            try node.terminate("one").get()
            try node.start("one").get()
        }

        @Test func noRunIsEndedForOneThatCanNotBegin() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            defer { node.stop() }
            let first = try node.start("one").get()
            node.faults.corrupt { batch in
                // A new run with this word violates a unique key.
                guard batch.journal.contains(where: { $0.events.contains(word: "poison") }) else { return }
                if let run = batch.newRuns.last { batch.newRuns.append(run) }
            }
            let next = try node.start("one") { request in
                request.workflowIDConflictPolicy = .terminateExisting
                request.input = Samples.payloads("poison")
            }
            #expect(try next.error().code == .internalError)
            node.faults.corrupt(nil)
            #expect(try node.status("one") == .running)
            #expect(try node.status("one", first.runID) == .running)
            #expect(try database.number("select count(*) from sagamore.runs") == 1)
            try node.work(Samples.complete())
            #expect(try node.status("one", first.runID) == .completed)
            #expect(HistoryRules.violations(in: try node.events("one")) == [])
        }

        @Test func anEndAndWhatReplacesItShareATransaction() throws {
            let node = try Node(TestDatabase()) { $0.batchRowLimit = 1 }.started()
            defer { node.stop() }
            let first = try node.start("one").get()
            let second = try node.start("one") { $0.workflowIDConflictPolicy = .terminateExisting }.get()
            let batch = node.faults.committed.first { $0.closedRuns.contains { $0.runID == first.runID } }
            #expect(batch?.newRuns.map(\.runID) == [second.runID])
        }
    }
}

extension [UInt8] {
    func contains(word: String) -> Bool { firstRange(of: word.utf8) != nil }
}

extension Collection where Element: Equatable {
    fileprivate func firstRange(of other: some Collection<Element>) -> Index? {
        indices.first { self[$0...].starts(with: other) }
    }
}
