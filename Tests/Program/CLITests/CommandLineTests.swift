import SagamoreEmbeddedPostgres
import SagamoreJSONText
import SagamorePostgresClient
import SagamorePostgresTestSupport
import SagamoreProgramTestSupport
import Testing

@testable import SagamoreCLI

extension ProgramTests {
    /// Commands that need neither a server nor a broker.
    @Suite(.serialized)
    struct CommandLineTests {
        @Test(arguments: [
            ["operator", "nexus", "endpoint"], ["workflow", "update-options", "--workflow-id", "x"],
            ["dev", "--time-skipping"],
        ])
        func anUnavailableCommandExitsWith2(_ arguments: [String]) throws {
            let program = try RunningProgram(arguments)
            #expect(program.status() == 2)
            #expect(program.errors.contains("is not available yet"))
            #expect(program.output.isEmpty)
        }

        @Test(arguments: [
            ["dvv"], ["dev", "--prot", "1"], ["command", "publish"], ["workflow", "show"],
            ["events", "tail", "--count", "0", "--kafka", "x:1"],
            ["command", "publish", "--command-id", "1", "file", "--kafka", "x:1"],
            ["command", "publish", "--workflow", "X", "--kafka", "x:1"],
            ["command", "publish", "--command-id", "1", "--workflow-id", "", "--kafka", "x:1"],
            ["command", "publish", "--command-id", "1", "--input", "{", "--kafka", "x:1"],
            ["command", "publish", "--command-id", "1", "--timeout", "5s", "--kafka", "x:1"],
            ["migrate", "--postgres", "x", "--shards", "17"],
            ["workflow", "list", "--limit", "-1"], ["workflow", "list", "--page-size", "0"],
            ["workflow", "start", "--type", "X"], ["workflow", "describe", "-w", ""],
            ["workflow", "signal", "-w", "x"],
            ["operator", "search-attribute", "create", "--name", "A"],
            ["operator", "search-attribute", "create", "--name", "A", "--type", "Number"],
            ["operator", "search-attribute", "remove", "--yes"],
            ["workflow", "cancel"], ["workflow", "terminate", "-w", "x", "-q", "y"],
            ["workflow", "delete", "-w", "x", "--rps", "1"], ["workflow", "reset", "-w", "x"],
            ["workflow", "reset", "-w", "x", "-e", "4", "-t", "LastWorkflowTask"],
            ["workflow", "reset", "-q", "x", "-t", "LastContinuedAsNew"],
            ["workflow", "update", "execute", "-w", "x"], ["workflow", "update", "result", "-w", "x"],
            ["batch", "describe"],
            ["batch", "terminate", "--job-id", "x"],
            ["workflow", "show", "-w", "x", "--follow", "--reverse"],
            ["workflow", "trace", "-w", "x", "--fold", "open"], ["workflow", "trace", "-w", "x", "--depth", "-2"],
            ["workflow", "signal-with-start"], ["activity", "complete", "-w", "x", "-a", "y"],
            ["activity", "reset", "-w", "x"], ["activity", "update-options", "-w", "x", "-a", "y"],
            ["namespace", "create", "--retention", "1d"], ["namespace", "delete", "--yes"],
            ["task-queue", "describe"], ["task-queue", "config", "get", "-t", "x"],
            ["schedule", "create", "-s", "x"], ["schedule", "toggle", "-s", "x"], ["schedule", "describe"],
            ["schedule", "list", "--limit", "-1"],
            ["dev", "--dynamic-config-value", "limit.blobSize.error"],
            ["dev", "--dynamic-config-value", "limit.blobSize.error=large"],
        ])
        func anInvalidCommandLineExitsWith2(_ arguments: [String]) throws {
            let folder = try TemporaryFolder()
            let program = try RunningProgram(arguments, folder: folder.path)
            #expect(program.status() == 2)
            #expect(program.errors.hasPrefix("sagamore: "))
            #expect(program.output.isEmpty)
        }

        @Test func theVersionIsPrinted() throws {
            let outcome = try sagamore("--version")
            #expect(outcome.status == 0)
            #expect(outcome.output.wholeMatch(of: /sagamore \d+\.\d+\.\d+\n/) != nil)
        }

