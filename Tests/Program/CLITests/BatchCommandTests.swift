import SagamoreJSONText
import SagamoreProgramTestSupport
import Testing

extension ProgramTests {
    /// Commands with `--query`, and `sagamore batch`, against the shared `dev`.
    @Suite(.serialized)
    struct BatchCommandTests {
        private let dev: DevProgram

        init() throws { dev = try DevProgram.shared() }

        private func start(_ ids: [String], type: String) throws {
            for id in ids {
                let started = try dev.run("workflow", "start", "--type", type, "-t", "nobody", "-w", id)
                #expect(started.status == 0, "\(started.errors)")
            }
        }

        /// Waits for the end of a batch that was started with JSON as its output.
        private func follow(_ started: Outcome) throws -> JSONValue {
            #expect(started.status == 0, "\(started.errors)")
            let job = try #require(try JSONValue.parse(started.output)["batchJobId"]?.string)
            let followed = try dev.run("batch", "describe", "--job-id", job, "--follow", "-o", "json")
            #expect(followed.status == 0, "\(followed.errors)")
            return try JSONValue.parse(followed.output)
        }

        @Test func allRunsOfAFilterAreSignaledTerminatedAndDeleted() throws {
            let ids = ["batched-1", "batched-2", "batched-3"]
            try start(ids, type: "CLIBatched")
            let filter = "WorkflowType = 'CLIBatched'"
            let signaled = try follow(
                try dev.run("workflow", "signal", "-q", filter, "--name", "go", "-i", "1", "--yes", "-o", "json")
            )
            #expect(signaled["operationType"]?.string == "BATCH_OPERATION_TYPE_SIGNAL_WORKFLOW")
            #expect(signaled["completeOperationCount"]?.string == "3")
            for id in ids {
                #expect(try dev.run("workflow", "show", "-w", id).output.contains("WorkflowExecutionSignaled"))
            }

            let terminated = try follow(
                try dev.run("workflow", "terminate", "-q", filter, "--reason", "late", "--yes", "-o", "json")
            )
            #expect(terminated["reason"]?.string == "late")
            #expect(try dev.run("workflow", "describe", "-w", "batched-2").output.contains("Terminated"))

            _ = try follow(try dev.run("workflow", "delete", "-q", filter, "--yes", "-o", "json"))
            #expect(try dev.run("workflow", "count", "-q", filter).output == "Total: 0\n")
        }

        @Test func aBatchIsConfirmedListedAndFollowed() throws {
            try start(["stopped-1", "stopped-2"], type: "CLIStopped")
            let filter = "WorkflowType = 'CLIStopped'"
            let unconfirmed = try dev.run("workflow", "cancel", "-q", filter)
            #expect(unconfirmed.status == 1)
            #expect(unconfirmed.errors.contains("'--yes'"))
            #expect(try !dev.run("workflow", "describe", "-w", "stopped-1").output.contains("CancelRequested"))

            let started = try dev.run("workflow", "cancel", "-q", filter, "--yes", "--rps", "1")
            #expect(started.status == 0)
            let job = try #require(started.output.firstMatch(of: /Started batch for job ID: (\S+)\n/)?.1)
            let listed = try dev.run("batch", "list", "--limit", "1", "-o", "jsonl")
            #expect(try JSONValue.parse(listed.output)["jobId"]?.string == String(job))
            let described = try dev.run("batch", "describe", "--job-id", String(job))
            #expect(described.output.contains("CancelWorkflow"))
            let followed = try dev.run("batch", "describe", "--job-id", String(job), "--follow")
            #expect(followed.status == 0)
            #expect(!followed.errors.contains("\r"))

            let late = try dev.run("batch", "terminate", "--job-id", "nothing", "--reason", "enough")
            #expect(late.status == 1)
        }

        @Test func anInvalidFilterStartsNoBatch() throws {
            let outcome = try dev.run("workflow", "terminate", "-q", "WorkflowTyp = 'X'", "--yes")
            #expect(outcome.status == 1)
            #expect(outcome.errors.contains("A filter is like"))
        }
    }
}
