internal import SagamoreLogging

/// A thread that returns free memory to the system when a burst is over.
final class MemoryReclaimer {
    private static let interval = Duration.seconds(10)

    private let stopSignal: StopSignal
    private let thread: ProgramThread

    /// Starts the thread.
    init(log: Logger) {
        let stopSignal = StopSignal()
        self.stopSignal = stopSignal
        thread = ProgramThread("memory") {
            var policy = ReclaimPolicy()
            var processorTime = ProcessMemory.processorTime
            repeat {
                let used = ProcessMemory.processorTime - processorTime
                processorTime += used
                guard let resident = ProcessMemory.resident else { return }
                guard policy.shouldReclaim(resident: resident, processorTime: used, elapsed: Self.interval) else {
                    continue
                }
                ProcessMemory.reclaim()
                let rest = ProcessMemory.resident ?? resident
                policy.reclaimed(resident: rest)
                log.debug("returned \((resident - rest) >> 20) MiB of free memory to the system")
            } while stopSignal.wait(for: Self.interval) == nil
        }
    }

    /// Ends the thread.
    func stop() {
        stopSignal.give(.asked)
        thread.join()
    }
}
