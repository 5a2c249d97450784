import Testing

@testable import SagamoreKafkaFront

struct OffsetTrackerTests {
    @Test func `the committable offset is the lowest that is not durable`() {
        var tracker = OffsetTracker()
        #expect(tracker.committable == nil)
        for offset in [5, 6, 9, 10] as [Int64] { tracker.begin(offset) }
        #expect(tracker.committable == 5)
        #expect(tracker.finish(9) == nil)
        #expect(tracker.finish(6) == nil)
        #expect(tracker.count == 4)
        #expect(tracker.finish(5) == 10)
        #expect(tracker.count == 1)
        #expect(tracker.finish(5) == nil)
        #expect(tracker.finish(77) == nil)
        #expect(tracker.finish(10) == 11)
        #expect(tracker.count == 0)
        tracker.begin(10)
        #expect(tracker.count == 0, "a record that began before is not begun again")
        tracker.begin(20)
        #expect(tracker.committable == 11)
        #expect(tracker.finish(20) == 21)
    }

    @Test func `a commit never passes an open record, never goes back, and reaches the end`() {
        var random = SplitMix(state: 3)
        for _ in 0..<200 {
            var tracker = OffsetTracker()
            var open: Set<Int64> = []
            var next: Int64 = Int64(random.next() % 100)
            var last: Int64 = 0
            var committed: Int64 = -1
            for _ in 0..<300 {
                if open.isEmpty || random.next() % 2 == 0 {
                    next += 1 + Int64(random.next() % 3)
                    tracker.begin(next)
                    open.insert(next)
                    last = next
                } else if let offset = open.randomElement(using: &random) {
                    open.remove(offset)
                    let commit = tracker.finish(offset)
                    if let commit {
                        #expect(commit > committed)
                        #expect(open.allSatisfy { $0 >= commit })
                        committed = commit
                    }
                }
            }
            for offset in open.shuffled(using: &random) { committed = tracker.finish(offset) ?? committed }
            #expect(committed == last + 1)
            #expect(tracker.count == 0)
        }
    }
}
