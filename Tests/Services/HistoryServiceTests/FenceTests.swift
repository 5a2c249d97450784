import Foundation
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreServices
import Testing

@testable import SagamoreHistoryService

extension HistoryTests {
    /// Two owners of one shard.
    @Suite struct Fence {
        @Test func theOlderOwnerCanNotCommitAndDoesNotDuel() throws {
            let database = try TestDatabase()
            let older = try Node(database).started()
            defer { older.stop() }
            let run = try older.start("one").get()
            // A new process of the same node takes over at once.
            let newer = try Node(database).started()
            defer { newer.stop() }
            let epoch = try database.epoch()

            #expect(try older.signal("one", "lost").error().code == .unavailable)
            try eventually("fenced") { older.fencedShards == [0] }
            for _ in 0..<3 {
                #expect(try older.signal("one", "lost").error().code == .unavailable)
                #expect(try older.start("two").error().code == .unavailable)
                #expect(try older.describe("one").error().code == .unavailable)
            }
            #expect(try newer.signal("one", "kept").get() == run.runID)
            #expect(try newer.signals("one") == ["kept"])
            #expect(try database.epoch() == epoch)
            #expect(newer.fencedShards.isEmpty)
        }

        @Test func aCommitThatWaitedThroughTheTakeoverIsRefused() throws {
            let database = try TestDatabase()
            let older = try Node(database).started()
            defer { older.stop() }
            try older.start("one").get()
            older.faults.hold()
            let late = try older.signal("one", "late")
            let behind = older.describe("one")
            try eventually("commit at the gate") { older.faults.isHolding }
            let newer = try Node(database).started()
            defer { newer.stop() }
            older.faults.letGo()
            #expect(try late.error().code == .unavailable)
            #expect(try behind.error().code == .unavailable)
            #expect(try newer.signals("one") == [])
        }

        @Test func whoWaitsIsToldWhenTheShardIsLost() throws {
            let database = try TestDatabase()
            let older = try Node(database).started()
            defer { older.stop() }
            try older.start("one").get()
            try older.work()
            let follower = older.page("one", waits: true, onlyClose: true)
            let query = older.query("one")
            try eventually("waits") { older.shard.perform { !older.shard.state.runs.waitedFor.isEmpty } }
            let newer = try Node(database).started()
            defer { newer.stop() }
            // The older owner renews its lease every second, and so finds out.
            try eventually("fenced") { older.fencedShards == [0] }
            #expect(try query.error().code == .unavailable)
            let page = try follower.get()
            #expect(page.frames.isEmpty && !page.nextPageToken.isEmpty)
            // A page token of one owner is valid for the other.
            let again = newer.page("one", token: page.nextPageToken, waits: true, onlyClose: true)
            try newer.terminate("one").get()
            #expect(try decoded(try again.get().frames).map(\.eventType) == [.workflowExecutionTerminated])
        }

        @Test func aQueryWhoseRunIsReadWhileTheShardIsLostIsRefused() throws {
            let database = try TestDatabase()
            let older = try Node(database).started()
            defer { older.stop() }
            try older.start("one").get()
            try older.work(Samples.complete())
            older.clock.jump(.seconds(20))
            try eventually("out of memory") { !older.isCached("one") }
            older.faults.holdLoader(at: .journals)
            defer { older.faults.letLoaderGo() }
            let query = older.query("one")
            try eventually("the journal is read") { older.faults.isLoaderHolding(at: .journals) }
            let newer = try Node(database).started()
            defer { newer.stop() }
            try eventually("fenced") { older.fencedShards == [0] }
            older.faults.letLoaderGo()
            #expect(try query.error().code == .unavailable)
            #expect(older.shard.perform { older.shard.state.queries.isEmpty })
        }

        @Test func anotherNodeWaitsForTheLeaseToLapse() throws {
            let database = try TestDatabase()
            let first = try Node(database, name: "first").started()
            let second = Node(database, name: "second")
            second.start()
            defer { second.stop() }
            try first.start("one").get()
            first.kill()
            let lease = "update sagamore.shards set lease_until = now() - interval"
            try database.session.execute("\(lease) '8 seconds'")
            #expect(try second.describe("one").error().code == .unavailable)
            #expect(!second.history.isReady)
            try database.session.execute("\(lease) '10.1 seconds'")
            try eventually("taken") { second.history.isReady }
            #expect(try second.status("one") == .running)
        }

        @Test func aCleanStopGivesTheShardBack() throws {
            let database = try TestDatabase()
            let first = try Node(database, name: "first").started()
            try first.start("one").get()
            let query = first.query("one")
            let follower = first.page("one", waits: true, onlyClose: true)
            first.stop()
            #expect(try query.error().code == .unavailable)
            #expect(try follower.get().frames.isEmpty)
            #expect(try first.describe("one").error().code == .unavailable)
            let second = try Node(database, name: "second").started()
            defer { second.stop() }
            #expect(try second.status("one") == .running)
        }

        @Test func nothingIsLoadedBeforeTheShardIsOwned() throws {
            let database = try TestDatabase()
            let first = try Node(database, name: "first").started()
            defer { first.stop() }
            try first.start("one") { $0.workflowStartDelay = Interval.seconds(3_600).duration }.get()
            first.clock.jump(.seconds(20))
            try eventually("parked") { !first.isCached("one") }
            let second = Node(database, name: "second")
            second.clock.jump(.seconds(3_600))
            second.start()
            defer { second.stop() }
            // Long enough for several turns of the timer.
            for _ in 0..<400 where second.cachedCount == 0 { usleep(1_000) }
            #expect(second.cachedCount == 0)
        }
    }
}
