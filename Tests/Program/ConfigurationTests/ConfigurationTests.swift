import Foundation
import SagamoreEngine
import SagamoreKafkaFront
import SagamoreServer
import Testing

@testable import SagamoreConfiguration

@Suite struct ConfigurationTests {
    private func read(
        _ text: String,
        environment: [String: String] = [:],
        folder: String = ""
    ) throws(ConfigurationError) -> Configuration {
        try ConfigurationFile.decode(Configuration.self, text, file: "s.yaml", folder: folder, environment)
    }

    @Test func anEmptyFileHasTheDefaults() throws { #expect(try read("") == Configuration()) }

    /// The file with the sections that are commented out, but without the examples of what an empty list may hold.
    private static func withSections(_ file: String) -> String {
        var example: Int?
        let lines = file.split(separator: "\n", omittingEmptySubsequences: false).map { line -> Substring in
            let isComment = line.hasPrefix("#  ") || line.hasPrefix("#kafka")
            let text = isComment ? line.dropFirst() : line
            let depth = text.prefix { $0 == " " }.count
            if let list = example, isComment, depth > list { return line }
            example = text.hasSuffix(": []") ? depth : nil
            return text
        }
        return lines.joined(separator: "\n")
    }

    /// Every key is in the file that is printed, with its default: what stands there in comments, too.
    @Test func theDefaultFileIsWhatTheCodeSays() throws {
        let file = Configuration.defaultFile
        #expect(try read(file) == Configuration())
        // An authorization that lets nobody in is a mistake.
        let end = try #require(file.range(of: "\n\n# Pages"))
        let begin = try #require(file.range(of: "#authorization:"))
        #expect(file[begin.upperBound..<end.lowerBound].contains("#    - name: \"\""))
        let withSections = Self.withSections(String(file[..<begin.lowerBound] + file[end.lowerBound...]))
        let folder = FileManager.default.temporaryDirectory.path + "/config-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Certificates.write(to: folder + "/tls")
        var expected = Configuration()
        expected.kafka = KafkaSection()
        expected.grpc.tls = TLSSection()
        expected.http?.tls = WebTLSSection()
        let found = try read(withSections, folder: folder)
        #expect(found.kafka == expected.kafka)
        #expect(found.grpc.tls?.certificate.path == "\(folder)/tls/server.pem")
        #expect(found.effectiveFile == expected.effectiveFile)
        for line in file.split(separator: "\n") { #expect(line.count <= 120) }
    }

    @Test func theEffectiveFileHidesSecretsAndCanBeReadAgain() throws {
        let text = """
            node: a
            postgres: {password: "geheim: 'x'", host: db.example.com}
            kafka:
              bootstrap: k1:9092,k2:9092
              properties: {security.protocol: SASL_SSL, sasl.password: geheim}
              routes:
                - commands: orders
                  events: results
                  allowedCommands: [start, cancel]
            """
        let configuration = try read(text)
        let effective = configuration.effectiveFile
        #expect(!effective.contains("geheim"))
        #expect(effective.contains("  properties:\n    sasl.password: \"********\"\n    security.protocol: SASL_SSL\n"))
        var masked = configuration
        masked.postgres.password = Secret(Secret.mask)
        #expect(try read(effective).postgres == masked.postgres)
        #expect(try read(effective).kafka?.routes == configuration.kafka?.routes)
        #expect(configuration.kafka?.frontConfiguration().routes.first?.deadLetterTopic == "orders.dlq")
    }

    @Test func valuesComeFromTheEnvironmentAndFromFiles() throws {
        let folder = FileManager.default.temporaryDirectory.path + "/config-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try "pass word\n".write(toFile: folder + "/secret", atomically: true, encoding: .utf8)
        let text = """
            node: "${NAME}-${NUMBER:-7}-$${x}"
            postgres:
              password: file:secret
              port: ${PORT}
            """
        let environment = ["NAME": "n", "PORT": "5433"]
        let configuration = try read(text, environment: environment, folder: folder)
        #expect(configuration.node == "n-7-${x}")
        #expect(configuration.postgres.port == 5_433)
        #expect(
            configuration.postgres.connectionString
                == "host='localhost' port='5433' dbname='sagamore' user='sagamore' password='pass word' "
                + "sslmode='prefer'"
        )
    }

    @Test(
        arguments: [
            ("grcp: {}\n", "s.yaml:1:1: unknown key 'grcp'; did you mean 'grpc'?"),
            (
                "grpc:\n  xyz: 1\n",
                "s.yaml:2:3: unknown key 'xyz'; there are 'host', 'limits', 'plainTextForAll', 'port', 'tls'"
            ),
            ("grpc:\n  port: 0\n", "s.yaml:2:9: 'port' expects a port from 1 to 65535, not 0"),
            (
                "grpc:\n  port: many\n",
                "s.yaml:2:9: expected a whole number from \(Int.min) to \(Int.max), found 'many'"
            ),
            (
                "grpc:\n  host: 0.0.0.0\n",
                "s.yaml:2:9: 'host: 0.0.0.0' is reachable by others: give 'tls', or say 'plainTextForAll: true'"
            ),
            ("log:\n  format: xml\n", "s.yaml:2:11: expected one of 'text', 'json', found 'xml'"),
            (
                "namespaces:\n  - name: a\n    retention: 2 days\n",
                "s.yaml:3:16: expected a duration such as '90s' or '1h30m', found '2 days'"
            ),
            ("namespaces:\n  - retention: 1m\n", "s.yaml:2:16: 'retention' is shorter than 1h"),
            ("node: ${WHO}\n", "s.yaml:1:7: the environment has no variable 'WHO'"),
            ("node: ${WHO\n", "s.yaml:1:7: '${' without '}'; '$${' is a '${' that means itself"),
            ("postgres:\n  password: file:none\n", "s.yaml:2:13: there is no file 'none'"),
            (
                "postgres:\n  url: postgresql://a@b/c\n  host: d\n",
                "s.yaml:2:8: 'url' excludes the other keys of 'postgres': write everything into it"
            ),
            ("postgres:\n  tls: {mode: verify-full}\n", "s.yaml:2:15: 'mode: verify-full' needs 'rootCertificates'"),
            (
                "kafka:\n  properties:\n    ssl.ca.lokation: x\n",
                "s.yaml:3:22: librdkafka has no property \"ssl.ca.lokation\""
            ),
            (
                "kafka:\n  properties:\n    sasl.mechanisms: SCRAM\n    retries: many\n",
                "s.yaml:4:14: the value of property \"retries\" is invalid"
            ),
            ("kafka:\n  routes: []\n", "s.yaml:2:11: 'routes' needs a route"),
            (
                "kafka:\n  routes:\n    - commands: a\n      events: a\n",
                "s.yaml:3:5: the topic 'a' is read and written"
            ),
            (
                "kafka:\n  routes:\n    - workflowID: '{order'\n",
                "s.yaml:3:19: 'workflowID' expects text with names of fields in braces, not '{order'"
            ),
            (
                "kafka:\n  routes:\n    - allowedCommands: [start, drop]\n",
                "s.yaml:3:32: expected one of 'start', 'signal', 'query', 'update', 'cancel', 'terminate', "
                    + "'signal_with_start', found 'drop'"
            ),
            (
                "kafka:\n  routes:\n    - workflow: Trip\n      allowedWorkflows: [Order]\n",
                "s.yaml:4:25: 'allowedWorkflows' does not have the route's own 'Trip'"
            ),
            (
                "authorization: {}\n",
                "s.yaml:1:16: 'authorization' lets nobody in: give 'apiKeys', 'jwt' or 'certificates'"
            ),
            (
                "authorization:\n  apiKeys:\n    - {name: a, key: short, permissions: []}\n",
                "s.yaml:3:22: 'key' has fewer than 16 characters: 'openssl rand -hex 32' makes one"
            ),
            ("authorization:\n  apiKeys:\n    - {name: a}\n", "s.yaml:3:7: the API key 'a' needs a 'key'"),
            (
                "authorization:\n  certificates:\n    - {subject: CN=a, permissions: [a:read, b:reader]}\n",
                "s.yaml:3:45: 'b:reader' is no permission: expected NAMESPACE:ROLE with read, worker, write or admin"
            ),
            (
                "authorization:\n  certificates:\n    - {subject: CN=a}\n",
                "s.yaml:2:3: 'authorization.certificates' needs 'grpc.tls.clientRoots': nobody else verifies them"
            ),
            (
                "authorization:\n  jwt:\n    keySet: http://127.evil.test/keys\n",
                "s.yaml:3:13: 'keySet': expects an https:// address or a file, not 'http://127.evil.test/keys'"
            ),
            ("authorization:\n  jwt: {keySet: none.json}\n", "s.yaml:2:17: there is no file 'none.json'"),
            ("authorization:\n  jwt: {}\n", "s.yaml:2:8: 'jwt' needs a 'keySet'"),
            ("dynamicConfig: none.yaml\n", "s.yaml:1:16: there is no file 'none.yaml'"),
            ("shards: 17\n", "s.yaml:1:9: 'shards' expects a number from 0 to 16, not 17"),
        ]
    )
    func aMistakeIsSaidWithItsPlaceAndWhatToDo(text: String, message: String) {
        let error = #expect(throws: ConfigurationError.self) { try read(text) }
        #expect(error?.description == message)
    }

    @Test func routesAreBoundWithAuthorization() throws {
        let open = "kafka:\n  routes:\n    - {namespace: travel, allowedTaskQueues: [a]}\n"
        func route(_ text: String) throws -> Route? {
            try read(text).serverConfiguration(dynamic: DynamicConfiguration()).kafka?.routes.first
        }
        #expect(try route(open)?.allowed.namespaces == nil)
        #expect(try route(open)?.allowed.taskQueues == ["a"])
        let keys = "authorization:\n  apiKeys:\n    - {name: a, key: 0123456789abcdef, permissions: [travel:read]}\n"
        #expect(try route(open + keys)?.allowed.namespaces == ["travel"])
        #expect(try route(open + keys)?.allowed.workflowTypes == nil)
        let effective = try read(open + keys).effectiveFile
        #expect(!effective.contains("0123456789abcdef"))
        #expect(effective.contains("travel:read"))
    }

    @Test func limitsComeFromTheSectionAndTheDynamicConfiguration() throws {
        let configuration = try read(
            """
            limits:
              namespace: {requestsPerSecond: 100, longPolls: 50}
              namespaces:
                - {name: flood, requestsPerSecond: 10}
              caller: {longPolls: 5}
            """
        )
        let text = """
            frontend.namespaceRPS:
              - value: 200
              - value: 20
                constraints: {namespace: flood}
              - value: 0
                constraints: {namespace: free}
            limit.blobSize.error: 1000
            """
        let dynamic = try DynamicConfigurationFile.decode(text, path: "d.yaml")
        #expect(dynamic.limits.payloadBytes == 1_000)
        let table = dynamic.requestLimits(over: configuration.limits.table)
        #expect(table.namespace.requestsPerSecond == 200)
        #expect(table.limits(of: "flood").requestsPerSecond == 20)
        #expect(table.limits(of: "flood").longPolls == 50)
        #expect(table.limits(of: "free").requestsPerSecond == 0)
        #expect(table.limits(of: "free").longPolls == 50)
        #expect(table.caller.longPolls == 5)
        for (text, message) in [
            (
                "limit.blobSize.error:\n  - {value: 1, constraints: {namespace: a}}\n",
                "d.yaml: 'limit.blobSize.error' is the same for all: expected a value without constraints"
            ),
            (
                "frontend.namespaceRPS:\n  - {value: 1, constraints: {taskQueueName: a}}\n",
                "d.yaml:2:3: the constraint 'taskQueueName' is not known: there is 'namespace'"
            ),
            (
                "frontend.namespaceRPS: many\n",
                "d.yaml: 'frontend.namespaceRPS' expects a whole number from 0 to 2147483647, not 'many'"
            ),
        ] {
            let error = #expect(throws: ConfigurationError.self) {
                try DynamicConfigurationFile.decode(text, path: "d.yaml")
            }
            #expect(error?.description == message)
        }
    }

