internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreServices

/// Whether this process owns a shard and can commit to it. The lane reports changes. Requests check the obstacle.
///
/// Times are of the steady clock. Only the outage has times of the wall clock, since it is compared with times of runs.
struct ShardOwnership {
    enum State: Equatable {
        /// Not owned yet.
        ///
        /// Can transition to: `owned` (taken), `dropped` (the service stops).
        case taking
        /// This process may write.
        ///
        /// Can transition to: `owned` (taken again with a higher epoch), `dropped`.
        case owned(Tenure)
        /// Fenced by another owner, or stopped. Terminal.
        case dropped
    }

    struct Tenure: Equatable {
        let epoch: Int64
        /// Nobody else can take the shard before this time, so memory may be shown until then.
        fileprivate(set) var ownedUntil: Instant
        /// When the lane's commits began to fail; nil if they succeed.
        fileprivate(set) var stalledSince: Instant?
    }

    /// Why requests are refused.
    enum Obstacle: Equatable {
        case starting, dropped, databaseAway
    }

    /// How long requests wait for a lane that cannot commit. After that they are refused.
    static let stallPatience = Interval.seconds(1)

    private(set) var state = State.taking
    /// The last outage, in which workers' reports were refused.
    private(set) var outage = WorkerOutage.none
    /// The least time that workers get to report after an outage.
    private let grace: Interval

    init(grace: Interval) {
        self.grace = grace
    }

    var isOwned: Bool { tenure != nil }
    /// 0 if the shard is not owned.
    var epoch: Int64 { tenure?.epoch ?? 0 }
    var isStalled: Bool { tenure?.stalledSince != nil }

    private var tenure: Tenure? {
        if case .owned(let tenure) = state { return tenure }
        return nil
    }

    /// Why requests are refused; nil if they are accepted.
    func obstacle(at now: Instant) -> Obstacle? {
        switch state {
        case .taking: return .starting
        case .dropped: return .dropped
        case .owned(let tenure):
            let isStalled = tenure.stalledSince.map { now - $0 > Self.stallPatience } ?? false
            return now > tenure.ownedUntil || isStalled ? .databaseAway : nil
        }
    }

    // MARK: Events

    /// The shard was taken. Its lease began at `since`.
    ///
    /// - Parameter wall: the time by the wall clock.
    mutating func take(epoch: Int64, since: Instant, at now: Instant, wall: Instant) {
        precondition(state != .dropped, "a shard was taken that was dropped")
        precondition(epoch > self.epoch, "a shard was taken again with an epoch that is not higher")
        let stalledSince = tenure?.stalledSince
        let ownedUntil = tenure?.ownedUntil ?? .distantPast
        state = .owned(Tenure(epoch: epoch, ownedUntil: ownedUntil, stalledSince: stalledSince))
        extendLease(from: since, at: now, wall: wall)
    }

    /// The lease was extended at `since`. If requests were refused until now, workers get time to report.
    mutating func extendLease(from since: Instant, at now: Instant, wall: Instant) {
        guard var tenure else { preconditionFailure("a lease was extended of a shard that is not owned") }
        if obstacle(at: now) != nil { outage = WorkerOutage(end: wall, grace: grace) }
        tenure.ownedUntil = since + ShardLease.use
        state = .owned(tenure)
    }

    /// The lane cannot commit. This began at `since` or earlier.
    mutating func stall(since: Instant) {
        guard var tenure else { preconditionFailure("a lane stalls that does not own its shard") }
        tenure.stalledSince = tenure.stalledSince ?? since
        state = .owned(tenure)
    }

    /// The lane commits again.
    mutating func resume() {
        guard var tenure else { preconditionFailure("a lane commits that does not own its shard") }
        tenure.stalledSince = nil
        state = .owned(tenure)
    }

    /// The shard accepts no more requests.
    mutating func drop() { state = .dropped }
}

extension ShardOwnership.Obstacle {
    func error(shard id: Int32) -> RequestError {
        switch self {
        case .starting: .unavailable("the server is starting: shard \(id) is not loaded yet; try again")
        case .dropped: .unavailable("shard \(id) is not owned by this node; try again")
        case .databaseAway: .unavailable("PostgreSQL cannot be reached; try again")
        }
    }
}
