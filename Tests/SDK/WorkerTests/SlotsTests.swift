import Synchronization
import Testing

@testable import Sagamore

struct SlotsTests {
    @Test func whoFindsNoneWaitsInTurn() {
        let slots = Slots(1)
        let notes = Notes()
        for name in ["a", "b", "c"] { slots.reserve { notes.add("\(name) \($0)") } }
        #expect(notes.all == ["a true"])
        slots.release()
        #expect(notes.all == ["a true", "b true"])
        slots.close()
        #expect(notes.all == ["a true", "b true", "c false"])
        #expect(!slots.areAllFree)
        slots.release()
        #expect(slots.areAllFree)
        slots.reserve { notes.add("d \($0)") }
        #expect(notes.all.last == "d false")
    }

    @Test func theFreeOnesAreTakenAsFarAsTheyGo() {
        let freed = Mutex(0)
        let slots = Slots(3) { freed.withLock { $0 += 1 } }
        #expect(slots.takeFree(atMost: 2) == 2)
        #expect(slots.takeFree(atMost: 2) == 1)
        #expect(slots.takeFree(atMost: 2) == 0)
        slots.release(3)
        #expect(slots.areAllFree && freed.withLock { $0 } == 3)
    }

    @Test func pausesGrowToTheirLimit() {
        var backoff = Backoff(longest: .seconds(1))
        #expect(!backoff.isGrown)
        let pauses = (0..<8).map { _ in backoff.pause(0.5) }
        #expect(pauses.first == .milliseconds(100))
        #expect(pauses == pauses.sorted() && pauses.last == .seconds(1))
        #expect(backoff.isGrown)
        backoff.reset()
        #expect(backoff.pause(0) == .milliseconds(80))
        let second = backoff.pause(1)
        #expect(second > .milliseconds(191) && second < .milliseconds(193))
    }
}
