import Foundation
import SagamoreAPI
import SagamoreJSONText
import SagamoreProgramTestSupport
import SagamoreProtobuf
import Testing

extension ProgramTests {
    /// The commands of `sagamore workflow` against one `dev` that these tests share. Each has workflows of its own.
    @Suite(.serialized)
    struct WorkflowCommandTests {
        private let dev: DevProgram

        init() throws { dev = try DevProgram.shared() }

        /// Runs a command of `sagamore workflow`.
        private func workflow(_ arguments: String...) throws -> SagamoreProgramTestSupport.Outcome {
            try sagamore(["workflow"] + arguments + ["--data-dir", dev.dataFolder])
        }

        private func json(_ arguments: String...) throws -> JSONValue {
            let outcome = try sagamore(["workflow"] + arguments + ["-o", "json", "--data-dir", dev.dataFolder])
            #expect(outcome.status == 0, "\(outcome.errors)")
            return try JSONValue.parse(outcome.output)
        }

        private func start(_ id: String, type: String, queue: String = "nobody") throws {
            let outcome = try workflow("start", "--type", type, "-t", queue, "-w", id)
            #expect(outcome.status == 0, "\(outcome.errors)")
        }

        private func execution(_ id: String, type: String, queue: String, _ more: String...) throws -> RunningProgram {
            let options = ["--type", type, "-t", queue, "-w", id, "--data-dir", dev.dataFolder]
            return try RunningProgram(["workflow", "execute"] + options + more)
        }

        // MARK: Lists

        @Test func runsAreListedByFilterAndLimit() throws {
            for id in ["listed-1", "listed-2", "listed-3"] { try start(id, type: "CLIListed") }
            let filter = "WorkflowType = 'CLIListed'"
            let runs = try #require(try json("list", "--query", filter).array)
            #expect(runs.map { $0["execution"]?["workflowId"]?.string } == ["listed-3", "listed-2", "listed-1"])
            #expect(runs.allSatisfy { $0["status"]?.string == "WORKFLOW_EXECUTION_STATUS_RUNNING" })

            let lines = try workflow("list", "-q", filter, "--limit", "2", "--page-size", "1", "-o", "jsonl").lines
            let ids = try lines.map { try JSONValue.parse($0)["execution"]?["workflowId"]?.string }
            #expect(ids == ["listed-3", "listed-2"])

            let table = try workflow("list", "-q", filter, "--page-size", "2")
            #expect(table.status == 0)
            #expect(table.lines.count == 4)
            #expect(table.lines[0].split(separator: " ") == ["Status", "WorkflowId", "Type", "StartTime", "RunId"])
            #expect(table.lines[1].split(separator: " ").prefix(3) == ["Running", "listed-3", "CLIListed"])
            #expect(!table.output.contains("\u{1b}"))

            #expect(try json("list", "-q", "WorkflowType = 'CLINone'") == [])
            #expect(try workflow("list", "-q", "WorkflowType = 'CLINone'").output.isEmpty)
        }

        @Test func runsAreCountedInGroups() throws {
            for id in ["counted-1", "counted-2", "counted-3"] { try start(id, type: "CLICounted") }
            #expect(try workflow("terminate", "-w", "counted-1").output == "Workflow terminated\n")
            let filter = "WorkflowType = 'CLICounted'"
            #expect(try workflow("count", "-q", filter).output == "Total: 3\n")
            let groups = try workflow("count", "--query", "\(filter) GROUP BY ExecutionStatus")
            #expect(
                groups.lines == ["Total: 3", "Group total: 2, values: Running", "Group total: 1, values: Terminated"]
            )
            let counts = try json("count", "-q", "\(filter) GROUP BY ExecutionStatus")
            #expect(counts["count"]?.string == "3")
            let running = try #require(counts["groups"]?[0])
            #expect(running == ["groupValues": ["Running"], "count": "2"])
        }

