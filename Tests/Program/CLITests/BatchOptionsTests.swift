import SagamoreAPI
import SagamoreCommandLineArguments
import Testing

@testable import SagamoreCLI

struct BatchOptionsTests {
    @Test func aFilterBecomesABatch() throws {
        let line = ["-q", "WorkflowType = 'Order'", "--reason", "late", "--rps", "2.5", "-n", "shop"]
        let values = try WorkflowEnding.cancel.values(line)
        guard case .runs(let query) = try WorkflowTarget(values) else {
            Issue.record("a filter names no single workflow")
            return
        }
        let operation = StartBatchOperationRequest.OneOf_Operation.cancellationOperation(.init())
        let request = try BatchStart(query, operation, reason: values[WorkflowEnding.cancelReason], values).request
        #expect(request.namespace == "shop")
        #expect(request.visibilityQuery == "WorkflowType = 'Order'")
        #expect(request.reason == "late")
        #expect(request.maxOperationsPerSecond == 2.5)
        #expect(request.jobID.count == 36)
        #expect(request.operation == operation)
        #expect(try BatchStart(query, operation, reason: nil, values).request.reason.hasPrefix("Requested from CLI by"))
    }

    @Test(arguments: [
        ([], "set either '--workflow-id' or '--query'"),
        (["-w", ""], "'--workflow-id' must not be empty"),
        (["-q", ""], "'--query' must not be empty"),
        (["-q", "x", "-w", "y"], "'--query' cannot be combined"),
        (["-q", "x", "-r", "y"], "'--query' cannot be combined"),
        (["-w", "x", "--rps", "1"], "'--rps' requires '--query'"),
    ])
    func aCommandHasOneTarget(_ arguments: [String], _ message: String) throws {
        let error = try #require(throws: UsageError.self) {
            try WorkflowTarget(try WorkflowEnding.terminate.values(arguments))
        }
        #expect(error.message.hasPrefix(message), "\(error.message)")
    }

    @Test func aRateIsANumberOfRuns() throws {
        let values = try WorkflowEnding.delete.values(["-q", "x", "--rps=-1"])
        #expect(throws: UsageError.self) {
            try BatchStart("x", .deletionOperation(BatchOperationDeletion()), reason: nil, values)
        }
    }

    private func batch(_ completed: Int64, failed: Int64 = 0, of total: Int64 = 100) -> DescribeBatchOperationResponse {
        var batch = DescribeBatchOperationResponse()
        batch.jobID = "job"
        batch.state = .running
        batch.totalOperationCount = total
        batch.completeOperationCount = completed
        batch.failureOperationCount = failed
        return batch
    }

    @Test func progressCountsFromWhenItWasFirstSeen() {
        var progress = BatchProgress()
        #expect(progress.line(batch(10), at: .seconds(5)) == "10 of 100 done")
        #expect(progress.line(batch(10), at: .seconds(6)) == "10 of 100 done")
        #expect(progress.line(batch(29, failed: 1), at: .seconds(10)) == "30 of 100 done, 1 failed, 4.0/s, 18s left")
        #expect(progress.line(batch(90), at: .seconds(9)) == "90 of 100 done, 20/s, 1s left")
        var last = batch(120)
        last.state = .completed
        #expect(progress.line(last, at: .seconds(20)) == "120 of 120 done")
    }

    @Test func aBatchThatWasStoppedOrFailedInPartIsAFailure() throws {
        var done = batch(100)
        done.state = .completed
        try BatchFollowing.check(done)
        var stopped = done
        stopped.state = .failed
        #expect(throws: CommandFailure.self) { try BatchFollowing.check(stopped) }
        done.failureOperationCount = 1
        #expect(throws: CommandFailure.self) { try BatchFollowing.check(done) }
    }

    @Test func aDescriptionNamesStateAndCounts() {
        var batch = batch(3, failed: 2)
        batch.operationType = .terminateWorkflow
        batch.query = "WorkflowType = 'Order'"
        let lines = BatchCommands.text(batch, isColored: false).split(separator: "\n").map {
            $0.split(separator: " ").joined(separator: " ")
        }
        for line in ["JobId job", "State Running", "Type TerminateWorkflow", "Completed 3", "Failed 2"] {
            #expect(lines.contains(line), "\(line)")
        }
    }
}
