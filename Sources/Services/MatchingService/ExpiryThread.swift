internal import SagamoreThreads

/// A thread that calls an action four times a second.
final class ExpiryThread: Sendable {
    private let isStopped = Monitor(false)

    func start(_ action: @escaping @Sendable () -> Void) {
        _ = SystemThread.required("matching-expiry") { [isStopped] in
            while isStopped.wait(atMost: .milliseconds(250), for: { $0 ? true : nil }) == nil { action() }
        }
    }

    func stop() { isStopped.change { $0 = true } }
}
