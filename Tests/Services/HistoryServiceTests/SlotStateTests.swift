import SagamoreAPI
import SagamoreEngine
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
    }
}
