import Foundation
import SagamoreEmbeddedPostgres
import SagamoreJSONText
import SagamorePostgresClient
import SagamorePostgresTestSupport
import SagamoreProgramTestSupport
import SagamoreWebTestSupport
import Testing

extension ProgramTests {
    @Suite(.serialized)
    struct DevTests {
        @Test func devReportsItsAddressesAndCleansUp() throws {
            let folder = try TemporaryFolder()
            let data = folder.path + "/data"
            let dev = try DevProgram(dataFolder: data)
            let file = try dev.file()
            let grpc = try #require(file["grpc"]?.string)
            let kafka = try #require(file["kafka"]?.string)
            let postgres = try #require(file["postgres"]?.string)
            let http = try #require(file["http"]?.string)
            let port = try #require(Int(http.split(separator: ":").last ?? ""))
            #expect(HTTPExchange.page("/readyz", port: port).body == "ready\n")
            #expect(dev.program.output.contains("http://\(http)/metrics"))
            #expect(file["pid"]?.int64 == Int64(dev.program.pid))
            #expect(dev.program.output.contains(grpc))
            #expect(dev.program.output.contains(kafka))
            #expect(dev.program.output.contains(postgres))
            let postgresPID = try #require(file["postgres_pid"]?.int64)
            #expect(isThere(postgresPID))
            // The topics of its routes exist once it is ready.
            #expect(try dev.run("events", "tail").status == 0)

            #expect(dev.stop() == 0)
            #expect(!isThere(postgresPID))
            #expect(!fileExists(data))
        }

        @Test func aSecondDevOnTheSameDataNamesTheFirst() throws {
            let dev = try DevProgram.shared()
            let second = try sagamore("dev", "--port", "0", "--data-dir", dev.dataFolder)
            #expect(second.status == 1)
            #expect(second.errors.contains("another 'sagamore dev' is using \(dev.dataFolder)"))
            #expect(second.errors.contains("process \(dev.program.pid)"))
            #expect(second.errors.contains("--data-dir"))
        }

        @Test func aBusyPortIsReportedBeforeAnythingStarts() throws {
            let folder = try TemporaryFolder()
            let dev = try DevProgram.shared()
            let port = try #require(try dev.file()["grpc"]?.string?.split(separator: ":").last)
            let second = try sagamore("dev", "--port", String(port), "--data-dir", folder.path + "/other")
            #expect(second.status == 1)
            #expect(second.errors.contains("port \(port) on 127.0.0.1 is taken"))
            #expect(!fileExists(folder.path + "/other"))
        }

        @Test func aKilledDevRestartsWithItsData() throws {
            let folder = try TemporaryFolder()
            let data = folder.path + "/data"
            var dev = try DevProgram(dataFolder: data, options: [])
            let start = ["--command-id", "1", "--workflow-id", "w", "--workflow", "None", "--task-queue", "none"]
            #expect(try RunningProgram(["command", "publish"] + start + ["--data-dir", data]).status() == 0)
            let accepted = try dev.run("events", "tail", "--follow", "--count", "1", "--command-id", "1")
            #expect(accepted.output.contains("accepted"))
            let before = try dev.run("workflow", "show", "--workflow-id", "w", "--output", "json")
            let postgresPID = try #require(try dev.file()["postgres_pid"]?.int64)

            dev.program.signal(SIGKILL)
            #expect(dev.program.status() == -SIGKILL)
            dev = try DevProgram(dataFolder: data, options: [])
            #expect(!isThere(postgresPID))
            let after = try dev.run("workflow", "show", "--workflow-id", "w", "--output", "json")
            #expect(after.status == 0)
            #expect(after.output == before.output)
            #expect(dev.stop() == 0)
            #expect(!fileExists(data + "/dev.json"))
            #expect(fileExists(data + "/postgres"))
            // The database's files may be outside the folder, so removing the folder is not enough.
            try EmbeddedPostgres(dataDirectory: data + "/postgres").wipe()
        }

        @Test func aKilledPostgresIsRestarted() throws {
            let folder = try TemporaryFolder()
            let dev = try DevProgram(dataFolder: folder.path + "/data")
            defer { dev.stop() }
            let pid = try #require(try dev.file()["postgres_pid"]?.int64)
            kill(Int32(pid), SIGKILL)
            try dev.program.wait(until: {
                let now = try? dev.file()["postgres_pid"]?.int64
                return now != nil && now != pid
            })
            let outcome = try dev.run(
                "command",
                "publish",
                "--command-id",
                "1",
                "--workflow",
                "None",
                "--task-queue",
                "none"
            )
            #expect(outcome.status == 0)
            let events = try dev.run("events", "tail", "--follow", "--count", "1")
            #expect(events.output.contains("accepted"))
        }

