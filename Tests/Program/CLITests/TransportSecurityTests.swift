import Foundation
import SagamoreGRPCTestSupport
import SagamoreKafkaClient
import SagamoreKafkaTestSupport
import SagamorePostgresClient
import SagamorePostgresTestSupport
import SagamoreProgramTestSupport
import Testing

extension ProgramTests {
    /// `sagamore serve` with a PostgreSQL and an Apache Kafka that accept nobody without TLS.
    @Suite(.serialized, .enabled(if: TestCertificate.isPossible, "there is no openssl"))
    struct TransportSecurityTests {
        /// A PostgreSQL that wants client certificates on an address of its own.
        private struct SecurePostgres {
            let server: TemporaryPostgres
            let address: String
            let user: String
            let port: String

            init(_ authority: TestAuthority) throws {
                // The port is the same for all; each has an address of the loopback network.
                address = "127.\(Int.random(in: 1...254)).\(Int.random(in: 1...254)).\(Int.random(in: 2...254))"
                server = try TemporaryPostgres(settings: ["listen_addresses": address])
                let connection = try PostgresConnection(server.url, applicationName: "tests")
                defer { connection.close() }
                func show(_ text: String) throws -> String {
                    try connection.query(PostgresStatement("t\(text.count)", text)).text(0, 0)
                }
                user = try show("select current_user::text")
                port = try show("show port")
                let data = try show("show data_directory")
                let signed = try authority.sign("database", address: address)
                let owner = try FileManager.default.attributesOfItem(atPath: data)
                for (from, name) in [(signed.certificate, "c.pem"), (signed.key, "k.pem"), (authority.root, "r.pem")] {
                    try FileManager.default.copyItem(atPath: from, toPath: "\(data)/\(name)")
                    try FileManager.default.setAttributes(
                        [
                            .posixPermissions: 0o600, .ownerAccountID: owner[.ownerAccountID]!,
                            .groupOwnerAccountID: owner[.groupOwnerAccountID]!,
                        ],
                        ofItemAtPath: "\(data)/\(name)"
                    )
                }
                try "local all all trust\nhostssl all all 127.0.0.0/8 trust clientcert=verify-full\n"
                    .write(toFile: try show("show hba_file"), atomically: false, encoding: .utf8)
                for (name, file) in [("ssl_cert_file", "c.pem"), ("ssl_key_file", "k.pem"), ("ssl_ca_file", "r.pem")] {
                    try connection.execute("alter system set \(name) = '\(file)'")
                }
                try connection.execute("alter system set ssl = on")
                try connection.execute("select pg_reload_conf()")
                try connection.execute("create database sagamore")
            }

            /// How many of the service's connections there are, and how many of them are encrypted.
            func connections() throws -> (all: Int32, encrypted: Int32) {
                let connection = try PostgresConnection(server.url, applicationName: "tests")
                defer { connection.close() }
                let row = try connection.query(
                    PostgresStatement(
                        "connections",
                        """
                        select count(*)::int, (count(*) filter (where ssl))::int from pg_stat_activity
                        join pg_stat_ssl using (pid) where application_name like 'sagamore%'
                        """
                    )
                )
                return (try row.int32(0, 0), try row.int32(0, 1))
            }
        }

