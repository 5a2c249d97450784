internal import SagamoreThreads

/// When the next step of a loop is due.
package enum Wake: Sendable, Equatable {
    /// At once.
    case now
    /// When the loop is rung, or else at this time.
    case ring(orAt: ContinuousClock.Instant)
    /// At this time, or when the loop is asked to stop.
    case at(ContinuousClock.Instant)
}

/// A loop of the front.
package enum LoopName: Sendable, Hashable {
    /// Creates topics, and joins and leaves the command group.
    case front
    /// Submits commands to history.
    case submitter
    /// Publishes the outbox of a shard.
    case publisher(Int32)
}

/// Makes the steps of loops: on threads, or one after the other in a simulation.
package protocol LoopDriver: Sendable {
    /// A loop that is not started yet.
    func loop(_ name: LoopName) -> any DrivenLoop
}

/// A loop whose steps are made one at a time.
package protocol DrivenLoop: Sendable {
    /// Starts the loop.
    ///
    /// - Parameter makeStep: makes what is called for each step, where steps are made. A step returns when the next one
    ///   is due, and nil after the last one. It never sleeps. Early steps are allowed.
    func start(_ makeStep: @escaping @Sendable () -> () -> Wake?)
    /// Reports that there is something to do. Cheap, from any thread.
    func ring()
    /// Asks the loop to end.
    func stop()
    /// Waits until the loop has ended. Returns at once when it was not started.
    func join()
    /// Whether `stop` was called.
    var isStopped: Bool { get }
}

/// Gives each loop a thread of its own.
struct ThreadPerLoop: LoopDriver {
    func loop(_ name: LoopName) -> any DrivenLoop { LoopThread(name) }
}

private final class LoopThread: DrivenLoop {
    private let name: LoopName
    private let bell = Doorbell()
    private let thread = Locked<SystemThread?>(nil)

    init(_ name: LoopName) { self.name = name }

    private var threadName: String {
        switch name {
        case .front: "kafka-front"
        case .submitter: "command-submit"
        case .publisher(let shard): "publisher-\(shard)"
        }
    }

    func start(_ makeStep: @escaping @Sendable () -> () -> Wake?) {
        let bell = bell
        let new = SystemThread.required(threadName) {
            let step = makeStep()
            while let wake = step() { Self.wait(wake, bell) }
        }
        thread.withLock { $0 = new }
    }

    private static func wait(_ wake: Wake, _ bell: Doorbell) {
        switch wake {
        case .now: break
        case .ring(let time): bell.wait(time - .now)
        case .at(let time):
            while .now < time, !bell.isStopped { SystemThread.sleep(min(time - .now, .milliseconds(50))) }
        }
    }

    func ring() { bell.ring() }
    func stop() { bell.stop() }
    var isStopped: Bool { bell.isStopped }

    func join() {
        let ended = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        ended?.join()
    }
}
