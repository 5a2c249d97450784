import Foundation
import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamorePersistence
import Testing

@testable import SagamoreHistoryService

extension HistoryTests {
    /// Who may change what memory holds of a workflow.
    @Suite struct WorkflowContextStates {
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

        /// The state, with methods that an expectation can call.
        private final class Context {
            var state = WorkflowContextState()

            func wait(_ commandID: String) -> Bool { state.wait(WorkflowContextStates.waiter(commandID)) }
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
            let context = Context()
            #expect(context.wait("a"))
            #expect(!context.wait("b"))
            #expect(!context.requestLoad())
            #expect(!context.requestReturn())
            #expect(context.begin(claim) == ["run a", "run b"])
            // A request that comes during the read waits for the next errand.
            #expect(!context.wait("c"))
            #expect(context.state.waiting.map(\.commandID) == ["c"])
            context.state.install(.closed(Self.row(1)), by: claim)
            #expect(context.state.isReady)
            #expect(context.state.load == .idle)
            let next = context.state.nextReadyWaiter()
            #expect(next?.commandID == nil)
            #expect(context.requestLoad())
            #expect(context.begin(LoadClaim(number: 2)) == ["check c"])
        }

        @Test func aRunThatIsInMemoryIsNotAskedFor() {
            let context = Context()
            context.state.start(Self.run())
            #expect(!context.requestReturn())
            #expect(context.state.load == .idle)
        }

        @Test func aFailureIsOwedToARunThatMustReturn() {
            let context = Context()
            #expect(context.wait("a"))
            _ = context.begin(claim)
            #expect(!context.requestReturn())
            #expect(!context.wait("b"))
            let failure = context.state.fail(claim, [Self.waiter("a")])
            #expect(failure.refused.map(\.commandID) == ["a", "b"])
            #expect(failure.isOwed)
            #expect(context.state.load == .owed)
            #expect(!context.state.isSettled)
            // The next request tells the loader, and the run still has to be loaded.
            #expect(context.wait("c"))
            #expect(context.state.load == .queued(mustReturn: true))
        }

        @Test func aFailureWithoutADebtLeavesNothing() {
            let context = Context()
            #expect(context.wait(""))
            _ = context.begin(claim)
            let failure = context.state.fail(claim, [])
            #expect(!failure.isOwed)
            #expect(context.state.isSettled)
        }

        @Test func aRunThatIsLostDuringALookUpIsRead() {
            let context = Context()
            let run = Self.run()
            context.state.start(run)
            #expect(context.wait("a"))
            #expect(context.begin(claim) == ["check a"])
            context.state.lose(run)
            #expect(!context.wait("b"))
            let completion = context.state.finishCheck(by: claim, [Self.waiter("a")])
            #expect(completion == .tellLoader)
            #expect(context.state.load == .queued(mustReturn: true))
            #expect(context.begin(LoadClaim(number: 2)) == ["run a", "run b"])
        }

        @Test func aLostRunIsOwed() {
            let context = Context()
            let run = Self.run()
            context.state.start(run)
            context.state.lose(run)
            #expect(context.state.load == .owed)
            #expect(context.requestLoad())
            #expect(!context.requestLoad())
        }

        @Test func nothingIsInstalledWithoutAClaim() async {
            await #expect(processExitsWith: .failure) {
                var state = WorkflowContextState()
                state.install(.none, by: LoadClaim(number: 1))
            }
            await #expect(processExitsWith: .failure) {
                var state = WorkflowContextState()
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
            state.childrenToEnd = Set(debts)
            return CachedRun(
                SagamoreEngine.Execution(key: key, runID: runID, state: state),
                sequence: 1,
                startRequestID: "",
                isStored: true,
                at: Instant(nanoseconds: 1)
            )
        }

        private static func settle(_ run: CachedRun) {
            let ids = run.execution.durable.owed
            for id in ids { run.execution.apply(.fact(RecordedFact(.debtSettled(eventID: id), afterEventID: 0))) }
        }

        @Test func aClosedRunStaysWhileItOwesSomething() {
            var state = WorkflowContextState()
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
            let context = Context()
            let owing = Self.run(2, debts: [5], isClosed: true)
            #expect(context.beginReadingDebtor(owing.runID))
            #expect(!context.beginReadingDebtor(owing.runID))
            #expect(context.state.hasDebtors)
            context.state.finishReadingDebtor(owing.runID, owing)
            #expect(!context.beginReadingDebtor(owing.runID))
            context.state.loseDebtor(owing)
            // The debt was settled before the run was read.
            #expect(context.beginReadingDebtor(owing.runID))
            Self.settle(owing)
            context.state.finishReadingDebtor(owing.runID, owing)
            #expect(!context.state.hasDebtors)
        }

        @Test func noneIsForgottenThatOwesSomething() async {
            await #expect(processExitsWith: .failure) {
                var state = WorkflowContextState()
                let owing = WorkflowContextStates.run(2, debts: [5], isClosed: true)
                state.finishReadingDebtor(owing.runID, owing)
            }
            await #expect(processExitsWith: .failure) {
                var state = WorkflowContextState()
                let owing = WorkflowContextStates.run(2, debts: [5], isClosed: true)
                _ = state.beginReadingDebtor(owing.runID)
                state.finishReadingDebtor(owing.runID, owing)
                state.forgetDebtor(owing)
            }
        }

        /// Runs start, close, settle debts, are lost and read again in any order. Each run with debts is in memory
        /// once, or known to be out of memory. `SAGAMORE_HISTORY_SEED` repeats a sequence.
        @Test func noDebtorIsLostOrDoubled() {
            let repeated = ProcessInfo.processInfo.environment["SAGAMORE_HISTORY_SEED"].flatMap(UInt64.init)
            let seed = repeated ?? UInt64.random(in: 0 ... .max)
            var random = SeededGenerator(seed: seed)
            for _ in 0..<200 {
                var state = WorkflowContextState()
                var number: UInt64 = 0
                /// Closed runs with debts that are stored and out of memory.
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
