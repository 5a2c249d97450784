import Glibc
import SagamoreAPI
import SagamoreEmbeddedPostgres
import SagamoreGRPC
import SagamoreProgramTestSupport
import SagamoreProtobuf
import Testing

extension ProgramTests {
    /// Batches in a server that is killed.
    @Suite struct BatchTests {
        /// Whatever was done twice has no further effect: each run gets the signal once.
        @Test func aBatchGoesOnAfterAKill() async throws {
            let folder = try TemporaryFolder()
            let data = folder.path + "/data"
            var dev = try DevProgram(dataFolder: data, options: [])
            let ids = (0..<130).map { "run-\($0)" }
            var calls = Calls(try dev.address())
            for id in ids { try await calls.start(id) }
            var request = StartBatchOperationRequest()
            request.namespace = "default"
            request.jobID = "job"
            request.reason = "a test"
            request.visibilityQuery = "WorkflowType = 'Batched'"
            request.maxOperationsPerSecond = 100
            var signal = BatchOperationSignal()
            signal.signal = "go"
            request.operation = .signalOperation(signal)
            let _: StartBatchOperationResponse = try await calls.call(.startBatchOperation, request)
            while try await calls.describe("job").completeOperationCount == 0 { usleep(5_000) }
            dev.program.signal(SIGKILL)
            dev.program.status()

            dev = try DevProgram(dataFolder: data, options: [])
            calls = Calls(try dev.address())
            let before = try await calls.describe("job")
            #expect(before.state == .running && before.totalOperationCount == 130, "\(before)")
            while try await calls.describe("job").state == .running { usleep(10_000) }
            let after = try await calls.describe("job")
            #expect(after.state == .completed && after.completeOperationCount == 130, "\(after)")
            #expect(after.failureOperationCount == 0 && after.closeTime != nil)
            for id in ids { #expect(try await calls.signals(of: id) == 1, "\(id)") }
            #expect(dev.stop() == 0)
            try EmbeddedPostgres(dataDirectory: data + "/postgres").wipe()
        }

        /// The next page of the slow one begins 50 seconds later; the batch of another namespace does not wait for it.
        /// A run that is gone counts as done.
        @Test func aSlowBatchHoldsUpNoOther() async throws {
            let folder = try TemporaryFolder()
            let data = folder.path + "/data"
            let dev = try DevProgram(dataFolder: data, options: ["--namespace", "other"])
            let calls = Calls(try dev.address())
            let executions = (0..<60).map { number in
                var execution = WorkflowExecution()
                execution.workflowID = "nobody-\(number)"
                return execution
            }
            func begin(_ namespace: String, rate: Float) async throws {
                var request = StartBatchOperationRequest()
                request.namespace = namespace
                request.jobID = "job"
                request.reason = "a test"
                request.executions = executions
                request.maxOperationsPerSecond = rate
                request.operation = .cancellationOperation(BatchOperationCancellation())
                let _: StartBatchOperationResponse = try await calls.call(.startBatchOperation, request)
            }
            try await begin("default", rate: 1)
            while try await calls.describe("job").completeOperationCount == 0 { usleep(5_000) }
            try await begin("other", rate: 1_000)
            while try await calls.describe("job", in: "other").state == .running { usleep(5_000) }
            #expect(try await calls.describe("job", in: "other").completeOperationCount == 60)
            #expect(try await calls.describe("job").state == .running)
            var stop = StopBatchOperationRequest()
            stop.namespace = "default"
            stop.jobID = "job"
            stop.reason = "enough"
            let _: StopBatchOperationResponse = try await calls.call(.stopBatchOperation, stop)
            let stopped = try await calls.describe("job")
            #expect(stopped.state == .failed && stopped.completeOperationCount == 50 && stopped.closeTime != nil)
            #expect(dev.stop() == 0)
            try EmbeddedPostgres(dataDirectory: data + "/postgres").wipe()
        }

        private struct Calls {
            private let channel: GRPCChannel

            init(_ address: String) { channel = GRPCChannel(GRPCChannelConfiguration(target: address)) }

            func call<Request: ProtobufMessage, Response: ProtobufMessage>(
                _ method: WorkflowServiceMethod,
                _ request: Request
            ) async throws -> Response {
                let bytes = try await channel.call(method.rawValue, request.serializedBytes(), deadline: .seconds(30))
                return try Response(serializedBytes: bytes)
            }

            func start(_ id: String) async throws {
                var request = StartWorkflowExecutionRequest()
                request.namespace = "default"
                request.workflowID = id
                var type = WorkflowType()
                type.name = "Batched"
                request.workflowType = type
                var queue = TaskQueue()
                queue.name = "nobody"
                request.taskQueue = queue
                let _: StartWorkflowExecutionResponse = try await call(.startWorkflowExecution, request)
            }

            func describe(
                _ job: String,
                in namespace: String = "default"
            ) async throws -> DescribeBatchOperationResponse {
                var request = DescribeBatchOperationRequest()
                request.namespace = namespace
                request.jobID = job
                return try await call(.describeBatchOperation, request)
            }

            func signals(of id: String) async throws -> Int {
                var request = GetWorkflowExecutionHistoryRequest()
                request.namespace = "default"
                var execution = WorkflowExecution()
                execution.workflowID = id
                request.execution = execution
                let response: GetWorkflowExecutionHistoryResponse = try await call(
                    .getWorkflowExecutionHistory,
                    request
                )
                return response.history?.events.count { $0.eventType == .workflowExecutionSignaled } ?? 0
            }
        }
    }
}
