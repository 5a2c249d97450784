internal import SagamoreCommandLineArguments

/// The groups of commands that call a server.
enum CommandGroups {
    static let workflow = Command(
        "workflow",
        abstract: "Start, find, inspect and control workflows.",
        subcommands: [
            StartCommand.start, StartCommand.execute, ResultCommand.command, ListCommand.command,
            CountCommand.command, DescribeCommand.command, ShowCommand.command, TraceCommand.command,
            QueryCommand.query, QueryCommand.stack, QueryCommand.metadata, SignalCommand.command,
            SignalWithStartCommand.command, update, ResetCommand.command, WorkflowEnding.cancel,
            WorkflowEnding.terminate, WorkflowEnding.delete,
        ] + Unavailable.placeholders(in: "workflow")
    )

    private static let update = Command(
        "update",
        abstract: "Send updates to workflows, and wait for them.",
        subcommands: [
            UpdateCommands.execute, UpdateCommands.start, UpdateCommands.result, UpdateCommands.describe,
        ]
    )

    static let schedule = Command(
        "schedule",
        abstract: "Start workflows at set times.",
        subcommands: [
            ScheduleChanges.create, ScheduleReading.describe, ScheduleChanges.update, SchedulePatches.toggle,
            SchedulePatches.trigger, SchedulePatches.backfill, ScheduleChanges.delete, ScheduleReading.list,
        ]
    )

    static let batch = Command(
        "batch",
        abstract: "Follow and stop what was started with --query.",
        subcommands: [BatchCommands.describe, BatchCommands.list, BatchCommands.terminate]
    )

    static let namespace = Command(
        "namespace",
        abstract: "Create, inspect, change and delete namespaces.",
        subcommands: [
            NamespaceChanges.create, NamespaceReading.describe, NamespaceReading.list, NamespaceChanges.update,
            NamespaceChanges.delete,
        ]
    )

    static let taskQueue = Command(
        "task-queue",
        abstract: "Inspect task queues, and limit them.",
        subcommands: [
            TaskQueueDescription.command,
            Command(
                "config",
                abstract: "Show and change the limits and weights of a task queue.",
                subcommands: [TaskQueueConfiguration.get, TaskQueueConfiguration.set]
            ),
        ]
    )

    static let activity = Command(
        "activity",
        abstract: "Complete, fail, pause, reset and change activities that workflows wait for.",
        subcommands: [
            ActivityEnding.complete, ActivityEnding.fail, ActivityOperations.pause, ActivityOperations.unpause,
            ActivityOperations.reset, ActivityOptionsChange.command,
        ]
    )

    static let operation = Command(
        "operator",
        abstract: "Manage search attributes and namespaces, and ask the server about itself.",
        subcommands: [
            Command(
                "cluster",
                abstract: "Ask the server about itself.",
                subcommands: [ClusterCommands.health, ClusterCommands.describe, ClusterCommands.system]
            ),
            namespace,
            Command(
                "search-attribute",
                abstract: "Manage the search attributes of a namespace.",
                subcommands: [
                    SearchAttributeCommands.create, SearchAttributeCommands.list, SearchAttributeCommands.remove,
                ]
            ),
        ] + Unavailable.placeholders(in: "operator")
    )
}
