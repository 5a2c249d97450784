import Foundation
import SagamoreGRPC
import SagamoreGRPCTestSupport
import SagamoreJSONText
import SagamoreKafkaTestSupport
import SagamorePostgresClient
import SagamorePostgresTestSupport
import SagamoreProgramTestSupport
import SagamoreServer
import SagamoreWebTestSupport
import Testing

extension ProgramTests {
    /// `sagamore serve` with a real PostgreSQL.
    @Suite(.serialized)
    struct ServeTests {
        /// A configuration in a folder of its own, and the service that runs on it.
        private struct Service {
            let folder: TemporaryFolder
            let url: String
            let port: UInt16
            let webPort: UInt16
            let file: String

            /// - Parameters:
            ///   - rest: of the configuration, behind the database and the ports.
            ///   - url: of a database; a new one on the shared server otherwise.
            ///   - other: a service on whose database this one is another node.
            init(grpc: String = "", rest: String = "", sharing other: Service? = nil, url: String? = nil) throws {
                folder = try TemporaryFolder()
                self.url = try url ?? other?.url ?? TemporaryPostgres.sharedServer().createDatabase()
                let ports = LoopbackPorts.free(2)
                (port, webPort) = (ports[0], ports[1])
                file = folder.path + "/sagamore.yaml"
                try write(grpc: grpc, rest: other == nil ? rest : "node: other\n")
            }

            func write(grpc: String = "", rest: String = "") throws {
                try """
                postgres:
                  url: ${DATABASE}
                grpc:
                  port: \(port)
                \(grpc)
                http:
                  port: \(webPort)
                \(rest)
                """.write(toFile: file, atomically: true, encoding: .utf8)
            }

            func start(_ options: String...) throws -> RunningProgram {
                try RunningProgram(["serve"] + options, environment: ["SAGAMORE_CONFIG": file, "DATABASE": url])
            }

