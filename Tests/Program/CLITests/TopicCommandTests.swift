import Foundation
import SagamoreJSONText
import SagamoreProgramTestSupport
import Testing

extension ProgramTests {
    /// `command publish`, `events tail` and `workflow show` against one `dev` that these tests share.
    @Suite(.serialized)
    struct TopicCommandTests {
        private let dev: DevProgram

        init() throws { dev = try DevProgram.shared() }

        private static let start = [
            "--workflow", "None", "--task-queue", "none", "--field", "order_id=77", "--input", "{\"a\": 1}",
        ]

        private func publish(_ arguments: String..., input: String? = nil) throws -> Outcome {
            try sagamore(["command", "publish"] + arguments + ["--data-dir", dev.dataFolder], input: input)
        }

        private func tail(_ arguments: String...) throws -> [JSONValue] {
            let program = try RunningProgram(
                ["events", "tail", "--output", "json", "--data-dir", dev.dataFolder] + arguments
            )
            #expect(program.status() == 0)
            return try program.output.split(separator: "\n").map { try JSONValue.parse(String($0)) }
        }

        @Test func aPublishedCommandCausesItsEvents() throws {
            let started = try RunningProgram(
                ["command", "publish", "--command-id", "a", "--workflow-id", "wa", "--data-dir", dev.dataFolder]
                    + Self.start + ["--output", "json"]
            )
            #expect(started.status() == 0)
            let published = try JSONValue.parse(started.output)
            #expect(published["topic"]?.string == "saga.commands")
            #expect(published["command_id"]?.string == "a")

            let events = try tail("--workflow-id", "wa", "--follow", "--count", "1")
            #expect(events.map { $0["status"]?.string } == ["accepted"])
            #expect(events.first?["order_id"]?.string == "77")

            let ended = try publish(
                "--command-id",
                "b",
                "--workflow-id",
                "wa",
                "--command",
                "terminate",
                "--reason",
                "enough",
                "--wait"
            )
            #expect(ended.status == 0)
            #expect(ended.output.contains("delivered"))

            let all = try tail("--workflow-id", "wa", "--command-id", "a", "--follow", "--count", "2")
            #expect(all.map { $0["status"]?.string } == ["accepted", "terminated"])
            // Without --follow, `events tail` ends by itself.
            #expect(try tail("--workflow-id", "wa", "--command-id", "a").count == 2)

            // A repeated command shows the outcome of the first, which was no success.
            let again = try publish("--command-id", "a", "--workflow-id", "wa", "--workflow", "None", "--wait")
            #expect(again.status == 1)
            #expect(again.lines.count == 3)
            #expect(again.output.contains("terminated"))
        }

        @Test func aRejectedCommandExitsWith1() throws {
            let refused = try publish(
                "--command-id",
                "c",
                "--workflow-id",
                "nowhere",
                "--command",
                "cancel",
                "--wait",
                "--output",
                "json"
            )
            #expect(refused.status == 1)
            let event = try JSONValue.parse(refused.output)
            #expect(event["status"]?.string == "rejected")
            #expect(event["reason"]?["code"]?.string == "NOT_FOUND")
        }

        @Test func aWaitThatTimesOutNamesTheCommand() throws {
            let outcome = try publish(
                "--command-id",
                "slow",
                "--workflow-id",
                "ws",
                "--workflow",
                "None",
                "--task-queue",
                "none",
                "--wait",
                "--timeout",
                "500ms"
            )
            #expect(outcome.status == 1)
            #expect(outcome.errors.contains("no outcome in time of command slow"))
        }

        @Test func outputThatCannotBeWrittenExitsWith1() throws {
            let full = try #require(FileHandle(forWritingAtPath: "/dev/full"))
            let program = try RunningProgram(
                ["command", "publish", "--command-id", "f", "--workflow-id", "wf", "--data-dir", dev.dataFolder],
                target: full
            )
            #expect(program.status() == 1)
            #expect(program.errors.contains("cannot write the output: No space left on device"))
        }

        @Test func aClosedPipeEndsTheOutputButNotTheWait() throws {
            let pipe = Pipe()
            try pipe.fileHandleForReading.close()
            let command = ["command", "publish", "--command-id", "g", "--workflow-id", "wg", "--command", "cancel"]
            let place = ["--data-dir", dev.dataFolder]
            let shown = try RunningProgram(command + place, target: pipe.fileHandleForWriting)
            #expect(shown.status() == 0)
            // The command is rejected whether or not its output is read.
            let waited = try RunningProgram(command + place + ["--wait"], target: pipe.fileHandleForWriting)
            #expect(waited.status() == 1)
        }

        @Test func aFileWithAnInvalidCommandPublishesNothing() throws {
            let lines =
                "{\"command_id\":\"m1\",\"workflow\":\"None\",\"task_queue\":\"none\"}\n\n{\"command\":\"start\"}\n"
            let outcome = try publish("-", input: lines)
            #expect(outcome.status == 1)
            #expect(outcome.errors.contains("standard input, line 3: it has no command_id"))
            #expect(try tail("--command-id", "m1").isEmpty)
        }

        @Test func anUnreadableRecordBecomesADeadLetter() throws {
            #expect(try publish("--raw", "-", input: "no json\n").status == 0)
            let letters = try tail("--topic", "saga.commands.dlq", "--follow", "--count", "1")
            let letter = try #require(letters.first)
            #expect(letter["value"]?.string == "no json")
            #expect(letter["headers"]?["error.code"]?.string == "INVALID_JSON")
            #expect(letter["headers"]?["source.topic"]?.string == "saga.commands")
        }

        @Test func aHistoryIsShownAsATableAndAsJSON() throws {
            let arguments = ["--command-id", "h", "--workflow-id", "wh", "--data-dir", dev.dataFolder] + Self.start
            #expect(try RunningProgram(["command", "publish"] + arguments).status() == 0)
            _ = try tail("--workflow-id", "wh", "--follow", "--count", "1")
            let table = try dev.run("workflow", "show", "--workflow-id", "wh")
            #expect(table.status == 0)
            #expect(table.lines.count == 3)
            #expect(table.lines[1].contains("WorkflowExecutionStarted"))
            #expect(table.lines[1].contains("type=None queue=none input={\"a\""))
            let json = try JSONValue.parse(try dev.run("workflow", "show", "-w", "wh", "-o", "json").output)
            let types = json["events"]?.array?.map { $0["eventType"]?.string }
            #expect(types == ["EVENT_TYPE_WORKFLOW_EXECUTION_STARTED", "EVENT_TYPE_WORKFLOW_TASK_SCHEDULED"])

            let missing = try dev.run("workflow", "show", "--workflow-id", "not-there")
            #expect(missing.status == 1)
            #expect(missing.errors.contains("workflow not found for ID: not-there"))
            let elsewhere = try dev.run("workflow", "show", "-w", "wh", "-n", "nowhere")
            #expect(elsewhere.status == 1)
            #expect(elsewhere.errors.contains("nowhere"))
        }
    }
}
