import SagamoreEngine
import SagamoreEngineTestSupport
import Testing

@testable import SagamoreHistoryService

/// For which items a lane waits, and which do not wait for others.
@Suite struct CommitPaceTests {
    private func at(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

    private func item(isCalm: Bool) -> LaneItem {
        let item = LaneItem(context: nil, run: nil)
        item.isCalm = isCalm
        item.alarm = .remove
        return item
    }

    @Test func aFamilyIsBusyForAsLongAsItWritesWithoutAPause() {
        var families = BusyFamilies(slices: 2)
        // Two in each millisecond.
        let busy = (0..<1_000).map { families.add(slice: 0, at: at($0 / 2)) }
        #expect(busy.firstIndex(of: true) == Int(BusyFamilies.limit))
        #expect(busy[Int(BusyFamilies.limit)...].allSatisfy { $0 })
        // Others are not.
        let other = families.add(slice: 1, at: at(500))
        #expect(!other)
        // A pause of a second ends it.
        let (still, after) = (families.add(slice: 0, at: at(501)), families.add(slice: 0, at: at(1_501)))
        #expect(still && !after)
    }

    /// A saga that is alone has some 40 items in 10 ms, and a step now and then is calm for ever.
    @Test func aSagaIsNotBusy() {
        var families = BusyFamilies(slices: 1)
        let saga = (0..<40).map { families.add(slice: 0, at: at(Int64($0) / 4)) }
        #expect(!saga.contains(true))
        var steps = BusyFamilies(slices: 1)
        let taken = (0..<5_000).map { steps.add(slice: 0, at: at(Int64($0) * 5)) }
        #expect(!taken.contains(true))
    }

    @Test func manyCountsDoNotOverflow() {
        var families = BusyFamilies(slices: 1)
        let last = (0..<100_000).map { _ in families.add(slice: 0, at: at(1)) }.last
        #expect(last == true)
    }

    @Test func calmItemsGatherOnlyAmongThemselves() {
        var pace = CommitPace()
        for turn in Int64(0)..<100 { pace.took(40, calm: 1, at: at(turn * 8)) }
        #expect(pace.arrivals > CommitPace.busy && !pace.gathersCalmItems)
        #expect(pace.wait(at: at(99 * 8)).isSet)
        for turn in Int64(100)..<200 { pace.took(40, calm: 40, at: at(turn * 8)) }
        #expect(pace.gathersCalmItems)
    }

    @Test func aLaneThatGathersIsWokenForCalmItems() throws {
        let queue = LaneQueue()
        let rings = RingCount()
        queue.connect { rings.count += 1 }
        _ = queue.add(item(isCalm: false), isSettled: false)
        #expect(rings.count == 1)
        #expect(!queue.awaitCalmItem())
        _ = queue.add(item(isCalm: false), isSettled: false)
        #expect(rings.count == 1)
        _ = queue.add(item(isCalm: true), isSettled: false)
        #expect(rings.count == 2)
        // It has been woken.
        _ = queue.add(item(isCalm: true), isSettled: false)
        #expect(rings.count == 2)
        #expect(queue.awaitCalmItem())
        // Only a part is taken: the calm ones are still there.
        #expect(try #require(queue.take(atMost: 2, bytes: .max)).count == 2)
        #expect(queue.awaitCalmItem())
        #expect(try #require(queue.take(atMost: 10, bytes: .max)).count == 2)
        #expect(!queue.awaitCalmItem())
        #expect(try #require(queue.take(atMost: 10, bytes: .max)).isEmpty)
        // From then on any item wakes it again.
        _ = queue.add(item(isCalm: false), isSettled: false)
        #expect(rings.count == 3)
    }

    private final class RingCount: @unchecked Sendable {
        // Unchecked: used by one thread.
        var count = 0
    }
}
