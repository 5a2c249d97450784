import SagamoreEngine
import SagamoreEngineTestSupport
import Testing

@testable import SagamoreHistoryService

/// Which runs may leave memory because they were idle for a while.
@Suite struct IdleRunsTests {
    private final class Run: IdleCandidate {
        let number: Int
        var idle = IdleMark(touchedAt: .distantPast)
        var hasLeft = false
        var isOpen = true

        init(_ number: Int) { self.number = number }
    }

    private func at(_ second: Int64) -> Instant { Instant(nanoseconds: second * 1_000_000_000) }

    @Test func whoWasTouchedGoesBehindTheOthers() {
        var runs = IdleRuns<Run>()
        let all = (0..<3).map { Run($0) }
        for run in all { runs.touch(run, at: at(1)) }
        runs.touch(all[0], at: at(5))
        #expect(runs.count == 3)
        let first = runs.take(idleSince: at(2), limit: 100)
        #expect(first.idle.map(\.number) == [1, 2] && !first.isPartial)
        #expect(runs.count == 1)
        runs.watch(all[1])
        let second = runs.take(idleSince: at(6), limit: 100)
        #expect(second.idle.map(\.number) == [0, 1])
    }

    @Test func aLookIsLimited() {
        var runs = IdleRuns<Run>()
        for number in 0..<10 { runs.touch(Run(number), at: at(1)) }
        let first = runs.take(idleSince: at(2), limit: 4)
        #expect(first.idle.map(\.number) == [0, 1, 2, 3] && first.isPartial)
        let second = runs.take(idleSince: at(2), limit: 6)
        #expect(second.idle.count == 6 && !second.isPartial)
    }

    @Test func aClosedRunNeedNotBeIdle() {
        var runs = IdleRuns<Run>()
        let (closed, gone) = (Run(1), Run(2))
        runs.touch(closed, at: at(9))
        runs.touch(gone, at: at(1))
        closed.isOpen = false
        gone.hasLeft = true
        let taken = runs.take(idleSince: at(2), limit: 100)
        #expect(taken.idle.map(\.number) == [1])
        #expect(runs.count == 0)
    }

    /// Each run is listed once. It is removed after it was idle, and never while it is in use.
    @Test(arguments: 0..<50)
    func eachRunIsListedOnce(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var runs = IdleRuns<Run>()
        let all = (0..<20).map { Run($0) }
        for second in Int64(0)..<300 {
            if random.once(in: 4) {
                let limit = Int.random(in: 1...25, using: &random)
                let taken = runs.take(idleSince: at(second - 10), limit: limit)
                #expect(taken.idle.allSatisfy { $0.idle.touchedAt <= at(second - 10) && !$0.idle.isWatched })
                for run in taken.idle where random.once(in: 2) { runs.watch(run) }
            } else {
                runs.touch(all[Int.random(in: 0..<20, using: &random)], at: at(second))
            }
            #expect(runs.count == all.count { $0.idle.isWatched })
        }
        let rest = all.count { $0.idle.isWatched }
        let last = runs.take(idleSince: at(1_000), limit: 1_000)
        #expect(last.idle.count == rest && !last.isPartial && runs.count == 0)
    }
}
