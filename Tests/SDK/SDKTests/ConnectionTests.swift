import SagamoreAPI
import SagamoreGRPC
import SagamoreGRPCTestSupport
import SagamoreThreads
import Testing

@testable import Sagamore

/// How a client reaches its server and introduces itself.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct ConnectionTests {
    /// A server that notes the header fields of its calls.
    private final class NotingServer: Sendable {
        let address: String
        private let server: GRPCServer
        private let noted = Locked<[[String?]]>([])

        init(tls: GRPCServerConfiguration.TLS? = nil) throws {
            var configuration = GRPCServerConfiguration(port: 0)
            configuration.tls = tls
            server = GRPCServer(configuration)
            let noted = noted
            server.register(WorkflowServiceMethod.getSystemInfo.rawValue, .hot) { call in
                let fields = ["authorization", "temporal-namespace", "x-team"].map { call.metadata($0) }
                noted.withLock { $0.append(fields) }
                call.reply([])
            }
            address = "127.0.0.1:\(try server.start())"
        }

        var fields: [[String?]] { noted.withLock { $0 } }

        func stop() async { await onThread { self.server.shutdown(grace: .zero) } }
    }

    private func connect(_ options: ClientOptions) async throws {
        let client = try await Client.connect(options)
        await onThread { client.close() }
    }

    @Test func theKeyAndTheHeadersAreSentWithEachCall() async throws {
        let server = try NotingServer()
        var options = ClientOptions(address: server.address, namespace: "travel")
        try await connect(options)
        options.apiKey = "secret"
        options.headers = ["X-Team": "tours"]
        try await connect(options)
        options.callHeaders = { ["authorization": "Bearer fresh"] }
        try await connect(options)
        #expect(
            server.fields == [
                [nil, nil, nil], ["Bearer secret", "travel", "tours"], ["Bearer fresh", "travel", "tours"],
            ]
        )
        await server.stop()
    }

    @Test func headersThatCannotBeHadFailTheCall() async throws {
        struct Expired: Error {}
        let server = try NotingServer()
        var options = ClientOptions(address: server.address)
        options.callHeaders = { throw Expired() }
        let expired = await #expect(throws: ClientError.self) { try await connect(options) }
        #expect(expired?.code == .unauthenticated && expired?.message.contains("Expired") == true)
        options.callHeaders = nil
        options.headers = ["x team": "tours"]
        let odd = await #expect(throws: ClientError.self) { try await connect(options) }
        #expect(odd?.code == .invalid && odd?.message.contains("x team") == true)
        #expect(server.fields.isEmpty)
        await server.stop()
    }

    @Test func theNextAddressIsTakenWhereNobodyAnswers() async throws {
        let (gone, server) = (try NotingServer(), try NotingServer())
        await gone.stop()
        try await connect(ClientOptions(address: "\(gone.address), \(server.address)"))
        #expect(server.fields.count == 1)
        await server.stop()
    }

    @Test(.enabled("no openssl program to make a certificate with", { TestCertificate.isPossible }))
    func theServerProvesItsNameAndTheClientItsOwn() async throws {
        let certificate = try #require(TestCertificate.make())
        let tls = GRPCServerConfiguration.TLS(
            certificateChain: certificate.chain,
            privateKey: certificate.key,
            clientRoots: certificate.chain
        )
        let server = try NotingServer(tls: tls)
        var options = ClientOptions(address: server.address)
        options.tls = TLSOptions(
            rootCertificates: certificate.chain,
            certificateChain: certificate.chain,
            privateKey: certificate.key,
            serverName: "sagamore.test"
        )
        try await connect(options)
        for (change, says) in [
            ({ $0.serverName = nil }, "IP address mismatch"),
            ({ $0.serverName = "other.test" }, "hostname mismatch"),
            ({ $0.rootCertificates = nil }, "certificate is not accepted"),
            ({ ($0.certificateChain, $0.privateKey) = (nil, nil) }, "no connection to"),
            ({ $0.privateKey = nil }, "must be PEM"),
        ] as [((inout TLSOptions) -> Void, String)] {
            var wrong = options
            if var tls = wrong.tls {
                change(&tls)
                wrong.tls = tls
            }
            let error = await #expect(throws: ClientError.self) { try await connect(wrong) }
            let told = error?.message ?? "it connects"
            #expect(error?.code == .unavailable && told.contains(says), "\(told)")
        }
        #expect(server.fields.count == 1)
        await server.stop()
    }
}
