internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreServices

/// A transition on its way into the database, and what is owed to others once it is there.
final class LaneItem: @unchecked Sendable {
    var journal: JournalRow?
    var newRun: RunRow?
    var closing: RunClosing?
    var alarm: AlarmChange.Change?
    var inbox: InboxRow?
    var heartbeat: HeartbeatRow?
    var outbox: [OutboxRecord] = []
    let slot: WorkflowSlot?
    let run: CachedRun?
    /// Called without the lock after the commit.
    var release: (@Sendable () -> Void)?
    /// Called without the lock when it can't be committed.
    var refuse: (@Sendable (LaneFailure) -> Void)?

    init(slot: WorkflowSlot?, run: CachedRun?) {
        self.slot = slot
        self.run = run
    }

    var hasRows: Bool {
        journal != nil || newRun != nil || closing != nil || alarm != nil || inbox != nil || !outbox.isEmpty
            || heartbeat != nil
    }

    var byteCount: Int {
        (journal.map { $0.events.count + $0.facts.count } ?? 0) + outbox.reduce(0) { $0 + ($1.value?.count ?? 0) }
    }
}

/// Why a transition was not committed.
struct LaneFailure: Sendable {
    let error: RequestError
    /// Its command was there already.
    let isKnownCommand: Bool

    static let lost = LaneFailure(
        error: .unavailable("what this was decided on could not be committed; try again"),
        isKnownCommand: false
    )
    static let fenced = LaneFailure(
        error: .unavailable("this node does not own the workflow any more; try again"),
        isKnownCommand: false
    )
    static let stopped = LaneFailure(error: .unavailable("the server is stopping; try again"), isKnownCommand: false)
}
