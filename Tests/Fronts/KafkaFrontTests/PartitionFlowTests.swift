import Testing

@testable import SagamoreKafkaFront

struct PartitionFlowTests {
    private let start = ContinuousClock.now

    @Test func `records are submitted in order while there is room, and the rest later`() {
        var flow = PartitionFlow<String>()
        for (offset, item) in zip((1 as Int64)..., ["a", "b", "c", "d"]) { flow.receive(offset, item, weight: 1) }
        #expect(flow.submit(atMost: 3, at: start) { item, _ in item != "c" }.map(\.item) == ["a", "b"])
        #expect(flow.submit(atMost: 0, at: start, admit: everything).isEmpty)
        #expect(flow.submit(atMost: 1, at: start, admit: everything).map(\.item) == ["c"])
        #expect(flow.submit(atMost: 9, at: start, admit: everything).map(\.item) == ["d"])
        #expect(flow.submit(atMost: 9, at: start, admit: everything).isEmpty)
    }

    @Test func `answers in any order commit contiguous records`() {
        var flow = PartitionFlow<String>()
        flow.receive(1, "a", weight: 1)
        flow.receive(2, "b", weight: 3)
        #expect(flow.weight == 4)
        #expect(flow.submit(at: start) == ["a", "b"])
        #expect(flow.succeed(2, at: start) == (nil, 3))
        #expect(flow.succeed(1, at: start) == (3, 1))
        #expect(flow.weight == 0)
        #expect(!flow.isStalled && flow.retryAt == nil)
    }

    @Test func `a failure stalls the partition, and open records are retried in order`() throws {
        var flow = PartitionFlow<String>()
        for offset in 1...3 as ClosedRange<Int64> { flow.receive(offset, "\(offset)", weight: 1) }
        #expect(flow.submit(at: start) == ["1", "2", "3"])
        flow.fail(1, at: start)
        #expect(flow.isStalled)
        flow.receive(4, "4", weight: 1)
        #expect(flow.submit(at: start) == [], "nothing passes a stall")
        #expect(flow.retryAt == nil, "answers are awaited")
        _ = flow.succeed(2, at: start)
        flow.fail(3, at: start)
        let at = try #require(flow.retryAt)
        #expect(at > start)
        #expect(flow.submit(at: start) == [])
        #expect(flow.submit(at: at) == ["1"], "one first")
        #expect(flow.submit(at: at) == [])
        #expect(flow.succeed(1, at: at).commit == 3)
        #expect(flow.retryAt == at, "it went well: at once")
        #expect(flow.submit(at: at) == ["3"], "what was not submitted before the stall waits for its end")
        #expect(flow.succeed(3, at: at).commit == 4)
        #expect(!flow.isStalled)
        #expect(flow.submit(at: at) == ["4"])
        #expect(flow.succeed(4, at: at).commit == 5)
    }

    @Test func `a retry without room stays due`() throws {
        var flow = PartitionFlow<String>()
        flow.receive(1, "a", weight: 1)
        _ = flow.submit(at: start)
        flow.fail(1, at: start)
        let at = try #require(flow.retryAt)
        #expect(flow.submit(atMost: 1, at: at) { _, _ in false }.isEmpty)
        #expect(flow.retryAt == at)
        #expect(flow.submit(at: at) == ["a"])
    }

    @Test func `repeated failures wait longer and may replace the item`() throws {
        var flow = PartitionFlow<String>()
        flow.receive(1, "a", weight: 1)
        _ = flow.submit(at: start)
        var now = start
        var pauses: [Duration] = []
        for _ in 0..<4 {
            flow.fail(1, at: now, mayPass: false) { failures, item in failures == 3 ? item + "!" : nil }
            let at = try #require(flow.retryAt)
            pauses.append(at - now)
            now = at
            _ = flow.submit(at: now)
        }
        #expect(zip(pauses, pauses.dropFirst()).allSatisfy { $0 < $1 }, "\(pauses)")
        flow.fail(1, at: now)
        #expect(flow.submit(at: try #require(flow.retryAt)) == ["a!"])
    }

    @Test func `failures that may pass do not count towards a replacement`() throws {
        var flow = PartitionFlow<String>()
        flow.receive(1, "a", weight: 1)
        var now = start
        for round in 0..<25 {
            #expect(flow.submit(at: now) == ["a"])
            let mayPass = round % 10 != 0
            flow.fail(1, at: now, mayPass: mayPass) { failures, item in failures == 4 ? item + "!" : nil }
            now = try #require(flow.retryAt)
        }
        #expect(flow.submit(at: now) == ["a"])
        flow.fail(1, at: now, mayPass: false) { failures, item in failures == 4 ? item + "!" : nil }
        #expect(flow.submit(at: try #require(flow.retryAt)) == ["a!"])
    }

    @Test func `an offset not above the last one does not continue the flow`() {
        var flow = PartitionFlow<String>()
        #expect(flow.continues(at: 0))
        flow.receive(5, "a", weight: 1)
        #expect(flow.continues(at: 6))
        #expect(!flow.continues(at: 5))
        #expect(!flow.continues(at: 0))
        _ = flow.submit(at: start)
        _ = flow.succeed(5, at: start)
        #expect(!flow.continues(at: 5), "also when nothing is under way")
    }

    @Test(arguments: 1...300 as ClosedRange<UInt64>)
    func `no record is lost and none passes a stall`(seed: UInt64) {
        var random = SplitMix(state: seed)
        var flow = PartitionFlow<Int64>()
        var now = start
        var next: Int64 = 0
        var unanswered: [Int64] = []
        var durable: Set<Int64> = []
        var committed: Int64 = 0
        func step(failing: Bool) {
            if random.next() % 2 == 0 {
                if let at = flow.retryAt { now = max(now, at) }
                let wasStalled = flow.isStalled
                let room = random.next() % 5
                let taken = flow.submit(atMost: 8, at: now) { _, _ in failing ? random.next() % 5 < room : true }
                if wasStalled, !taken.isEmpty { #expect(unanswered.isEmpty, "a round waits for every answer") }
                #expect(taken.map(\.offset) == taken.map(\.offset).sorted())
                unanswered += taken.map(\.offset)
            }
            guard !unanswered.isEmpty else { return }
            let offset = unanswered.remove(at: Int(random.next() % UInt64(unanswered.count)))
            if failing, random.next() % 3 == 0 {
                flow.fail(offset, at: now)
            } else {
                durable.insert(offset)
                if let commit = flow.succeed(offset, at: now).commit { committed = commit }
                #expect((0..<committed).allSatisfy(durable.contains))
            }
        }
        for _ in 0..<200 {
            if random.next() % 2 == 0 {
                flow.receive(next, next, weight: 1)
                next += 1
            }
            step(failing: true)
        }
        for _ in 0..<10_000 where committed < next { step(failing: false) }
        #expect(committed == next)
        #expect(!flow.isStalled)
        #expect(flow.weight == 0)
    }
}

private func everything<Item>(_: Item, _: Int) -> Bool { true }

extension PartitionFlow {
    /// Submits all that may be submitted, and returns the items.
    fileprivate mutating func submit(at now: Time) -> [Item] {
        submit(atMost: .max, at: now, admit: everything).map(\.item)
    }
}
