import Testing

@testable import SagamoreKafkaClient

struct TransactionLifecycleTests {
    typealias Lifecycle = TransactionLifecycle

    /// Calls that lead to each state from the first one.
    private static let ways: [Lifecycle.State: [(Lifecycle.Call, Lifecycle.Outcome)]] = {
        let ready: [(Lifecycle.Call, Lifecycle.Outcome)] = [(.initTransactions, .succeeded)]
        let open = ready + [(.begin, .succeeded)]
        return [
            .uninitialized: [],
            .ready: ready,
            .open: open,
            .failed: open + [(.commit, .requiresAbort)],
            .committing: open + [(.commit, .unanswered)],
            .aborting: open + [(.abort, .unanswered)],
            .over: open + [(.sendOffsets, .unanswered)],
        ]
    }()

    private static func lifecycle(in state: Lifecycle.State) throws -> Lifecycle {
        var lifecycle = Lifecycle()
        for (call, outcome) in try #require(ways[state]) { lifecycle.ended(call, outcome) }
        try #require(lifecycle.state == state)
        return lifecycle
    }

    @Test(arguments: [
        (Lifecycle.State.uninitialized, [Lifecycle.Call.initTransactions]),
        (.ready, [.begin]),
        (.open, [.produce, .flush, .sendOffsets, .commit, .abort]),
        (.failed, [.flush, .abort]),
        (.committing, [.commit]),
        (.aborting, [.abort]),
        (.over, []),
    ]) func `each state allows its calls and no others`(_ state: Lifecycle.State, _ calls: [Lifecycle.Call]) throws {
        let lifecycle = try Self.lifecycle(in: state)
        #expect(Lifecycle.Call.allCases.filter(lifecycle.allows) == calls)
    }

    /// A row of the table: the state after each outcome of a call, in the order of `Outcome`.
    struct Row: Sendable, CustomTestStringConvertible {
        let state: Lifecycle.State
        let call: Lifecycle.Call
        let next: [Lifecycle.State]

        init(_ state: Lifecycle.State, _ call: Lifecycle.Call, _ next: [Lifecycle.State]) {
            self.state = state
            self.call = call
            self.next = next
        }

        var testDescription: String { "\(call) in \(state)" }
    }

    private static let table = [
        // succeeded, unanswered, retriable, requires abort, fatal, failed
        Row(.uninitialized, .initTransactions, [.ready, .uninitialized, .uninitialized, .over, .over, .over]),
        Row(.ready, .begin, [.open, .ready, .ready, .failed, .over, .over]),
        Row(.open, .produce, [.open, .open, .open, .failed, .over, .open]),
        Row(.open, .flush, [.open, .open, .open, .failed, .over, .open]),
        Row(.open, .sendOffsets, [.open, .over, .open, .failed, .over, .over]),
        Row(.open, .commit, [.ready, .committing, .committing, .failed, .over, .over]),
        Row(.open, .abort, [.ready, .aborting, .aborting, .failed, .over, .over]),
        Row(.failed, .flush, [.failed, .failed, .failed, .failed, .over, .failed]),
        Row(.failed, .abort, [.ready, .aborting, .aborting, .failed, .over, .over]),
        Row(.committing, .commit, [.ready, .committing, .committing, .failed, .over, .over]),
        Row(.aborting, .abort, [.ready, .aborting, .aborting, .failed, .over, .over]),
    ]

    @Test(arguments: table) func `each outcome leads to its state`(_ row: Row) throws {
        for (outcome, next) in zip(Lifecycle.Outcome.allCases, row.next) {
            var lifecycle = try Self.lifecycle(in: row.state)
            lifecycle.ended(row.call, outcome)
            #expect(lifecycle.state == next, "\(outcome)")
        }
    }

    @Test func `the table has every call that is allowed anywhere`() throws {
        var allowed = 0
        for state in Lifecycle.State.allCases {
            let lifecycle = try Self.lifecycle(in: state)
            for call in Lifecycle.Call.allCases where lifecycle.allows(call) {
                allowed += 1
                #expect(Self.table.contains { $0.state == state && $0.call == call }, "\(call) in \(state)")
            }
        }
        #expect(allowed == Self.table.count)
    }

    @Test func `errors are sorted by their consequence first`() {
        func outcome(_ name: Int32, fatal: Bool = false, retriable: Bool = false, abort: Bool = false)
            -> Lifecycle.Outcome
        {
            let code = KafkaError.Code(rawValue: name)
            return .init(
                KafkaError(code: code, message: "", isFatal: fatal, isRetriable: retriable, requiresAbort: abort)
            )
        }
        let (timedOut, connectionLost, coordinatorLoads): (Int32, Int32, Int32) = (-185, -195, 14)
        #expect(Lifecycle.Outcome(nil) == .succeeded)
        #expect(outcome(timedOut, fatal: true, retriable: true, abort: true) == .fatal)
        #expect(outcome(timedOut, retriable: true, abort: true) == .requiresAbort)
        #expect(outcome(timedOut, retriable: true) == .unanswered)
        #expect(outcome(connectionLost, retriable: true) == .unanswered)
        #expect(outcome(coordinatorLoads, retriable: true) == .retriable)
        #expect(outcome(coordinatorLoads) == .failed)
    }
}