        /// An activity whose header says that it undoes a step tells that the saga compensates; its end tells the rest.
        @Test func sagasAreFoundByHowFarTheirCompensationIs() async throws {
            func found(_ status: String) throws -> [String] {
                let filter = "WorkflowType = 'CLISaga' AND SagaStatus = '\(status)' ORDER BY WorkflowId"
                return try workflow("list", "-q", filter, "-o", "jsonl").lines.map {
                    try JSONValue.parse($0)["execution"]?["workflowId"]?.string ?? ""
                }
            }
            let ids = ["saga-1", "saga-2", "saga-3", "saga-4"]
            let worker = try StubWorker(dev, queue: "saga")
            for id in ids { try start(id, type: "CLISaga", queue: "saga") }
            #expect(try found("running") == ids)
            for _ in ids {
                let undo = StubWorker.activity(id: "1", type: "undo_book", queue: "nobody", undoing: "book")
                try await worker.complete(try await worker.task(), [undo])
            }
            #expect(try found("compensating") == ids)
            #expect(try found("running") == [])
            // The step is that of the last activity, also while others are to come.
            let step = "WorkflowType = 'CLISaga' AND SagaStep = 'undo_book'"
            #expect(try json("count", "-q", step)["count"]?.string == "4")
            #expect(try json("count", "-q", "WorkflowType = 'CLISaga' AND SagaStep IS NULL")["count"]?.string == "0")
            #expect(try workflow("terminate", "-w", "saga-1").status == 0)
            let ends = [
                StubWorker.failure(type: "SagaCompensated", message: "undone"),
                StubWorker.failure(type: "SagaCompensationFailed", message: "not undone"),
                StubWorker.completion(json: "1"),
            ]
            for (id, end) in zip(ids.dropFirst(), ends) {
                #expect(try workflow("signal", "-w", id, "--name", "go").status == 0)
                try await worker.complete(try await worker.task(), [end])
            }
            #expect(try found("compensated") == ["saga-2", "saga-4"])
            #expect(try found("compensation failed") == ["saga-1", "saga-3"])
            #expect(try found("compensating") == [])
        }

        @Test func anInvalidFilterIsExplained() throws {
            for verb in ["list", "count"] {
                let outcome = try workflow(verb, "-q", "WorkflowTyp = 'X'")
                #expect(outcome.status == 1)
                #expect(outcome.errors.contains("invalid query"))
                #expect(outcome.errors.contains("A filter is like"))
                #expect(outcome.output.isEmpty)
            }
        }

        // MARK: Starts and results

        @Test func executeShowsTheResult() async throws {
            let given = "{\"a\": 1}"
            let program = try execution("executed", type: "CLIExecuted", queue: "executed", "-i", given, "-i", "2")
            let worker = try StubWorker(dev, queue: "executed")
            let task = try await worker.task()
            guard case .workflowExecutionStartedEventAttributes(let started)? = task.history?.events.first?.attributes
            else {
                Issue.record("the task's history does not begin with the start")
                return
            }
            let input = try started.input?.decoded().payloads.map { String(decoding: $0.data, as: UTF8.self) }
            #expect(input == [given, "2"])
            try await worker.complete(task, [StubWorker.completion(json: "{\"b\": 2}")])
            #expect(program.status() == 0)
            #expect(program.output.contains("Running execution:\n  WorkflowId  executed\n"))
            #expect(program.output.contains("COMPLETED\n"))
            #expect(program.output.contains("{\"b\":2}\n"))

            let result = try json("result", "-w", "executed")
            #expect(result["status"]?.string == "COMPLETED")
            #expect(result["result"]?["b"]?.int64 == 2)
            #expect(result["closeEvent"]?["eventType"]?.string == "EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED")
        }

