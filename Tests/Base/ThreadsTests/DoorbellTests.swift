import SagamoreThreads
import Testing

@Suite struct DoorbellTests {
    @Test func aRingBeforeTheWaitIsKeptAndTakenOnce() {
        let bell = Doorbell()
        bell.ring()
        bell.ring()
        #expect(bell.wait(.seconds(600)))
        #expect(!bell.wait(.milliseconds(1)))
        #expect(!bell.wait(.seconds(-1)))
    }

    @Test func aRingWakesTheWaitingThread() throws {
        let (bell, answer) = (Doorbell(), Doorbell())
        let thread = try SystemThread("waiter") {
            for _ in 0..<2_000 {
                #expect(bell.wait(.seconds(600)))
                answer.ring()
            }
        }
        for _ in 0..<2_000 {
            bell.ring()
            #expect(answer.wait(.seconds(600)))
        }
        thread.join()
    }

    @Test func aStoppedBellRingsForEver() throws {
        let bell = Doorbell()
        let thread = try SystemThread("waiter") {
            while !bell.isStopped { bell.wait(.seconds(600)) }
        }
        bell.stop()
        thread.join()
        for _ in 0..<3 { #expect(bell.wait(.seconds(600))) }
    }
}
