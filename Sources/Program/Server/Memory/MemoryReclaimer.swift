internal import SagamoreLogging
internal import SagamoreThreads

/// A thread that returns free memory to the system when a burst is over.
final class MemoryReclaimer {
    private static let interval = Duration.seconds(10)

    private let bell: Doorbell
    private let thread: SystemThread

    /// Starts the thread.
    init(log: Logger) {
        let bell = Doorbell()
        self.bell = bell
        let watch: @Sendable () -> Void = { Self.watch(until: bell, log: log) }
        thread = SystemThread.required("memory", watch)
    }

    private static func watch(until bell: Doorbell, log: Logger) {
        var policy = ReclaimPolicy(resident: ProcessMemory.resident ?? 0)
        var processorTime = ProcessMemory.processorTime
        while !bell.wait(interval) {
            let used = ProcessMemory.processorTime - processorTime
            processorTime += used
            guard let resident = ProcessMemory.resident else { return }
            guard policy.shouldReclaim(resident: resident, processorTime: used, elapsed: interval) else { continue }
            ProcessMemory.reclaim()
            let rest = ProcessMemory.resident ?? resident
            policy.reclaimed(resident: rest)
            log.debug("returned \((resident - rest) >> 20) MiB of free memory to the system")
        }
    }

    /// Ends the thread.
    func stop() {
        bell.stop()
        thread.join()
    }
}
