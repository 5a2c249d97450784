import SagamoreEngine
import SagamorePersistence
import SagamorePostgresClient
import Testing

@testable import SagamoreHistoryService

/// The lane's state machine against a simulated database that fails in every way, by seed.
@Suite struct CommitLaneFaultTests {
    @Test(arguments: 0..<300)
    func everyItemIsAnsweredOnceInOrderAndNotBeforeItsCommit(_ seed: UInt64) {
        var world = LaneWorld(seed: seed)
        world.run()
        #expect(world.problems == [])
        #expect(world.isAtTheEnd, "seed \(seed): the lane did not end")
    }
}

/// A model of a database, and of the shell that carries out a lane's actions. Items are consecutive numbers. One in
/// eleven cannot be stored.
private struct LaneWorld {
    private var random: RandomSource
    private var state = CommitLaneState<Int>()
    private var now = Instant(nanoseconds: 1_000_000_000_000)
    private var row = TakenShard(epoch: 0, outboxSequence: 0, commitCount: 0)
    /// Another owner has raised the epoch.
    private var isTaken = false
    private var committed: Set<Int> = []
    private var answered: [Int] = []
    private var next = 0
    private let itemLimit = 150
    private var faultsLeft = 60
    private(set) var problems: [String] = []
    private(set) var isAtTheEnd = false

    init(seed: UInt64) { random = RandomSource(seed: (seed | 1, seed &* 3, 0x9E37_79B9, seed ^ 0xABCD)) }

    private mutating func chance(_ oneIn: UInt64) -> Bool { random.next() % oneIn == 0 }

    private mutating func fails() -> Bool {
        guard faultsLeft > 0, chance(3) else { return false }
        faultsLeft -= 1
        return true
    }

    mutating func run() {
        var actions = state.begin()
        for _ in 0..<20_000 {
            var event: LaneEvent<Int>?
            for (place, action) in actions.enumerated() {
                let answer = carryOut(action)
                if answer != nil, place != actions.count - 1 { problems.append("an action waits behind \(action)") }
                event = answer ?? event
            }
            if state.hasEnded {
                isAtTheEnd = true
                return check()
            }
            guard let event else { return problems.append("nothing to do in state \(state.state)") }
            now = now + Interval(nanoseconds: Int64(random.next() % 400_000_000))
            actions = state.handle(event, at: now, chance: Double(random.next() % 1_000) / 1_000)
        }
    }

    private mutating func check() {
        if answered != answered.sorted() { problems.append("out of order") }
        if Set(answered).count != answered.count { problems.append("answered twice") }
        if answered.count != next { problems.append("\(next - answered.count) items without an answer") }
    }

    private mutating func carryOut(_ action: LaneAction<Int>) -> LaneEvent<Int>? {
        switch action {
        case .connect: return fails() ? .failed(CommitLaneStateTests.lost) : .connected
        case .take, .retake: return take()
        case .renewLease:
            if isTaken { return .notOurs(epoch: row.epoch) }
            return fails() ? .failed(CommitLaneStateTests.lost) : .renewed(since: now)
        case .gather: return gather()
        case .commit(let items, let known): return commit(Array(items), known)
        case .findOutcome(let items):
            if fails() { return .failed(CommitLaneStateTests.lost) }
            return .outcome(isCommitted: items.allSatisfy(committed.contains), outboxRecords: items.count)
        case .wait(let until):
            now = max(now, until)
            return .timePassed(isStopping: false)
        case .release(let items, _):
            if !items.allSatisfy(committed.contains) { problems.append("\(items) released before their commit") }
            answered += items
        case .refuse(let items, _), .drop(let items, _): answered += items
        case .resumeAfterPause, .own, .extendLease, .stall, .resume, .finish, .report, .giveBack: break
        }
        return nil
    }

    private mutating func take() -> LaneEvent<Int> {
        if isTaken { return .notOurs(epoch: row.epoch) }
        if fails() {
            // The connection may have broken after the commit.
            if chance(2) { row.epoch += 1 }
            return .failed(CommitLaneStateTests.unknown)
        }
        row.epoch += 1
        return .taken(row, since: now)
    }

    private mutating func gather() -> LaneEvent<Int> {
        guard next < itemLimit else { return .gathered(nil) }
        let count = Int(random.next() % 9)
        defer { next += count }
        return .gathered(Array(next..<next + count))
    }

    private mutating func commit(_ items: [Int], _ known: TakenShard) -> LaneEvent<Int> {
        // Occasionally another owner takes the shard.
        if chance(400) {
            isTaken = true
            row.epoch += 1
        }
        if row.epoch != known.epoch { return .commitFailed(.fenced) }
        if row.outboxSequence != known.outboxSequence || row.commitCount != known.commitCount {
            problems.append("the lane knows \(known), the row is \(row)")
        }
        if fails() {
            switch random.next() % 5 {
            case 0: return .commitFailed(CommitLaneStateTests.lost)
            case 1: return .commitFailed(CommitLaneStateTests.missing)
            case 2: return .commitFailed(CommitLaneStateTests.tooMuch)
            case 3: return .commitFailed(CommitLaneStateTests.unknown)
            default:
                write(items)
                return .commitFailed(CommitLaneStateTests.unknown)
            }
        }
        if items.contains(where: { $0 % 11 == 7 }) { return .commitFailed(CommitLaneStateTests.badRow) }
        write(items)
        return .committed(outboxRecords: items.count, wrote: true)
    }

    private mutating func write(_ items: [Int]) {
        if items.contains(where: committed.contains) { problems.append("\(items) were written twice") }
        committed.formUnion(items)
        row.outboxSequence += Int64(items.count)
        row.commitCount += 1
    }
}
