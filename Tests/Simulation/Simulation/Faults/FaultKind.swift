public import SagamoreSimulatedTime

/// What goes wrong in a world.
public enum FaultKind: String, CaseIterable, Sendable {
    // Of an operation of the database, each time one is carried out.

    /// The connection is lost before the operation.
    case connectionLost = "connection-lost"
    /// The connection is lost, and with it the answer, behind a commit that was done.
    case commitUnheard = "commit-unheard"
    /// The connection is lost, and with it the answer, of a commit that was not done.
    case commitUndone = "commit-undone"
    /// A commit that has passed its fence hangs with its session, and the shard's row stays locked.
    case halfOpen = "half-open"
    /// A row of one run cannot be stored.
    case rowRefused = "row-refused"

    // Of the database, from time to time.

    /// Every row meets an error for a while: a table is missing.
    case tableMissing = "table-missing"
    /// Large commits are refused for a while: out of memory.
    case outOfMemory = "out-of-memory"
    /// The database is killed and back after a while.
    case databaseCrash = "database-crash"
    /// An asynchronous standby takes over: the newest commits are lost.
    case databaseWentBack = "database-went-back"
    /// Slices move to another number of shards.
    case slicesMove = "slices-move"

    // Of servers, from time to time.

    /// A server is killed and starts again.
    case serverKill = "server-kill"
    /// A server is stopped cleanly and starts again.
    case serverRestart = "server-restart"
    /// A server is paused so long that another one takes its shards, and wakes.
    case serverPause = "server-pause"
    /// A server is paused, as by `serverPause`, between the decision to commit and the commit.
    case commitPause = "commit-pause"
    /// Runs leave the memory of a server for a while as soon as they may.
    case memoryPressure = "memory-pressure"
    /// A server's wall clock is set forward or back.
    case clockStep = "clock-step"

    // Of the network, each time something is sent.

    /// A request never arrives.
    case requestLost = "request-lost"
    /// An answer never arrives.
    case answerLost = "answer-lost"
    /// A request arrives twice.
    case requestTwice = "request-twice"
    /// A request or an answer takes up to 15 s.
    case delay = "delay"

    // Of workers and clients, from time to time.

    /// A worker is killed and starts again.
    case workerKill = "worker-kill"
    /// A worker leaves with a notice and starts again.
    case workerShutdown = "worker-shutdown"
    /// A client is killed and starts again.
    case clientKill = "client-kill"

    // Of workers, each time they have something to do.

    /// A workflow task is forgotten, and times out.
    case taskForgotten = "task-forgotten"
    /// A workflow task is reported as failed.
    case taskFailed = "task-failed"
    /// A workflow task is handled late.
    case taskLate = "task-late"
    /// A run leaves the worker's memory.
    case eviction = "eviction"
    /// A completion demands another task.
    case taskForced = "task-forced"
    /// An attempt of an activity is forgotten, and times out.
    case attemptForgotten = "attempt-forgotten"
    /// An attempt of an activity takes long.
    case attemptLate = "attempt-late"
    /// An old answer is sent again, with the token of that time.
    case oldAnswer = "old-answer"

    // Of an operation of the broker, each time one is carried out.

    /// The broker does not answer, and nothing is done.
    case brokerUnreachable = "broker-unreachable"
    /// The answer to a step of a transaction is lost. The step is done or not.
    case transactionUnheard = "transaction-unheard"
    /// Another producer takes the transactional id, or the member is removed from its group.
    case fenced = "fenced"

    // Of the broker, from time to time.

    /// The broker is away for a while.
    case brokerAway = "broker-away"
    /// Commands arrive at their topic late, many at a time.
    case recordsLate = "records-late"
    /// A stranger joins the group that reads the commands, and vanishes with some of its partitions.
    case rebalance = "rebalance"
}

/// How often each kind of fault happens: a probability for what is asked at each operation or answer, and a mean number
/// a minute for what happens from time to time.
public struct FaultRates: Sendable {
    private var rates: [FaultKind: Double] = [:]

    /// Nothing goes wrong.
    public static let none = FaultRates()

    /// What a world suffers unless it is told otherwise.
    public static let all: FaultRates = {
        var rates = FaultRates()
        for kind in FaultKind.allCases { rates[kind] = kind.usualRate }
        return rates
    }()

    /// The rate of a kind.
    public subscript(kind: FaultKind) -> Double {
        get { rates[kind] ?? 0 }
        set { rates[kind] = newValue }
    }

    /// The kinds that happen at all.
    public var kinds: [FaultKind] { FaultKind.allCases.filter { self[$0] > 0 } }

    /// Some of the kinds, by chance, some more often than usual: a world in which only a few things go wrong reaches
    /// states that one in which everything does never reaches.
    public func some(using random: inout SeededRandom) -> FaultRates {
        var chosen = FaultRates()
        let share = [0.15, 0.3, 0.6, 1][random.below(4)]
        // Those of the broker have a source of their own: the others are the same in a world without commands.
        var ofBroker = random
        ofBroker = ofBroker.fork()
        func draw(_ kind: FaultKind, _ random: inout SeededRandom) {
            let factor = [0.3, 1, 1, 3][random.below(4)]
            if random.happens(share) { chosen[kind] = self[kind] * factor }
        }
        for kind in FaultKind.allCases where !kind.isOfBroker && kind != .memoryPressure { draw(kind, &random) }
        for kind in FaultKind.ofBroker + [.memoryPressure] { draw(kind, &ofBroker) }
        return chosen
    }
}

extension FaultKind {
    /// What goes wrong with the broker. It happens in worlds with commands only.
    static let ofBroker: [FaultKind] = [
        .brokerUnreachable, .transactionUnheard, .fenced, .brokerAway, .recordsLate, .rebalance,
    ]

    var isOfBroker: Bool { Self.ofBroker.contains(self) }

    fileprivate var usualRate: Double {
        switch self {
        case .connectionLost: 0.002
        case .commitUnheard, .commitUndone: 0.003
        case .halfOpen: 0.0005
        case .rowRefused: 0.001
        case .tableMissing, .outOfMemory: 1
        case .databaseCrash: 1
        case .databaseWentBack: 0.5
        case .slicesMove: 0.7
        case .serverKill: 2
        case .serverRestart: 1
        case .serverPause: 1
        case .commitPause: 0.0005
        case .clockStep: 1
        case .memoryPressure: 2
        case .workerKill: 2
        case .workerShutdown: 1
        case .clientKill: 1
        case .requestLost, .answerLost, .requestTwice, .delay: 0.01
        case .taskForgotten, .taskFailed, .taskLate, .eviction, .taskForced: 0.01
        case .attemptForgotten, .attemptLate, .oldAnswer: 0.01
        case .brokerUnreachable, .fenced: 0.003
        case .transactionUnheard: 0.01
        case .brokerAway, .recordsLate, .rebalance: 1
        }
    }
}
