internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreProtobuf

/// The workers that have sent a heartbeat a short time ago, in memory. Their number and size are bounded: the workers
/// that were silent for the longest time are forgotten first.
struct WorkerRegistry {
    /// A worker of a namespace, by its instance key.
    private struct Key: Hashable {
        let namespace: Int32
        let instance: ExactText
    }

    private struct Entry {
        let heartbeat: WorkerHeartbeat
        let at: Instant
        let bytes: Int
    }

    private var workers: [Key: Entry] = [:]
    private var bytes = 0
    private let countLimit: Int
    private let byteLimit: Int

    /// Workers send a heartbeat a minute.
    private static let age = Interval.seconds(300)

    init(countLimit: Int = 10_000, byteLimit: Int = 64 << 20) {
        self.countLimit = countLimit
        self.byteLimit = byteLimit
    }

    var count: Int { workers.count }

    /// Notes a heartbeat. That of a worker that has shut down removes it.
    mutating func record(_ heartbeat: WorkerHeartbeat, bytes size: Int, in namespace: Int32, at now: Instant) {
        let key = Key(namespace: namespace, instance: ExactText(heartbeat.workerInstanceKey))
        if let old = workers.removeValue(forKey: key) { bytes -= old.bytes }
        guard heartbeat.status != .shutdown, size <= byteLimit / 2 else { return }
        workers[key] = Entry(heartbeat: heartbeat, at: now, bytes: size)
        bytes += size
        if workers.count > countLimit || bytes > byteLimit { prune(at: now) }
    }

    /// Removes a worker.
    mutating func remove(_ instanceKey: String, in namespace: Int32) {
        let key = Key(namespace: namespace, instance: ExactText(instanceKey))
        if let old = workers.removeValue(forKey: key) { bytes -= old.bytes }
    }

    /// Down to half of what may be kept, so that it is rare.
    private mutating func prune(at now: Instant) {
        for (key, entry) in workers.sorted(by: { $0.value.at < $1.value.at }) {
            let isOld = entry.at + Self.age <= now
            guard isOld || workers.count > countLimit / 2 || bytes > byteLimit / 2 else { return }
            workers[key] = nil
            bytes -= entry.bytes
        }
    }

    /// The newest heartbeat of a worker.
    func worker(_ instanceKey: String, in namespace: Int32, at now: Instant) -> WorkerHeartbeat? {
        let entry = workers[Key(namespace: namespace, instance: ExactText(instanceKey))]
        return entry.flatMap { $0.at + Self.age > now ? $0.heartbeat : nil }
    }

    /// The workers of a namespace that fulfill a query, in the order of their instance keys.
    func workers(of namespace: Int32, _ query: WorkerQuery, at now: Instant) -> [WorkerHeartbeat] {
        workers.filter { $0.key.namespace == namespace && $0.value.at + Self.age > now }
            .sorted { $0.key.instance < $1.key.instance }
            .map(\.value.heartbeat).filter { query.matches($0) }
    }
}
