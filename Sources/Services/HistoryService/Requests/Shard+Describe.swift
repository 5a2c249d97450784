internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreProtobuf
internal import SagamoreServices

extension Shard {
    func describe(_ workflow: WorkflowReference, _ caller: consuming Caller<DescribeWorkflowExecutionResponse>) {
        resolve(workflow, caller) { (access: consuming RunAccess<DescribeWorkflowExecutionResponse>, resolved) in
            let now = access.shard.clock()
            switch resolved {
            case .missing: access.fail(workflow.missing)
            case .cached(let run) where run.execution.isRunning: access.succeed(Description(run, at: now).response)
            case .cached(let run):
                let (shard, response) = (access.shard, Description(run, at: now).response)
                access.whenCommitted { shard.finish(response, $0) }
            case .closed(let row):
                let shard = access.shard
                access.answerFromStore { reply in
                    shard.read(row, failed: { reply.fail($0) }) { run in
                        shard.finish(Description(run, at: now).response, reply)
                    }
                }
            }
        }
    }
}

extension Shard {
    /// Adds the run that a reset began with the history of this one, which is closed.
    private func finish(
        _ response: DescribeWorkflowExecutionResponse,
        _ reply: Reply<DescribeWorkflowExecutionResponse>
    ) {
        guard let runID = RunID(response.workflowExecutionInfo?.execution?.runID ?? "") else {
            return reply.succeed(response)
        }
        loads.add(
            .read(
                { (store) throws(CommitError) in
                    var response = response
                    if let reset = try store.resetRun(of: runID) {
                        response.workflowExtendedInfo?.resetRunID = reset.description
                    }
                    reply.succeed(response)
                },
                failed: { reply.fail($0) }
            )
        )
    }
}

/// A run as DescribeWorkflowExecution shows it.
private struct Description {
    let run: CachedRun
    let state: DurableState
    let now: Instant

    init(_ run: CachedRun, at now: Instant) {
        self.run = run
        self.now = now
        state = run.execution.durable
    }

    var response: DescribeWorkflowExecutionResponse {
        var response = DescribeWorkflowExecutionResponse()
        response.executionConfig = configuration
        response.workflowExecutionInfo = information
        response.pendingActivities = state.activities.values.sorted { $0.scheduledEventID < $1.scheduledEventID }
            .map { PendingActivityInfo($0, run.execution.volatile.heartbeats[$0.scheduledEventID], at: now) }
        response.pendingChildren = state.children.values.sorted { $0.initiatedEventID < $1.initiatedEventID }
            .map(pending)
        response.pendingWorkflowTask = pendingTask
        response.workflowExtendedInfo = extended
        return response
    }

    private var configuration: WorkflowExecutionConfig {
        var configuration = WorkflowExecutionConfig()
        var queue = TaskQueue()
        queue.name = state.taskQueue
        queue.kind = .normal
        configuration.taskQueue = queue
        if state.executionTimeout.isSet {
            configuration.workflowExecutionTimeout = state.executionTimeout.duration
        }
        // Temporal shows a child's timeout also where it has none.
        if state.runTimeout.isSet || state.parent != nil {
            configuration.workflowRunTimeout = state.runTimeout.duration
        }
        configuration.defaultWorkflowTaskTimeout = state.taskTimeout.duration
        configuration.userMetadata = state.userMetadata
        return configuration
    }

    private var information: WorkflowExecutionInfo {
        var information = WorkflowExecutionInfo()
        var execution = WorkflowExecution()
        execution.workflowID = run.key.workflowID
        execution.runID = run.runID.description
        information.execution = execution
        var type = WorkflowType()
        type.name = state.workflowType
        information.type = type
        information.startTime = state.startedAt.timestamp
        information.closeTime = state.closedAt?.timestamp
        information.status = state.status
        information.historyLength = state.lastEventID
        information.executionTime = (state.startedAt + state.firstTaskBackoff).timestamp
        // Clients expect these fields even when they are empty.
        information.memo = state.memo ?? RawMessage()
        information.searchAttributes = state.shownAttributes
        information.autoResetPoints = state.resetPoints(of: run.runID)
        information.mostRecentWorkerVersionStamp = state.latestWorkerVersion
        information.priority = state.priority
        information.taskQueue = state.taskQueue
        information.stateTransitionCount = run.sequence
        information.historySizeBytes = state.historyBytes
        if let closedAt = state.closedAt { information.executionDuration = (closedAt - state.startedAt).duration }
        information.rootExecution = state.root.map { reference($0.workflowID, $0.runID) } ?? execution
        if let parent = state.parent {
            information.parentNamespaceID = parent.namespaceID
            information.parentExecution = reference(parent.workflowID, parent.runID)
        }
        information.firstRunID = state.firstRunID
        return information
    }

    private func reference(_ workflowID: String, _ runID: RunID) -> WorkflowExecution {
        var execution = WorkflowExecution()
        execution.workflowID = workflowID
        execution.runID = runID.description
        return execution
    }

    private func pending(_ child: PendingChild) -> PendingChildExecutionInfo {
        var pending = PendingChildExecutionInfo()
        pending.workflowID = child.workflowID
        pending.runID = child.runID
        pending.workflowTypeName = child.type
        pending.initiatedID = child.initiatedEventID
        pending.parentClosePolicy = child.parentClosePolicy
        return pending
    }

    private var pendingTask: PendingWorkflowTaskInfo? {
        guard let task = run.execution.workflowTask else { return nil }
        var pending = PendingWorkflowTaskInfo()
        pending.scheduledTime = task.scheduledAt.timestamp
        pending.originalScheduledTime = task.scheduledAt.timestamp
        pending.attempt = task.attempt
        if let started = run.execution.volatile.startedTask {
            pending.state = .started
            pending.startedTime = started.startedAt.timestamp
        } else {
            pending.state = .scheduled
        }
        return pending
    }

    private var extended: WorkflowExecutionExtendedInfo {
        var extended = WorkflowExecutionExtendedInfo()
        if state.executionTimeout.isSet { extended.executionExpirationTime = state.executionDeadline.timestamp }
        extended.runExpirationTime = state.runTimeout.isSet ? state.runDeadline.timestamp : noTime
        extended.cancelRequested = state.cancelRequested
        extended.originalStartTime = (state.originalStartedAt ?? state.startedAt).timestamp
        extended.lastResetTime = state.lastResetAt?.timestamp
        // A run that continues a chain was started by no client's request. Its own id stands for the server's.
        let isFirst = state.firstRunID == run.runID.description || state.lastResetAt != nil
        let requestID = isFirst ? run.startRequestID : run.runID.description
        if !requestID.isEmpty {
            var started = RequestIdInfo()
            started.eventID = 1
            started.eventType = .workflowExecutionStarted
            extended.requestIDInfos = [requestID: started]
        }
        for (id, eventID) in state.attachedRequestIDs {
            var attached = RequestIdInfo()
            attached.eventID = eventID
            attached.eventType = .workflowExecutionOptionsUpdated
            attached.buffered = eventID == 0
            extended.requestIDInfos[id.text] = attached
        }
        return extended
    }
}

/// The time that clients read as "not set": the beginning of the year 1.
private let noTime: ProtobufTimestamp = {
    var timestamp = ProtobufTimestamp()
    timestamp.seconds = -62_135_596_800
    return timestamp
}()
