import SagamoreAPI
import SagamoreEngine
import SagamoreGRPC
import SagamoreProtobuf
import SagamoreServices
import Testing

extension FrontTests {
    @Suite struct TaskQueueTests {
        private static func update(_ change: (inout UpdateTaskQueueConfigRequest) -> Void)
            -> UpdateTaskQueueConfigRequest
        {
            var request = UpdateTaskQueueConfigRequest()
            request.namespace = "default"
            request.identity = "operator"
            request.taskQueue = "travel"
            request.taskQueueType = .activity
            change(&request)
            return request
        }

        private static func rate(_ rate: Float?, _ reason: String = "because")
            -> UpdateTaskQueueConfigRequest.RateLimitUpdate
        {
            var update = UpdateTaskQueueConfigRequest.RateLimitUpdate()
            if let rate {
                update.rateLimit = RateLimit()
                update.rateLimit?.requestsPerSecond = rate
            }
            update.reason = reason
            return update
        }

        private static let refused: [(UpdateTaskQueueConfigRequest, String)] = [
            (update { $0.taskQueue = "" }, "missing task queue name"),
            (update { $0.taskQueue = "/_sys/q/1" }, "task queue family name cannot have prefix /_sys/ /_sys/q/1"),
            (update { $0.taskQueue = tooLong }, "taskQueue length exceeds limit"),
            (update { $0.taskQueueType = .unspecified }, "TaskQueueType is not set on request."),
            (
                update {
                    $0.taskQueueType = .workflow
                    $0.updateQueueRateLimit = rate(5)
                }, "Setting rate limit on workflow task queues is not allowed."
            ),
            (
                update {
                    $0.taskQueueType = .workflow
                    $0.updateFairnessKeyRateLimitDefault = rate(5)
                }, "Setting fairness key rate limit on workflow task queues is not allowed."
            ),
            (update { $0.identity = tooLong }, "Identity field too long (max 1000 characters)."),
            (
                update { $0.updateQueueRateLimit = rate(1, tooLong) },
                "UpdateQueueRateLimit.Reason field too long (max 1000 characters)."
            ),
            (
                update { $0.updateQueueRateLimit = rate(-1) },
                "RequestsPerSecond for UpdateQueueRateLimit rate limit must be non-negative."
            ),
            (
                update { $0.updateQueueRateLimit = rate(.nan) },
                "RequestsPerSecond for UpdateQueueRateLimit rate limit must be non-negative."
            ),
            (
                update {
                    $0.setFairnessWeightOverrides = ["c": 5]
                    $0.unsetFairnessWeightOverrides = ["c"]
                }, "fairness weight override key \"c\" present in both set and unset lists"
            ),
            (
                update { $0.setFairnessWeightOverrides = ["c": 0] },
                "invalid fairness weight weight for key \"c\": must be greater than zero"
            ),
            (
                update { $0.setFairnessWeightOverrides = [String(repeating: "k", count: 65): 1] },
                "fairness key length exceeds limit"
            ),
            (
                update { $0.unsetFairnessWeightOverrides = (0..<1_001).map { "\($0)" } },
                "too many fairness weight overrides in request: got 1001, maximum 1000"
            ),
        ]

        @Test func settingsThatNoQueueCanHaveAreRefused() async throws {
            try await withFront { client in
                for (request, message) in Self.refused {
                    let status = await client.refusal(.updateTaskQueueConfig, request.serializedBytes())
                    #expect(status?.code == .invalidArgument, "\(message)")
                    #expect(status?.message == message)
                }
                var request = Self.update { $0.namespace = "nowhere" }
                #expect(await client.refusal(.updateTaskQueueConfig, request.serializedBytes())?.code == .notFound)
                // Many small changes add up to no more than one large one.
                for start in [0, 600] {
                    let weights = (start..<start + 600).map { ("k\($0)", Float(1)) }
                    request = Self.update {
                        $0.setFairnessWeightOverrides = ProtobufMap(Dictionary(uniqueKeysWithValues: weights))
                    }
                    let status = await client.refusal(.updateTaskQueueConfig, request.serializedBytes())
                    #expect((status == nil) == (start == 0))
                }
            }
        }

