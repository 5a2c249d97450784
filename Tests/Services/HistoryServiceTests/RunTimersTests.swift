import SagamoreEngine
import SagamoreEngineTestSupport
import Testing

@testable import SagamoreHistoryService

/// The deadlines of runs, and which heartbeats are written.
@Suite struct RunTimersTests {
    private func at(_ second: Int64) -> Instant { Instant(nanoseconds: second * 1_000_000_000) }

    private func item(_ instant: Instant, _ number: Int) -> TimerHeap.Item {
        let key = WorkflowKey(namespace: 1, workflowID: "\(number)")
        return TimerHeap.Item(at: instant, key: key, runID: RunID(high: 1, low: UInt64(number)))
    }

    @Test(arguments: 0..<30)
    func theHeapGivesTheEarliestFirst(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var heap = TimerHeap()
        var expected: [Instant] = []
        for number in 0..<500 {
            if random.once(in: 3) {
                let now = at(Int64.random(in: 0...1_000, using: &random))
                let due = expected.min().flatMap { $0 <= now ? $0 : nil }
                let popped = heap.popDue(now)
                #expect(popped?.at == due)
                if let due, let index = expected.firstIndex(of: due) { expected.remove(at: index) }
            } else {
                let instant = at(Int64.random(in: 0...1_000, using: &random))
                heap.insert(item(instant, number))
                expected.append(instant)
            }
            if random.once(in: 50) {
                heap.compact { $0.at > at(200) }
                expected.removeAll { $0 <= at(200) }
            }
            #expect(heap.earliest == expected.min() && heap.count == expected.count)
        }
    }

    /// A run's earliest deadline is always in the heap. Later ones that remain there are ignored.
    @Test func onlyTheEarliestDeadlineFires() {
        var armed = ArmedDeadline()
        func arm(_ second: Int64) -> Bool { armed.arm(for: at(second)) }
        func fire(_ second: Int64) -> Bool { armed.fire(at: at(second)) }
        #expect([9, 9, 10, 5].map(arm) == [true, false, false, true], "the heap has an earlier one")
        #expect([9, 5, 9].map(fire) == [false, true, false], "only the earliest counts, once")
        #expect(arm(20))
        #expect(fire(20))
    }

    @Test func heartbeatsAreWrittenNowAndThen() {
        var rows = HeartbeatRows()
        #expect(!rows.exist)
        func write(_ activity: Int64, _ second: Int64, pending: Set<Int64> = [5, 6]) -> Bool {
            rows.write(of: activity, at: at(second), period: .seconds(5)) { pending.contains($0) }
        }
        #expect(write(5, 1))
        #expect(rows.exist)
        #expect(!write(5, 5))
        #expect(write(6, 5))
        #expect(write(5, 6))
        // Ended activities are forgotten at the first heartbeat of another one.
        #expect(write(7, 6, pending: [7]))
        #expect(write(6, 6, pending: [6, 7]))
    }

    @Test func rowsThatWereReadEndWithTheRun() {
        var rows = HeartbeatRows()
        rows.noteRead()
        #expect(rows.exist)
    }
}
