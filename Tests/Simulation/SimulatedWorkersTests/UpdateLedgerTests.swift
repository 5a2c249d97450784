import SagamoreEngine
import Testing

@testable import SagamoreSimulatedWorkers

/// What clients were told of updates, compared with histories and with what they were told before.
@Suite struct UpdateLedgerTests {
    private let run = RunID(high: 0x7000, low: 1)
    private let id = "client-1/completed"

    private func violations(_ end: UpdateEnd, _ kinds: [ScriptEvent.Kind]) -> [String] {
        var found: [String] = []
        let ledger = ClientLedger { found.append($0) }
        ledger.updated(run, id, end)
        let events = ([.workflowStarted(input: [])] + kinds).enumerated().map { index, kind in
            ScriptEvent(id: Int64(index + 1), kind: kind)
        }
        RunFacts(events).compare(run, nil, ledger.run(run)) { found.append($0) }
        return found
    }

    @Test func historyShowsWhatWasTold() {
        let accepted = ScriptEvent.Kind.updateAccepted(id: Array(id.utf8))
        let completed = ScriptEvent.Kind.updateCompleted(id: Array(id.utf8))
        let histories: [(kinds: [ScriptEvent.Kind], fits: [UpdateEnd])] = [
            ([], [.rejected]),
            ([accepted], [.accepted]),
            ([accepted, completed], [.accepted, .succeeded]),
            ([accepted, .closed(.terminated)], [.accepted, .abandoned]),
            ([.closed(.completed)], [.rejected]),
        ]
        for (number, history) in histories.enumerated() {
            for end in [UpdateEnd.accepted, .succeeded, .rejected, .abandoned] {
                let isFit = violations(end, history.kinds).isEmpty
                #expect(isFit == history.fits.contains(end), "history \(number), \(end)")
            }
        }
    }

    @Test func outcomeStaysTheSame() {
        var found = 0
        let ledger = ClientLedger { _ in found += 1 }
        for end in [UpdateEnd.accepted, .succeeded, .accepted, .succeeded] { ledger.updated(run, id, end) }
        #expect(found == 0)
        ledger.updated(run, id, .abandoned)
        #expect(found == 1)
    }
}
