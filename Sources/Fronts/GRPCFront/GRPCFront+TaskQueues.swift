internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreGRPC
internal import SagamoreProtobuf
internal import SagamoreServices

/// Task queues: describe, list partitions, change settings, reset the sticky queue of a workflow.
extension GRPCFront {
    func registerTaskQueues(on server: GRPCServer) {
        register(.describeTaskQueue, on: server, .cold) {
            [self] (call, request: DescribeTaskQueueRequest) throws(RequestError) in
            call.reply(try describe(request).serializedBytes())
        }
        register(.listTaskQueuePartitions, on: server, .cold) {
            [self] (call, request: ListTaskQueuePartitionsRequest) throws(RequestError) in
            call.reply(try partitions(request).serializedBytes())
        }
        register(.resetStickyTaskQueue, on: server, .hot) {
            [self] (call, request: ResetStickyTaskQueueRequest) throws(RequestError) in
            let workflow = try self.workflow(request.execution, in: request.namespace)
            history.resetStickyQueue(workflow, reply: emptyReply(to: call))
        }
        // Blocks until the settings are durable.
        register(.updateTaskQueueConfig, on: server, .cold) {
            [self] (call, request: UpdateTaskQueueConfigRequest) throws(RequestError) in
            var response = UpdateTaskQueueConfigResponse()
            response.config = try configure(request)
            call.reply(response.serializedBytes())
        }
    }

    // MARK: Descriptions

    private func describe(_ request: DescribeTaskQueueRequest) throws(RequestError) -> DescribeTaskQueueResponse {
        let namespace = try self.namespace(request.namespace)
        try checkTaskQueue(request.taskQueue, limits)
        let name = request.taskQueue?.name ?? ""
        if request.apiMode == .enhanced { return enhanced(request, name, namespace.number) }
        guard request.taskQueue?.kind != .sticky || !request.reportStats else {
            throw .invalidArgument("DescribeTaskQueue stats are only supported for the root partition")
        }
        let queue = description(of: name, request.taskQueueType, in: namespace.number)
        var response = DescribeTaskQueueResponse()
        response.pollers = queue.pollers.map { PollerInfo($0) }
        response.versioningInfo = Self.unversioned
        if request.reportStats {
            response.stats = TaskQueueStats(queue.total, at: queue.now, isLimited: queue.isLimited)
            // Tasks without a priority have the middle one.
            var levels = queue.statistics
            levels[TaskPriority.standard.level, default: TaskQueueDescription.Statistics()].add(.init())
            for (level, statistics) in levels {
                response.statsByPriorityKey[Int32(level)] = TaskQueueStats(statistics, at: queue.now)
            }
        }
        if request.reportConfig, queue.settings != TaskQueueConfig() { response.config = queue.settings }
        if let limit = queue.limit {
            var effective = DescribeTaskQueueResponse.EffectiveRateLimit()
            effective.requestsPerSecond = Float(limit.rate)
            effective.rateLimitSource = limit.isWorkers ? .worker : .api
            response.effectiveRateLimit = effective
        }
        if request.includeTaskQueueStatus {
            var status = TaskQueueStatus()
            status.backlogCountHint = queue.total.backlogCount
            status.ratePerSecond = queue.limit?.rate ?? 0
            response.taskQueueStatus = status
        }
        return response
    }

    /// The answer in the mode that tells versions apart: there is one, that of workers without a version.
    private func enhanced(
        _ request: DescribeTaskQueueRequest,
        _ name: String,
        _ namespace: Int32
    ) -> DescribeTaskQueueResponse {
        let types = request.taskQueueTypes.isEmpty ? [.workflow, .activity] : request.taskQueueTypes
        var version = TaskQueueVersionInfo()
        for type in types {
            let queue = description(of: name, type, in: namespace)
            var info = TaskQueueTypeInfo()
            if request.reportPollers { info.pollers = queue.pollers.map { PollerInfo($0) } }
            if request.reportStats { info.stats = TaskQueueStats(queue.total, at: queue.now) }
            version.typesInfo[type.rawValue] = info
        }
        if request.reportTaskReachability { version.taskReachability = .reachable }
        var response = DescribeTaskQueueResponse()
        response.versionsInfo[""] = version
        return response
    }

    /// Types that have no queue here are described as one without tasks and pollers.
    private func description(of name: String, _ type: TaskQueueType, in namespace: Int32) -> TaskQueueDescription {
        let kind: TaskQueueKey.Kind
        switch type {
        case .unspecified, .workflow: kind = .workflow
        case .activity: kind = .activity
        default: return TaskQueueDescription(at: clock())
        }
        return matching.describe(TaskQueueKey(namespace: namespace, name: name, kind: kind))
    }

    private static let unversioned: TaskQueueVersioningInfo = {
        var info = TaskQueueVersioningInfo()
        info.currentVersion = "__unversioned__"
        // The contract's "no time", as in Temporal's answer.
        info.updateTime = ProtobufTimestamp(seconds: -62_135_596_800, nanos: 0)
        return info
    }()

    private func partitions(
        _ request: ListTaskQueuePartitionsRequest
    ) throws(RequestError) -> ListTaskQueuePartitionsResponse {
        _ = try namespace(request.namespace)
        try checkTaskQueue(request.taskQueue, limits)
        var only = TaskQueuePartitionMetadata()
        only.key = request.taskQueue?.name ?? ""
        only.ownerHostName = cluster.clusterName
        var response = ListTaskQueuePartitionsResponse()
        response.activityTaskQueuePartitions = [only]
        response.workflowTaskQueuePartitions = [only]
        return response
    }

    // MARK: Settings

    private func configure(_ request: UpdateTaskQueueConfigRequest) throws(RequestError) -> TaskQueueConfig {
        let namespace = try self.namespace(request.namespace)
        let change = TaskQueueConfigChange(request, at: clock())
        let kind = try change.checked(limits)
        let key = TaskQueueKey(namespace: namespace.number, name: request.taskQueue, kind: kind)
        return try matching.configure(key) { (settings) throws(RequestError) in try change.apply(to: &settings) }
    }
}

extension TaskQueueDescription {
    /// The figures of all priorities together.
    fileprivate var total: Statistics {
        statistics.values.reduce(into: Statistics()) { $0.add($1) }
    }
}

extension PollerInfo {
    fileprivate init(_ poller: TaskQueueDescription.Poller) {
        self.init()
        lastAccessTime = poller.lastAccess.timestamp
        identity = poller.identity
        ratePerSecond = poller.rate ?? 0
        guard !poller.buildID.isEmpty else { return }
        var capabilities = WorkerVersionCapabilities()
        capabilities.buildID = poller.buildID
        workerVersionCapabilities = capabilities
    }
}

extension TaskQueueStats {
    fileprivate init(_ statistics: TaskQueueDescription.Statistics, at now: Instant, isLimited: Bool = false) {
        self.init()
        approximateBacklogCount = statistics.backlogCount
        approximateBacklogAge = (statistics.oldest.map { max(now - $0, .zero) } ?? .zero).duration
        tasksAddRate = Float(statistics.addRate)
        tasksDispatchRate = Float(statistics.dispatchRate)
        rateLimitingActive = isLimited
    }
}
