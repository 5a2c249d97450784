"""What is generated: the version of the contract, the calls, and the messages that stay encoded."""

# The published Python package that carries the descriptors. To move to a newer contract, change this version,
# run `python3 scripts/generate-api`, and read what changed.
TEMPORALIO_VERSION = "1.35.0"

# Everything that is installed to read the descriptors.
REQUIREMENTS = [
    f"temporalio=={TEMPORALIO_VERSION}",
    "protobuf==7.36.2",
    "googleapis-common-protos==1.76.0",  # google.rpc.Status
]

# Python modules whose files, with all that they import, are the contract.
MODULES = [
    "temporalio.api.workflowservice.v1.service_pb2",
    "temporalio.api.operatorservice.v1.service_pb2",
    "temporalio.api.errordetails.v1.message_pb2",
    "temporalio.bridge.proto.health.v1.health_pb2",
    "google.rpc.status_pb2",
]

# The Python package has moved the standard health service out of the way of another one. On the wire it has the
# standard name.
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
    UpdateWorkflowExecution PollWorkflowExecutionUpdate
    GetSystemInfo GetClusterInfo DescribeTaskQueue
    AddSearchAttributes RemoveSearchAttributes ListSearchAttributes GetSearchAttributes
    ShutdownWorker RecordWorkerHeartbeat
    Check Watch
    """.split()
)

# Packages of which every message is generated: they travel inside `google.protobuf.Any`.
WHOLE_PACKAGES = {"temporal.api.errordetails.v1", "temporal.api.update.v1", "google.rpc"}

# Fields of these types stay encoded (`RawMessage`), except inside of these types themselves and what they consist of.
RAW_TYPES = {
    ".temporal.api.common.v1.Payload",
    ".temporal.api.common.v1.Payloads",
    ".temporal.api.common.v1.Header",
    ".temporal.api.common.v1.Memo",
    ".temporal.api.common.v1.SearchAttributes",
    ".temporal.api.failure.v1.Failure",
    ".temporal.api.sdk.v1.UserMetadata",
}

# Simple names that would hide something in Swift or mean nothing alone: they get their package's name in front.
AMBIGUOUS_NAMES = {"Any", "Type", "Protocol", "Message", "Status", "Error", "Result", "Duration"}

# Packages whose messages keep their plain names where others share them: `Failure` is what a workflow fails with.
PLAIN_PACKAGES = {"temporal.api.failure.v1"}

# How packages are written in Swift where their last part has several words.
PACKAGE_NAMES = {
    "errordetails": "ErrorDetails",
    "operatorservice": "OperatorService",
    "rpc": "RPC",
    "sdk": "SDK",
    "taskqueue": "TaskQueue",
    "workflowservice": "WorkflowService",
}

# Where the output goes, relative to the repository.
API_FOLDER = "Sources/Connections/API"
WELL_KNOWN_TYPES_FILE = "Sources/Base/Protobuf/WellKnownTypes.swift"
TEST_MESSAGES_FILE = "Tests/Connections/APITests/GeneratedTestMessages.swift"
TEST_REGISTRY_FILE = "Tests/Connections/APITests/GeneratedMessageTypes.swift"

# A file of more lines is split, so that a build uses all cores.
LINES_PER_FILE = 900