        @Test func settingsSayWhoChangedThemAndWhy() async throws {
            try await withFront { client in
                func change(_ request: UpdateTaskQueueConfigRequest) async throws -> TaskQueueConfig {
                    let response: UpdateTaskQueueConfigResponse = try await client.call(.updateTaskQueueConfig, request)
                    return try #require(response.config)
                }
                let first = try await change(Self.update { $0.updateQueueRateLimit = Self.rate(5) })
                #expect(first.queueRateLimit?.rateLimit?.requestsPerSecond == 5)
                #expect(first.queueRateLimit?.metadata?.reason == "because")
                #expect(first.queueRateLimit?.metadata?.updateIdentity == "operator")
                #expect(first.queueRateLimit?.metadata?.updateTime == now.timestamp)
                #expect(first.fairnessKeysRateLimitDefault == nil)
                let second = try await change(
                    Self.update {
                        $0.updateQueueRateLimit = Self.rate(nil, "over")
                        $0.setFairnessWeightOverrides = ["a": 5, "b": 0.5]
                    }
                )
                // No limit any more, but a word on why.
                #expect(second.queueRateLimit?.rateLimit == nil)
                #expect(second.queueRateLimit?.metadata?.reason == "over")
                let third = try await change(
                    Self.update {
                        $0.identity = "another"
                        $0.updateFairnessKeyRateLimitDefault = Self.rate(0.5, "")
                        $0.setFairnessWeightOverrides = ["c": 2]
                        $0.unsetFairnessWeightOverrides = ["a"]
                    }
                )
                #expect(third.fairnessWeightOverrides == ["b": 0.5, "c": 2])
                #expect(third.queueRateLimit == second.queueRateLimit)
                #expect(third.fairnessKeysRateLimitDefault?.metadata?.updateIdentity == "another")
            }
        }

