import SagamoreSimulatedBroker
import Testing

/// The Kafka front in a simulated world, with killed and paused servers, lost answers and refusals.
struct FrontSimulationTests {
    @Test(arguments: 0..<20)
    func `every record is published exactly once, in order`(part: Int) {
        var faults: Set<String> = []
        for seed in UInt64(part) * 50..<UInt64(part) * 50 + 50 {
            let world = FrontWorld(seed: seed, records: 150)
            guard world.run() else {
                Issue.record("seed \(seed): records are left unpublished")
                continue
            }
            faults.formUnion(world.faults.keys)
            let published = world.published().values
            let numbers = published.flatMap { $0 }
            #expect(published.allSatisfy { $0 == $0.sorted() }, "seed \(seed): the records of a key are out of order")
            #expect(numbers.count == Set(numbers).count, "seed \(seed): a record was published twice")
            #expect(Set(numbers).union(world.dead) == Set(1...150), "seed \(seed): a record was lost")
        }
        let all = ["fatal", "fenced", "refused", "requiresAbort", "retriable", "slow", "unanswered", "unreachable"]
        #expect(faults.sorted() == all, "each fault is to occur")
    }

    @Test(arguments: 0..<10)
    func `every command takes effect`(part: Int) {
        for seed in UInt64(part) * 20..<UInt64(part) * 20 + 20 {
            let world = FrontWorld(seed: seed, commands: 100)
            #expect(world.run(), "seed \(seed): of 100 commands, \(world.effects.count) took effect")
        }
    }

    @Test func `the same seed gives the same run`() {
        for seed in 0..<20 as Range<UInt64> {
            let worlds = (0..<2).map { _ in FrontWorld(seed: seed, records: 60, commands: 40) }
            for world in worlds { #expect(world.run()) }
            #expect(worlds[0].scheduler.log.digest == worlds[1].scheduler.log.digest, "seed \(seed)")
            #expect(worlds[0].published() == worlds[1].published(), "seed \(seed)")
        }
        let digests = (0..<2).map { seed in
            let world = FrontWorld(seed: UInt64(seed), records: 60)
            _ = world.run()
            return world.scheduler.log.digest
        }
        #expect(digests[0] != digests[1])
    }
}
