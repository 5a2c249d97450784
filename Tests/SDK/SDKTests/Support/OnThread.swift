import SagamoreThreads

@testable import Sagamore

/// Runs blocking code on a dedicated thread: the cooperative pool has few.
func onThread(_ body: @escaping @Sendable () -> Void) async {
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
        _ = SystemThread.required("test") {
            body()
            continuation.resume()
        }
    }
}