        @Test func aDescriptionShowsPollersAndFigures() async throws {
            let matching = FakeMatching { handlers in
                handlers.describe = { key in
                    var description = TaskQueueDescription(at: now)
                    guard key.kind == .activity, key.name == "travel" else { return description }
                    var figures = TaskQueueDescription.Statistics()
                    figures.backlogCount = 7
                    figures.oldest = now + .seconds(-5)
                    figures.addRate = 2
                    description.statistics = [1: figures]
                    description.limit = .init(rate: 9, isWorkers: true)
                    description.isLimited = true
                    description.pollers = [.init(identity: "w", lastAccess: now, rate: 9, buildID: "b")]
                    return description
                }
            }
            try await withFront(matching: matching) { client in
                var request = DescribeTaskQueueRequest()
                request.namespace = "default"
                request.taskQueue = TaskQueue()
                request.taskQueue?.name = "travel"
                request.taskQueueType = .activity
                request.reportStats = true
                request.reportConfig = true
                request.includeTaskQueueStatus = true
                let full: DescribeTaskQueueResponse = try await client.call(.describeTaskQueue, request)
                #expect(full.pollers.first?.identity == "w")
                #expect(full.pollers.first?.ratePerSecond == 9)
                #expect(full.pollers.first?.lastAccessTime == now.timestamp)
                #expect(full.stats?.approximateBacklogCount == 7)
                #expect(full.stats?.approximateBacklogAge == Interval.seconds(5).duration)
                #expect(full.stats?.rateLimitingActive == true)
                #expect(full.statsByPriorityKey.keys.sorted() == [1, 3])
                #expect(full.statsByPriorityKey[3]?.approximateBacklogCount == 0)
                #expect(full.effectiveRateLimit?.requestsPerSecond == 9)
                #expect(full.effectiveRateLimit?.rateLimitSource == .worker)
                #expect(full.taskQueueStatus?.backlogCountHint == 7)
                #expect(full.config == nil)
                request.apiMode = .enhanced
                request.reportPollers = true
                let modern: DescribeTaskQueueResponse = try await client.call(.describeTaskQueue, request)
                #expect(modern.versionsInfo[""]?.typesInfo.keys.sorted() == [1, 2])
                #expect(modern.versionsInfo[""]?.typesInfo[2]?.pollers.count == 1)
                #expect(modern.versionsInfo[""]?.typesInfo[2]?.stats?.approximateBacklogCount == 7)
                request.taskQueue = nil
                #expect(
                    await client.refusal(.describeTaskQueue, request.serializedBytes())?.message
                        == "taskQueue is not set"
                )
            }
        }
    }

    @Suite struct WorkerTests {
        private static func heartbeat(_ key: String, _ change: (inout WorkerHeartbeat) -> Void = { _ in })
            -> WorkerHeartbeat
        {
            var heartbeat = WorkerHeartbeat()
            heartbeat.workerInstanceKey = key
            heartbeat.workerIdentity = "me"
            heartbeat.taskQueue = "travel"
            heartbeat.sdkName = "temporal-python"
            heartbeat.status = .running
            change(&heartbeat)
            return heartbeat
        }

        private static func record(_ heartbeats: [WorkerHeartbeat], _ client: Client) async throws {
            var request = RecordWorkerHeartbeatRequest()
            request.namespace = "default"
            request.workerHeartbeat = heartbeats
            let _: RecordWorkerHeartbeatResponse = try await client.call(.recordWorkerHeartbeat, request)
        }

        private static func list(
            _ client: Client,
            _ query: String = "",
            namespace: String = "default",
            pageSize: Int32 = 0,
            token: [UInt8] = []
        ) async throws -> ListWorkersResponse {
            var request = ListWorkersRequest()
            request.namespace = namespace
            request.query = query
            request.pageSize = pageSize
            request.nextPageToken = token
            return try await client.call(.listWorkers, request)
        }

        @Test(arguments: [
            ("", ["a", "b", "c"]), ("WorkerInstanceKey = 'b'", ["b"]), ("TaskQueue='travel' AND SdkName='go'", ["b"]),
            ("TaskQueue='cars' or SdkName=\"go\"", ["b", "c"]), ("(TaskQueue='cars')", ["c"]),
            ("TaskQueue != 'travel'", ["c"]), ("TaskQueue STARTS_WITH 'tra'", ["a", "b"]),
            ("Status='Running'", ["a", "b"]),
            ("WorkerStatus='ShuttingDown'", ["c"]), ("HostName='h'", ["c"]), ("Unknown='x'", []), ("TaskQueue", []),
            ("TaskQueue='travel", []), ("TaskQueue IN ('travel')", []), ("not TaskQueue='travel'", []),
            (String(repeating: "(", count: 3_000), []),
        ])
        func listedByAQuery(_ query: String, _ expected: [String]) async throws {
            try await withFront { client in
                let workers = [
                    Self.heartbeat("a"), Self.heartbeat("b") { $0.sdkName = "go" },
                    Self.heartbeat("c") {
                        $0.taskQueue = "cars"
                        $0.status = .shuttingDown
                        $0.hostInfo = WorkerHostInfo()
                        $0.hostInfo?.hostName = "h"
                    },
                ]
                try await Self.record(workers, client)
                let listed = try await Self.list(client, query)
                #expect(listed.workers.map(\.workerInstanceKey) == expected)
                #expect(listed.workersInfo.compactMap(\.workerHeartbeat?.workerInstanceKey) == expected)
                var request = CountWorkersRequest()
                request.namespace = "default"
                request.query = query
                let count: CountWorkersResponse = try await client.call(.countWorkers, request)
                #expect(count.count == Int64(expected.count))
                #expect(try await Self.list(client, query, namespace: "other").workers.isEmpty)
            }
        }

        @Test func listedInPagesAndGoneAfterTheirShutdown() async throws {
            try await withFront { client in
                try await Self.record((1...5).map { Self.heartbeat("w\($0)") }, client)
                var (keys, token): ([String], [UInt8]) = ([], [])
                repeat {
                    let page = try await Self.list(client, pageSize: 2, token: token)
                    #expect(page.workers.count <= 2)
                    keys += page.workers.map(\.workerInstanceKey)
                    token = page.nextPageToken
                } while !token.isEmpty
                #expect(keys == ["w1", "w2", "w3", "w4", "w5"])
                var request = ListWorkersRequest()
                request.namespace = "default"
                request.nextPageToken = [1]
                #expect(
                    await client.refusal(.listWorkers, request.serializedBytes())?.message == "invalid next_page_token"
                )
                var shutdown = ShutdownWorkerRequest()
                shutdown.namespace = "default"
                shutdown.workerHeartbeat = Self.heartbeat("w2") { $0.status = .shutdown }
                let _: ShutdownWorkerResponse = try await client.call(.shutdownWorker, shutdown)
                try await Self.record([Self.heartbeat("w4") { $0.status = .shutdown }], client)
                #expect(try await Self.list(client).workers.map(\.workerInstanceKey) == ["w1", "w3", "w5"])
                var describe = DescribeWorkerRequest()
                describe.namespace = "default"
                describe.workerInstanceKey = "w3"
                let found: DescribeWorkerResponse = try await client.call(.describeWorker, describe)
                #expect(found.workerInfo?.workerHeartbeat == Self.heartbeat("w3"))
                describe.workerInstanceKey = "w2"
                let status = await client.refusal(.describeWorker, describe.serializedBytes())
                #expect(status?.code == .notFound)
                #expect(status?.message == "Worker w2 not found")
            }
        }

        @Test func theNumberOfWorkersIsBounded() async throws {
            try await withFront { client in
                for start in stride(from: 0, to: 30_000, by: 2_000) {
                    try await Self.record((start..<start + 2_000).map { Self.heartbeat("w\($0)") }, client)
                }
                var request = CountWorkersRequest()
                request.namespace = "default"
                let count: CountWorkersResponse = try await client.call(.countWorkers, request)
                #expect(count.count <= 10_000 && count.count >= 2_000)
            }
        }

        @Test func commandsToWorkersAreRefused() async throws {
            try await withFront { client in
                for method in [WorkflowServiceMethod.fetchWorkerConfig, .updateWorkerConfig] {
                    let status = await client.refusal(method, [])
                    #expect(status?.code == .unimplemented)
                    #expect(status?.message.hasSuffix("command is not enabled.") == true)
                }
            }
        }
    }
}
