internal import Foundation
internal import Synchronization

/// A thread that calls an action four times a second.
final class ExpiryThread: Sendable {
    private let isStopped = Mutex(false)

    func start(_ action: @escaping @Sendable () -> Void) {
        let thread = Thread { [self] in
            while !isStopped.withLock({ $0 }) {
                Thread.sleep(forTimeInterval: 0.25)
                action()
            }
        }
        thread.name = "matching-expiry"
        thread.start()
    }

    func stop() {
        isStopped.withLock { $0 = true }
    }
}
