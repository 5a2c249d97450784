import SagamoreAPI
import SagamoreCommandLineArguments
import SagamoreProtobuf
import Testing

@testable import SagamoreCLI

struct ActivityOptionsTests {
    @Test func anActivityIsCompletedWithJSON() throws {
        let line = ["-w", "trip", "-r", "run", "-a", "book", "--result", "{\"car\": 7}", "-n", "shop"]
        let request = try ActivityEnding.completion(try ActivityEnding.complete.values(line))
        #expect(request.namespace == "shop")
        #expect(request.workflowID == "trip")
        #expect(request.runID == "run")
        #expect(request.activityID == "book")
        #expect(try request.result?.decoded().payloads.map(\.data) == [Array("{\"car\": 7}".utf8)])
        #expect(throws: UsageError.self) { try ActivityEnding.complete.values(["-w", "trip", "-a", "book"]) }
    }

    @Test func aFailureIsNotTriedAgain() throws {
        let line = ["-w", "trip", "-a", "book", "--reason", "no cars", "--detail", "7"]
        let request = try ActivityEnding.failure(try ActivityEnding.fail.values(line))
        let failure = try #require(try request.failure?.decoded())
        #expect(failure.message == "no cars")
        guard case .applicationFailureInfo(let info)? = failure.failureInfo else {
            Issue.record("the failure is none of an application")
            return
        }
        #expect(info.nonRetryable)
        #expect(info.details?.payloads.map(\.data) == [Array("7".utf8)])
    }

    private func change(_ arguments: [String]) throws -> ActivityOptionsChange.Change? {
        let line = ["-w", "trip", "-a", "book"] + arguments
        return try ActivityOptionsChange.change(try ActivityOptionsChange.command.values(line))
    }

    @Test func onlyGivenOptionsAreMeant() throws {
        let change = try #require(
            try change([
                "--start-to-close-timeout", "5m", "--task-queue", "other", "--retry-maximum-attempts", "0",
                "--retry-backoff-coefficient", "1.5",
            ])
        )
        #expect(
            change.mask.paths == [
                "task_queue.name", "start_to_close_timeout", "retry_policy.backoff_coefficient",
                "retry_policy.maximum_attempts",
            ]
        )
        #expect(change.options.startToCloseTimeout?.seconds == 300)
        #expect(change.options.taskQueue?.name == "other")
        #expect(change.options.retryPolicy?.backoffCoefficient == 1.5)
        #expect(change.options.heartbeatTimeout == nil)
        #expect(try self.change(["--restore-original-options"]) == nil)
    }

    @Test(arguments: [
        ([], "nothing to change"),
        (["--restore-original-options", "--heartbeat-timeout", "5s"], "'--restore-original-options' cannot"),
        (["--retry-backoff-coefficient", "0.5"], "'--retry-backoff-coefficient' expects"),
        (["--retry-maximum-attempts", "-1"], "'--retry-maximum-attempts' expects"),
        (["--heartbeat-timeout", "0s"], "'--heartbeat-timeout' expects a duration"),
    ])
    func aMistakeIsReportedWithItsOption(_ arguments: [String], _ message: String) throws {
        let error = try #require(throws: UsageError.self) { try change(arguments) }
        #expect(error.message.hasPrefix(message), "\(error.message)")
    }

    @Test func aResetIsForOneActivityOrForAll() throws {
        let flags = ["--clear-heartbeat-details", "--keep-paused", "--restore-original-options"]
        let single = try ActivityOperations.reset.values(["-w", "trip", "-a", "book"] + flags)
        guard case .activity(let id, let workflow) = try ActivityTarget(single) else {
            Issue.record("an activity is no batch")
            return
        }
        let request = ActivityOperations.resetRequest(id, workflow, single)
        #expect(request.activity == .id("book"))
        #expect(request.execution?.workflowID == "trip")
        #expect(request.resetHeartbeat && request.keepPaused && request.restoreOriginalOptions)

        let all = try ActivityOperations.reset.values(["-q", "x", "--jitter", "5s"])
        guard case .runs(let query) = try ActivityTarget(all) else {
            Issue.record("a filter names no activity")
            return
        }
        #expect(query == "x")
        let operation = ActivityOperations.resetOperation(all)
        #expect(operation.activity == .matchAll(true))
        #expect(operation.jitter?.seconds == 5)
        for arguments in [["-q", "x", "-a", "y"], ["-w", "x"], ["-a", "y"], ["-w", "x", "-a", ""]] {
            #expect(throws: UsageError.self) {
                try ActivityTarget(try ActivityOperations.reset.values(arguments))
            }
        }
    }

    @Test func aSignalWithStartHasTwoInputs() throws {
        let line = [
            "--type", "Cart", "-t", "carts", "-w", "cart", "-i", "1", "--signal-name", "add", "--signal-input", "2",
            "--id-conflict-policy", "UseExisting",
        ]
        let values = try SignalWithStartCommand.command.values(line)
        let request = try SignalWithStartCommand.request(try StartOptions.request(values), values)
        #expect(request.workflowID == "cart")
        #expect(request.signalName == "add")
        #expect(request.workflowIDConflictPolicy == .useExisting)
        #expect(try request.input?.decoded().payloads.map(\.data) == [Array("1".utf8)])
        #expect(try request.signalInput?.decoded().payloads.map(\.data) == [Array("2".utf8)])
    }
}
