import Synchronization
import Testing

@testable import Sagamore

struct TaskSlotsTests {
    @Test func whoFindsNoneWaitsInTurn() {
        let slots = TaskSlots(1)
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
        let slots = TaskSlots(3) { freed.withLock { $0 += 1 } }
        #expect(slots.takeFree(atMost: 2) == 2)
        #expect(slots.takeFree(atMost: 2) == 1)
        #expect(slots.takeFree(atMost: 2) == 0)
        slots.release(3)
        #expect(slots.areAllFree && freed.withLock { $0 } == 3)
    }
}
