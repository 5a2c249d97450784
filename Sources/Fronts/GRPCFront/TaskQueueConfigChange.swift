internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreProtobuf
internal import SagamoreServices

/// A change of a task queue's settings, with who asked for it, when, and why.
struct TaskQueueConfigChange {
    private typealias RateLimitUpdate = UpdateTaskQueueConfigRequest.RateLimitUpdate

    private let request: UpdateTaskQueueConfigRequest
    private let now: Instant

    /// Temporal default: 1,000 weights of a queue.
    private static let weightLimit = 1_000
    private static let textLimit = 1_000

    init(_ request: UpdateTaskQueueConfigRequest, at now: Instant) {
        self.request = request
        self.now = now
    }

    /// Checks the request, and returns the kind of the queue.
    ///
    /// - Throws: `invalidArgument`.
    func checked(_ limits: Limits) throws(RequestError) -> TaskQueueKey.Kind {
        var queue = TaskQueue()
        queue.name = request.taskQueue
        if request.taskQueue.hasPrefix("/_sys/") {
            throw .invalidArgument(
                "task queue family name cannot have prefix /_sys/ \(request.taskQueue.prefix(utf8: 100))"
            )
        }
        try checkTaskQueue(queue, limits)
        let kind: TaskQueueKey.Kind
        switch request.taskQueueType {
        case .workflow: kind = .workflow
        case .activity: kind = .activity
        default: throw .invalidArgument("TaskQueueType is not set on request.")
        }
        if kind == .workflow, request.updateQueueRateLimit != nil {
            throw .invalidArgument("Setting rate limit on workflow task queues is not allowed.")
        }
        if kind == .workflow, request.updateFairnessKeyRateLimitDefault != nil {
            throw .invalidArgument("Setting fairness key rate limit on workflow task queues is not allowed.")
        }
        try check(request.identity, "Identity")
        try check(request.updateQueueRateLimit, "UpdateQueueRateLimit")
        try check(request.updateFairnessKeyRateLimitDefault, "UpdateFairnessKeyRateLimitDefault")
        try checkWeights()
        return kind
    }

    private func check(_ text: String, _ field: String) throws(RequestError) {
        if text.utf8.count > Self.textLimit {
            throw .invalidArgument("\(field) field too long (max \(Self.textLimit) characters).")
        }
        if text.holdsNUL { throw .invalidArgument("\(field) must not contain NUL.") }
    }

    private func check(_ update: RateLimitUpdate?, _ field: String) throws(RequestError) {
        guard let update else { return }
        if let rate = update.rateLimit?.requestsPerSecond, !(rate >= 0) {
            throw .invalidArgument("RequestsPerSecond for \(field) rate limit must be non-negative.")
        }
        try check(update.reason, "\(field).Reason")
    }

    private func checkWeights() throws(RequestError) {
        let count = request.setFairnessWeightOverrides.count + request.unsetFairnessWeightOverrides.count
        if count > Self.weightLimit {
            throw .invalidArgument(
                "too many fairness weight overrides in request: got \(count), maximum \(Self.weightLimit)"
            )
        }
        for key in request.unsetFairnessWeightOverrides {
            try checkFairnessKey(key)
            if request.setFairnessWeightOverrides[key] != nil {
                throw .invalidArgument(
                    "fairness weight override key \"\(key)\" present in both set and unset lists"
                )
            }
        }
        for (key, weight) in request.setFairnessWeightOverrides {
            try checkFairnessKey(key)
            if !(weight > 0) {
                throw .invalidArgument("invalid fairness weight weight for key \"\(key)\": must be greater than zero")
            }
        }
    }

    /// Changes the settings.
    ///
    /// - Throws: `invalidArgument` when there would be too many weights.
    func apply(to settings: inout TaskQueueConfig) throws(RequestError) {
        if let update = request.updateQueueRateLimit { settings.queueRateLimit = limit(update) }
        if let update = request.updateFairnessKeyRateLimitDefault {
            settings.fairnessKeysRateLimitDefault = limit(update)
        }
        for key in request.unsetFairnessWeightOverrides { settings.fairnessWeightOverrides[key] = nil }
        for (key, weight) in request.setFairnessWeightOverrides { settings.fairnessWeightOverrides[key] = weight }
        let count = settings.fairnessWeightOverrides.count
        if count > Self.weightLimit {
            throw .invalidArgument(
                "fairness weight overrides update rejected: \(count) overrides, maximum \(Self.weightLimit)"
            )
        }
    }

    private func limit(_ update: RateLimitUpdate) -> RateLimitConfig {
        var metadata = ConfigMetadata()
        metadata.reason = update.reason
        metadata.updateIdentity = request.identity
        metadata.updateTime = now.timestamp
        var limit = RateLimitConfig()
        limit.rateLimit = update.rateLimit
        limit.metadata = metadata
        return limit
    }
}
