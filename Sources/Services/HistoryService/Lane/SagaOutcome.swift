internal import SagamoreEngine
internal import SagamorePersistence

/// What a transition means for those who watch: events about a command, and the end of its saga.
struct SagaOutcome {
    /// The events that it publishes.
    let statuses: [StatusEvent.Status]
    /// How long the last run of the saga took, if it is over.
    let duration: Interval?
    /// The saga has failed to compensate.
    let isUncompensated: Bool
    /// The command that it belongs to.
    let origin: CommandOrigin?
    let run: RunRow

    /// Whether a decision has something to tell.
    static func isIn(_ decision: Decision) -> Bool {
        !decision.statusEvents.isEmpty || decision.compensation == .failed
    }

    /// - Parameter startedAt: when the run was started, or the one whose history it repeats.
    init(_ decision: Decision, of run: RunRow, startedAt: Instant) {
        statuses = decision.statusEvents.map(\.status)
        let isOver = run.closedAt != nil && decision.statusEvents.contains { $0.status.isTerminal }
        duration = isOver ? run.closedAt.map { $0 - startedAt } : nil
        isUncompensated = decision.compensation == .failed
        origin = decision.statusEvents.first?.origin
        self.run = run
    }
}

extension StatusEvent.Status {
    /// Whether it is the last event about a saga.
    fileprivate var isTerminal: Bool {
        switch self {
        case .passed, .compensated, .failed, .cancelled, .terminated, .timedOut: true
        case .accepted, .delivered, .rejected: false
        }
    }
}
