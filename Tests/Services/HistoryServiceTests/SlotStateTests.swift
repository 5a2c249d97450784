import Foundation
import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamorePersistence
import Testing

@testable import SagamoreHistoryService

extension HistoryTests {
    /// Who may change what memory holds of a workflow id.
    @Suite struct SlotStates {
        private static let key = WorkflowKey(namespace: 1, workflowID: "one")
        private let claim = LoadClaim(number: 1)

        private static func row(_ number: UInt64, _ status: WorkflowExecutionStatus = .completed) -> RunRow {
            RunRow(
                runID: RunID(high: 0, low: number),
                key: key,
                workflowType: "TravelBooking",
                taskQueue: "travel",
                startRequestID: "",
                status: status,
                startedAt: Instant(nanoseconds: 1),
                closedAt: nil,
                historyLength: 1,
                historyBytes: 1
            )
        }

        private static func waiter(_ commandID: String = "") -> LoadWaiter {
            LoadWaiter(commandID: commandID, proceed: { _, _, _ in }, refuse: { _ in })
        }

        private static func run() -> CachedRun {
            CachedRun(
                SagamoreEngine.Execution(key: key, runID: RunID(high: 0, low: 9)),
                sequence: 1,
                startRequestID: "",
                isStored: true,
                at: Instant(nanoseconds: 1)
            )
        }

        /// The state, behind methods that an expectation can call.
        private final class Slot {
            var state = SlotState()

            func wait(_ commandID: String) -> Bool { state.wait(SlotStates.waiter(commandID)) }
            func requestLoad() -> Bool { state.requestLoad() }
            func requestReturn() -> Bool { state.requestReturn() }
            func beginReadingDebtor(_ id: RunID) -> Bool { state.beginReadingDebtor(id) }

            func begin(_ claim: LoadClaim) -> [String] {
                switch state.begin(claim) {
                case .readRun(let waiters): waiters.map { "run \($0.commandID)" }
                case .checkCommands(let waiters): waiters.map { "check \($0.commandID)" }
                }
            }
        }

        @Test func theLoaderIsToldOnce() {
            let slot = Slot()
            #expect(slot.wait("a"))
            #expect(!slot.wait("b"))
            #expect(!slot.requestLoad())
            #expect(!slot.requestReturn())
            #expect(slot.begin(claim) == ["run a", "run b"])
            // Who comes while it reads waits for the next errand.
            #expect(!slot.wait("c"))
            #expect(slot.state.waiting.map(\.commandID) == ["c"])
            slot.state.install(.closed(Self.row(1)), by: claim)
            #expect(slot.state.isReady)
            #expect(slot.state.load == .idle)
            let next = slot.state.nextReadyWaiter()
            #expect(next?.commandID == nil)
            #expect(slot.requestLoad())
            #expect(slot.begin(LoadClaim(number: 2)) == ["check c"])
        }

        @Test func aRunThatIsInMemoryIsNotAskedFor() {
            let slot = Slot()
            slot.state.start(Self.run())
            #expect(!slot.requestReturn())
            #expect(slot.state.load == .idle)
        }

        @Test func aFailureIsOwedToARunThatMustReturn() {
            let slot = Slot()
            #expect(slot.wait("a"))
            _ = slot.begin(claim)
            #expect(!slot.requestReturn())
            #expect(!slot.wait("b"))
            let failure = slot.state.fail(claim, [Self.waiter("a")])
            #expect(failure.refused.map(\.commandID) == ["a", "b"])
            #expect(failure.isOwed)
            #expect(slot.state.load == .owed)
            #expect(!slot.state.isSettled)
            // Whoever comes first has the loader told, and the debt is not forgotten.
            #expect(slot.wait("c"))
            #expect(slot.state.load == .queued(mustReturn: true))
        }

        @Test func aFailureWithoutADebtLeavesNothing() {
            let slot = Slot()
            #expect(slot.wait(""))
            _ = slot.begin(claim)
            let failure = slot.state.fail(claim, [])
            #expect(!failure.isOwed)
            #expect(slot.state.isSettled)
        }

        @Test func aRunThatIsLostDuringALookUpIsRead() {
            let slot = Slot()
            let run = Self.run()
            slot.state.start(run)
            #expect(slot.wait("a"))
            #expect(slot.begin(claim) == ["check a"])
            slot.state.lose(run)
            #expect(!slot.wait("b"))
            let completion = slot.state.finishCheck(by: claim, [Self.waiter("a")])
            #expect(completion == .tellLoader)
            #expect(slot.state.load == .queued(mustReturn: true))
            #expect(slot.begin(LoadClaim(number: 2)) == ["run a", "run b"])
        }

        @Test func aLostRunIsOwed() {
            let slot = Slot()
            let run = Self.run()
            slot.state.start(run)
            slot.state.lose(run)
            #expect(slot.state.load == .owed)
            #expect(slot.requestLoad())
            #expect(!slot.requestLoad())
        }

