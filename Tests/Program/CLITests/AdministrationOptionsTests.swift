import SagamoreAPI
import SagamoreCommandLineArguments
import SagamoreProtobuf
import Testing

@testable import SagamoreCLI

/// Namespaces and task queues.
struct AdministrationOptionsTests {
    @Test func aNamespaceIsCreatedWithItsOptions() throws {
        let line = ["-n", "shop", "--retention", "7d", "--description", "orders", "--email", "a@b", "--data", "k=v=w"]
        let request = try NamespaceChanges.creation(try NamespaceChanges.create.values(line))
        #expect(request.namespace == "shop")
        #expect(request.workflowExecutionRetentionPeriod == ProtobufDuration(seconds: 604_800, nanos: 0))
        #expect(request.description == "orders")
        #expect(request.ownerEmail == "a@b")
        #expect(request.data["k"] == "v=w")
        let other = try NamespaceChanges.creation(try NamespaceChanges.create.values(["-n", "shop"]))
        #expect(other.workflowExecutionRetentionPeriod?.seconds == 259_200)
    }

    @Test func aChangeOfANamespaceLeavesTheRest() throws {
        let values = try NamespaceChanges.update.values(["-n", "shop", "--retention", "72h"])
        let request = try NamespaceChanges.change(values)
        #expect(request.updateInfo == nil)
        #expect(request.config?.workflowExecutionRetentionTtl?.seconds == 259_200)
        let named = try NamespaceChanges.change(
            try NamespaceChanges.update.values(["-n", "shop", "--description", "x"])
        )
        #expect(named.updateInfo?.description == "x")
        #expect(named.config == nil)
    }

    @Test(arguments: [
        (["--retention", "1h"], "'--namespace' is missing"),
        (["-n", "shop"], "nothing to change"),
        (["-n", "shop", "--retention", "7"], "'--retention' expects a duration"),
        (["-n", "shop", "--data", "k"], "'--data' expects KEY=VALUE"),
        (["-n", "shop", "--data", "k=1", "--data", "k=2"], "'--data' names 'k' twice"),
    ])
    func aMistakeOfANamespaceIsReported(_ arguments: [String], _ message: String) throws {
        let error = try #require(throws: UsageError.self) {
            try NamespaceChanges.change(try NamespaceChanges.update.values(arguments))
        }
        #expect(error.message.hasPrefix(message), "\(error.message)")
    }

    private func config(_ arguments: [String]) throws -> UpdateTaskQueueConfigRequest {
        let line = ["-t", "queue", "--task-queue-type", "activity"] + arguments
        return try TaskQueueConfiguration.request(try TaskQueueConfiguration.set.values(line))
    }

    @Test func limitsOfATaskQueueAreSetAndLifted() throws {
        let request = try config([
            "--queue-rps-limit", "2.5", "--queue-rps-limit-reason", "the bank is slow",
            "--fairness-key-rps-limit-default", "default", "--fairness-key-weight", "a=b=2", "--fairness-key-weight",
            "c=default",
        ])
        #expect(request.taskQueue == "queue")
        #expect(request.taskQueueType == .activity)
        #expect(request.updateQueueRateLimit?.rateLimit?.requestsPerSecond == 2.5)
        #expect(request.updateQueueRateLimit?.reason == "the bank is slow")
        let keys = try #require(request.updateFairnessKeyRateLimitDefault)
        #expect(keys.rateLimit == nil)
        #expect(request.setFairnessWeightOverrides["a=b"] == 2)
        #expect(request.unsetFairnessWeightOverrides == ["c"])
    }

    @Test(arguments: [
        ([], "nothing to change"),
        (["--queue-rps-limit", "fast"], "'--queue-rps-limit' expects a number, or default"),
        (["--fairness-key-weight", "a=0"], "'--fairness-key-weight' expects KEY=NUMBER"),
        (["--fairness-key-weight", "a=1", "--fairness-key-weight-clear-all"], "'--fairness-key-weight-clear-all'"),
    ])
    func aMistakeOfATaskQueueIsReported(_ arguments: [String], _ message: String) throws {
        let error = try #require(throws: UsageError.self) { try config(arguments) }
        #expect(error.message.hasPrefix(message), "\(error.message)")
    }

    @Test func aTaskQueueShowsWhatWaitsAndWhoPolls() {
        var statistics = TaskQueueStats()
        statistics.approximateBacklogCount = 7
        statistics.approximateBacklogAge = ProtobufDuration(seconds: 90, nanos: 0)
        statistics.tasksAddRate = 1.25
        var poller = PollerInfo()
        poller.identity = "worker-1"
        poller.lastAccessTime = ProtobufTimestamp(seconds: 1_700_000_000, nanos: 0)
        poller.ratePerSecond = 100_000
        var limit = RateLimit()
        limit.requestsPerSecond = 5
        var metadata = ConfigMetadata()
        metadata.reason = "slow"
        var configured = RateLimitConfig()
        configured.rateLimit = limit
        configured.metadata = metadata
        var config = TaskQueueConfig()
        config.queueRateLimit = configured
        var queue = DescribeTaskQueueResponse()
        queue.stats = statistics
        queue.pollers = [poller]
        queue.config = config
        let text = TaskQueueText(lineWidth: nil, isColored: false)
        let lines = text.text(queue, .activity).split(separator: "\n").map {
            $0.split(separator: " ").joined(separator: " ")
        }
        for line in [
            "Activity Tasks:", "BacklogCount 7", "BacklogAge 1m30s", "TasksAddRate 1.3/s", "QueueRateLimit 5/s (slow)",
            "Pollers 1", "worker-1 2023-11-14T22:13:20Z 100000/s",
        ] {
            #expect(lines.contains(line), "\(line)")
        }
    }
}
