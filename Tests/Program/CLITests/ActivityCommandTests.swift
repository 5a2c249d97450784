import SagamoreJSONText
import SagamoreProgramTestSupport
import Testing

extension ProgramTests {
    /// `sagamore activity` against the shared `dev`, with workers that the tests play.
    @Suite(.serialized)
    struct ActivityCommandTests {
        private let dev: DevProgram

        init() throws { dev = try DevProgram.shared() }

        /// Starts a workflow that waits for the activity `book`.
        private func start(_ id: String) async throws -> StubWorker {
            let started = try dev.run("workflow", "start", "--type", "CLIActive", "-t", id, "-w", id)
            #expect(started.status == 0, "\(started.errors)")
            let worker = try StubWorker(dev, queue: id)
            let activity = StubWorker.activity(id: "book", type: "Book", queue: id)
            try await worker.complete(try await worker.task(), [activity])
            return worker
        }

        private func activity(_ verb: String, _ id: String, _ more: String...) throws -> Outcome {
            try sagamore(["activity", verb, "-w", id, "-a", "book", "--data-dir", dev.dataFolder] + more)
        }

        private func pending(_ id: String) throws -> JSONValue? {
            let description = try dev.run("workflow", "describe", "-w", id, "-o", "json")
            return try JSONValue.parse(description.output)["pendingActivities"]?[0]
        }

        @Test func anActivityIsCompletedOrFailsInPlaceOfItsWorker() async throws {
            for (id, verb) in [("active-1", "complete"), ("active-2", "fail")] {
                let worker = try await start(id)
                _ = try await worker.activityTask()
                let more = verb == "complete" ? ["--result", "7"] : ["--reason", "no cars"]
                let command = ["activity", verb, "-w", id, "-a", "book", "--data-dir", dev.dataFolder]
                let outcome = try sagamore(command + more)
                #expect(outcome.status == 0, "\(outcome.errors)")
                let history = try dev.run("workflow", "show", "-w", id).output
                #expect(history.contains(verb == "complete" ? "result=7" : "no cars"))
            }
            #expect(try activity("complete", "active-1", "--result", "7").status == 1)
        }

        @Test func anActivityIsPausedChangedResetAndUnpaused() async throws {
            _ = try await start("paused")
            #expect(try activity("pause", "paused", "--reason", "closed").output == "Activity paused\n")
            #expect(try pending("paused")?["paused"]?.bool == true)
            let changed = try activity("update-options", "paused", "--start-to-close-timeout", "7m", "-o", "json")
            #expect(changed.status == 0, "\(changed.errors)")
            #expect(try JSONValue.parse(changed.output)["startToCloseTimeout"]?.string == "420s")
            #expect(try activity("reset", "paused", "--keep-paused").output == "Activity reset\n")
            #expect(try pending("paused")?["paused"]?.bool == true)
            #expect(try activity("unpause", "paused").output == "Activity unpaused\n")
            #expect(try pending("paused")?["paused"]?.bool != true)
            let restored = try activity("update-options", "paused", "--restore-original-options")
            #expect(restored.output.contains("1m0s"))
        }

        @Test func activitiesOfAFilterAreUnpaused() async throws {
            _ = try await start("paused-in-a-batch")
            #expect(try activity("pause", "paused-in-a-batch").status == 0)
            let filter = "WorkflowId = 'paused-in-a-batch'"
            let started = try dev.run("activity", "unpause", "-q", filter, "--yes", "-o", "json")
            let job = try #require(try JSONValue.parse(started.output)["batchJobId"]?.string)
            #expect(try dev.run("batch", "describe", "--job-id", job, "--follow").status == 0)
            #expect(try pending("paused-in-a-batch")?["paused"]?.bool != true)
        }

        @Test func aSignalStartsAWorkflowThatIsNotRunning() throws {
            let options = ["--type", "CLISignaled", "-t", "nobody", "-w", "signal-started", "-o", "json"]
            let signal = ["--signal-name", "add", "--signal-input", "1", "--data-dir", dev.dataFolder]
            let runs = try (0..<2).map { _ in
                let outcome = try sagamore(["workflow", "signal-with-start"] + options + signal)
                #expect(outcome.status == 0, "\(outcome.errors)")
                return try JSONValue.parse(outcome.output)["runId"]?.string
            }
            #expect(runs[0] != nil && runs[0] == runs[1])
            let history = try dev.run("workflow", "show", "-w", "signal-started").output
            #expect(history.split(separator: "WorkflowExecutionSignaled").count == 3)
        }
    }
}
