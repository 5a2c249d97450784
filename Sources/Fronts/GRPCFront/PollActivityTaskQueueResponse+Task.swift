internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreServices

extension PollActivityTaskQueueResponse {
    /// An attempt of an activity as sent to a worker.
    init(_ task: AssignedActivityTask, namespace: String) {
        self.init()
        let activity = task.delivery.activity
        taskToken = task.token
        workflowNamespace = namespace
        workflowType = WorkflowType()
        workflowType?.name = task.delivery.workflowType
        workflowExecution = WorkflowExecution(task.key, task.runID)
        activityType = ActivityType()
        activityType?.name = activity.type
        activityID = activity.activityID
        header = activity.header
        input = activity.input
        heartbeatDetails = task.delivery.heartbeatDetails
        scheduledTime = activity.scheduledAt.timestamp
        currentAttemptScheduledTime = activity.attemptScheduledAt.timestamp
        startedTime = task.delivery.startedAt.timestamp
        attempt = activity.attempt
        // Unset timeouts are sent as zero, because workers expect the fields. As on Temporal's server, they are those
        // that the activity was scheduled with, also when an operator has changed them.
        let scheduled = activity.machine.originalOptions
        scheduleToCloseTimeout = scheduled.scheduleToClose.duration
        startToCloseTimeout = scheduled.startToClose.duration
        heartbeatTimeout = scheduled.heartbeatTimeout.duration
        retryPolicy = activity.retryPolicy
        priority = task.delivery.priority
        pollerScalingDecision = PollerScalingDecision(task.pollerDelta)
    }
}
