internal import SagamoreEngine
internal import SagamoreThreads

/// Steps members on threads: each lane has one, the timers share one, and the loaders share a few.
final class ThreadRuntime: HistoryRuntime {
    /// Threads that replace an old set of shards with a new one.
    private let replacements = Locked<[SystemThread]>([])

    func run(_ members: ShardMembers) -> any RunningMembers { MemberThreads(members) }

    func run(_ replacement: ShardSetReplacement) {
        replacements.withLock {
            $0.append(
                SystemThread.required("slices") {
                    replacement.begin {}
                    while let pause = replacement.step() {
                        let end = MonotonicTime.now.advanced(byNanoseconds: pause.nanoseconds)
                        while .now < end, !replacement.isCancelled { SystemThread.sleep(.milliseconds(20)) }
                    }
                }
            )
        }
    }

    func endReplacements(then: @escaping @Sendable () -> Void) {
        let threads = replacements.withLock { threads in
            defer { threads = [] }
            return threads
        }
        for thread in threads { thread.join() }
        then()
    }
}

/// The threads of a set of shards.
private final class MemberThreads: RunningMembers {
    private let members: ShardMembers
    /// Run the turns of the shards' timers, loaders and deliveries. A member's number is the index of its shard.
    private let timerTurns: TurnPool
    private let loaderTurns: TurnPool
    private let deliveryTurns: TurnPool
    private let threads = Locked(Threads())

    private struct Threads {
        var lanes: [SystemThread] = []
        var others: [SystemThread] = []
    }

    /// The most threads that read from PostgreSQL, each with a connection. More would not help.
    private static let loaderThreadLimit = 4

    init(_ members: ShardMembers) {
        self.members = members
        let count = members.lanes.count
        timerTurns = TurnPool(memberCount: count, clock: members.steadyClock)
        loaderTurns = TurnPool(memberCount: count, clock: members.steadyClock)
        deliveryTurns = TurnPool(memberCount: count, clock: members.steadyClock)
        for (place, shard) in members.shards.enumerated() {
            shard.loads.connect { [loaderTurns] in loaderTurns.ring(place) }
            shard.bell.connect { [timerTurns] in timerTurns.ring(place) }
            shard.debtBell.connect { [deliveryTurns] in deliveryTurns.ring(place) }
        }
        var others = [
            SystemThread.required("timer") { [timerTurns] in timerTurns.run { members.timers[$0].turn() } },
            SystemThread.required("delivery") { [deliveryTurns] in deliveryTurns.run { members.deliveries[$0].turn() }
            },
        ]
        for number in 0..<min(count, Self.loaderThreadLimit) {
            others.append(
                SystemThread.required("loader-\(number)") { [loaderTurns] in
                    let connection = LoaderConnection(makeStore: members.makeLoaderStore, log: members.log)
                    loaderTurns.run { members.loaders[$0].turn(connection) }
                }
            )
        }
        let lanes = members.lanes.map { lane in SystemThread.required("lane-\(lane.shard.id)") { lane.run() } }
        threads.withLock { [others] in
            $0.lanes = lanes
            $0.others = others
        }
    }

    func stop(keepsShards: Bool, then: @escaping @Sendable () -> Void) {
        let (lanes, others) = threads.withLock { threads in
            defer { threads = Threads() }
            return (threads.lanes, threads.others)
        }
        timerTurns.stop()
        deliveryTurns.stop()
        for lane in members.lanes { lane.shard.lane.stop(keepsShard: keepsShards) }
        for thread in lanes { thread.join() }
        for shard in members.shards { shard.end() }
        loaderTurns.stop()
        for thread in others { thread.join() }
        for loader in members.loaders { loader.end() }
        then()
    }
}
