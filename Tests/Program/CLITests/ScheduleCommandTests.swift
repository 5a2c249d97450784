import SagamoreJSONText
import SagamoreProgramTestSupport
import Testing

extension ProgramTests {
    /// `sagamore schedule` against the shared `dev`.
    @Suite(.serialized)
    struct ScheduleCommandTests {
        private let dev: DevProgram

        init() throws { dev = try DevProgram.shared() }

        private func schedule(_ arguments: String...) throws -> Outcome {
            try sagamore(["schedule"] + arguments + ["--data-dir", dev.dataFolder])
        }

        private func describe(_ id: String) throws -> JSONValue {
            try JSONValue.parse(try schedule("describe", "-s", id, "-o", "json").output)
        }

        @Test func fromItsCreationToItsEnd() throws {
            let id = "cli-nightly"
            let created = try schedule(
                "create",
                "-s",
                id,
                "--cron",
                "CRON_TZ=Europe/Berlin 30 2 * * MON-FRI # settle",
                "-w",
                "settle",
                "--type",
                "Settle",
                "-t",
                "nobody",
                "--notes",
                "first"
            )
            #expect(created.status == 0, "\(created.errors)")
            let again = try schedule("create", "-s", id, "--interval", "1h", "--type", "Settle", "-t", "nobody")
            #expect(again.status == 1)
            #expect(again.errors.contains("is already registered"))
            let text = try schedule("describe", "-s", id).output
            #expect(text.contains("Europe/Berlin") && text.contains("hour=2 minute=30") && text.contains("first"))

            #expect(try schedule("toggle", "-s", id, "--pause", "--reason", "closed").status == 0)
            let paused = "TemporalSchedulePaused = true AND ScheduleId = '\(id)'"
            let listed = try schedule("list", "--query", paused, "-o", "jsonl")
            #expect(try JSONValue.parse(listed.output)["info"]?["notes"]?.string == "closed")
            #expect(try schedule("list", "--query", "StartTime = 'x'").errors.contains("cannot filter on"))

            #expect(try schedule("trigger", "-s", id).status == 0)
            #expect(try describe(id)["info"]?["runningWorkflows"]?[0] != nil)
            #expect(try schedule("delete", "-s", id).status == 0)
            let gone = try schedule("describe", "-s", id)
            #expect(gone.status == 1)
            #expect(gone.errors.contains(id))
        }

        @Test func aBackfillIsFollowed() throws {
            let id = "cli-filled"
            let created = try schedule(
                "create",
                "-s",
                id,
                "--interval",
                "1h",
                "-w",
                id,
                "--type",
                "CLIFilled",
                "-t",
                "nobody",
                "--paused"
            )
            #expect(created.status == 0, "\(created.errors)")
            let filled = try schedule(
                "backfill",
                "-s",
                id,
                "--start-time",
                "2026-01-01T00:00:00Z",
                "--end-time",
                "2026-01-03T00:00:00Z",
                "--overlap-policy",
                "AllowAll",
                "--follow"
            )
            #expect(filled.status == 0, "\(filled.errors)")
            #expect(filled.output == "Backfill: 49 of 49 started\n")
            #expect(try describe(id)["info"]?["actionCount"]?.string == "49")
            #expect(try schedule("delete", "-s", id).status == 0)
        }
    }
}
