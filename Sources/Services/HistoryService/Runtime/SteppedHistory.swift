package import SagamoreEngine
package import SagamoreLogging
package import SagamorePersistence
package import SagamoreServices

/// A history service without threads: a simulation steps its members.
///
/// Unchecked: the whole simulation runs in one thread.
package final class SteppedHistory: @unchecked Sendable {
    /// The service. Its `start` and `stop` are not called: those here do not block.
    package let service: HistoryService

    /// - Parameter onRing: a member has work: step it soon. Called for all members after `start`, and from within calls
    ///   and steps; it must not step a member itself.
    package init(
        configuration: HistoryConfiguration,
        process: String,
        makeLaneStore: @escaping @Sendable (Int32) throws -> any LaneStore,
        makeLoaderStore: @escaping @Sendable () throws -> any LoaderStore,
        encoder: any StatusEventEncoder,
        environment: HistoryEnvironment,
        log: Logger,
        onRing: @escaping (SteppedMember) -> Void
    ) {
        service = HistoryService(
            configuration: configuration,
            process: process,
            makeLaneStore: makeLaneStore,
            makeLoaderStore: makeLoaderStore,
            encoder: encoder,
            environment: environment,
            runtime: SteppedRuntime(steadyClock: environment.steadyClock, onRing: onRing),
            log: log
        )
    }

    /// Begins to take the shards and to recover their runs.
    package func start() { service.start() }

    /// Begins to stop: what is queued is committed, the shards are released, and then `then` is called.
    package func stop(then: @escaping @Sendable () -> Void) { service.stop(then: then) }

    /// Frees what a service holds that was killed. It refuses all requests, and nobody may be told so.
    package func discard() { service.discard() }
}
