import SagamoreThreads

@testable import SagamoreKafkaFront

extension TopicKeeper {
    /// Makes the steps of a check on this thread.
    func ensure(_ limit: Duration) -> Bool {
        var check = check(within: limit)
        while true {
            switch step(&check) {
            case .continues(let time): SystemThread.sleep(time - .now)
            case .ended(let areThere): return areThere
            }
        }
    }
}
