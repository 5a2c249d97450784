internal import SagamoreEngine

/// Hands the members of a history service to a simulation, which steps them in one thread.
///
/// Unchecked: the whole simulation runs in one thread.
final class SteppedRuntime: HistoryRuntime, @unchecked Sendable {
    private let steadyClock: @Sendable () -> Instant
    private let onRing: (SteppedMember) -> Void
    private var memberCount = 0
    private var replacement: SteppedMember?
    /// The set that is being replaced has ended.
    private var hasOldSetEnded = false
    private var onReplacementEnd: (() -> Void)?

    init(steadyClock: @escaping @Sendable () -> Instant, onRing: @escaping (SteppedMember) -> Void) {
        self.steadyClock = steadyClock
        self.onRing = onRing
    }

    fileprivate func member(_ label: StaticString, _ body: @escaping () -> SteppedMember.Wait) -> SteppedMember {
        defer { memberCount += 1 }
        return SteppedMember(label, number: memberCount, onRing: onRing, body: body)
    }

    func run(_ members: ShardMembers) -> any RunningMembers { MemberSteps(members, on: self) }

    func run(_ replacement: ShardSetReplacement) {
        let clock = steadyClock
        let member = member("replace shards") { [self] in
            if let pause = replacement.step() { return .until(clock() + pause) }
            self.replacement = nil
            onReplacementEnd?()
            return .end
        }
        self.replacement = member
        hasOldSetEnded = false
        // A step of its own: a lane of the old set calls this.
        let begin = self.member("stop shards") {
            replacement.begin { [self] in
                hasOldSetEnded = true
                member.ring()
            }
            return .end
        }
        begin.ring()
    }

    func endReplacements(then: @escaping @Sendable () -> Void) {
        guard let replacement else { return then() }
        onReplacementEnd = then
        // Otherwise it is rung when the old set has ended, which must not be stopped twice.
        if hasOldSetEnded { replacement.ring() }
    }
}

/// The members of a set of shards, in steps.
///
/// Unchecked: the whole simulation runs in one thread.
private final class MemberSteps: RunningMembers, @unchecked Sendable {
    private let members: ShardMembers
    /// Kept here alone, so that nothing keeps a service in memory that was dropped.
    private var stepped: [SteppedMember] = []
    private var lanesLeft: Int
    private var isStoppingTimers = false
    private var hasEnded = false
    private var ending: SteppedMember?
    private let runtime: SteppedRuntime

    /// How long to wait before looking again whether a step is over.
    private static let joinCheck = Interval.milliseconds(1)

    init(_ members: ShardMembers, on runtime: SteppedRuntime) {
        self.members = members
        self.runtime = runtime
        lanesLeft = members.lanes.count
        for lane in members.lanes {
            let member = runtime.member("lane") { [weak self] in self?.step(lane) ?? .end }
            lane.shard.lane.connect { [weak member] in member?.ring() }
            stepped.append(member)
        }
        for loader in members.loaders {
            let connection = LoaderConnection(makeStore: members.makeLoaderStore, log: members.log)
            let member = runtime.member("loader") { [weak self] in
                guard let self, !hasEnded else { return .end }
                return loader.turn(connection).map { .until($0) } ?? .ring
            }
            loader.shard.loads.connect { [weak member] in member?.ring() }
            stepped.append(member)
        }
        for timer in members.timers {
            let member = runtime.member("timer") { [weak self] in
                guard let self, !isStoppingTimers else { return .end }
                return .until(timer.turn())
            }
            timer.shard.bell.connect { [weak member] in member?.ring() }
            stepped.append(member)
        }
        for delivery in members.deliveries {
            let member = runtime.member("delivery") { [weak self] in
                guard let self, !isStoppingTimers else { return .end }
                return delivery.turn().map { .until($0) } ?? .ring
            }
            delivery.shard.debtBell.connect { [weak member] in member?.ring() }
            stepped.append(member)
        }
        for member in stepped { member.ring() }
    }

    private func step(_ lane: CommitLane) -> SteppedMember.Wait {
        switch lane.step() {
        case .nothing?: return .until(members.steadyClock())
        case .pause(let until)?: return .pause(until: until)
        case .items(let until)?: return .until(until)
        case .pauseOrStop(let until)?:
            guard lane.shard.lane.isStopped else { return .until(until) }
            return .until(members.steadyClock() + LaneWait.stopCheck)
        case nil:
            lanesLeft -= 1
            if lanesLeft == 0 { ending?.ring() }
            return .end
        }
    }

    func stop(keepsShards: Bool, then: @escaping @Sendable () -> Void) {
        isStoppingTimers = true
        ending = runtime.member("end shards") { [self] in
            if !hasEnded {
                hasEnded = true
                for shard in members.shards { shard.end() }
            }
            // A loader may be within a call of the database. Its thread would be joined here.
            if stepped.contains(where: \.isStepping) { return .until(members.steadyClock() + Self.joinCheck) }
            ending = nil
            for loader in members.loaders { loader.end() }
            then()
            return .end
        }
        for lane in members.lanes { lane.shard.lane.stop(keepsShard: keepsShards) }
        if lanesLeft == 0 { ending?.ring() }
    }
}
