public import SagamoreAPI

/// What a run with a retry policy or a cron schedule keeps of its start, for the run that may follow it.
///
/// Only such runs have one: the input of a run is part of its history, and has no other place in memory.
public final class Recurrence: Equatable, Sendable {
    /// The attributes of WorkflowExecutionStarted.
    public let started: WorkflowExecutionStartedEventAttributes

    init(_ started: WorkflowExecutionStartedEventAttributes) {
        self.started = started
    }

    /// The recurrence of a run with these attributes; nil when nothing follows it by itself.
    convenience init?(ifNeededBy started: WorkflowExecutionStartedEventAttributes) {
        guard started.retryPolicy != nil || !started.cronSchedule.isEmpty else { return nil }
        self.init(started)
    }

    public static func == (left: Recurrence, right: Recurrence) -> Bool {
        left === right || left.started == right.started
    }
}
