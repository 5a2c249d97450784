import SagamoreThreads

@testable import Sagamore

/// Runs what blocks on a thread of its own: the cooperative pool has few.
func onThread(_ body: @escaping @Sendable () -> Void) async {
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
        _ = SystemThread.required("test") {
            body()
            continuation.resume()
        }
    }
}