        @Test func everyCommandHasHelp() throws {
            func visit(_ path: [String], _ names: [String: [String]]) throws {
                for name in names[path.joined(separator: " ")] ?? [] {
                    let text = try sagamore(path + [name, "--help"])
                    #expect(text.status == 0)
                    #expect(text.output.contains("Usage: sagamore \((path + [name]).joined(separator: " "))"))
                    try visit(path + [name], names)
                }
            }
            try visit(
                [],
                [
                    "": [
                        "dev", "serve", "config", "migrate", "command", "events", "workflow", "schedule", "batch",
                        "namespace", "task-queue", "activity", "operator",
                    ],
                    "command": ["publish"], "events": ["tail"],
                    "workflow": [
                        "show", "list", "count", "describe", "start", "execute", "result", "signal", "reset", "update",
                        "signal-with-start", "metadata", "trace",
                    ],
                    "workflow update": ["execute", "start", "result", "describe"],
                    "schedule": [
                        "create", "describe", "update", "toggle", "trigger", "backfill", "delete", "list",
                    ],
                    "batch": ["describe", "list", "terminate"],
                    "activity": ["complete", "fail", "pause", "unpause", "reset", "update-options"],
                    "namespace": ["create", "describe", "list", "update", "delete"],
                    "task-queue": ["describe", "config"], "task-queue config": ["get", "set"],
                    "operator": ["search-attribute", "cluster", "namespace"],
                    "operator cluster": ["health", "describe", "system"],
                    "operator search-attribute": ["create", "list", "remove"],
                ]
            )
        }

        @Test func aCommandWithoutAnAddressSaysWhatToDo() throws {
            let folder = try TemporaryFolder()
            let outcome = try sagamore("events", "tail", folder: folder.path)
            #expect(outcome.status == 2)
            #expect(outcome.errors.contains("Start 'sagamore dev' here, or set --kafka"))
        }

        @Test func unreachableAddressesExitWith1() throws {
            let tail = try sagamore("events", "tail", environment: ["SAGAMORE_KAFKA": "127.0.0.1:1"])
            #expect(tail.status == 1)
            #expect(tail.errors.contains("no Kafka broker answers at 127.0.0.1:1"))
            let show = try sagamore(
                "workflow",
                "show",
                "-w",
                "x",
                environment: ["TEMPORAL_ADDRESS": "127.0.0.1:1"]
            )
            #expect(show.status == 1)
            #expect(show.errors.contains("no Sagamore server answers at 127.0.0.1:1"))
        }

        @Test func migrationIsRepeatableAndRefusesANewerSchema() throws {
            let server = try TemporaryPostgres.sharedServer()
            let url = try server.createDatabase()
            let first = try sagamore("migrate", "--postgres", url, "--shards", "3")
            #expect(first.status == 0)
            #expect(first.output.contains("applied 6: "))
            #expect(first.output.contains("with 3 shards"))
            let second = try sagamore(
                "migrate",
                "--shards",
                "5",
                "--output",
                "json",
                environment: ["SAGAMORE_POSTGRES": url]
            )
            let json = try JSONValue.parse(second.output)
            #expect(json["applied"]?.array?.isEmpty == true)
            #expect(json["shard_count"]?.int64 == 5)
            #expect(json["moved_slices"]?.int64 == 1_638)
            let third = try sagamore("migrate", "--postgres", url, "--shards", "3")
            #expect(third.output.contains("moved 1638 of 4096 slices, from 5 to 3 shards"))
            let fourth = try sagamore("migrate", "--postgres", url)
            #expect(fourth.output.contains("with 3 shards; nothing to do."))
            #expect(json["installation_id"]?.string?.count == 36)

            let session = try PostgresConnection(url, applicationName: "test")
            try session.execute("insert into sagamore.schema_versions values (999, 'later')")
            let refused = try sagamore("migrate", "--postgres", url)
            #expect(refused.status == 1)
            #expect(refused.errors.contains("this program is too old: the database has schema 999"))
            let folder = try TemporaryFolder()
            let dev = try sagamore("dev", "--port", "0", "--postgres", url, folder: folder.path)
            #expect(dev.status == 1)
            #expect(dev.errors.contains("this program is too old: the database has schema 999"))

            let away = "postgresql://user:secret@127.0.0.1:1/x"
            let unreachable = try sagamore("migrate", "--postgres", away)
            #expect(unreachable.status == 1)
            #expect(unreachable.errors.contains("cannot reach PostgreSQL"))
            #expect(!unreachable.errors.contains("secret"))
        }
    }
}
