import SagamoreEngine
import SagamoreSimulatedTime
import Testing

@Suite struct SchedulerTests {
    private func order(seed: UInt64) -> ([Int], UInt64) {
        let scheduler = Scheduler(seed: seed)
        let process = SimulatedProcess("test")
        var order: [Int] = []
        for number in 0..<20 { scheduler.schedule("number", of: process) { order.append(number) } }
        while scheduler.step() {}
        return (order, scheduler.log.digest)
    }

    @Test func theSameSeedGivesTheSameOrderAndDigest() {
        #expect(order(seed: 7) == order(seed: 7))
        #expect(order(seed: 7).0 != order(seed: 8).0)
        #expect(order(seed: 7).1 != order(seed: 8).1)
    }

    @Test func timeMovesOnWhenNothingElseCanRun() {
        let scheduler = Scheduler(seed: 1)
        scheduler.longestStep = .zero
        let process = SimulatedProcess("test")
        var times: [Int64] = []
        for seconds in [30, 10, 20] as [Int64] {
            scheduler.schedule("note", of: process, after: .seconds(seconds)) {
                times.append(scheduler.now.nanoseconds / 1_000_000_000)
            }
        }
        while scheduler.step() {}
        #expect(times == [10, 20, 30])
    }

    @Test func killedProcessRunsNothingThatItHadScheduled() {
        let scheduler = Scheduler(seed: 1)
        let process = SimulatedProcess("test")
        var ran: [String] = []
        scheduler.schedule("old", of: process) { ran.append("old") }
        process.kill()
        scheduler.schedule("new", of: process) { ran.append("new") }
        while scheduler.step() {}
        #expect(ran == ["new"])
    }

    @Test func pausedProcessRunsLater() {
        let scheduler = Scheduler(seed: 1)
        let process = SimulatedProcess("test")
        process.pause(until: scheduler.now + .seconds(5))
        var ranAt: Instant?
        scheduler.schedule("step", of: process) { ranAt = scheduler.now }
        while scheduler.step() {}
        #expect(ranAt.map { $0 >= Instant(nanoseconds: 5_000_000_000) } == true)
    }

    @Test func aSecondPauseDoesNotShortenTheFirst() {
        let scheduler = Scheduler(seed: 1)
        let process = SimulatedProcess("test")
        let other = SimulatedProcess("other")
        process.pause(until: scheduler.now + .seconds(30))
        var times: [Instant] = []
        scheduler.schedule("early", of: process) { times.append(scheduler.now) }
        scheduler.schedule("pause", of: other, after: .seconds(1)) {
            process.pause(until: scheduler.now + .seconds(1))
            scheduler.schedule("late", of: process, after: .seconds(5)) { times.append(scheduler.now) }
        }
        while scheduler.step() {}
        #expect(times.count == 2)
        #expect(times.allSatisfy { $0 >= Instant(nanoseconds: 30_000_000_000) })
    }
}
