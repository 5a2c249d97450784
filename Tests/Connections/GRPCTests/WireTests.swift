import Foundation
import SagamoreGRPCTestSupport
import Testing

@testable import SagamoreGRPC

/// What goes over the wire between our own ends, as somebody sees it who listens there.
@Suite(.serialized, .timeLimit(.minutes(2)), .enabled(Python.missing) { await Python.isThere })
struct WireTests {
    private struct Seen: Decodable {
        var bytes: Int
        var begins: String
        var shows: Bool
        var showsTheProtocol: Bool
    }

    private static let text = "the number of a credit card"

    /// Makes a call over a wire that is listened to.
    private func seen(
        _ server: (inout GRPCServerConfiguration) -> Void = { _ in },
        _ client: (inout GRPCChannelConfiguration) -> Void = { _ in }
    ) async throws -> Seen {
        try await withServer(server) {
            $0.register("/test.S/Echo", .hot) { $0.echo() }
        } _: { _, port in
            var wire = try await Python.start("tap", port, Self.text, script: "wire.py")
            let tapped = try #require(await wire.nextLine().flatMap { Int($0) }, "the wire told no port")
            var configuration = GRPCChannelConfiguration(target: "127.0.0.1:\(tapped)")
            client(&configuration)
            let channel = GRPCChannel(configuration)
            let answer = try await channel.call("/test.S/Echo", Array(Self.text.utf8), deadline: .seconds(20))
            #expect(answer == Array(Self.text.utf8))
            await onThread { channel.shutdown() }
            try wire.goOn()
            return try await wire.result()
        }
    }

    @Test func whoeverListensReadsWhatIsNotEncrypted() async throws {
        let seen = try await seen()
        #expect(seen.shows && seen.showsTheProtocol && seen.bytes > 100)
    }

    @Test(.enabled("no openssl program to make a certificate with", { TestCertificate.isPossible }))
    func whoeverListensReadsNothingOfTLS() async throws {
        let certificate = try #require(await onThread { TestCertificate.make() })
        let seen = try await seen {
            $0.tls = GRPCServerConfiguration.TLS(certificateChain: certificate.chain, privateKey: certificate.key)
        } _: {
            $0.tls = GRPCChannelConfiguration.TLS(serverRoots: certificate.chain)
            $0.tls?.serverName = "sagamore.test"
        }
        #expect(!seen.shows && !seen.showsTheProtocol && seen.bytes > 1_000)
        // A record of TLS with the first message of its handshake.
        #expect(seen.begins == "160301")
    }
}