        @Test func nothingIsInstalledWithoutAClaim() async {
            await #expect(processExitsWith: .failure) {
                var state = SlotState()
                state.install(.none, by: LoadClaim(number: 1))
            }
            await #expect(processExitsWith: .failure) {
                var state = SlotState()
                _ = state.requestLoad()
                _ = state.begin(LoadClaim(number: 1))
                state.install(.none, by: LoadClaim(number: 2))
            }
        }

        // MARK: Closed runs with debts

        private static func run(_ number: UInt64, debts: [Int64] = [], isClosed: Bool = false) -> CachedRun {
            let runID = RunID(high: 0, low: number)
            var state = SagamoreEngine.Execution(key: key, runID: runID).durable
            if isClosed { state.status = .completed }
            for id in debts { state.debts[id] = Debt(eventID: id, .reportToParent(details: [])) }
            return CachedRun(
                SagamoreEngine.Execution(key: key, runID: runID, state: state),
                sequence: 1,
                startRequestID: "",
                isStored: true,
                at: Instant(nanoseconds: 1)
            )
        }

        private static func settle(_ run: CachedRun) {
            let ids = run.execution.durable.debts.keys
            for id in ids { run.execution.apply(.fact(RecordedFact(.debtSettled(eventID: id), afterEventID: 0))) }
        }

        @Test func aClosedRunStaysWhileItOwesSomething() {
            var state = SlotState()
            let paid = Self.run(1, isClosed: true)
            let owing = Self.run(2, debts: [5], isClosed: true)
            state.start(paid)
            state.start(owing)
            #expect(!state.hasDebtors)
            let next = Self.run(3)
            state.start(next)
            #expect(state.debtors.map(\.runID) == [owing.runID])
            #expect(state.hasDebtors)
            Self.settle(owing)
            state.forgetDebtor(owing)
            #expect(!state.hasDebtors)
        }

        @Test func aClosedRunIsReadOnce() {
            let slot = Slot()
            let owing = Self.run(2, debts: [5], isClosed: true)
            #expect(slot.beginReadingDebtor(owing.runID))
            #expect(!slot.beginReadingDebtor(owing.runID))
            #expect(slot.state.hasDebtors)
            slot.state.finishReadingDebtor(owing.runID, owing)
            #expect(!slot.beginReadingDebtor(owing.runID))
            slot.state.loseDebtor(owing)
            // It was settled before it was read.
            #expect(slot.beginReadingDebtor(owing.runID))
            Self.settle(owing)
            slot.state.finishReadingDebtor(owing.runID, owing)
            #expect(!slot.state.hasDebtors)
        }

        @Test func noneIsForgottenThatOwesSomething() async {
            await #expect(processExitsWith: .failure) {
                var state = SlotState()
                let owing = SlotStates.run(2, debts: [5], isClosed: true)
                state.finishReadingDebtor(owing.runID, owing)
            }
            await #expect(processExitsWith: .failure) {
                var state = SlotState()
                let owing = SlotStates.run(2, debts: [5], isClosed: true)
                _ = state.beginReadingDebtor(owing.runID)
                state.finishReadingDebtor(owing.runID, owing)
                state.forgetDebtor(owing)
            }
        }

        /// Runs start, close, settle, are lost and read again in any order: each that owes something is in memory
        /// once, or known to be out of it. `SAGAMORE_HISTORY_SEED` repeats a sequence.
        @Test func noDebtorIsLostOrDoubled() {
            let repeated = ProcessInfo.processInfo.environment["SAGAMORE_HISTORY_SEED"].flatMap(UInt64.init)
            let seed = repeated ?? UInt64.random(in: 0 ... .max)
            var random = SeededGenerator(seed: seed)
            for _ in 0..<200 {
                var state = SlotState()
                var number: UInt64 = 0
                /// What the database holds: closed runs that owe something, and are out of memory.
                var stored: Set<RunID> = []
                var reading: Set<RunID> = []
                var owing: Set<RunID> = []
                for _ in 0..<60 {
                    switch Int.random(in: 0..<6, using: &random) {
                    case 0:
                        number += 1
                        let owes = !random.once(in: 3)
                        let run = Self.run(number, debts: owes ? [1] : [], isClosed: true)
                        state.start(run)
                        if owes { owing.insert(run.runID) }
                    case 1:
                        if case .cached(let run) = state.current { state.close(run) }
                    case 2:
                        guard let run = state.debtors.randomElement(using: &random) else { continue }
                        Self.settle(run)
                        state.forgetDebtor(run)
                        owing.remove(run.runID)
                    case 3:
                        guard let run = state.debtors.randomElement(using: &random) else { continue }
                        state.loseDebtor(run)
                        stored.insert(run.runID)
                    case 4:
                        guard let id = owing.sorted().randomElement(using: &random) else { continue }
                        let begins = state.beginReadingDebtor(id)
                        #expect(begins == stored.contains(id), "seed \(seed)")
                        if stored.remove(id) != nil { reading.insert(id) }
                    default:
                        guard let id = reading.sorted().randomElement(using: &random) else { continue }
                        reading.remove(id)
                        let fails = random.once(in: 3)
                        if fails { stored.insert(id) }
                        state.finishReadingDebtor(id, fails ? nil : Self.run(id.low, debts: [1], isClosed: true))
                    }
                    var inMemory = state.debtors.map(\.runID)
                    if case .cached(let run) = state.current, run.isDebtor { inMemory.append(run.runID) }
                    #expect(Set(inMemory).count == inMemory.count, "seed \(seed)")
                    #expect(Set(inMemory) == owing.subtracting(stored).subtracting(reading), "seed \(seed)")
                    #expect(state.debtorsBeingRead == reading, "seed \(seed)")
                }
            }
        }
    }
}
