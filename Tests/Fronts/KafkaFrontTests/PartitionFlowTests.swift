import Testing

@testable import SagamoreKafkaFront

struct PartitionFlowTests {
    private let start = ContinuousClock.now

    @Test func `all goes well`() {
        var flow = PartitionFlow<String>()
        #expect(flow.received(1, "a", weight: 1) == true)
        #expect(flow.received(2, "b", weight: 3) == true)
        #expect(flow.weight == 4)
        #expect(flow.succeeded(2, at: start) == (nil, 3))
        #expect(flow.succeeded(1, at: start) == (3, 1))
        #expect(flow.weight == 0)
        #expect(!flow.isStalled && flow.retryAt == nil)
    }

    @Test func `a failure stalls, and the open ones are given again in order`() throws {
        var flow = PartitionFlow<String>()
        for offset in 1...3 as ClosedRange<Int64> { #expect(flow.received(offset, "\(offset)", weight: 1) == true) }
        flow.failed(1, at: start)
        #expect(flow.isStalled)
        #expect(flow.received(4, "4", weight: 1) == false, "nothing goes past a stall")
        #expect(flow.retryAt == nil, "answers are awaited")
        _ = flow.succeeded(2, at: start)
        flow.failed(3, at: start)
        let at = try #require(flow.retryAt)
        #expect(at > start)
        #expect(flow.due(start).isEmpty)
        #expect(flow.due(at).map(\.item) == ["1"], "one first")
        #expect(flow.due(at).isEmpty)
        #expect(flow.succeeded(1, at: at).commit == 3)
        #expect(flow.retryAt == at, "it went well: at once")
        #expect(flow.due(at).map(\.item) == ["3", "4"])
        #expect(flow.received(5, "5", weight: 1) == false)
        _ = flow.succeeded(3, at: at)
        #expect(flow.succeeded(4, at: at).commit == 5)
        #expect(flow.due(at).map(\.item) == ["5"])
        #expect(flow.succeeded(5, at: at).commit == 6)
        #expect(!flow.isStalled)
        #expect(flow.received(6, "6", weight: 1) == true)
    }

    @Test func `a failed second try waits longer, and the item may be replaced`() throws {
        var flow = PartitionFlow<String>()
        _ = flow.received(1, "a", weight: 1)
        var now = start
        var pauses: [Duration] = []
        for _ in 0..<4 {
            flow.failed(1, at: now) { failures, item in failures == 3 ? item + "!" : nil }
            let at = try #require(flow.retryAt)
            pauses.append(at - now)
            now = at
            _ = flow.due(now)
        }
        #expect(zip(pauses, pauses.dropFirst()).allSatisfy { $0 < $1 }, "\(pauses)")
        flow.failed(1, at: now)
        #expect(flow.due(try #require(flow.retryAt)).map(\.item) == ["a!"])
    }

    @Test func `an offset that is not behind the last one is a new beginning`() {
        var flow = PartitionFlow<String>()
        #expect(flow.goesOn(at: 0))
        _ = flow.received(5, "a", weight: 1)
        #expect(flow.goesOn(at: 6))
        #expect(!flow.goesOn(at: 5))
        #expect(!flow.goesOn(at: 0))
        _ = flow.succeeded(5, at: start)
        #expect(!flow.goesOn(at: 5), "also when nothing is under way")
    }

    @Test func `nothing is lost and nothing passes a stall, whatever happens`() throws {
        var random = SplitMix(state: 11)
        for _ in 0..<300 {
            var flow = PartitionFlow<Int64>()
            var now = start
            var next: Int64 = 0
            var underWay: [Int64] = []
            var durable: Set<Int64> = []
            var committed: Int64 = 0
            func step(_ failing: Bool) {
                if let at = flow.retryAt, random.next() % 2 == 0 {
                    now = max(now, at)
                    let due = flow.due(now).map(\.item)
                    #expect(due == due.sorted())
                    #expect(underWay.isEmpty, "a second try only when all answers are in")
                    underWay += due
                }
                guard !underWay.isEmpty else { return }
                let offset = underWay.remove(at: Int(random.next() % UInt64(underWay.count)))
                if failing, random.next() % 3 == 0 {
                    flow.failed(offset, at: now)
                } else {
                    durable.insert(offset)
                    if let commit = flow.succeeded(offset, at: now).commit { committed = commit }
                    #expect((0..<committed).allSatisfy(durable.contains))
                }
            }
            for _ in 0..<200 {
                if random.next() % 2 == 0 {
                    if flow.received(next, next, weight: 1) { underWay.append(next) }
                    next += 1
                }
                step(true)
            }
            for _ in 0..<10_000 where committed < next { step(false) }
            #expect(committed == next)
            #expect(!flow.isStalled)
            #expect(flow.weight == 0)
        }
    }
}
