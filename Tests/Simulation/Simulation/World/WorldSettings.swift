public import SagamoreEngine

/// What a world consists of. Together with the seed it determines everything that happens.
public struct WorldSettings: Sendable {
    /// From which all chance follows.
    public var seed: UInt64
    /// The sagas that clients start.
    public var sagas = 100
    /// Processes that start sagas, and that run them.
    public var clients = 2
    public var workers = 2
    /// How many of the sagas begin with a command from a topic, from 0 (none) to 1 (all). Nil: drawn by the seed.
    public var commandShare: Double?
    /// How often things go wrong.
    public var faults = FaultRates.all
    /// Whether a world suffers only some of the faults, by its seed, more or less often.
    public var drawsFaults = true
    /// Kinds of faults that do not happen, whatever was drawn. Nothing else is drawn otherwise because of them.
    public var excludedFaults: Set<FaultKind> = []
    /// Whether limits and times are drawn by the seed, so that some are reached.
    public var drawsLimits = true
    /// A defect that the world has on purpose.
    public var plantedBug: PlantedDefect?
    /// The newest steps that are kept for a report.
    public var logLimit = 0
    /// Faults end when all sagas have begun, and after this time at the latest.
    public var faultyTime = Interval.seconds(300)
    /// After the faults everything has to come to rest within this time. Retries and timeouts take minutes.
    public var restTime = Interval.seconds(3_600)
    /// A world of more steps than this does not come to rest.
    public var stepLimit = 20_000_000

    /// The usual world of a seed.
    public init(seed: UInt64) { self.seed = seed }
}