            func startAndWait() throws -> RunningProgram {
                let program = try start()
                try program.wait(until: { program.errors.contains(#""message":"ready""#) })
                return program
            }

            func check(_ options: String...) throws -> Outcome {
                try sagamore(["serve", "--config", file, "--check"] + options, environment: ["DATABASE": url])
            }

            var address: String { "127.0.0.1:\(port)" }

            func page(_ path: String) -> String {
                let (status, body) = HTTPExchange.page(path, port: Int(webPort))
                return "\(status) \(body)"
            }
        }

        @Test func aServiceRunsUntilItIsAskedToStop() throws {
            let service = try Service(rest: "namespaces:\n  - name: trips\n")
            for _ in 0..<2 {
                let program = try service.startAndWait()
                let show = ["workflow", "show", "--address", service.address, "--workflow-id", "none"]
                let missing = try sagamore(show + ["--namespace", "trips"])
                #expect(missing.status == 1)
                #expect(missing.errors.contains("workflow not found"), "\(missing.errors)")
                let unknown = try sagamore(show)
                #expect(unknown.errors.contains("default"), "\(unknown.errors)")
                program.signal(SIGTERM)
                #expect(program.status() == 0, "\(program.errors)")
            }
        }

        @Test func pagesTellProbesAndPrometheus() throws {
            let service = try Service()
            let program = try service.startAndWait()
            #expect(service.page("/healthz") == "200 ok\n")
            #expect(service.page("/readyz") == "200 ready\n")
            _ = try sagamore("workflow", "show", "--address", service.address, "--workflow-id", "none")
            let metrics = service.page("/metrics")
            for line in [
                "sagamore_ready 1", "sagamore_shard_owned{shard=\"0\"} 1",
                "service_requests_total{operation=\"GetWorkflowExecutionHistory\"} 1",
                "service_errors_total{operation=\"GetWorkflowExecutionHistory\",code=\"NOT_FOUND\"} 1",
            ] {
                #expect(metrics.contains(line + "\n"), "\(metrics)")
            }
            // A second node waits, and says so.
            let other = try Service(sharing: service)
            let waiting = try other.start()
            try waiting.wait(until: { waiting.errors.contains("standby: another node has the shard") })
            #expect(other.page("/healthz") == "200 ok\n")
            #expect(other.page("/readyz").hasPrefix("503 not ready: standby"))
            program.signal(SIGTERM)
            #expect(program.status() == 0)
            try waiting.wait(until: { waiting.errors.contains(#""message":"ready""#) })
            #expect(other.page("/readyz") == "200 ready\n")
            waiting.signal(SIGTERM)
            #expect(waiting.status() == 0)
        }

        @Test func aNodeThatTakesOverKnowsWhatNamespacesCameMeanwhile() throws {
            let service = try Service(rest: "namespaces: [{name: default}]\n")
            let program = try service.startAndWait()
            let other = try Service(sharing: service)
            let waiting = try other.start()
            try waiting.wait(until: { waiting.errors.contains("standby: another node has the shard") })
            let trips = ["--namespace", "trips", "--address"]
            #expect(try sagamore(["operator", "namespace", "create"] + trips + [service.address]).status == 0)
            program.signal(SIGTERM)
            #expect(program.status() == 0)
            try waiting.wait(until: { waiting.errors.contains(#""message":"ready""#) })
            let workflow = ["workflow", "start", "--type", "Trip", "--task-queue", "nobody"]
            let started = try sagamore(workflow + trips + [other.address])
            #expect(started.status == 0, "\(started.errors)")
            waiting.signal(SIGTERM)
            #expect(waiting.status() == 0)
        }

        /// From a record to the end of its run, as an operator sees it.
        @Test(.enabled(if: TemporaryKafka.isAvailable, "\(TemporaryKafka.whySkipped)"))
        func metricsTellOfCommandsAndSagas() throws {
            let kafka = try TemporaryKafka()
            defer { kafka.stop() }
            let service = try Service(
                rest: """
                    kafka:
                      bootstrap: \(kafka.bootstrap)
                      routes: [{commands: orders, events: results, workflow: Trip, taskQueue: nobody}]
                    """
            )
            let program = try service.startAndWait()
            let place = ["--topic", "orders", "--kafka", kafka.bootstrap, "--workflow-id", "w"]
            for options in [["--command-id", "1"], ["--command-id", "2", "--command", "terminate"]] {
                #expect(try sagamore(["command", "publish"] + options + place).status == 0)
            }
            try program.wait(until: {
                let page = service.page("/metrics")
                return page.contains("sagamore_events_total{status=\"terminated\"} 1\n")
                    && page.contains("sagamore_outbox_records{shard=\"0\"} 0\n")
            })
            let metrics = service.page("/metrics")
            for line in [
                "sagamore_events_total{status=\"accepted\"} 1", "sagamore_events_total{status=\"passed\"} 0",
                "sagamore_saga_seconds_count 1", "sagamore_command_seconds_count 2",
                "sagamore_kafka_commands_total{topic=\"orders\",outcome=\"carried_out\"} 2",
                "sagamore_pollers{kind=\"workflow\"} 0", "sagamore_tasks_in_memory{kind=\"activity\"} 0",
                "sagamore_dead_events 0", "sagamore_parked_workflows 0",
            ] {
                #expect(metrics.contains(line + "\n"), "\(line) is not in \(metrics)")
            }
            for name in [
                "sagamore_command_lag{topic=\"orders\",partition=", "sagamore_database_bytes ",
                "sagamore_lease_seconds{shard=\"0\",node=", "sagamore_database_sessions_limit ",
            ] {
                #expect(metrics.contains("\n" + name), "\(name) is not in \(metrics)")
            }
            for line in metrics.split(separator: "\n") where line.hasPrefix("sagamore_command_lag{") {
                #expect(line.hasSuffix(" 0"), "\(line)")
            }
            program.signal(SIGTERM)
            #expect(program.status() == 0)
        }

        @Test func aDiagnosisTellsWhatABugReportNeeds() throws {
            let service = try Service(rest: "namespaces:\n  - name: trips\nnode: n1\n")
            let environment = ["DATABASE": service.url]
            let file = service.folder.path + "/diagnosis.txt"
            let command = ["diagnose", "--config", service.file, "--file", file]
            let before = try sagamore(command, environment: environment)
            #expect(before.status == 0, "\(before.errors)")
            #expect(try String(contentsOfFile: file, encoding: .utf8).contains("it cannot be asked: "))

            let program = try service.startAndWait()
            let after = try sagamore(command, environment: environment)
            #expect(after.status == 0, "\(after.errors)")
            let text = try String(contentsOfFile: file, encoding: .utf8)
            for part in [
                "sagamore: \(SagamoreVersion.current)\n", "librdkafka: ", "==== configuration\nnode: n1\n",
                "==== node /readyz\nstatus 200\nready\n", "sagamore_ready 1\n", "PostgreSQL 1", "fsync = ",
                "shard 0: node 'n1', process ", "parked: 0\n", "==== kafka\nthere is none\n", "table journal: about ",
            ] {
                #expect(text.contains(part), "\(part) is not in \(text)")
            }
            #expect(!text.contains(service.url))
            program.signal(SIGTERM)
            #expect(program.status() == 0)
            #expect(program.errors.contains(#""node":"n1""#))
        }

        /// A schedule would go on to start runs, and a run owes its end to the schedule that is gone.
        @Test func aDeletedNamespaceTakesItsSchedulesAndTheirRunsAlong() throws {
            let service = try Service()
            let program = try service.startAndWait()
            let connection = try PostgresConnection(service.url, applicationName: "tests")
            defer { connection.close() }
            func run(_ words: String...) throws {
                let outcome = try sagamore(words + ["--namespace", "trips", "--address", service.address])
                #expect(outcome.status == 0, "\(words): \(outcome.errors)")
            }
            func rows(_ tables: String...) throws -> [Int64] {
                try tables.map { table in
                    let count = PostgresStatement.unnamed("select count(*) from sagamore.\(table)", readsOnly: true)
                    return try connection.query(count).int64(0, 0)
                }
            }
            try run("operator", "namespace", "create")
            try run("operator", "search-attribute", "create", "--name", "Team", "--type", "Keyword")
            try run(
                "schedule",
                "create",
                "--schedule-id",
                "nightly",
                "--interval",
                "1d",
                "--type",
                "Settle",
                "--task-queue",
                "nobody",
                "--schedule-search-attribute",
                "Team=\"travel\""
            )
            // The attribute, and that it is not paused.
            #expect(try rows("schedules", "search_values") == [1, 2])
            try run("schedule", "trigger", "--schedule-id", "nightly")
            try program.wait(until: { (try? rows("runs")) == [1] })
            try run("operator", "namespace", "delete", "--yes")
            try program.wait(until: { (try? rows("schedules", "search_values", "runs", "journal")) == [0, 0, 0, 0] })
            program.signal(SIGTERM)
            #expect(program.status() == 0)
        }

        @Test func aNodeWhoseDatabaseIsAwayIsNotReady() throws {
            let postgres = try TemporaryPostgres()
            let service = try Service(url: try postgres.createDatabase())
            let program = try service.startAndWait()
            postgres.kill9()
            try program.wait(until: { service.page("/readyz").hasPrefix("503 not ready: ") })
            #expect(service.page("/metrics").contains("sagamore_ready 0\n"))
            #expect(service.page("/healthz") == "200 ok\n")
            try postgres.restart()
            try program.wait(until: { service.page("/readyz") == "200 ready\n" })
            program.signal(SIGTERM)
            #expect(program.status() == 0)
        }

        @Test func aHangUpReadsTheLogsLevelAgain() throws {
            let service = try Service()
            let program = try service.startAndWait()
            try service.write(rest: "log:\n  level: warning\n  format: xml\n")
            program.signal(SIGHUP)
            try program.wait(until: { program.errors.contains("expected one of 'text', 'json', found 'xml'") })
            try service.write(rest: "log: {level: debug}\n")
            program.signal(SIGHUP)
            try program.wait(until: { program.errors.contains("the configuration was read again") })
            program.signal(SIGINT)
            #expect(program.status() == 0)
        }

        @Test func mistakesAreSaidInOneLineAndExitWith2() throws {
            let service = try Service(rest: "kafka:\n  boostrap: k:1\n")
            for arguments in [[], ["--check"]] {
                let outcome = try sagamore(
                    ["serve", "--config", service.file] + arguments,
                    environment: ["DATABASE": service.url]
                )
                #expect(outcome.status == 2)
                let message = "sagamore: \(service.file):9:3: unknown key 'boostrap'; did you mean 'bootstrap'?\n"
                #expect(outcome.errors == message)
            }
            let missing = try sagamore("serve", "--config", service.folder.path + "/none")
            #expect(missing.status == 2)
            #expect(missing.errors.contains("'sagamore config default' prints one to begin with"))
        }

        @Test func aCheckShowsWhatIsInEffectAndWhatCanBeReached() throws {
            let service = try Service()
            let empty = try service.check()
            #expect(empty.status == 0, "\(empty.errors)")
            #expect(empty.output.contains("url: \"********\""))
            #expect(empty.output.contains("# ok  PostgreSQL: reached; the database is empty"))
            let program = try service.startAndWait()
            program.signal(SIGTERM)
            #expect(program.status() == 0)
            let json = try JSONValue.parse(try service.check("--output", "json").output)
            let text = try #require(json["checks"]?.array?.first?["message"]?.string)
            #expect(text.hasPrefix("reached; its schema is "))
            try service.write(rest: "kafka: {bootstrap: \"127.0.0.1:1\"}\n")
            let unreachable = try service.check()
            #expect(unreachable.status == 1)
            #expect(unreachable.output.contains("# FAILED  Kafka: no broker answered"), "\(unreachable.output)")
        }

        @Test func aPrintedFileCanBeServed() throws {
            let service = try Service()
            let printed = try sagamore("config", "default")
            try printed.output.write(toFile: service.file, atomically: true, encoding: .utf8)
            let check = try service.check()
            #expect(check.status == 1)
            #expect(check.output.contains("FAILED  PostgreSQL"))
        }

        @Test(.enabled(if: TestCertificate.isPossible, "there is no openssl"))
        func aRenewedCertificateIsTakenOverWithoutARestart() async throws {
            let first = try #require(TestCertificate.make())
            let second = try #require(TestCertificate.make())
            let service = try Service(grpc: "  tls: {certificate: chain.pem, key: key.pem}\n")
            try first.write(to: service.folder.path)
            let program = try service.startAndWait()
            #expect(program.errors.contains("a certificate expires soon"))
            #expect(try await answers(service.address, roots: first.chain))
            #expect(try await !answers(service.address, roots: second.chain))
            // Half of a renewal changes nothing.
            try second.chain.write(toFile: service.folder.path + "/chain.pem", atomically: true, encoding: .utf8)
            try program.wait(until: { program.errors.contains("is not the key of the certificate") })
            #expect(try await answers(service.address, roots: first.chain))
            try second.write(to: service.folder.path)
            try program.wait(until: { program.errors.contains("the certificate was renewed") })
            #expect(try await answers(service.address, roots: second.chain))
            #expect(try await !answers(service.address, roots: first.chain))
            program.signal(SIGTERM)
            #expect(program.status() == 0)
        }

        private func answers(_ address: String, roots: String) async throws -> Bool {
            var configuration = GRPCChannelConfiguration(target: address)
            configuration.tls = GRPCChannelConfiguration.TLS(serverRoots: roots)
            configuration.tls?.serverName = "sagamore.test"
            let channel = GRPCChannel(configuration)
            defer { channel.shutdown() }
            do throws(GRPCStatus) {
                _ = try await channel.call(
                    "/temporal.api.workflowservice.v1.WorkflowService/GetSystemInfo",
                    [],
                    deadline: .seconds(10)
                )
                return true
            } catch {
                guard error.code == .unavailable else { throw error }
                return false
            }
        }
    }
}

extension TestCertificate {
    fileprivate func write(to folder: String) throws {
        try chain.write(toFile: folder + "/chain.pem", atomically: true, encoding: .utf8)
        try key.write(toFile: folder + "/key.pem", atomically: true, encoding: .utf8)
    }
}