        @Test func postgresIsReachedWithCertificatesOnBothSides() throws {
            let authority = try TestAuthority()
            let postgres = try SecurePostgres(authority)
            defer { try? postgres.server.stop() }
            let client = try authority.sign(postgres.user)
            let stranger = try TestAuthority()
            let folder = try TemporaryFolder()
            let file = folder.path + "/sagamore.yaml"
            func write(root: String, certificate: String) throws {
                try """
                postgres:
                  host: \(postgres.address)
                  port: \(postgres.port)
                  user: \(postgres.user)
                  tls:
                    mode: verify-full
                    rootCertificates: \(root)
                \(certificate)
                grpc:
                  port: \(LoopbackPorts.free(1)[0])
                http:
                """.write(toFile: file, atomically: true, encoding: .utf8)
            }
            let own = "    certificate: \(client.certificate)\n    key: \(client.key)"
            func failure() throws -> String {
                let check = try sagamore("serve", "--config", file, "--check")
                #expect(check.status == 1)
                return check.output
            }
            try write(root: stranger.root, certificate: own)
            #expect(try failure().contains("certificate verify failed"))
            try write(root: authority.root, certificate: "")
            #expect(try failure().contains("connection requires a valid client certificate"))
            let other = try authority.sign("somebody-else")
            try write(root: authority.root, certificate: "    certificate: \(other.certificate)\n    key: \(other.key)")
            #expect(try failure().contains("FAILED  PostgreSQL"))

            try write(root: authority.root, certificate: own)
            let program = try RunningProgram(["serve", "--config", file])
            try program.wait(until: { program.errors.contains(#""message":"ready""#) })
            let (all, encrypted) = try postgres.connections()
            #expect(all > 0)
            #expect(encrypted == all)
            program.signal(SIGTERM)
            #expect(program.status() == 0)
        }

        private enum KafkaClient: CaseIterable {
            case scram, password, certificate

            /// librdkafka before 2.6.1 sends a nonce that Apache Kafka 4 refuses.
            static var possible: [KafkaClient] {
                if KafkaConfiguration.canUseScram { return allCases }
                print("skipped: SCRAM was not checked: librdkafka is older than 2.6.1")
                return [.password, .certificate]
            }

            var identity: KafkaSecurity.Identity {
                switch self {
                case .scram: .scram(user: "saga", password: "geheim")
                case .password: .password(user: "saga", password: "geheim")
                case .certificate: .certificate
                }
            }

            /// librdkafka's properties: those that are refused, and those with which a client shows who it is.
            func properties(_ worker: TestAuthority.Signed) -> (refused: [String], accepted: [String]) {
                if self == .certificate {
                    let names = ["ssl.certificate.location: \(worker.certificate)", "ssl.key.location: \(worker.key)"]
                    return (["security.protocol: SSL"], ["security.protocol: SSL"] + names)
                }
                let mechanism = self == .scram ? "SCRAM-SHA-512" : "PLAIN"
                let common = ["security.protocol: SASL_SSL", "sasl.mechanisms: \(mechanism)", "sasl.username: saga"]
                return (common + ["sasl.password: wrong"], common + ["sasl.password: file:password"])
            }
        }

        private func configuration(_ kafka: TemporaryKafka, _ root: String, _ properties: [String]) -> String {
            let lines = (["ssl.ca.location: \(root)"] + properties).map { "    \($0)\n" }.joined()
            return """
                postgres:
                  url: ${DATABASE}
                grpc:
                  port: \(LoopbackPorts.free(1)[0])
                http:
                kafka:
                  bootstrap: \(kafka.secureBootstrap)
                  routes:
                    - commands: orders
                      events: results
                      workflow: None
                      taskQueue: none
                      allowedCommands: [start]
                  properties:
                \(lines)
                """
        }

        /// A command in and its events out, by listeners of all kinds.
        @Test(.enabled(if: TemporaryKafka.isAvailable, "\(TemporaryKafka.whySkipped)"), arguments: KafkaClient.possible)
        private func kafkaIsReachedWithTLS(client: KafkaClient) throws {
            let authority = try TestAuthority()
            let node = try authority.sign("kafka")
            let security = KafkaSecurity(client.identity, keyAndCertificate: node.both, root: authority.root)
            let kafka = try TemporaryKafka(security: security)
            defer { kafka.stop() }
            let folder = try TemporaryFolder()
            let file = folder.path + "/sagamore.yaml"
            let database = ["DATABASE": try TemporaryPostgres.sharedServer().createDatabase()]
            try "geheim\n".write(toFile: folder.path + "/password", atomically: true, encoding: .utf8)
            let properties = client.properties(try authority.sign("worker"))
            try configuration(kafka, authority.root, properties.refused)
                .write(toFile: file, atomically: true, encoding: .utf8)
            let refused = try sagamore(["serve", "--config", file, "--check"], environment: database)
            #expect(refused.status == 1)
            #expect(refused.output.contains("FAILED  Kafka: no broker answered: "), "\(refused.output)")

            try configuration(kafka, authority.root, properties.accepted)
                .write(toFile: file, atomically: true, encoding: .utf8)
            let program = try RunningProgram(["serve", "--config", file], environment: database)
            try program.wait(until: { program.errors.contains(#""message":"ready""#) })
            let check = try sagamore(["serve", "--config", file, "--check"], environment: database)
            #expect(check.status == 0, "\(check.output)")
            #expect(check.output.contains("ok  Kafka: reached, cluster"))
            // The listener for everybody is for this test only.
            try publish(to: kafka, "--command-id", "1", "--workflow-id", "w")
            try publish(to: kafka, "--command-id", "2", "--workflow-id", "w", "--command", "terminate")
            let events = try sagamore(
                ["events", "tail", "--topic", "results", "--follow", "--count", "2", "--kafka", kafka.bootstrap]
            )
            #expect(events.output.contains("accepted"), "\(events.output)\(events.errors)")
            #expect(events.output.contains("PERMISSION_DENIED"), "\(events.output)")
            program.signal(SIGTERM)
            #expect(program.status() == 0)
            #expect(!program.errors.contains("geheim"))
        }

        private func publish(to kafka: TemporaryKafka, _ options: String...) throws {
            let place = ["--topic", "orders", "--kafka", kafka.bootstrap]
            let outcome = try sagamore(["command", "publish"] + options + place)
            #expect(outcome.status == 0, "\(outcome.errors)")
        }
    }
}
