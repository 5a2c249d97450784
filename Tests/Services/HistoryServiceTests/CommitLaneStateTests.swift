import SagamoreEngine
import SagamorePersistence
import SagamorePostgresClient
import Testing

@testable import SagamoreHistoryService

/// The lane's state machine: the actions that each event returns.
@Suite struct CommitLaneStateTests {
    typealias State = CommitLaneState<Int>

    static let noon = Instant(nanoseconds: 1_000_000_000_000)
    static let shard = TakenShard(epoch: 7, outboxSequence: 100, commitCount: 50)
    static let lost = CommitError.transient(PostgresError(.connectionLost, "cut"))
    static let unknown = CommitError.outcomeUnknown(PostgresError(.outcomeUnknown, "cut"))
    static let tooMuch = CommitError.transient(PostgresError(.server, "timeout", sqlState: "57014"))
    static let missing = CommitError.misconfigured(PostgresError(.server, "no table", sqlState: "42P01"))
    static let badRow = CommitError.data(PostgresError(.server, "bad", sqlState: "22000"))

    /// A lane that owns its shard and has gathered `items`.
    private func committing(_ items: [Int]) -> State {
        var state = State()
        #expect(names(state.begin()) == ["connect"])
        #expect(tell(&state, .connected) == ["take"])
        #expect(tell(&state, .taken(Self.shard, since: Self.noon)) == ["own 7 first", "gather"])
        #expect(tell(&state, .gathered(items)) == ["commit \(items) 7/100/50"])
        return state
    }

    private func tell(_ state: inout State, _ event: LaneEvent<Int>, at now: Instant = noon) -> [String] {
        names(state.handle(event, at: now, chance: 0.5))
    }

    private func names(_ actions: [LaneAction<Int>]) -> [String] { actions.map(LaneActionName.of) }

