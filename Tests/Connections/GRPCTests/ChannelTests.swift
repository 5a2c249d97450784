import Foundation
import SagamoreGRPCTestSupport
import Testing

@testable import SagamoreGRPC

/// The client against our own server.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct ChannelTests {
    private func channel(_ port: Int, _ change: (inout GRPCChannelConfiguration) -> Void = { _ in }) -> GRPCChannel {
        var configuration = GRPCChannelConfiguration(target: "127.0.0.1:\(port)")
        configuration.initialBackoff = .milliseconds(20)
        change(&configuration)
        return GRPCChannel(configuration)
    }

    private func failure(_ body: () async throws(GRPCStatus) -> [UInt8]) async -> GRPCStatus? {
        do {
            _ = try await body()
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: [0, 1, 23, 24, 1000, 65_537, 4 << 20])
    func echoes(size: Int) async throws {
        try await withServer {
            $0.register("/test.S/Echo", .hot) { $0.echo() }
        } _: { _, port in
            let body = (0..<size).map { UInt8(truncatingIfNeeded: $0 * 31 + $0 >> 8) }
            let channel = channel(port)
            let answer = try await channel.call("/test.S/Echo", body, deadline: .seconds(20))
            #expect(answer == body)
            await onThread { channel.shutdown() }
        }
    }

    @Test func theServerReportsWhichConnectionHasEnded() async throws {
        let ended = Watched<[String]>([])
        let held = Held()
        try await withServer { server in
            server.register("/test.S/Number", .hot) { $0.reply(Array("\($0.connectionID)".utf8)) }
            server.register("/test.S/Wait", .hot) { call in
                let id = call.connectionID
                call.onCancel { ended.change { $0.append("call of \(id)") } }
                held.put(call)
            }
            server.onConnectionEnd { id in ended.change { $0.append("\(id)") } }
        } _: { _, port in
            let (first, second) = (channel(port), channel(port))
            func number(_ channel: GRPCChannel) async throws -> String {
                String(decoding: try await channel.call("/test.S/Number", [], deadline: .seconds(20)), as: UTF8.self)
            }
            let (one, two) = (try await number(first), try await number(second))
            #expect(one != two)
            #expect(try await number(first) == one)
            let waiting = Task { try? await first.call("/test.S/Wait", [], deadline: .seconds(60)) }
            let call = await onThread { held.wait() }
            #expect(!call.isConnectionEnded)
            await onThread { first.shutdown() }
            #expect(await ended.reached { $0.contains(one) } == ["call of \(one)", one])
            #expect(call.isConnectionEnded)
            _ = await waiting.value
            #expect(try await number(second) == two)
            await onThread { second.shutdown() }
            #expect(await ended.reached { $0.contains(two) } != nil)
        }
    }

    @Test func sendsMetadataOfChannelAndCall() async throws {
        try await withServer {
            $0.register("/test.S/Metadata", .hot) { call in
                let values = ["client-name", "own", "bytes-bin"].map { call.metadata($0) ?? "-" }
                call.reply(Array(values.joined(separator: ",").utf8))
            }
        } _: { _, port in
            let channel = channel(port) { $0.metadata = [("Client-Name", "tests")] }
            let answer = try await channel.call(
                "/test.S/Metadata",
                [],
                deadline: .seconds(20),
                metadata: [("own", "1"), ("bytes-bin", "ä")]
            )
            #expect(String(decoding: answer, as: UTF8.self) == "tests,1,ä")
            let status = await failure { () async throws(GRPCStatus) in
                try await channel.call("/test.S/Metadata", [], deadline: .seconds(20), metadata: [("own", "ä")])
            }
            #expect(status?.code == .invalidArgument)
            await onThread { channel.shutdown() }
        }
    }

    @Test func throwsTheServersStatus() async throws {
        let sent = GRPCStatus(.failedPrecondition, "not „now\"", details: [1, 2, 3])
        try await withServer {
            $0.register("/test.S/Fail", .hot) { $0.fail(sent) }
        } _: { _, port in
            let channel = channel(port)
            let status = await failure { () async throws(GRPCStatus) in
                try await channel.call("/test.S/Fail", [], deadline: .seconds(20))
            }
            #expect(status == sent)
            await onThread { channel.shutdown() }
        }
    }

    @Test func endsAtItsDeadlineAndTellsTheServer() async throws {
        let cancelled = Watched(0)
        let held = Held()
        try await withServer {
            $0.register("/test.S/Never", .hot) { call in
                call.onCancel { cancelled.change { $0 += 1 } }
                held.put(call)
            }
        } _: { _, port in
            let channel = channel(port)
            let status = await failure { () async throws(GRPCStatus) in
                try await channel.call("/test.S/Never", [], deadline: .milliseconds(100))
            }
            #expect(status?.code == .deadlineExceeded)
            #expect(await cancelled.reached { $0 == 1 } != nil)
            _ = held.take()
            await onThread { channel.shutdown() }
        }
    }

    @Test func cancellingTheTaskCancelsTheCall() async throws {
        let cancelled = Watched(0)
        let held = Held()
        try await withServer {
            $0.register("/test.S/Never", .hot) { call in
                call.onCancel { cancelled.change { $0 += 1 } }
                held.put(call)
            }
        } _: { _, port in
            let channel = channel(port)
            let task = Task {
                await failure { () async throws(GRPCStatus) in
                    try await channel.call("/test.S/Never", [], deadline: nil)
                }
            }
            let call = await onThread { held.wait() }
            task.cancel()
            #expect(await task.value?.code == .cancelled)
            #expect(await cancelled.reached { $0 == 1 } != nil)
            call.reply([])
            let early = Task { () -> GRPCStatus? in
                withUnsafeCurrentTask { $0?.cancel() }
                return await failure { () async throws(GRPCStatus) in
                    try await channel.call("/test.S/Never", [], deadline: nil)
                }
            }
            #expect(await early.value?.code == .cancelled)
            await onThread { channel.shutdown() }
        }
    }

    /// The server allows two open calls. Those that wait begin when others are given up, and may be given up, too.
    @Test func aWaitingCallBeginsOnceAnotherIsCancelled() async throws {
        let held = Watched<[GRPCServerCall]>([])
        try await withServer {
            $0.maximumConcurrentStreams = 2
        } register: {
            $0.register("/test.S/Echo", .hot) { $0.echo() }
            $0.register("/test.S/Hold", .hot) { call in held.change { $0.append(call) } }
        } _: { _, port in
            let channel = channel(port)
            // The limit is known from the first answer on.
            _ = try await channel.call("/test.S/Echo", [], deadline: .seconds(20))
            let holding = (0..<2).map { _ in
                Task { try? await channel.call("/test.S/Hold", [], deadline: .seconds(60)) }
            }
            #expect(await held.reached { $0.count == 2 } != nil)
            let waiting = Task { try? await channel.call("/test.S/Echo", [7], deadline: .seconds(60)) }
            let late = await failure { () async throws(GRPCStatus) in
                try await channel.call("/test.S/Echo", [8], deadline: .milliseconds(50))
            }
            #expect(late?.code == .deadlineExceeded)
            holding[0].cancel()
            #expect(await waiting.value == [7])
            holding[1].cancel()
            for call in holding { #expect(await call.value == nil) }
            held.change { $0 = [] }
            await onThread { channel.shutdown() }
        }
    }

    @Test func reportsAnUnreachableServer() async throws {
        // A port that was free a moment ago.
        let server = GRPCServer(GRPCServerConfiguration(port: 0))
        let port = try server.start()
        await onThread { server.shutdown(grace: .zero) }
        let channel = channel(port)
        let status = await failure { () async throws(GRPCStatus) in
            try await channel.call("/test.S/Any", [], deadline: .seconds(20))
        }
        #expect(status?.code == .unavailable)
        #expect(status?.message.contains("no connection to 127.0.0.1:\(port): is a server running there") == true)
        await onThread { channel.shutdown() }
    }

    @Test func reconnectsWhenTheServerIsBack() async throws {
        func start(_ port: Int) throws -> (GRPCServer, Int) {
            let server = GRPCServer(GRPCServerConfiguration(port: port))
            server.register("/test.S/Echo", .hot) { $0.reply($0.bytes) }
            return (server, try server.start())
        }
        let (first, port) = try start(0)
        let channel = channel(port) { $0.waitsForReady = true }
        #expect(try await channel.call("/test.S/Echo", [1], deadline: .seconds(20)) == [1])
        await onThread { first.shutdown(grace: .seconds(5)) }
        async let waiting = channel.call("/test.S/Echo", [2], deadline: .seconds(30))
        let (second, _) = try start(port)
        #expect(try await waiting == [2])
        await onThread {
            second.shutdown(grace: .zero)
            channel.shutdown()
        }
    }

    @Test func shutdownEndsOpenCallsAndRefusesNewOnes() async throws {
        let held = Watched<[GRPCServerCall]>([])
        try await withServer {
            $0.register("/test.S/Never", .hot) { call in held.change { $0.append(call) } }
            $0.register("/test.S/Echo", .hot) { $0.reply($0.bytes) }
        } _: { _, port in
            let channel = channel(port)
            let codes = Watched<[GRPCStatus.Code]>([])
            let note: @Sendable (Result<[UInt8], GRPCStatus>) -> Void = { result in
                codes.change { list in
                    if case .failure(let status) = result { list.append(status.code) }
                }
            }
            for _ in 0..<3 { channel.call("/test.S/Never", [], deadline: nil, completion: note) }
            #expect(await held.reached { $0.count == 3 } != nil)
            // Inside a completion, `shutdown` must not wait for that completion.
            channel.call("/test.S/Echo", [], deadline: nil) { _ in channel.shutdown() }
            #expect(await codes.reached { $0 == [.cancelled, .cancelled, .cancelled] } != nil)
            await onThread { channel.shutdown() }
            channel.call("/test.S/Echo", [], deadline: nil, completion: note)
            #expect(codes.current.last == .unavailable)
            held.change { $0 = [] }
        }
    }

    @Test func everyCallEndsWhenThreadsCallDuringShutdown() async throws {
        try await withServer {
            $0.register("/test.S/Echo", .hot) { $0.reply($0.bytes) }
        } _: { _, port in
            let channel = channel(port)
            let ended = Watched(0)
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        await onThread {
                            for _ in 0..<200 {
                                channel.call("/test.S/Echo", [1], deadline: nil) { _ in ended.change { $0 += 1 } }
                            }
                        }
                    }
                }
                _ = await ended.reached { $0 > 50 }
                group.addTask { await onThread { channel.shutdown() } }
            }
            #expect(await ended.reached { $0 == 800 } != nil)
        }
    }

    @Test func aBusyPortIsReported() async throws {
        try await withServer { _ in
        } _: { _, port in
            let second = GRPCServer(GRPCServerConfiguration(port: port))
            #expect(throws: GRPCServerError.portBusy(host: "127.0.0.1", port: port)) { try second.start() }
            let elsewhere = GRPCServer(GRPCServerConfiguration(host: "192.0.2.1", port: 0))
            #expect {
                try elsewhere.start()
            } throws: { error in
                guard case .cannotListen(host: "192.0.2.1", port: 0, _) = error as? GRPCServerError else {
                    return false
                }
                return true
            }
        }
        let server = GRPCServer(GRPCServerConfiguration(port: 0))
        _ = try server.start()
        #expect(throws: GRPCServerError.alreadyStarted) { try server.start() }
        await onThread { server.shutdown(grace: .zero) }
        await onThread { server.shutdown(grace: .zero) }
    }

    @Test(.enabled("no openssl program to make a certificate with", { TestCertificate.isPossible }))
    func speaksTLS() async throws {
        let certificate = try #require(await onThread { TestCertificate.make() })
        try await withServer {
            $0.tls = GRPCServerConfiguration.TLS(certificateChain: certificate.chain, privateKey: certificate.key)
        } register: {
            $0.register("/test.S/Echo", .hot) { $0.reply($0.bytes) }
        } _: { _, port in
            let right = channel(port) {
                $0.tls = GRPCChannelConfiguration.TLS(serverRoots: certificate.chain)
                $0.tls?.serverName = "sagamore.test"
            }
            let body = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 * 31 + $0 >> 8) }
            let answer = try await right.call("/test.S/Echo", body, deadline: .seconds(20))
            #expect(answer == body)
            let plain = channel(port)
            let refused = await failure { () async throws(GRPCStatus) in
                try await plain.call("/test.S/Echo", [7], deadline: .seconds(20))
            }
            #expect(refused?.code == .unavailable)
            let stranger = channel(port) { $0.tls = GRPCChannelConfiguration.TLS(serverRoots: certificate.chain) }
            let mistrusted = await failure { () async throws(GRPCStatus) in
                try await stranger.call("/test.S/Echo", [7], deadline: .seconds(20))
            }
            #expect(mistrusted?.code == .unavailable)
            await onThread { for channel in [right, plain, stranger] { channel.shutdown() } }
        }
        var wrong = GRPCServerConfiguration(port: 0)
        wrong.tls = GRPCServerConfiguration.TLS(certificateChain: "no certificate", privateKey: "no key")
        #expect(throws: GRPCServerError.badCredentials) { try GRPCServer(wrong).start() }
        let other = try #require(await onThread { TestCertificate.make() })
        wrong.tls = GRPCServerConfiguration.TLS(certificateChain: certificate.chain, privateKey: other.key)
        #expect(throws: GRPCServerError.badCredentials) { try GRPCServer(wrong).start() }
    }

    @Test(.enabled("no openssl program to make a certificate with", { TestCertificate.isPossible }))
    func asksForTheClientsCertificate() async throws {
        let certificate = try #require(await onThread { TestCertificate.make() })
        let stranger = try #require(await onThread { TestCertificate.make() })
        try await withServer {
            $0.tls = GRPCServerConfiguration.TLS(certificateChain: certificate.chain, privateKey: certificate.key)
            $0.tls?.clientRoots = certificate.chain
        } register: {
            $0.register("/test.S/Echo", .hot) { $0.reply($0.bytes) }
        } _: { _, port in
            func outcome(_ own: TestCertificate?) async -> GRPCStatus? {
                let channel = channel(port) {
                    $0.tls = GRPCChannelConfiguration.TLS(serverRoots: certificate.chain)
                    $0.tls?.serverName = "sagamore.test"
                    $0.tls?.certificateChain = own?.chain
                    $0.tls?.privateKey = own?.key
                }
                let status = await failure { () async throws(GRPCStatus) in
                    try await channel.call("/test.S/Echo", [7], deadline: .seconds(20))
                }
                await onThread { channel.shutdown() }
                return status
            }
            let trusted = await outcome(certificate)
            #expect(trusted == nil)
            let missing = await outcome(nil)
            #expect(missing?.code == .unavailable)
            let mistrusted = await outcome(stranger)
            #expect(mistrusted?.code == .unavailable)
        }
    }

    @Test(
        .enabled("no openssl program to make a certificate with", { TestCertificate.isPossible }),
        .enabled(Python.missing) { await Python.isThere }
    )
    func resumesTheSessionOfAClientWithACertificate() async throws {
        struct Seen: Decodable, Equatable {
            var protocols: [String?]
            var reused: [Bool]
        }
        let certificate = try #require(await onThread { TestCertificate.make() })
        try await withServer {
            $0.tls = GRPCServerConfiguration.TLS(certificateChain: certificate.chain, privateKey: certificate.key)
            $0.tls?.clientRoots = certificate.chain
        } register: { _ in
        } _: { _, port in
            let pem = certificate.chain + certificate.key
            let seen: Seen = try await Python.run("sessions", port, pem, script: "frames.py")
            #expect(seen == Seen(protocols: ["h2", "h2"], reused: [false, true]))
        }
    }

    @Test func anInvalidPortIsReported() {
        for port in [-1, 65_536] {
            #expect {
                try GRPCServer(GRPCServerConfiguration(port: port)).start()
            } throws: { error in
                guard case .cannotListen(_, port, let reason) = error as? GRPCServerError else { return false }
                return reason.contains("65535")
            }
        }
    }
}