        @Test func aRunningDevAdoptsAnotherNumberOfShards() throws {
            let folder = try TemporaryFolder()
            let dev = try DevProgram(dataFolder: folder.path + "/data")
            let url = try #require(try dev.file()["postgres"]?.string)
            for (round, count) in [16, 3].enumerated() {
                let moved = try sagamore("migrate", "--postgres", url, "--shards", "\(count)")
                #expect(moved.output.contains("to \(count) shards"))
                for number in 0..<5 {
                    let outcome = try dev.run(
                        "command",
                        "publish",
                        "--command-id",
                        "\(count)-\(number)",
                        "--workflow-id",
                        "\(count)-\(number)",
                        "--workflow",
                        "None",
                        "--task-queue",
                        "none"
                    )
                    #expect(outcome.status == 0)
                }
                let sum = 5 * (round + 1)
                let events = try dev.run("events", "tail", "--follow", "--count", "\(sum)")
                #expect(events.output.components(separatedBy: "accepted").count == sum + 1)
            }
            let session = try PostgresConnection(url, applicationName: "tests")
            // The ids of the first five workflows belong to slices of five different shards.
            let used = PostgresStatement("used", "select count(*) from sagamore.shards where outbox_sequence > 0")
            #expect(try session.query(used).int64(0, 0) >= 5)
            session.close()
            let shown = try dev.run("workflow", "show", "--workflow-id", "16-0")
            #expect(shown.status == 0)
            #expect(dev.stop() == 0)
        }

        @Test func aDevThatLosesItsShardsExitsWith1() throws {
            let folder = try TemporaryFolder()
            let dev = try DevProgram(dataFolder: folder.path + "/data")
            let url = try #require(try dev.file()["postgres"]?.string)
            let connection = try PostgresConnection(url, applicationName: "tests")
            try connection.execute("update sagamore.shards set epoch = epoch + 1, owner = 'other', node = 'other'")
            connection.close()
            #expect(dev.program.status() == 1)
            #expect(dev.program.errors.contains("another process took over shard"))
            #expect(!fileExists(dev.dataFolder))
        }

        @Test func theEphemeralFolderOfAKilledDevIsReused() throws {
            let folder = try TemporaryFolder()
            let data = folder.path + "/data"
            let killed = try DevProgram(dataFolder: data)
            let postgresPID = try #require(try killed.file()["postgres_pid"]?.int64)
            killed.program.signal(SIGKILL)
            killed.program.status()
            let dev = try DevProgram(dataFolder: data)
            #expect(!isThere(postgresPID))
            #expect(dev.stop() == 0)
            #expect(!fileExists(data))
        }

        @Test func anEphemeralDevRefusesAFolderThatIsNotEmpty() throws {
            let folder = try TemporaryFolder()
            #expect(FileManager.default.createFile(atPath: folder.path + "/precious", contents: nil))
            let outcome = try sagamore("dev", "--port", "0", "--ephemeral", "--data-dir", folder.path)
            #expect(outcome.status == 1)
            #expect(outcome.errors.contains("is not empty"))
            #expect(fileExists(folder.path + "/precious"))
        }

        @Test func devWaitsForAnUnreachableDatabase() throws {
            let folder = try TemporaryFolder()
            let server = try TemporaryPostgres()
            let url = try server.createDatabase()
            server.kill9()
            let arguments = ["dev", "--port", "0", "--data-dir", folder.path + "/data", "--postgres", url]
            let dev = try RunningProgram(arguments)
            try dev.wait(until: { dev.errors.contains("cannot reach PostgreSQL, retrying") })
            #expect(dev.errors.split(separator: "\n").count == 1)
            try server.restart()
            try dev.wait(until: { dev.output.contains("is ready") })
            dev.signal(SIGTERM)
            #expect(dev.status() == 0)
        }

        @Test(arguments: [["--postgres", "postgresql://nobody@127.0.0.1:1/x"], ["--kafka-bootstrap", "127.0.0.1:1"]])
        func ctrlCEndsTheWaitForAnUnreachableService(_ options: [String]) throws {
            let folder = try TemporaryFolder()
            let arguments = ["dev", "--port", "0", "--ephemeral", "--data-dir", folder.path + "/data"] + options
            let dev = try RunningProgram(arguments)
            try dev.wait(until: { dev.errors.contains("retrying") || dev.errors.contains("trying again") })
            #expect(!dev.output.contains("is ready"))
            dev.signal(SIGINT)
            #expect(dev.status() == 0)
            #expect(!fileExists(folder.path + "/data"))
        }

        @Test func aMalformedConnectionStringIsRefusedAtOnce() throws {
            let folder = try TemporaryFolder()
            let url = "postgresql://user:secret@[broken/x"
            let outcome = try sagamore("dev", "--port", "0", "--data-dir", folder.path + "/data", "--postgres", url)
            #expect(outcome.status == 1)
            #expect(outcome.errors.contains("connection string"))
            #expect(!outcome.errors.contains("secret"))
        }

        @Test func anExternalClusterIsUsed() throws {
            let folder = try TemporaryFolder()
            let kafka = try #require(try DevProgram.shared().file()["kafka"]?.string)
            let dev = try DevProgram(
                dataFolder: folder.path + "/data",
                options: ["--ephemeral", "--kafka-bootstrap", kafka]
            )
            defer { dev.stop() }
            #expect(try dev.file()["kafka"]?.string == kafka)
        }
    }
}