    @Test func aCommitReleasesItsItems() {
        var state = committing([1, 2])
        #expect(
            tell(&state, .committed(outboxRecords: 3, wrote: true)) == ["release [1, 2] 3", "finish", "gather"]
        )
        #expect(state.known == TakenShard(epoch: 7, outboxSequence: 103, commitCount: 51))
        #expect(tell(&state, .gathered([3])) == ["commit [3] 7/103/51"])
        // Items without rows need no commit.
        #expect(tell(&state, .committed(outboxRecords: 0, wrote: false)) == ["release [3] 0", "finish", "gather"])
        #expect(state.known?.commitCount == 51)
    }

    @Test func theLeaseIsRenewedBeforeTheNextCommit() {
        var state = committing([1])
        _ = tell(&state, .committed(outboxRecords: 0, wrote: true))
        let later = Self.noon + .seconds(1)
        #expect(tell(&state, .gathered([2]), at: later) == ["renew 7"])
        #expect(tell(&state, .renewed(since: later), at: later) == ["extend", "commit [2] 7/100/51"])
        _ = tell(&state, .committed(outboxRecords: 0, wrote: true), at: later)
        #expect(tell(&state, .gathered([]), at: later + .seconds(1)) == ["renew 7"])
        #expect(tell(&state, .notOurs(epoch: 8), at: later) == ["drop [] takenByAnother"])
        #expect(state.hasEnded)
    }

    @Test func shardsBehindTheFirstWaitForItWithoutAReport() {
        var state = State()
        #expect(tell(&state, .connected) == ["take"])
        for _ in 0..<3 {
            #expect(tell(&state, .waitsForFirst) == ["wait"])
            let later = Self.noon + .milliseconds(250)
            #expect(tell(&state, .timePassed(isStopping: false), at: later) == ["take"])
        }
    }

    @Test func aShardThatIsNotFreeIsAskedForAgain() {
        var state = State()
        _ = tell(&state, .connected)
        #expect(tell(&state, .taken(nil, since: Self.noon)) == ["report standby", "wait"])
        #expect(tell(&state, .timePassed(isStopping: false)) == ["wait"])
        let later = Self.noon + .seconds(5)
        #expect(tell(&state, .timePassed(isStopping: false), at: later) == ["take"])
        // The same reason is reported once.
        #expect(tell(&state, .taken(nil, since: later), at: later) == ["wait"])
        #expect(tell(&state, .timePassed(isStopping: true), at: later) == ["drop [] stopped"])
    }

    @Test func aLostConnectionIsMadeAnewAndTheBatchIsCommittedAgain() {
        var state = committing([1, 2])
        #expect(tell(&state, .commitFailed(Self.lost)) == ["stall", "report away", "connect"])
        #expect(tell(&state, .failed(Self.lost)) == ["stall", "wait"])
        let later = Self.noon + .milliseconds(200)
        #expect(tell(&state, .timePassed(isStopping: false), at: later) == ["connect"])
        #expect(tell(&state, .connected, at: later) == ["retake 7"])
        let taken = TakenShard(epoch: 8, outboxSequence: 100, commitCount: 50)
        #expect(tell(&state, .taken(taken, since: later), at: later) == ["own 8", "commit [1, 2] 8/100/50"])
        #expect(
            tell(&state, .committed(outboxRecords: 0, wrote: true), at: later)
                == ["resume", "report back", "release [1, 2] 0", "finish", "gather"]
        )
    }

    @Test func anUnknownOutcomeIsLookedUpBeforeAnythingElse() {
        for isThere in [true, false] {
            var state = committing([1])
            #expect(tell(&state, .commitFailed(Self.unknown)) == ["stall", "report away", "connect"])
            #expect(tell(&state, .connected) == ["retake 7"])
            let taken = TakenShard(epoch: 8, outboxSequence: isThere ? 102 : 100, commitCount: isThere ? 51 : 50)
            #expect(tell(&state, .taken(taken, since: Self.noon)) == ["own 8", "find [1]"])
            let after = tell(&state, .outcome(isCommitted: isThere, outboxRecords: 2))
            if isThere {
                #expect(after == ["resume", "report back", "release [1] 2", "finish", "gather"])
                #expect(state.known == taken)
            } else {
                #expect(after == ["commit [1] 8/100/50"])
            }
        }
    }

    @Test func aDatabaseThatWentBackIsNotServed() {
        let older = [
            TakenShard(epoch: 8, outboxSequence: 99, commitCount: 50),
            TakenShard(epoch: 8, outboxSequence: 100, commitCount: 49),
            TakenShard(epoch: 7, outboxSequence: 100, commitCount: 50),
        ]
        for found in older {
            var state = committing([1])
            _ = tell(&state, .commitFailed(Self.lost))
            _ = tell(&state, .connected)
            #expect(tell(&state, .taken(found, since: Self.noon)) == ["drop [1] wentBack"])
            #expect(state.hasEnded)
        }
        var state = committing([1])
        _ = tell(&state, .commitFailed(Self.lost))
        _ = tell(&state, .connected)
        #expect(tell(&state, .notOurs(epoch: 6)) == ["drop [1] wentBack"])
    }

    @Test func anotherOwnerEndsTheLane() {
        var state = committing([1])
        #expect(tell(&state, .commitFailed(.fenced)) == ["drop [1] takenByAnother"])
        var second = committing([1])
        _ = tell(&second, .commitFailed(Self.lost))
        _ = tell(&second, .connected)
        #expect(tell(&second, .notOurs(epoch: 9)) == ["drop [1] takenByAnother"])
    }

    @Test func theCulpritIsFoundByHalves() {
        var state = committing([1, 2, 3, 4])
        #expect(tell(&state, .commitFailed(Self.badRow)) == ["commit [1, 2] 7/100/50"])
        #expect(
            tell(&state, .committed(outboxRecords: 1, wrote: true)) == ["release [1, 2] 1", "commit [3, 4] 7/101/51"]
        )
        #expect(tell(&state, .commitFailed(Self.badRow)) == ["commit [3] 7/101/51"])
        #expect(tell(&state, .commitFailed(Self.badRow)) == ["refuse [3] 22000", "commit [4] 7/101/51"])
        // An item that was decided on the refused one is refused with it.
        #expect(tell(&state, .foundLost([3])) == ["refuse [4] basisLost", "finish", "gather"])
    }

    /// Requests are refused while the lane is stalled, so nothing that comes later would end the stall.
    @Test(arguments: [true, false]) func aStallIsOverWhenAllThatWaitedIsRefused(isLost: Bool) {
        var state = committing([1])
        #expect(tell(&state, .commitFailed(Self.lost)) == ["stall", "report away", "connect"])
        #expect(tell(&state, .connected) == ["retake 7"])
        let taken = TakenShard(epoch: 8, outboxSequence: 100, commitCount: 50)
        #expect(tell(&state, .taken(taken, since: Self.noon)) == ["own 8", "commit [1] 8/100/50"])
        let event: LaneEvent<Int> = isLost ? .foundLost([0]) : .commitFailed(Self.badRow)
        let refusal = isLost ? "refuse [1] basisLost" : "refuse [1] 22000"
        #expect(tell(&state, event) == [refusal, "resume", "report back", "finish", "gather"])
    }

    @Test func anErrorThatHitsEveryRowRefusesNothing() {
        var state = committing([1, 2])
        #expect(tell(&state, .commitFailed(Self.missing)) == ["stall", "report misconfigured", "connect"])
        var now = Self.noon
        for round in 8..<40 {
            #expect(tell(&state, .connected, at: now) == ["retake \(round - 1)"])
            let taken = TakenShard(epoch: Int64(round), outboxSequence: 100, commitCount: 50)
            #expect(
                tell(&state, .taken(taken, since: now), at: now) == ["own \(round)", "commit [1, 2] \(round)/100/50"]
            )
            // The reason is reported once, and there is a pause before each attempt.
            #expect(tell(&state, .commitFailed(Self.missing), at: now) == ["stall", "wait"])
            now = now + .seconds(3)
            #expect(tell(&state, .timePassed(isStopping: false), at: now) == ["connect"])
        }
        #expect(state.itemCount == 2)
    }

    @Test func aTransactionThatIsTooMuchTwiceIsSplit() {
        var state = committing([1, 2, 3, 4])
        func retake(_ epoch: Int64) -> [String] {
            let now = Self.noon + .milliseconds(500)
            if case .backingOff = state.state { _ = tell(&state, .timePassed(isStopping: false), at: now) }
            _ = tell(&state, .connected, at: now)
            return tell(
                &state,
                .taken(TakenShard(epoch: epoch, outboxSequence: 100, commitCount: 50), since: now),
                at: now
            )
        }
        #expect(tell(&state, .commitFailed(Self.tooMuch)) == ["stall", "report away", "connect"])
        #expect(retake(8) == ["own 8", "commit [1, 2, 3, 4] 8/100/50"])
        #expect(
            tell(&state, .commitFailed(Self.tooMuch)) == ["report split", "stall", "report away", "wait"]
        )
        #expect(retake(9) == ["own 9", "commit [1, 2] 9/100/50"])
        // A half is split at once. A single item is retried without end.
        #expect(tell(&state, .commitFailed(Self.tooMuch)).first == "report split")
        #expect(retake(10) == ["own 10", "commit [1] 10/100/50"])
        #expect(tell(&state, .commitFailed(Self.tooMuch)).contains("wait"))
        #expect(retake(11) == ["own 11", "commit [1] 11/100/50"])
        #expect(state.itemCount == 4)
    }

    @Test func aStoppingLaneWaitsThreeSecondsForADatabaseThatIsAway() {
        var state = committing([1])
        _ = tell(&state, .commitFailed(Self.lost))
        _ = tell(&state, .failed(Self.lost))
        let late = Self.noon + .seconds(2)
        #expect(tell(&state, .timePassed(isStopping: true), at: late) == ["connect"])
        _ = tell(&state, .failed(Self.lost), at: late)
        let over = Self.noon + .milliseconds(3_100)
        #expect(tell(&state, .timePassed(isStopping: true), at: over) == ["drop [1] stoppedWhileAway"])
    }

    @Test func aCleanStopGivesTheShardBack() {
        var state = committing([1])
        _ = tell(&state, .committed(outboxRecords: 0, wrote: true))
        #expect(tell(&state, .gathered(nil)) == ["drop [] stopped", "give back 7"])
        #expect(state.hasEnded)
    }
}

