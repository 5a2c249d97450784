internal import SagamoreLogging

/// What all parts of a shard's publisher use.
struct PublisherContext: Sendable {
    let shard: Int32
    let settings: PublisherSettings
    let admin: any ClusterAdmin
    let environment: FrontEnvironment
    let loop: any DrivenLoop
    let reachability: Reachability
    let log: Logger

    var now: ContinuousClock.Instant { environment.now() }
    var isStopped: Bool { loop.isStopped }
}