        @Test func executeExitsWith1WhenTheWorkflowFails() async throws {
            let program = try execution("failing", type: "CLIFailing", queue: "failing", "-o", "json")
            let worker = try StubWorker(dev, queue: "failing")
            let failure = StubWorker.failure(type: "Broken", message: "it broke")
            try await worker.complete(try await worker.task(), [failure])
            #expect(program.status() == 1)
            #expect(program.errors == "sagamore: workflow failed\n")
            let json = try JSONValue.parse(program.output)
            #expect(json["workflowId"]?.string == "failing")
            #expect(json["taskQueue"]?.string == "failing")
            #expect(json["status"]?.string == "FAILED")

            let result = try workflow("result", "-w", "failing")
            #expect(result.status == 1)
            #expect(result.output.contains("Broken: it broke\n"))
        }

        @Test func aStartOfAnExistingWorkflowShowsItsRun() throws {
            let options = ["start", "--type", "CLIStarted", "-t", "nobody", "-w", "started", "-o", "json"]
            let place = ["--data-dir", dev.dataFolder]
            let first = try JSONValue.parse(try sagamore(["workflow"] + options + place).output)
            #expect(first["runId"]?.string?.count == 36)
            #expect(first["type"]?.string == "CLIStarted")
            #expect(first["namespace"]?.string == "default")
            let second = try sagamore(["workflow"] + options + place)
            #expect(second.status == 0)
            #expect(second.errors.contains("the workflow 'started' exists already"))
            #expect(try JSONValue.parse(second.output) == first)
            let refused = try sagamore(["workflow"] + options + place + ["--fail-existing"])
            #expect(refused.status == 1)
            #expect(refused.errors.contains("Choose another --workflow-id"))
        }

        // MARK: Running workflows

        @Test func aRunIsDescribedWithWhatItWaitsFor() async throws {
            let more = ["--memo", "who=\"me\"", "--data-dir", dev.dataFolder]
            let options = ["start", "--type", "CLIDescribed", "-t", "described", "-w", "described"]
            #expect(try sagamore(["workflow"] + options + more).status == 0)
            let worker = try StubWorker(dev, queue: "described")
            let activity = StubWorker.activity(id: "a-1", type: "Book", queue: "described")
            try await worker.complete(try await worker.task(), [activity])

            let description = try workflow("describe", "-w", "described")
            #expect(description.status == 0)
            let words = description.lines.map { $0.split(separator: " ").joined(separator: " ") }
            #expect(words.first == "Execution Info:")
            for line in ["WorkflowId described", "Type CLIDescribed", "Status Running", "Memo who=\"me\""] {
                #expect(words.contains(line))
            }
            #expect(words.contains("Pending Activities: 1"))
            #expect(words.contains { $0.hasPrefix("a-1 Book Scheduled 1") })

            let json = try json("describe", "-w", "described")
            #expect(json["pendingActivities"]?[0]?["activityType"]?["name"]?.string == "Book")
        }

        @Test func aSignalArrivesWithItsInput() throws {
            try start("signalled", type: "CLISignalled")
            let sent = try workflow("signal", "-w", "signalled", "--name", "stop", "-i", "\"now\"")
            #expect(sent.output == "Signal workflow succeeded\n")
            let events = try json("show", "-w", "signalled")["events"]?.array ?? []
            let signal = events.compactMap { $0["workflowExecutionSignaledEventAttributes"] }.first
            #expect(signal?["signalName"]?.string == "stop")
            let data = Data("\"now\"".utf8).base64EncodedString()
            #expect(signal?["input"]?["payloads"]?[0]?["data"]?.string == data)

            let missing = try workflow("signal", "-w", "not-there", "--name", "stop")
            #expect(missing.status == 1)
            #expect(missing.errors.contains("not-there"))
        }

        @Test func aQueryIsAnsweredByAWorker() async throws {
            try start("queried", type: "CLIQueried", queue: "queried")
            let worker = try StubWorker(dev, queue: "queried")
            try await worker.complete(try await worker.task())
            let command = ["workflow", "query", "-w", "queried", "--name", "status", "--data-dir", dev.dataFolder]
            let program = try RunningProgram(command)
            let task = try await worker.task()
            #expect(task.query?.queryType == "status")
            try await worker.answer(task, json: "[\"paid\"]")
            #expect(program.status() == 0)
            #expect(program.output == "Query result:\n  QueryResult  [\"paid\"]\n")
        }