/// Actions as short text.
enum LaneActionName {
    static func of(_ action: LaneAction<Int>) -> String {
        switch action {
        case .connect: "connect"
        case .take: "take"
        case .retake(let epoch): "retake \(epoch)"
        case .renewLease(let epoch): "renew \(epoch)"
        case .gather: "gather"
        case .commit(let items, let known):
            "commit \(Array(items)) \(known.epoch)/\(known.outboxSequence)/\(known.commitCount)"
        case .findOutcome(let items): "find \(Array(items))"
        case .wait: "wait"
        case .resumeAfterPause: "resume after pause"
        case .own(let taken, _, let isFirst): "own \(taken.epoch)\(isFirst ? " first" : "")"
        case .extendLease: "extend"
        case .stall: "stall"
        case .resume: "resume"
        case .release(let items, let records): "release \(Array(items)) \(records)"
        case .refuse(let items, .basisLost): "refuse \(items) basisLost"
        case .refuse(let items, .culprit(let error)): "refuse \(items) \(error.sqlState)"
        case .finish: "finish"
        case .report(.notTakenYet): "report notTakenYet"
        case .report(.standby): "report standby"
        case .report(.away): "report away"
        case .report(.misconfigured): "report misconfigured"
        case .report(.split): "report split"
        case .report(.back): "report back"
        case .drop(let items, .stopped): "drop \(items) stopped"
        case .drop(let items, .stoppedWhileAway): "drop \(items) stoppedWhileAway"
        case .drop(let items, .takenByAnother): "drop \(items) takenByAnother"
        case .drop(let items, .wentBack): "drop \(items) wentBack"
        case .giveBack(let epoch): "give back \(epoch)"
        }
    }
}
