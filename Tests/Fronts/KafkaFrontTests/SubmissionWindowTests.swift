import SagamoreThreads
import Testing

@testable import SagamoreKafkaFront

struct SubmissionWindowTests {
    @Test func `a shard admits records until its window is full, whatever the other shards hold`() {
        var window = SubmissionWindow(limit: 4)
        let admitted = [0, 0, 0, 0, 0, 1].map { window.admit(1, to: $0) }
        #expect(admitted == [true, true, true, true, false, true])
        #expect(window.weight(of: 0) == 4 && window.weight(of: 1) == 1)
    }

    @Test func `a record heavier than the window is admitted alone`() {
        var window = SubmissionWindow(limit: 4)
        let admitted = [window.admit(100, to: 0), window.admit(1, to: 0)]
        #expect(admitted == [true, false])
        let mayGoOn = window.release(100, of: 0)
        #expect(mayGoOn)
    }

    @Test func `room is announced once, when a quarter of the window is free after a refusal`() {
        var window = SubmissionWindow(limit: 8)
        _ = window.admit(1, to: 0)
        let early = window.release(1, of: 0)
        #expect(!early, "nobody was refused")
        for _ in 0..<9 { _ = window.admit(1, to: 0) }
        let announced = (0..<3).map { _ in window.release(1, of: 0) }
        #expect(announced == [false, true, false])
    }

    /// Partitions that submit to shards. The shards answer late, in any order, and sometimes with a failure.
    private struct World {
        struct Record: Equatable {
            let partition: Int
            let offset: Int64
        }

        var random: SplitMix
        let shardCount: Int
        var window: SubmissionWindow
        var flows: [PartitionFlow<Record>]
        var unanswered: [(record: Record, shard: Int, weight: Int)] = []
        var durable: [Set<Int64>]
        var received: [Int64]
        var highest = 0
        var now = ContinuousClock.now

        init(seed: UInt64) {
            random = SplitMix(state: seed)
            shardCount = 1 + Int(random.next() % 3)
            window = SubmissionWindow(limit: 4 + Int(random.next() % 30))
            let count = 1 + Int(random.next() % 5)
            flows = Array(repeating: PartitionFlow(), count: count)
            durable = Array(repeating: [], count: count)
            received = Array(repeating: 0, count: count)
        }

        func shard(of record: Record) -> Int { (record.partition + Int(record.offset) * 7) % shardCount }

        mutating func receive() {
            let partition = Int(random.next() % UInt64(flows.count))
            for _ in 0..<random.next() % 50 {
                let offset = received[partition]
                received[partition] += 1
                let weight = offset % 7 == 0 ? 5 : 1
                flows[partition].receive(offset, Record(partition: partition, offset: offset), weight: weight)
            }
        }

        mutating func submit() {
            for partition in flows.indices {
                if let at = flows[partition].retryAt { now = max(now, at) }
                let wasStalled = flows[partition].isStalled
                let limit = 1 + Int(random.next() % 64)
                var flow = flows[partition]
                let taken = flow.submit(atMost: limit, at: now) { record, weight in
                    window.admit(weight, to: shard(of: record))
                }
                flows[partition] = flow
                #expect(wasStalled || taken.count <= limit)
                #expect(taken.map(\.offset) == taken.map(\.offset).sorted())
                let open = unanswered.filter { $0.record.partition == partition }.map(\.record.offset)
                if wasStalled { #expect(taken.isEmpty || open.isEmpty, "a round waits for every answer") }
                if !wasStalled, let newest = open.max() {
                    #expect(taken.allSatisfy { $0.offset > newest }, "records of a partition are submitted in order")
                }
                unanswered += taken.map { ($0.item, shard(of: $0.item), $0.weight) }
            }
            for shard in 0..<shardCount { highest = max(highest, window.weight(of: shard)) }
        }

        mutating func answer(failing: Bool) {
            guard !unanswered.isEmpty else { return }
            let (record, shard, weight) = unanswered.remove(at: Int(random.next() % UInt64(unanswered.count)))
            if failing, random.next() % 10 == 0 {
                flows[record.partition].fail(record.offset, at: now)
            } else {
                _ = flows[record.partition].succeed(record.offset, at: now)
                #expect(durable[record.partition].insert(record.offset).inserted, "a record is carried out once")
            }
            _ = window.release(weight, of: shard)
        }
    }

    @Test(arguments: 1...200 as ClosedRange<UInt64>)
    func `the window holds, a partition keeps its order, and every record is answered`(seed: UInt64) {
        var world = World(seed: seed)
        for _ in 0..<300 {
            if world.random.next() % 4 == 0 { world.receive() }
            if world.random.next() % 2 == 0 { world.submit() }
            for _ in 0..<world.random.next() % 8 { world.answer(failing: true) }
        }
        var rounds = 0
        while world.flows.contains(where: { $0.weight > 0 }), rounds < 100_000 {
            world.submit()
            world.answer(failing: false)
            rounds += 1
        }
        #expect(world.highest < world.window.limit + 5, "at most one heavy record exceeds the limit")
        for (partition, flow) in world.flows.enumerated() {
            #expect(world.durable[partition].count == Int(world.received[partition]))
            #expect(flow.count == 0 && flow.weight == 0 && !flow.isStalled)
        }
        #expect((0..<world.shardCount).allSatisfy { world.window.weight(of: $0) == 0 })
    }
}
