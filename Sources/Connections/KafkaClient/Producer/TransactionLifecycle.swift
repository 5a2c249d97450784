/// Which call of a transactional producer may follow which outcome.
///
/// librdkafka continues a call that timed out in the background. Another call in the meantime can meet a state that it
/// does not expect, and a failed assertion then ends the process. A call that is not allowed here is therefore
/// never passed on to librdkafka.
package struct TransactionLifecycle: Sendable, Equatable {
    /// What the producer can do next.
    package enum State: Sendable, Equatable, CaseIterable {
        /// Transactions are not initialized. Can transition to: `ready`, `over`.
        case uninitialized
        /// No transaction is open. Can transition to: `open`, `over`.
        case ready
        /// A transaction takes records and offsets. Can transition to any state except `uninitialized`.
        case open
        /// The transaction must be aborted. Can transition to: `ready`, `aborting`, `over`.
        case failed
        /// A commit continues in the background; only the same call may follow. Can transition to: `ready`, `failed`,
        /// `over`.
        case committing
        /// An abort continues in the background; only the same call may follow. Can transition to: `ready`, `failed`,
        /// `over`.
        case aborting
        /// The producer must be replaced. Final.
        case over
    }

    /// A call to librdkafka.
    package enum Call: String, Sendable, CaseIterable {
        case initTransactions, begin, produce, flush, sendOffsets, commit, abort
    }

    /// How a call ended.
    package enum Outcome: Sendable, Equatable, CaseIterable {
        case succeeded
        /// No answer arrived: it may continue in the background, or its request may still reach the broker.
        case unanswered
        /// It ended, and the same call may succeed later.
        case retriable
        /// The transaction must be aborted.
        case requiresAbort
        /// The client is unusable.
        case fatal
        /// Any other error.
        case failed
    }

    package private(set) var state = State.uninitialized

    package init() {}

    /// Whether the call may be made now.
    package func allows(_ call: Call) -> Bool {
        switch state {
        case .uninitialized: call == .initTransactions
        case .ready: call == .begin
        case .open: call != .initTransactions && call != .begin
        case .failed: call == .abort || call == .flush
        case .committing: call == .commit
        case .aborting: call == .abort
        case .over: false
        }
    }

    /// Takes the outcome of a call that was allowed.
    package mutating func ended(_ call: Call, _ outcome: Outcome) {
        precondition(allows(call), "\(call) was called in state \(state)")
        switch outcome {
        case .fatal: state = .over
        case .requiresAbort: state = state == .uninitialized ? .over : .failed
        case .succeeded: state = Self.next(after: call, from: state)
        case .unanswered, .retriable, .failed: state = Self.state(afterFailed: call, outcome, from: state)
        }
    }

    private static func next(after call: Call, from state: State) -> State {
        switch call {
        case .initTransactions, .commit, .abort: .ready
        case .begin: .open
        case .produce, .flush, .sendOffsets: state
        }
    }

    private static func state(afterFailed call: Call, _ outcome: Outcome, from state: State) -> State {
        switch call {
        // A record that is refused, or still under way, leaves the transaction as it is.
        case .produce, .flush: state
        case .sendOffsets:
            // The call cannot be resumed. Its request might arrive in the next transaction, unless a new producer's
            // epoch excludes that.
            outcome == .retriable ? state : .over
        case .initTransactions, .begin: outcome == .failed ? .over : state
        case .commit: outcome == .failed ? .over : .committing
        case .abort: outcome == .failed ? .over : .aborting
        }
    }
}

extension TransactionLifecycle.Outcome {
    /// Sorts what librdkafka returned; nil is success.
    package init(_ error: KafkaError?) {
        guard let error else {
            self = .succeeded
            return
        }
        self =
            if error.isFatal {
                .fatal
            } else if error.requiresAbort {
                .requiresAbort
            } else if error.isTimeout || error.isRetriable && error.code.isLocal {
                .unanswered
            } else if error.isRetriable {
                .retriable
            } else {
                .failed
            }
    }
}
