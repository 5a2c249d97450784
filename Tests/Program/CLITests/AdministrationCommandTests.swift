import SagamoreJSONText
import SagamoreProgramTestSupport
import Testing

extension ProgramTests {
    /// `sagamore namespace`, `task-queue` and `operator cluster` against the shared `dev`.
    @Suite(.serialized)
    struct AdministrationCommandTests {
        private let dev: DevProgram

        init() throws { dev = try DevProgram.shared() }

        @Test func aNamespaceIsCreatedChangedListedAndDeleted() throws {
            let created = try dev.run("namespace", "create", "-n", "cli-shop", "--retention", "2d", "--email", "a@b")
            #expect(created.output == "Namespace cli-shop successfully registered\n", "\(created.errors)")
            let again = try dev.run("namespace", "create", "-n", "cli-shop")
            #expect(again.status == 1)
            #expect(again.errors.contains("Choose another --namespace"))

            let updated = try dev.run("operator", "namespace", "update", "-n", "cli-shop", "--description", "orders")
            #expect(updated.status == 0, "\(updated.errors)")
            let text = try dev.run("namespace", "describe", "-n", "cli-shop").output
            for part in ["cli-shop", "Registered", "a@b", "orders", "48h0m0s"] { #expect(text.contains(part)) }
            let json = try JSONValue.parse(try dev.run("namespace", "describe", "-n", "cli-shop", "-o", "json").output)
            let id = try #require(json["namespaceInfo"]?["id"]?.string)
            #expect(try dev.run("namespace", "describe", "--namespace-id", id).output == text)
            let names = try dev.run("namespace", "list", "-o", "jsonl").lines.map {
                try JSONValue.parse($0)["namespaceInfo"]?["name"]?.string
            }
            #expect(names.contains("default") && names.contains("cli-shop"))
            #expect(try dev.run("namespace", "list", "--limit", "1").lines.count == 2)

            let unconfirmed = try dev.run("namespace", "delete", "-n", "cli-shop")
            #expect(unconfirmed.status == 1)
            #expect(unconfirmed.errors.contains("'--yes'"))
            #expect(try dev.run("namespace", "delete", "-n", "cli-shop", "--yes").status == 0)
            #expect(try dev.run("namespace", "describe", "-n", "cli-shop").status == 1)
        }

        @Test func aTaskQueueShowsItsWorkersAndItsBacklog() async throws {
            let started = try dev.run("workflow", "start", "--type", "CLIQueued", "-t", "queued", "-w", "queued")
            #expect(started.status == 0)
            let waiting = try dev.run("task-queue", "describe", "-t", "queued", "--task-queue-type", "workflow")
            #expect(waiting.status == 0, "\(waiting.errors)")
            #expect(waiting.output.contains("Workflow Tasks:"))
            #expect(!waiting.output.contains("Activity Tasks:"))
            let worker = try StubWorker(dev, queue: "queued")
            try await worker.complete(try await worker.task())
            let json = try JSONValue.parse(try dev.run("task-queue", "describe", "-t", "queued", "-o", "json").output)
            #expect(json["workflow"]?["pollers"]?[0]?["identity"]?.string == "stub")
            #expect(json["activity"]?["pollers"]?.kind == nil)
        }

        @Test func limitsOfATaskQueueAreSetShownAndLifted() throws {
            let queue = ["-t", "limited", "--task-queue-type", "activity", "--data-dir", dev.dataFolder]
            let none = try sagamore(["task-queue", "config", "get"] + queue)
            #expect(none.output == "No limits and no weights are set.\n", "\(none.errors)")
            let limits = ["--queue-rps-limit", "7", "--queue-rps-limit-reason", "slow", "--fairness-key-weight", "a=2"]
            #expect(try sagamore(["task-queue", "config", "set"] + queue + limits).status == 0)
            let set = try sagamore(["task-queue", "config", "get"] + queue)
            #expect(set.output.contains("7/s (slow, "))
            #expect(set.output.contains("a=2.0"))
            let lifted = ["--queue-rps-limit", "default", "--fairness-key-weight-clear-all", "-o", "json"]
            let json = try JSONValue.parse(try sagamore(["task-queue", "config", "set"] + queue + lifted).output)
            #expect(json["fairnessWeightOverrides"]?.kind == nil)
            #expect(json["queueRateLimit"]?["rateLimit"]?.kind == nil)
        }

        @Test func theServerTellsAboutItself() throws {
            #expect(try dev.run("operator", "cluster", "health").output == "SERVING\n")
            let health = try dev.run("operator", "cluster", "health", "-o", "json")
            #expect(try JSONValue.parse(health.output) == ["status": "SERVING"])
            #expect(try dev.run("operator", "cluster", "describe", "--detail").output.contains("HistoryShardCount"))
            let system = try JSONValue.parse(try dev.run("operator", "cluster", "system", "-o", "json").output)
            #expect(system["capabilities"]?["upsertMemo"]?.bool == true)
            #expect(try dev.run("operator", "cluster", "system").output.contains("upsertMemo"))
            let away = try sagamore("operator", "cluster", "health", "--address", "127.0.0.1:1")
            #expect(away.status == 1)
        }
    }
}
