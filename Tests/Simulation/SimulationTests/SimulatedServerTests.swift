import Foundation
import SagamoreEngine
import SagamoreSimulatedTime
import SagamoreSimulation
import Testing

/// The service in a simulated world: sagas reach their ends, whatever happens to its process.
@Suite struct SimulatedServerTests {
    private func check(_ world: SmallWorld, _ isDone: Bool, _ location: SourceLocation = #_sourceLocation) {
        #expect(isDone, "\(world.client.openSagas) sagas are open at the end", sourceLocation: location)
        #expect(world.violations == [], sourceLocation: location)
    }

    private func worldAtItsEnd(
        _ seed: UInt64,
        calls: Double = 0,
        switches: Double = 0,
        kills: Double = 0
    ) -> SmallWorld {
        let world = SmallWorld(seed: seed)
        world.blocking.rate = calls
        world.blocking.switchRate = switches
        world.start()
        let isDone = world.run {
            guard kills > 0, world.server.state != .down, world.scheduler.random.happens(kills) else { return }
            world.server.kill()
            world.server.start()
        }
        check(world, isDone)
        return world
    }

    @Test(arguments: 1...5 as ClosedRange<UInt64>) func sagasReachTheirEnds(seed: UInt64) {
        let world = worldAtItsEnd(seed)
        #expect(world.client.counts.completedRuns > 10)
    }

    @Test func theSameSeedGivesTheSameRun() {
        for kills in [0, 0.01] {
            let digests = (0..<2).map { _ in worldAtItsEnd(7, calls: 0.2, kills: kills).digest }
            #expect(digests[0] == digests[1])
        }
        #expect(worldAtItsEnd(8).digest != worldAtItsEnd(9).digest)
    }

    /// Each process hashes with a seed of its own: whatever depends on the order of a dictionary differs.
    @Test func theSameSeedGivesTheSameRunInAnotherProcess() throws {
        let digests = (20...23 as ClosedRange<UInt64>).map { worldAtItsEnd($0, calls: 0.2, kills: 0.01).digest }
        let mine = "digests \(digests)"
        if ProcessInfo.processInfo.environment["SAGAMORE_SIMULATION_CHILD"] != nil { return print(mine) }
        let child = Process()
        child.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        child.arguments = [
            "--testing-library", "swift-testing", "--filter", "theSameSeedGivesTheSameRunInAnotherProcess",
        ]
        child.environment = ProcessInfo.processInfo.environment.merging(["SAGAMORE_SIMULATION_CHILD": "1"]) { $1 }
        let output = Pipe()
        child.standardOutput = output
        try child.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        child.waitUntilExit()
        #expect(child.terminationStatus == 0)
        #expect(text.contains(mine), "the other process had something else: \(text.prefix(2_000))")
    }

    @Test(arguments: 30...35 as ClosedRange<UInt64>) func sagasReachTheirEndsWhateverStepIsTheLastOfAServer(
        seed: UInt64
    ) {
        let world = worldAtItsEnd(seed, kills: 0.01)
        #expect(world.server.startCount > 20)
    }

    @Test(arguments: 40...45 as ClosedRange<UInt64>) func aServerDiesWithinCallsOfTheDatabase(seed: UInt64) {
        let world = worldAtItsEnd(seed, calls: 0.3, kills: 0.01)
        #expect(world.blocking.count > 100)
    }

    /// As threads do, between two holds of a lock.
    @Test(arguments: 80...85 as ClosedRange<UInt64>) func othersComeInBetweenAHoldAndWhatFollowsFromIt(seed: UInt64) {
        let world = worldAtItsEnd(seed, calls: 0.1, switches: 0.2, kills: 0.001)
        #expect(world.blocking.switchCount > 100)
    }

    @Test(arguments: 50...52 as ClosedRange<UInt64>) func aCleanStopCommitsWhatIsQueuedAndReleasesTheShards(
        seed: UInt64
    ) {
        let world = SmallWorld(seed: seed)
        world.blocking.rate = 0.1
        world.start()
        var stops = 0
        let isDone = world.run {
            guard world.server.isReady, world.scheduler.random.happens(0.01) else { return }
            stops += 1
            let began = world.scheduler.now
            world.server.stop { [server = world.server, scheduler = world.scheduler] in
                #expect(scheduler.now - began < .seconds(1))
                // A process of another node would have to wait for the lease.
                server.start()
            }
        }
        check(world, isDone)
        #expect(stops > 10)
    }

    @Test(arguments: 60...62 as ClosedRange<UInt64>) func aPausedServerGoesOn(seed: UInt64) {
        let world = SmallWorld(seed: seed)
        world.blocking.rate = 0.1
        world.start()
        let isDone = world.run {
            guard world.scheduler.random.happens(0.003) else { return }
            world.server.pause(for: .milliseconds(Int64(world.scheduler.random.within(1...15_000))))
        }
        check(world, isDone)
        #expect(world.server.startCount == 1)
    }

    @Test(arguments: 70...72 as ClosedRange<UInt64>) func shardsAreReplacedWhenSlicesMove(seed: UInt64) {
        let world = SmallWorld(seed: seed)
        world.blocking.rate = 0.1
        var moves: [Int] = []
        world.server.onSlicesMoved = { moves.append($0) }
        world.start()
        var next = world.scheduler.now + .milliseconds(500)
        let isDone = world.run {
            guard world.server.isReady, world.scheduler.now > next else { return }
            next = world.scheduler.now + .seconds(3)
            _ = try? world.database.rebalance(shardCount: world.scheduler.random.within(1...4))
        }
        check(world, isDone)
        #expect(!moves.isEmpty)
    }
}
