internal import SagamoreAPI
internal import SagamoreCommandLineArguments

/// The options that name a task queue.
enum TaskQueueOptions {
    static let name = Option<String>("--task-queue", "-t", valueName: "NAME", help: "The task queue.")
    static let kind = Option<Kind>("--task-queue-type", valueName: "TYPE", help: "Whose tasks.")

    /// Whose tasks a queue has.
    enum Kind: String, CaseIterable, ExpressibleByArgument {
        case workflow, activity

        var value: TaskQueueType {
            switch self {
            case .workflow: .workflow
            case .activity: .activity
            }
        }
    }

    static func name(_ values: ParsedValues) throws(UsageError) -> String {
        guard !values[name].isEmpty else { throw UsageError("'--task-queue' must not be empty") }
        return values[name]
    }

    static func description(
        of name: String,
        _ kind: Kind,
        _ client: ServiceClient,
        reportsStatistics: Bool = false,
        reportsConfiguration: Bool = false
    ) async throws(CommandFailure) -> DescribeTaskQueueResponse {
        var request = DescribeTaskQueueRequest()
        request.namespace = client.namespace
        request.taskQueue = .named(name)
        request.taskQueueType = kind.value
        request.reportStats = reportsStatistics
        request.reportConfig = reportsConfiguration
        return try await client.call(.describeTaskQueue, request)
    }
}
