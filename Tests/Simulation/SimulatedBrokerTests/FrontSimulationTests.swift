import SagamoreEngine
import SagamoreServices
import SagamoreSimulatedBroker
import Testing

/// The Kafka front in a simulated world, with killed and paused servers, lost answers and refusals.
struct FrontSimulationTests {
    @Test(arguments: 0..<20)
    func `every record is published exactly once, in order`(part: Int) {
        for seed in UInt64(part) * 50..<UInt64(part) * 50 + 50 {
            let world = FrontWorld(seed: seed, records: 150)
            guard world.run() else {
                Issue.record("seed \(seed): records are left unpublished")
                continue
            }
            let published = world.published().values
            let numbers = published.flatMap { $0 }
            #expect(published.allSatisfy { $0 == $0.sorted() }, "seed \(seed): the records of a key are out of order")
            #expect(numbers.count == Set(numbers).count, "seed \(seed): a record was published twice")
            #expect(Set(numbers).union(world.dead) == Set(1...150), "seed \(seed): a record was lost")
        }
    }

    /// In worlds with the highest rates: every other one refuses records for good.
    @Test func `each fault occurs`() {
        var faults: Set<String> = []
        for seed in stride(from: 3, to: 160, by: 4) as StrideTo<UInt64> {
            let world = FrontWorld(seed: seed, records: 60, commands: 20)
            #expect(world.run(), "seed \(seed)")
            faults.formUnion(world.faults.keys)
        }
        let all: Set = [
            "fatal", "fenced", "invalidRecord", "invalidTimestamp", "requires abort", "retriable", "slow", "tooLarge",
            "topicAuthorization", "unanswered, done", "unanswered, not done", "unknownTopic", "unreachable",
        ]
        #expect(faults == all)
    }

    @Test(arguments: 0..<10)
    func `every command takes effect`(part: Int) {
        for seed in UInt64(part) * 20..<UInt64(part) * 20 + 20 {
            let world = FrontWorld(seed: seed, commands: 100)
            #expect(world.run(), "seed \(seed): of 100 commands, \(world.effects.count) took effect")
        }
    }

    @Test func `cursors that have expired are replaced by the positions in the database`() {
        for seed in 0..<40 as Range<UInt64> {
            let world = FrontWorld(seed: seed, records: 40)
            #expect(world.run() && world.runAfterCursorsHaveExpired(records: 40), "seed \(seed)")
            let numbers = world.published().values.flatMap { $0 }
            #expect(numbers.count == Set(numbers).count, "seed \(seed): a record was published twice")
            #expect(Set(numbers).union(world.dead) == Set(1...80), "seed \(seed): a record was lost")
        }
    }

    /// A step that is due between two ticks of the scheduler's clock must not be made again and again before it.
    @Test func `pauses end where steps take no time`() {
        for seed in 0..<8 as Range<UInt64> {
            let world = FrontWorld(seed: seed, records: 40)
            world.scheduler.longestStep = .zero
            #expect(world.run(), "seed \(seed)")
            #expect(world.scheduler.stepCount < 20_000, "seed \(seed)")
        }
    }

    /// Rows of an outbox are deleted by transactions that do not wait for the flush of the log.
    @Test func `rows that a crash of the database brings back are deleted again`() {
        let world = FrontWorld(seed: 0)
        #expect(world.run())
        func becomesEmpty() -> Bool {
            let limit = world.scheduler.now + Interval.seconds(60)
            while !world.outbox.isEmpty, world.scheduler.now < limit, world.scheduler.step() {}
            return world.outbox.isEmpty
        }
        world.killOther()
        // The owner has opened its session.
        let begin = world.scheduler.now + Interval.seconds(10)
        while world.scheduler.now < begin, world.scheduler.step() {}
        let record = OutboxRecord(topic: FrontWorld.topics[0], key: [1], value: [2], headers: [])
        world.outbox.write(record, to: 0)
        #expect(becomesEmpty())
        world.outbox.crash()
        #expect(!world.outbox.isEmpty)
        #expect(becomesEmpty(), "a published row stays in the outbox")
        #expect(world.published().values.reduce(0) { $0 + $1.count } == 1)
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
