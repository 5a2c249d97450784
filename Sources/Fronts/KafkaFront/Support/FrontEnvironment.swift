internal import SagamoreThreads

/// What the front takes from outside: Kafka, the steady clock, chance, and whoever makes the steps of its loops.
package struct FrontEnvironment: Sendable {
    /// Creates the clients of the brokers.
    package var clients: any KafkaClients
    /// Makes the steps of the front's loops.
    package var loops: any LoopDriver
    /// The steady clock.
    package var now: @Sendable () -> ContinuousClock.Instant
    /// The jitter of pauses.
    package var chance: Chance
    /// What is counted.
    var metrics = KafkaFrontMetrics()

    /// Creates an environment.
    package init(
        clients: any KafkaClients,
        loops: any LoopDriver,
        now: @escaping @Sendable () -> ContinuousClock.Instant,
        chance: Chance
    ) {
        self.clients = clients
        self.loops = loops
        self.now = now
        self.chance = chance
    }

    /// librdkafka, a thread for each loop, this machine's steady clock and random numbers.
    static let system = FrontEnvironment(
        clients: LibrdkafkaClients(),
        loops: ThreadPerLoop(),
        now: { ContinuousClock.now },
        chance: .system
    )
}

/// A source of random numbers that several owners share.
package struct Chance: RandomNumberGenerator, Sendable {
    private let draw: @Sendable () -> UInt64

    /// Takes numbers from `draw`.
    package init(_ draw: @escaping @Sendable () -> UInt64) { self.draw = draw }

    package func next() -> UInt64 { draw() }

    /// The system's random numbers.
    static let system = Chance {
        var generator = SystemRandomNumberGenerator()
        return generator.next()
    }
}

extension Backoff {
    /// The delay before the next attempt, after a failure.
    mutating func next(_ chance: Chance) -> Duration {
        var generator = chance
        return next(using: &generator)
    }
}
