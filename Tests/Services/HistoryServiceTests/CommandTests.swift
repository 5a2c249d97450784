import Foundation
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamorePersistence
import SagamoreServices
import Testing

@testable import SagamoreHistoryService

extension HistoryTests {
    /// Commands from a topic: inbox and outbox.
    @Suite struct Commands {
        private func records(_ database: TestDatabase) throws -> [String] {
            try database.texts("select convert_from(value, 'UTF8') from sagamore.outbox order by shard, sequence")
        }

        @Test func eachTakesEffectOnce() throws {
            let database = try TestDatabase()
            var node = try Node(database).started()
            let terminate = TerminateRequest(reason: "enough", identity: "client", origin: Samples.origin("terminate"))
            let cancel = CancelRequest(
                reason: "no more",
                identity: "client",
                requestID: "cancel",
                origin: Samples.origin("cancel")
            )
            func all() throws -> [IncomingCommand] {
                [
                    try node.startCommand("one", "start", offset: 1),
                    try node.signalCommand("one", "signal", offset: 2),
                    node.command("one", "cancel", offset: 3, .cancel(cancel, runID: nil)),
                    node.command("one", "bad", offset: 4, .refuse(code: "INVALID_ARGUMENT", message: "nonsense")),
                    try node.startCommand("one", "start again", offset: 5),
                    node.command("one", "terminate", offset: 6, .terminate(terminate, runID: nil)),
                    try node.signalCommand("one", "too late", offset: 7),
                ]
            }
            let outcomes: [CommandOutcome] = [
                .carriedOut, .carriedOut, .carriedOut, .rejected, .rejected, .carriedOut, .rejected,
            ]
            #expect(try all().map { try node.submit($0).get() } == outcomes)
            let expected = [
                "accepted start 1", "delivered signal 1", "delivered cancel 1", "rejected bad 1",
                "rejected start again 1", "terminated start 2", "delivered terminate 1", "rejected too late 1",
            ]
            #expect(try records(database).sorted() == expected.sorted())
            // All of them are repeated, at once and after a restart.
            #expect(try all().map { try node.submit($0).get() } == Array(repeating: .duplicate, count: 7))
            node.kill()
            node = try Node(database).started()
            defer { node.stop() }
            #expect(try all().map { try node.submit($0).get() } == Array(repeating: .duplicate, count: 7))
            #expect(try records(database).count == expected.count)
            #expect(try database.number("select count(*) from sagamore.inbox") == 7)
            #expect(try node.signals("one") == ["signal"])
            try database.checkNumbers()
        }

        @Test func idsThatOnlyLookTheSameAreTwoCommands() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            try node.start("one").get()
            let commands = [
                try node.signalCommand("one", "caf\u{E9}", offset: 1),
                try node.signalCommand("one", "cafe\u{301}", offset: 2),
            ]
            #expect(try commands.map { try node.submit($0).get() } == [.carriedOut, .carriedOut])
            #expect(try commands.map { try node.submit($0).get() } == [.duplicate, .duplicate])
            #expect(try node.signals("one").count == 2)
        }

        @Test func copiesAtTheSameTimeTakeEffectOnce() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            defer { node.stop() }
            var calls: [Call<CommandOutcome>] = []
            for copy in 0..<5 {
                for number in 0..<10 {
                    let offset = Int64(copy * 100 + number)
                    calls.append(node.submit(try node.startCommand("run \(number)", "start \(number)", offset: offset)))
                    calls.append(node.submit(try node.signalCommand("run \(number)", "signal", offset: offset + 50)))
                }
            }
            let outcomes = try calls.map { try $0.get() }
            #expect(outcomes.count { $0 == .carriedOut } == 20)
            #expect(outcomes.count { $0 == .duplicate } == 80)
            #expect(try records(database).count == 20)
            for number in 0..<10 { #expect(try node.signals("run \(number)") == ["signal"]) }
            try database.checkNumbers()
        }

        @Test func aCommandDoesNotPassOneWhoseLookUpFailed() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            try node.start("one").get()
            node.faults.holdLoader()
            node.faults.failOnce(.lookUp)
            let first = node.submit(try node.signalCommand("one", "first", offset: 1))
            try eventually("look-up at the gate") { node.faults.isLoaderHolding }
            // The second command arrives while the first one is looked up.
            let second = node.submit(try node.signalCommand("one", "second", offset: 2))
            node.faults.letLoaderGo()
            for call in [first, second] { #expect(try call.error().code == .unavailable) }
            // Both are submitted again, in order.
            for (offset, name) in [(1, "first"), (2, "second")] as [(Int64, String)] {
                #expect(try node.submit(try node.signalCommand("one", name, offset: offset)).get() == .carriedOut)
            }
            #expect(try node.signals("one") == ["first", "second"])
        }

