import SagamoreEngine
import SagamoreEngineTestSupport
import Testing

@testable import SagamoreHistoryService

/// Which member has the next turn on shared threads.
@Suite struct TurnScheduleTests {
    private let now = Instant(nanoseconds: 1_000_000_000)

    private func next(_ schedule: inout TurnSchedule, after pause: Interval = .zero) -> TurnSchedule.Step {
        schedule.next(at: now + pause)
    }

    /// A schedule whose members have all had their first turn.
    private func idle(_ count: Int) -> TurnSchedule {
        var schedule = TurnSchedule(memberCount: count)
        for member in 0..<count {
            #expect(next(&schedule) == .turn(member))
            schedule.finish(member, wake: nil)
        }
        return schedule
    }

    @Test func turnsAreGivenInOrder() {
        var schedule = idle(3)
        #expect(next(&schedule) == .wait(until: nil))
        let wakes = [2, 0, 1, 0].map { schedule.ring($0) }
        #expect(wakes == [true, true, true, false], "who is ready waits already")
        #expect(next(&schedule) == .turn(2))
        // A member with more work goes behind the others.
        schedule.finish(2, wake: .distantPast)
        #expect(next(&schedule) == .turn(0))
        #expect(next(&schedule) == .turn(1))
        #expect(next(&schedule) == .turn(2))
    }

    @Test func aMemberHasOneTurnAtATime() {
        var schedule = idle(2)
        _ = schedule.ring(0)
        #expect(next(&schedule) == .turn(0))
        let wakes = schedule.ring(0)
        #expect(!wakes)
        #expect(next(&schedule) == .wait(until: nil))
        // The ring is not lost.
        schedule.finish(0, wake: nil)
        #expect(next(&schedule) == .turn(0))
        schedule.finish(0, wake: nil)
        #expect(next(&schedule) == .wait(until: nil))
    }

    @Test func sleepersWakeInTimeOrWhenTheyAreRung() {
        var schedule = idle(2)
        for member in 0..<2 { _ = schedule.ring(member) }
        for member in 0..<2 {
            #expect(next(&schedule) == .turn(member))
            schedule.finish(member, wake: now + .seconds(Int64(2 - member)))
        }
        #expect(next(&schedule) == .wait(until: now + .seconds(1)))
        #expect(next(&schedule, after: .seconds(1)) == .turn(1))
        schedule.finish(1, wake: nil)
        _ = schedule.ring(0)
        #expect(next(&schedule, after: .seconds(1)) == .turn(0))
    }

    /// Several threads, and members that get work at any time. All work is done, each member's by one thread at a time.
    @Test(arguments: 0..<100)
    func noWorkIsForgotten(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let members = Int.random(in: 1...8, using: &random)
        let threads = Int.random(in: 1...3, using: &random)
        var schedule = TurnSchedule(memberCount: members)
        var work = Array(repeating: 0, count: members)
        var wakes = [Instant?](repeating: nil, count: members)
        var running: [Int] = []
        var now = now
        func step(addsWork: Bool) {
            if addsWork, random.once(in: 2) {
                let member = Int.random(in: 0..<members, using: &random)
                work[member] += 1
                _ = schedule.ring(member)
            }
            if running.count < threads, random.once(in: 2) {
                switch schedule.next(at: now) {
                case .turn(let member):
                    #expect(!running.contains(member))
                    running.append(member)
                    wakes[member] = nil
                    work[member] = max(0, work[member] - 1)
                case .wait(let until):
                    #expect(until == wakes.compactMap { $0 }.min())
                    #expect((0..<members).allSatisfy { work[$0] == 0 || running.contains($0) || wakes[$0] != nil })
                    now = until ?? now
                }
            } else if !running.isEmpty {
                let member = running.remove(at: Int.random(in: 0..<running.count, using: &random))
                // The member checked its work before its turn ended.
                let wake = work[member] > 0 ? now + .milliseconds(Int64.random(in: 0...3, using: &random)) : nil
                schedule.finish(member, wake: wake)
                if case .sleeping(let until) = schedule.members[member] { wakes[member] = until }
            }
            for member in 0..<members where schedule.members[member] == .ready { wakes[member] = nil }
        }
        for _ in 0..<500 { step(addsWork: true) }
        for _ in 0..<10_000 { step(addsWork: false) }
        #expect(work.allSatisfy { $0 == 0 })
    }
}