        @Test func aWorkflowIsCancelledTerminatedAndDeleted() throws {
            try start("ended", type: "CLIEnded")
            #expect(try workflow("cancel", "-w", "ended").output == "Canceled workflow\n")
            #expect(try workflow("describe", "-w", "ended").output.contains("CancelRequested"))
            #expect(try workflow("terminate", "-w", "ended", "--reason", "enough").status == 0)
            let result = try workflow("result", "-w", "ended")
            #expect(result.status == 1)
            #expect(result.output.contains("TERMINATED\n"))
            #expect(result.output.contains("enough\n"))
            let again = try workflow("terminate", "-w", "ended")
            #expect(again.status == 1)
            #expect(try workflow("delete", "-w", "ended").output == "Delete workflow succeeded\n")
        }

        @Test func aHistoryIsFollowedUntilItsEnd() throws {
            try start("followed", type: "CLIFollowed")
            let options = ["-w", "followed", "--follow", "--data-dir", dev.dataFolder]
            let program = try RunningProgram(["workflow", "show"] + options)
            try program.wait(until: { program.output.contains("WorkflowTaskScheduled") })
            #expect(try workflow("signal", "-w", "followed", "--name", "go").status == 0)
            try program.wait(until: { program.output.contains("WorkflowExecutionSignaled") })
            #expect(try workflow("terminate", "-w", "followed").status == 0)
            #expect(program.status() == 0)
            #expect(program.output.contains("WorkflowExecutionTerminated"))
            #expect(program.output.split(separator: "DETAILS").count == 2)
            let lines = try sagamore(["workflow", "show", "-o", "json"] + options).lines
            let types = try lines.map { try JSONValue.parse($0)["eventType"]?.string }
            #expect(types.first == "EVENT_TYPE_WORKFLOW_EXECUTION_STARTED")
            #expect(types.last == "EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED")
            let newest = try workflow("show", "-w", "followed", "--reverse").lines
            #expect(newest[1].contains("WorkflowExecutionTerminated"))
        }

        @Test func aTraceShowsChildrenAndWhatBecameOfThem() async throws {
            try start("traced", type: "CLITraced", queue: "traced")
            let worker = try StubWorker(dev, queue: "traced")
            let children = ["traced-1", "traced-2"].map { StubWorker.child(id: $0, type: "CLIChild", queue: "kids") }
            try await worker.complete(try await worker.task(), children)
            // It hears that they have begun.
            try await worker.complete(try await worker.task())
            let kids = try StubWorker(dev, queue: "kids")
            let task = try await kids.task()
            let grandchild = StubWorker.child(id: "traced-3", type: "CLIGrandchild", queue: "nobody")
            try await kids.complete(task, [grandchild])
            let parent = try #require(task.workflowExecution?.workflowID)
            let trace = try json("trace", "-w", "traced", "--no-fold")
            #expect(trace["status"]?.string == "Running")
            let traced = try #require(trace["children"]?.array)
            #expect(Set(traced.compactMap { $0["workflowId"]?.string }) == ["traced-1", "traced-2"])
            let inner = try #require(traced.first { $0["workflowId"]?.string == parent })
            #expect(inner["children"]?[0]?["workflowId"]?.string == "traced-3")
            let lines = try workflow("trace", "-w", "traced", "--depth", "1").lines
            #expect(lines.count == 3)
            #expect(lines[0].hasPrefix("Running  CLITraced  traced"))
            #expect(lines.contains { $0.contains("(children are folded)") })
            #expect(try workflow("trace", "-w", "not-traced").status == 1)
        }

        @Test func ctrlCEndsTheWaitAndNotTheWorkflow() throws {
            let program = try execution("waited", type: "CLIWaited", queue: "nobody")
            try program.wait(until: { program.output.contains("Running execution:") })
            program.signal(SIGINT)
            #expect(program.status() == 128 + SIGINT)
            #expect(try workflow("describe", "-w", "waited").output.contains("Running\n"))
        }
    }
}
