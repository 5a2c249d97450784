"""The scope of the generated code: the version of the contract, the calls, and the messages that stay encoded."""

# The published Python package with the descriptors. To move to a newer contract, change this version,
# run `python3 scripts/generate-api`, and read what changed.
TEMPORALIO_VERSION = "1.35.0"

# The packages that reading the descriptors requires.
REQUIREMENTS = [
    f"temporalio=={TEMPORALIO_VERSION}",
    "protobuf==7.36.2",
    "googleapis-common-protos==1.76.0",  # google.rpc.Status
]

# Python modules whose files, with all their imports, form the contract.
MODULES = [
    "temporalio.api.workflowservice.v1.service_pb2",
    "temporalio.api.operatorservice.v1.service_pb2",
    "temporalio.api.errordetails.v1.message_pb2",
    "temporalio.bridge.proto.health.v1.health_pb2",
    "google.rpc.status_pb2",
]

# The Python package renames the standard health service to avoid a conflict. On the wire it has the standard name.
RENAMED_PACKAGES = {"temporal.grpc.health.v1": "grpc.health.v1"}

# The calls whose messages are generated. Method names are generated for all calls of a service.
METHODS = set(
    """
    StartWorkflowExecution SignalWithStartWorkflowExecution SignalWorkflowExecution QueryWorkflow
    RequestCancelWorkflowExecution TerminateWorkflowExecution ResetWorkflowExecution DescribeWorkflowExecution
    GetWorkflowExecutionHistory GetWorkflowExecutionHistoryReverse
    ListWorkflowExecutions CountWorkflowExecutions ScanWorkflowExecutions
    ListOpenWorkflowExecutions ListClosedWorkflowExecutions
    PollWorkflowTaskQueue RespondWorkflowTaskCompleted RespondWorkflowTaskFailed
    PollActivityTaskQueue RespondActivityTaskCompleted RespondActivityTaskFailed RespondActivityTaskCanceled
    RespondActivityTaskCompletedById RespondActivityTaskFailedById RespondActivityTaskCanceledById
    RecordActivityTaskHeartbeat RecordActivityTaskHeartbeatById RespondQueryTaskCompleted
    RegisterNamespace DescribeNamespace ListNamespaces UpdateNamespace DeprecateNamespace DeleteNamespace
    CreateSchedule DescribeSchedule UpdateSchedule PatchSchedule ListScheduleMatchingTimes DeleteSchedule
    ListSchedules
    CountSchedules
    UpdateActivityOptions PauseActivity UnpauseActivity ResetActivity
    PauseActivityExecution UnpauseActivityExecution ResetActivityExecution UpdateActivityExecutionOptions
    UpdateWorkflowExecution PollWorkflowExecutionUpdate ExecuteMultiOperation
    DeleteWorkflowExecution UpdateWorkflowExecutionOptions
    StartBatchOperation StopBatchOperation DescribeBatchOperation ListBatchOperations
    GetSystemInfo GetClusterInfo DescribeTaskQueue
    AddSearchAttributes RemoveSearchAttributes ListSearchAttributes GetSearchAttributes
    ShutdownWorker RecordWorkerHeartbeat ListWorkers CountWorkers DescribeWorker
    ListTaskQueuePartitions UpdateTaskQueueConfig ResetStickyTaskQueue
    Check Watch
    """.split()
)

# Packages whose messages are all generated, since they are sent inside `google.protobuf.Any`.
WHOLE_PACKAGES = {"temporal.api.errordetails.v1", "temporal.api.update.v1", "google.rpc"}

# Messages of other packages that are sent inside `google.protobuf.Any`.
FURTHER_MESSAGES = {".temporal.api.failure.v1.MultiOperationExecutionAborted"}

# Fields of these types stay encoded (`RawMessage`), except inside these types and their parts.
RAW_TYPES = {
    ".temporal.api.common.v1.Payload",
    ".temporal.api.common.v1.Payloads",
    ".temporal.api.common.v1.Header",
    ".temporal.api.common.v1.Memo",
    ".temporal.api.common.v1.SearchAttributes",
    ".temporal.api.failure.v1.Failure",
    ".temporal.api.sdk.v1.UserMetadata",
}

# Names that would shadow a Swift name, or are too general. They get their package's name as a prefix.
AMBIGUOUS_NAMES = {"Any", "Type", "Protocol", "Message", "Status", "Error", "Result", "Duration"}

# Packages whose messages keep their plain names even if others share them, such as `Failure`.
PLAIN_PACKAGES = {"temporal.api.failure.v1"}

# Swift names of packages whose last part has several words.
PACKAGE_NAMES = {
    "errordetails": "ErrorDetails",
    "operatorservice": "OperatorService",
    "rpc": "RPC",
    "sdk": "SDK",
    "taskqueue": "TaskQueue",
    "workflowservice": "WorkflowService",
}

# The output, relative to the repository.
API_FOLDER = "Sources/Connections/API"
WELL_KNOWN_TYPES_FILE = "Sources/Base/Protobuf/WellKnownTypes.swift"
TEST_MESSAGES_FILE = "Tests/Connections/APITests/GeneratedTestMessages.swift"
TEST_REGISTRY_FILE = "Tests/Connections/APITests/GeneratedMessageTypes.swift"

# Longer files are split, so that builds use all cores.
LINES_PER_FILE = 900
