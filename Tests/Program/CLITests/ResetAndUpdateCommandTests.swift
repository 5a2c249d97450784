import SagamoreAPI
import SagamoreJSONText
import SagamoreProgramTestSupport
import Testing

extension ProgramTests {
    /// `sagamore workflow reset` and `update` against the shared `dev`, with a worker that the tests play.
    @Suite(.serialized)
    struct ResetAndUpdateCommandTests {
        private let dev: DevProgram

        init() throws { dev = try DevProgram.shared() }

        private func start(_ id: String) throws -> StubWorker {
            let started = try dev.run("workflow", "start", "--type", "CLIReset", "-t", id, "-w", id)
            #expect(started.status == 0, "\(started.errors)")
            return try StubWorker(dev, queue: id)
        }

        @Test func aWorkflowGoesOnFromAnEarlierTask() async throws {
            let worker = try start("reset")
            try await worker.complete(try await worker.task())
            #expect(try dev.run("workflow", "signal", "-w", "reset", "--name", "go").status == 0)
            try await worker.complete(try await worker.task(), [StubWorker.completion(json: "1")])

            let first = try dev.run("workflow", "reset", "-w", "reset", "-t", "FirstWorkflowTask", "-o", "json")
            #expect(first.status == 0, "\(first.errors)")
            let run = try #require(try JSONValue.parse(first.output)["runId"]?.string)
            let history = try dev.run("workflow", "show", "-w", "reset", "-r", run).output
            #expect(history.contains("WorkflowExecutionSignaled"))

            let excluded = ["--reapply-exclude", "All", "--reason", "a bug"]
            let second = try sagamore(
                ["workflow", "reset", "-w", "reset", "-e", "4", "-o", "json"] + excluded
                    + ["--data-dir", dev.dataFolder]
            )
            let other = try #require(try JSONValue.parse(second.output)["runId"]?.string)
            #expect(other != run)
            let without = try dev.run("workflow", "show", "-w", "reset", "-r", other).output
            #expect(!without.contains("WorkflowExecutionSignaled"))
            #expect(without.contains("a bug"))

            let wrong = try dev.run("workflow", "reset", "-w", "reset", "-e", "2")
            #expect(wrong.status == 1)
            let fresh = try dev.run("workflow", "reset", "-w", "reset", "-t", "LastContinuedAsNew")
            #expect(fresh.status == 1)
            #expect(fresh.errors.contains("continuation"))
        }

        @Test func runsOfAFilterAreReset() async throws {
            let worker = try start("batch-reset")
            try await worker.complete(try await worker.task(), [StubWorker.completion(json: "1")])
            let filter = "WorkflowId = 'batch-reset'"
            let started = try dev.run(
                "workflow",
                "reset",
                "-q",
                filter,
                "-t",
                "LastWorkflowTask",
                "--yes",
                "-o",
                "json"
            )
            #expect(started.status == 0, "\(started.errors)")
            let job = try #require(try JSONValue.parse(started.output)["batchJobId"]?.string)
            #expect(try dev.run("batch", "describe", "--job-id", job, "--follow").status == 0)
            #expect(try dev.run("workflow", "count", "-q", filter).output == "Total: 2\n")
        }

        @Test func anUpdateShowsItsResult() async throws {
            let worker = try start("updated")
            try await worker.complete(try await worker.task())
            let program = try RunningProgram([
                "workflow", "update", "execute", "-w", "updated", "--name", "add", "--update-id", "u-1", "-i", "1",
                "-o", "json", "--data-dir", dev.dataFolder,
            ])
            try await worker.acceptUpdates(try await worker.task(), json: "{\"sum\":1}")
            #expect(program.status() == 0, "\(program.errors)")
            let json = try JSONValue.parse(program.output)
            #expect(json["updateId"]?.string == "u-1")
            #expect(json["name"]?.string == "add")
            #expect(json["result"]?["sum"]?.int64 == 1)

            let result = try dev.run("workflow", "update", "result", "-w", "updated", "--update-id", "u-1")
            #expect(result.status == 0)
            #expect(result.output.contains("{\"sum\":1}"))
            let described = try dev.run("workflow", "update", "describe", "-w", "updated", "--update-id", "u-1")
            #expect(described.output.contains("Completed"))
            let unknown = try dev.run("workflow", "update", "describe", "-w", "updated", "--update-id", "none")
            #expect(unknown.status == 1)
        }

        @Test func anAcceptedUpdateIsNotWaitedFor() async throws {
            let worker = try start("accepted")
            try await worker.complete(try await worker.task())
            let program = try RunningProgram([
                "workflow", "update", "start", "-w", "accepted", "--name", "add", "--data-dir", dev.dataFolder,
            ])
            try await worker.acceptUpdates(try await worker.task(), json: nil)
            #expect(program.status() == 0, "\(program.errors)")
            #expect(program.output.contains("Accepted"))
        }

        @Test func aRejectedUpdateExitsWith1() async throws {
            let worker = try start("rejected")
            try await worker.complete(try await worker.task())
            let program = try RunningProgram([
                "workflow", "update", "execute", "-w", "rejected", "--name", "add", "--data-dir", dev.dataFolder,
            ])
            try await worker.rejectUpdates(try await worker.task(), message: "not now")
            #expect(program.status() == 1)
            #expect(program.errors == "sagamore: update failed: not now\n")
            #expect(program.output.contains("not now"))
        }
    }
}
