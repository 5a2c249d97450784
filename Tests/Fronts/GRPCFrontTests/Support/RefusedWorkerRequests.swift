import SagamoreAPI
import SagamoreEngine
import SagamoreGRPC
import SagamoreProtobuf
import SagamoreServices

extension Refused {
    static let queryToken = TaskToken.query(
        TaskToken.QueryToken(key: SampleRun.key, runID: SampleRun.runID, queryID: 5)
    ).bytes

    static let workflowToken = TaskToken.workflow(
        WorkflowTaskToken(
            key: SampleRun.key,
            runID: SampleRun.runID,
            startedEventID: 3,
            attempt: 1,
            nonce: 7,
            epoch: 3
        )
    ).bytes

    static let activityToken = TaskToken.activity(
        ActivityTaskToken(key: SampleRun.key, runID: SampleRun.runID, scheduledEventID: 5, attempt: 2, nonce: 9)
    ).bytes

    private static let strangeToken = TaskToken.activity(
        ActivityTaskToken(
            key: WorkflowKey(namespace: 99, workflowID: "w"),
            runID: SampleRun.runID,
            scheduledEventID: 5,
            attempt: 2,
            nonce: 9
        )
    ).bytes

    static var workflowPoll: PollWorkflowTaskQueueRequest {
        var request = PollWorkflowTaskQueueRequest()
        request.namespace = "default"
        request.taskQueue = TaskQueue()
        request.taskQueue?.name = "travel"
        request.taskQueue?.kind = .normal
        request.identity = "worker"
        return request
    }

    static var activityPoll: PollActivityTaskQueueRequest {
        var request = PollActivityTaskQueueRequest()
        request.namespace = "default"
        request.taskQueue = TaskQueue()
        request.taskQueue?.name = "cars"
        request.identity = "worker"
        return request
    }

    static var completed: RespondWorkflowTaskCompletedRequest {
        var request = RespondWorkflowTaskCompletedRequest()
        request.namespace = "default"
        request.taskToken = workflowToken
        return request
    }

    static var failed: RespondWorkflowTaskFailedRequest {
        var request = RespondWorkflowTaskFailedRequest()
        request.namespace = "default"
        request.taskToken = workflowToken
        return request
    }

    static var activityCompleted: RespondActivityTaskCompletedRequest {
        var request = RespondActivityTaskCompletedRequest()
        request.namespace = "default"
        request.taskToken = activityToken
        request.identity = "worker"
        return request
    }

    static var activityFailed: RespondActivityTaskFailedRequest {
        var request = RespondActivityTaskFailedRequest()
        request.namespace = "default"
        request.taskToken = activityToken
        return request
    }

    static var activityCanceled: RespondActivityTaskCanceledRequest {
        var request = RespondActivityTaskCanceledRequest()
        request.namespace = "default"
        request.taskToken = activityToken
        return request
    }

    static var heartbeat: RecordActivityTaskHeartbeatRequest {
        var request = RecordActivityTaskHeartbeatRequest()
        request.namespace = "default"
        request.taskToken = activityToken
        return request
    }

    static var answer: RespondQueryTaskCompletedRequest {
        var request = RespondQueryTaskCompletedRequest()
        request.namespace = "default"
        request.taskToken = queryToken
        request.completedType = .answered
        return request
    }

    private static let noToken = "Task token not set on request."
    private static let badToken = "Error deserializing task token."
    private static let otherNamespace = "Operation requested with a token from a different namespace."
    private static let noActivity =
        "invalid activityID or activity already timed out or invoking workflow is completed"

    static let ofWorkers: [Refused] = [
        Refused("no namespace", .pollWorkflowTaskQueue, workflowPoll, "Namespace is empty.") { $0.namespace = "" },
        Refused("no queue", .pollWorkflowTaskQueue, workflowPoll, "taskQueue is not set") { $0.taskQueue = nil },
        Refused("no queue's name", .pollWorkflowTaskQueue, workflowPoll, "missing task queue name") {
            $0.taskQueue?.name = ""
        },
        Refused("reserved queue", .pollWorkflowTaskQueue, workflowPoll, reservedQueue) {
            $0.taskQueue?.name = "/_sys/q"
        },
        Refused("NUL", .pollWorkflowTaskQueue, workflowPoll, "taskQueue must not contain NUL.") {
            $0.taskQueue?.name = "a\0"
        },
        Refused("long identity", .pollWorkflowTaskQueue, workflowPoll, "Identity length exceeds limit.") {
            $0.identity = tooLong
        },
        Refused("no queue", .pollActivityTaskQueue, activityPoll, "taskQueue is not set") { $0.taskQueue = nil },
        Refused("no token", .respondWorkflowTaskCompleted, completed, noToken) { $0.taskToken = [] },
        Refused("bad token", .respondWorkflowTaskCompleted, completed, badToken) { $0.taskToken = [1, 2, 3] },
        Refused("other namespace", .respondWorkflowTaskCompleted, completed, otherNamespace) {
            $0.namespace = "other"
        },
        Refused("other kind", .respondWorkflowTaskCompleted, completed, .notFound, "Workflow task not found.") {
            $0.taskToken = activityToken
        },
        Refused(
            "pages",
            .respondWorkflowTaskCompleted,
            completed,
            .unimplemented,
            "completions in pages are not available in this version of sagamore"
        ) { $0.intermediatePage = true },
        Refused("bad token", .respondWorkflowTaskFailed, failed, badToken) { $0.taskToken = Array("junk".utf8) },
        Refused("a query's token", .respondWorkflowTaskFailed, failed, .notFound, "Workflow task not found.") {
            $0.taskToken = queryToken
        },
        Refused("no token", .respondActivityTaskCompleted, activityCompleted, noToken) { $0.taskToken = [] },
        Refused("other kind", .respondActivityTaskCompleted, activityCompleted, .notFound, noActivity) {
            $0.taskToken = workflowToken
        },
        Refused("strange namespace", .respondActivityTaskCompleted, activityCompleted, badToken) {
            $0.taskToken = strangeToken
            $0.namespace = ""
        },
        Refused("bad token", .respondActivityTaskFailed, activityFailed, badToken) { $0.taskToken = [0xFF] },
        Refused("bad token", .respondActivityTaskCanceled, activityCanceled, badToken) { $0.taskToken = [0xFF] },
        Refused("other kind", .recordActivityTaskHeartbeat, heartbeat, .notFound, noActivity) {
            $0.taskToken = workflowToken
        },
        Refused("no token", .respondQueryTaskCompleted, answer, noToken) { $0.taskToken = [] },
        Refused(
            "other kind",
            .respondQueryTaskCompleted,
            answer,
            .notFound,
            "query task not found, or already expired"
        ) { $0.taskToken = workflowToken },
        Refused("no outcome", .respondQueryTaskCompleted, answer, "CompletedType is not set on request.") {
            $0.completedType = .unspecified
        },
        Refused("no namespace", .shutdownWorker, ShutdownWorkerRequest(), "Namespace is empty.") { _ in },
    ]
}
