internal import Foundation
internal import Synchronization

/// A thread that calls an action four times a second.
final class ExpiryThread: Sendable {
    private let isStopped = Mutex(false)

    func start(_ action: @escaping @Sendable () -> Void) {
        let thread = Thread { [self] in
            // From within: so it shows in `top -H`.
            Thread.current.name = "matching-expiry"
            while !isStopped.withLock({ $0 }) {
                Thread.sleep(forTimeInterval: 0.25)
                action()
            }
        }
        thread.start()
    }

    func stop() {
        isStopped.withLock { $0 = true }
    }
}