        @Test func deadLettersAreKeptOncePerRecord() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            defer { node.stop() }
            let letter = OutboxRecord(topic: "saga.commands.dlq", key: nil, value: Array("?".utf8), headers: [])
            func send(
                _ offset: Int64,
                cluster: String = "cluster",
                timestamp: Int64? = nil
            ) -> Call<CommandOutcome> {
                let source = RecordCoordinates(
                    cluster: cluster,
                    topic: "saga.commands",
                    partition: 3,
                    offset: offset,
                    timestamp: timestamp
                )
                return Call { node.history.deadLetter(source, letter, reply: $0) }
            }
            #expect(try send(7).get() == .rejected)
            #expect(try send(7).get() == .duplicate)
            #expect(try send(8).get() == .rejected)
            // A new development broker starts at offset 0 again.
            #expect(try send(7, cluster: "another").get() == .rejected)
            // So does a topic that was deleted and recreated.
            #expect(try send(9, timestamp: 1_000).get() == .rejected)
            #expect(try send(9, timestamp: 2_000).get() == .rejected)
            #expect(try send(9, timestamp: 1_000).get() == .duplicate)
            #expect(try records(database) == ["?", "?", "?", "?", "?"])
        }

        @Test func traceAndEventsStandInTheTransactionOfTheEffect() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            defer { node.stop() }
            #expect(try node.submit(try node.startCommand("one", "start", offset: 1)).get() == .carriedOut)
            #expect(try node.submit(try node.startCommand("one", "twice", offset: 2)).get() == .rejected)
            try node.work(Samples.complete())
            let batches = node.faults.committed
            let started = try #require(batches.first { !$0.newRuns.isEmpty })
            #expect(started.journal.count == 1 && started.inbox.map(\.commandID) == ["start"])
            #expect(started.outbox.map(\.value) == [Array("accepted start 1".utf8)])
            let rejected = try #require(batches.first { $0.inbox.map(\.commandID) == ["twice"] })
            #expect(rejected.journal.isEmpty && rejected.outbox.count == 1)
            let closed = try #require(batches.first { !$0.closedRuns.isEmpty })
            #expect(closed.journal.count == 1 && closed.outbox.map(\.value) == [Array("passed start 2".utf8)])
            let sources = try database.texts(
                "select topic || '/' || topic_partition || '/' || record_offset from sagamore.inbox order by 1"
            )
            #expect(sources == ["saga.commands/0/1", "saga.commands/0/2"])
        }

        @Test func theOutboxHasNoGapsAfterFailures() throws {
            let database = try TestDatabase(shards: 2)
            let node = try Node(database).started()
            defer { node.stop() }
            node.faults.corrupt { batch in
                for index in batch.journal.indices where batch.journal[index].events.contains(word: "poison") {
                    batch.journal[index].sequence = 1
                }
            }
            for number in 0..<6 {
                #expect(
                    try node.submit(try node.startCommand("\(number)", "start", offset: Int64(number))).get()
                        == .carriedOut
                )
            }
            node.faults.hold()
            var good: [Call<CommandOutcome>] = []
            var bad: [Call<CommandOutcome>] = []
            for number in 0..<6 {
                good.append(node.submit(try node.signalCommand("\(number)", "first", offset: Int64(10 + number))))
                if number % 2 == 0 {
                    bad.append(node.submit(try node.signalCommand("\(number)", "poison", offset: Int64(20 + number))))
                }
            }
            try eventually("queued") { node.faults.isHolding }
            node.faults.cut(.unknownAndThere, .before)
            node.faults.letGo()
            for call in good { #expect(try call.get() == .carriedOut) }
            for call in bad { #expect(try call.error().code == .internalError) }
            node.faults.corrupt(nil)
            // A refused command was not carried out, so it is carried out when it is repeated.
            for number in [0, 2, 4] {
                let command = try node.signalCommand("\(number)", "poison", offset: Int64(20 + number))
                #expect(try node.submit(command).get() == .carriedOut)
                #expect(try node.signals("\(number)") == ["first", "poison"])
            }
            #expect(try records(database).count == 15)
            try database.checkNumbers()
            // The events of one workflow, in the order in which they happened.
            let order = try database.texts(
                "select convert_from(value, 'UTF8') from sagamore.outbox where key = '0' order by sequence"
            )
            #expect(order == ["accepted start 1", "delivered first 1", "delivered poison 1"])
        }
    }
}