    @Test func aCertificateHasToFitItsKeyAndToBeValid() throws {
        let folder = FileManager.default.temporaryDirectory.path + "/config-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Certificates.write(to: folder)
        func problem(_ certificate: String, _ key: String, roots: String? = nil) -> String? {
            let roots = roots.map { ", clientRoots: \($0)" } ?? ""
            let text = "grpc:\n  tls: {certificate: \(certificate), key: \(key)\(roots)}\n"
            do throws(ConfigurationError) {
                _ = try read(text, folder: folder)
                return nil
            } catch {
                return error.description.replacing(folder + "/", with: "")
            }
        }
        #expect(problem("server.pem", "server-key.pem", roots: "server.pem") == nil)
        #expect(
            problem("server.pem", "other-key.pem") == "s.yaml:2:39: 'other-key.pem' is not the key of the certificate"
        )
        #expect(
            problem("server-key.pem", "server-key.pem")
                == "s.yaml:2:22: 'server-key.pem' holds no certificate in PEM form"
        )
        #expect(
            problem("server.pem", "server.pem")
                == "s.yaml:2:39: 'server.pem' holds no private key in PEM form, or one with a passphrase"
        )
        #expect(problem("old.pem", "server-key.pem")?.hasPrefix("s.yaml:2:22: 'old.pem' has expired on 20") == true)
        #expect(
            problem("server.pem", "server-key.pem", roots: "server-key.pem")
                == "s.yaml:2:68: 'server-key.pem' holds no certificate in PEM form"
        )
        let soon = try read("grpc: {tls: {certificate: server.pem, key: server-key.pem}}", folder: folder)
        #expect(soon.grpc.tls?.expiringSoon != nil)
    }

    @Test func theServerGetsWhatTheFileSays() throws {
        let text = """
            node: n1
            shards: 3
            grpc: {host: localhost, port: 7777, limits: {connections: 5}}
            namespaces:
              - name: trips
                retention: 48h
            kafka: {bootstrap: "k:9092", createTopics: false, partitions: 3, consumerGroup: g}
            """
        let server = try read(text).serverConfiguration(dynamic: DynamicConfiguration())
        #expect(server.node == "n1")
        #expect(server.shardCount == 3)
        #expect(server.grpc.port == 7_777)
        #expect(server.grpc.maximumConnections == 5)
        #expect(server.namespaces.map(\.name) == ["trips"])
        #expect(server.namespaces.first?.retention == .seconds(172_800))
        #expect(server.kafka?.consumerGroup == "g")
        #expect(server.kafka?.kafka.bootstrap == "k:9092")
    }

    /// The example of docs/OPERATIONS.md, with the files that it names.
    @Test func theExampleOfTheDocumentationCanBeRead() throws {
        let folder = FileManager.default.temporaryDirectory.path + "/config-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Certificates.write(to: folder + "/tls")
        for name in ["tls/database-root.pem", "tls/kafka-root.pem", "tls/clients-root.pem"] {
            try FileManager.default.copyItem(atPath: folder + "/tls/server.pem", toPath: "\(folder)/\(name)")
        }
        for name in ["postgres", "kafka"] {
            try "secret of \(name)\n".write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
        }
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../..")
        let page = try String(contentsOf: root.appending(path: "docs/OPERATIONS.md"), encoding: .utf8)
        let blocks = page.components(separatedBy: "```yaml\n").dropFirst().map { $0.components(separatedBy: "```")[0] }
        let example = try #require(blocks.first { $0.contains("postgres:") }).replacing("/run/secrets", with: folder)
        let configuration = try read(example, environment: ["HOSTNAME": "node-1"], folder: folder)
        #expect(configuration.node == "node-1")
        #expect(configuration.postgres.connectionString.contains("password='secret of postgres'"))
        #expect(configuration.kafka?.frontConfiguration().kafka.properties["sasl.password"] == "secret of kafka")
        #expect(configuration.kafka?.frontConfiguration().routes.first?.allowedCommands == [.start, .signal, .cancel])
        #expect(configuration.grpc.tls?.clientRoots != nil)
    }

    @Test func dynamicConfigurationIsReadInTemporalsForm() throws {
        let path = FileManager.default.temporaryDirectory.path + "/dynamic-\(UUID().uuidString).yaml"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try """
        limit.blobSize.error:
          - value: 1000
            constraints: {}
        limit.blobSize.warn: 500
        frontend.unknown: [{value: x}]
        """.write(toFile: path, atomically: true, encoding: .utf8)
        let dynamic = try DynamicConfigurationFile.read(path)
        #expect(dynamic.limits.payloadBytes == 1_000)
        #expect(dynamic.limits.warnedPayloadBytes == 500)
        #expect(dynamic.unknownKeys == ["frontend.unknown"])
        try "limit.blobSize.error: [{value: 1, constraints: {namespace: a}}]\n"
            .write(toFile: path, atomically: true, encoding: .utf8)
        let error = #expect(throws: ConfigurationError.self) { try DynamicConfigurationFile.read(path) }
        #expect(
            error?.description
                == "\(path): 'limit.blobSize.error' is the same for all: expected a value without constraints"
        )
    }
}
