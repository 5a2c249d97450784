public import SagamoreEngine
public import SagamoreServices

/// The service as workers and clients reach it.
public struct ReachableService: Sendable {
    /// The owner of executions.
    public let history: any HistoryClient
    /// The matcher of tasks and polls.
    public let matching: any MatchingClient
    /// The service's wall clock, in which deadlines are given.
    public let clock: @Sendable () -> Instant

    public init(
        history: any HistoryClient,
        matching: any MatchingClient,
        clock: @escaping @Sendable () -> Instant
    ) {
        self.history = history
        self.matching = matching
        self.clock = clock
    }
}

/// Where the service is. The world sets it when a server starts or dies.
///
/// Unchecked: the whole world runs in one thread.
public final class ServiceAddress: @unchecked Sendable {
    /// The service; nil while no server runs.
    public var service: ReachableService? {
        didSet { generation += 1 }
    }
    /// Raised with each change: connections to another generation are gone.
    public private(set) var generation = 0

    /// An address with or without a service.
    public init(_ service: ReachableService? = nil) { self.service = service }
}
