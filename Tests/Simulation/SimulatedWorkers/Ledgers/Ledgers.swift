/// All that workers and clients of a world know together.
///
/// Unchecked: the whole world runs in one thread.
public final class Ledgers: @unchecked Sendable {
    /// What workers did.
    public let activities: ActivityLedger
    /// What clients were told.
    public let clients: ClientLedger
    /// What anyone was shown of histories.
    public let histories: HistoryLedger
    /// Is told what must not be.
    let violation: (String) -> Void

    /// - Parameter violation: is told what must not be.
    public init(violation: @escaping (String) -> Void) {
        self.violation = violation
        activities = ActivityLedger(violation: violation)
        clients = ClientLedger(violation: violation)
        histories = HistoryLedger(violation: violation)
    }

    /// Notes that the database went back to an earlier state, as when an asynchronous standby takes over: what was
    /// acknowledged and shown until now may be gone.
    public func databaseWentBack() {
        activities.forget()
        clients.forget()
        histories.forget()
    }
}
