import SagamoreEngine
import SagamoreServices
import SagamoreSimulatedDatabase
import SagamoreSimulatedTime
import SagamoreSimulation
import Testing

/// Two servers on one database: at any time one of them serves all shards, or will after a while.
@Suite struct SplitOwnershipTests {
    /// The first server cannot reach the row of one shard until its lease lapses, and renews that of the other. The
    /// second server takes the one; the first one ends and starts again.
    @Test(arguments: [0, 1] as [Int32])
    func noTwoServersKeepAPartOfTheShardsEach(lost: Int32) {
        let scheduler = Scheduler(seed: 1)
        let database = SimulatedDatabase(shardCount: 2) {
            SimulatedServer.epoch + (scheduler.now - Instant(nanoseconds: 0))
        }
        let servers = ["a", "b"].map { name in
            SimulatedServer(
                scheduler,
                name: name,
                stores: ServerStores(
                    makeLaneStore: { _ in try database.laneStore(of: name) },
                    makeLoaderStore: { try database.loaderStore(of: name) }
                ),
                encoder: NoEncoder()
            )
        }
        let manager = SimulatedProcess("manager")
        for server in servers {
            server.onExit = { _ in
                scheduler.schedule("start again", of: manager, after: .milliseconds(100)) { server.start() }
            }
        }
        run(scheduler, for: .seconds(5)) { servers[0].start() }
        #expect(servers[0].isReady)
        servers[1].start()
        let end = scheduler.now + .seconds(20)
        database.fault = { operation in
            operation.client == "a" && operation.shard == lost && scheduler.now < end ? .connectionLost : .none
        }
        run(scheduler, for: .seconds(120)) {}
        #expect(servers.filter(\.isReady).count == 1, "\(database.shards.map(\.owner)) own the shards")
        #expect(Set(database.shards.map(\.owner)).count == 1)
    }

    /// Slices move, a standby takes over that lacks the move, and slices move in another way before a server that was
    /// away has seen it: the server must not take one table for the other.
    @Test func aTableOfSlicesThatTheDatabaseLostIsNotTakenForItsSuccessor() throws {
        let scheduler = Scheduler(seed: 1)
        let database = SimulatedDatabase(shardCount: 1) {
            SimulatedServer.epoch + (scheduler.now - Instant(nanoseconds: 0))
        }
        let server = SimulatedServer(
            scheduler,
            name: "a",
            stores: ServerStores(
                makeLaneStore: { _ in try database.laneStore(of: "a") },
                makeLoaderStore: { try database.loaderStore(of: "a") }
            ),
            encoder: NoEncoder()
        )
        let manager = SimulatedProcess("manager")
        server.onExit = { _ in
            scheduler.schedule("start again", of: manager, after: .milliseconds(100)) { server.start() }
        }
        _ = try database.rebalance(shardCount: 4)
        let count = database.transactionCount
        // It has read the table, and has not taken a shard yet.
        database.fault = { $0.kind == .takeShard ? .connectionLost : .none }
        run(scheduler, for: .seconds(5)) { server.start() }
        #expect(database.transactionCount == count && server.history != nil)
        database.fault = nil
        #expect(database.rollBack(commits: 1) == 1)
        _ = try database.rebalance(shardCount: 3)
        run(scheduler, for: .seconds(60)) {}
        #expect(server.isReady, "\(database.shards.map(\.owner)) own the shards")
    }

    private func run(_ scheduler: Scheduler, for length: Interval, _ begin: () -> Void) {
        begin()
        let end = scheduler.now + length
        while scheduler.now < end, scheduler.step() {}
    }
}

private struct NoEncoder: StatusEventEncoder {
    func encode(_ event: StatusEvent) -> OutboxRecord { preconditionFailure("nobody asked for events") }
}
