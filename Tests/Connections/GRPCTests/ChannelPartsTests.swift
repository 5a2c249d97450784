import Foundation
import SagamoreThreads
import Testing

@testable import SagamoreGRPC

@Suite struct ChannelAddressTests {
    struct Case: CustomTestStringConvertible {
        let text: String
        let authority: String?
        var testDescription: String { text }
    }

    @Test(arguments: [
        Case(text: "127.0.0.1:7233", authority: "127.0.0.1:7233"),
        Case(text: "sagamore.example", authority: "sagamore.example:7233"),
        Case(text: "dns:///sagamore.example:80", authority: "sagamore.example:80"),
        Case(text: "dns:host:1", authority: "host:1"),
        Case(text: "[::1]:7233", authority: "[::1]:7233"),
        Case(text: "[::1]", authority: "[::1]:7233"),
        Case(text: "::1", authority: "[::1]:7233"),
        Case(text: "", authority: nil),
        Case(text: ":7233", authority: nil),
        Case(text: "host:", authority: nil),
        Case(text: "host:0", authority: nil),
        Case(text: "host:65536", authority: nil),
        Case(text: "host:http", authority: nil),
        Case(text: "http://host:80", authority: nil),
        Case(text: "[::1", authority: nil),
        Case(text: "[::1]7233", authority: nil),
    ])
    func readsAddresses(_ each: Case) {
        #expect(ChannelAddress(each.text)?.authority == each.authority)
    }

    @Test func severalAddressesHaveCommas() {
        #expect(GRPCChannelConfiguration(target: "a:1, b:2").addresses == ["a:1", "b:2"])
    }

    @Test func aWrongAddressIsNamed() async throws {
        for (target, word) in [("http://host:80", "http://host:80"), ("", "no address")] {
            let channel = GRPCChannel(GRPCChannelConfiguration(target: target))
            let status = await #expect(throws: GRPCStatus.self) {
                try await channel.call("/test.S/Any", [], deadline: .seconds(20))
            }
            #expect(status?.code == .invalidArgument && status?.message.contains(word) == true)
            await onThread { channel.shutdown() }
        }
    }
}

@Suite struct ConnectivityTests {
    private let begin = ContinuousClock.now
    private var connectivity = Connectivity<Int>(first: .milliseconds(200), longest: .seconds(5))
    private var random = SystemRandomNumberGenerator()

    /// Chance takes up to half of the pause.
    private func isPausing(_ milliseconds: ClosedRange<Int>) -> Bool {
        guard let due = connectivity.due else { return false }
        return (begin + .milliseconds(milliseconds.lowerBound)...begin + .milliseconds(milliseconds.upperBound))
            .contains(due)
    }

    private func connect(_ action: Connectivity<Int>.Action?) -> Int? {
        if case .connect(let address)? = action { address } else { nil }
    }
    private func failure(_ action: Connectivity<Int>.Action?) -> String? {
        if case .fail(let problem)? = action { problem } else { nil }
    }
    private func resolves(_ action: Connectivity<Int>.Action?) -> Bool {
        if case .resolve? = action { true } else { false }
    }

    @Test mutating func triesAddressesInOrderAndThenPauses() {
        #expect(resolves(connectivity.wanted()))
        #expect(connectivity.wanted() == nil)
        #expect(connect(connectivity.resolved([1, 2], nil, at: begin, using: &random)) == 1)
        #expect(!connectivity.failsAtOnce)
        #expect(connect(connectivity.failed("one", at: begin, using: &random)) == 2)
        #expect(failure(connectivity.failed("two", at: begin, using: &random)) == "two")
        #expect(connectivity.failsAtOnce && connectivity.problem == "two")
        #expect(isPausing(100...200))
        #expect(connectivity.wanted() == nil)
        #expect(connectivity.paused(at: begin + .milliseconds(99), hasCalls: true) == nil)
        #expect(resolves(connectivity.paused(at: begin + .milliseconds(200), hasCalls: true)))
        _ = connectivity.resolved([], "no such name", at: begin, using: &random)
        #expect(isPausing(200...400))
        #expect(connectivity.problem == "no such name")
    }

    @Test mutating func aConnectionResetsThePause() {
        _ = connectivity.wanted()
        _ = connectivity.resolved([], nil, at: begin, using: &random)
        #expect(connectivity.paused(at: begin + .seconds(1), hasCalls: false) == nil)
        #expect(resolves(connectivity.wanted()))
        _ = connectivity.resolved([1], nil, at: begin, using: &random)
        connectivity.connected()
        #expect(connectivity.wanted() == nil && connectivity.due == nil)
        #expect(connectivity.ended(hasCalls: false) == nil)
        #expect(resolves(connectivity.wanted()))
        #expect(failure(connectivity.resolved([], nil, at: begin, using: &random))?.contains("no addresses") == true)
        #expect(isPausing(100...200))
    }

    @Test mutating func lateEventsChangeNothing() {
        #expect(connectivity.resolved([1], nil, at: begin, using: &random) == nil)
        #expect(connectivity.failed("late", at: begin, using: &random) == nil)
        #expect(connectivity.ended(hasCalls: true) == nil)
        connectivity.connected()
        #expect(resolves(connectivity.wanted()))
    }
}

@Suite struct KeepaliveTests {
    @Test func pingsASilentServerAndGivesItUp() {
        let begin = ContinuousClock.now
        var keepalive = Keepalive(interval: .seconds(30), timeout: .seconds(15), now: begin)
        #expect(keepalive.check(at: begin + .seconds(29)) == .none)
        #expect(keepalive.check(at: begin + .seconds(30)) == .ping)
        #expect(keepalive.due == begin + .seconds(45))
        keepalive.heard(at: begin + .seconds(31))
        #expect(keepalive.check(at: begin + .seconds(45)) == .none)
        #expect(keepalive.check(at: begin + .seconds(61)) == .ping)
        #expect(keepalive.check(at: begin + .seconds(75)) == .none)
        #expect(keepalive.check(at: begin + .seconds(76)) == .close)
    }

    @Test func neverPingsWithoutAnInterval() {
        let begin = ContinuousClock.now
        var keepalive = Keepalive(interval: nil, timeout: .seconds(15), now: begin)
        #expect(keepalive.due == nil && keepalive.check(at: begin + .seconds(1_000)) == .none)
    }
}

@Suite struct RequestFieldsTests {
    @Test(arguments: [
        (Duration.zero, "0u"), (.nanoseconds(1), "1u"), (.milliseconds(70_000), "70000000u"),
        (.seconds(100), "100000m"),
        (.seconds(99_999_999), "99999999S"), (.seconds(100_000_000), "1666667M"),
        (.seconds(99_999_999 * 3600), "99999999H"), (.seconds(999_999_999_999_999), "99999999H"),
    ])
    func writesTimeouts(timeout: Duration, text: String) {
        #expect(String(decoding: RequestFields.text(timeout), as: UTF8.self) == text)
    }

    @Test(arguments: ["", "a b", "ä", ":path", "a:b"])
    func refusesNames(name: String) {
        let fields = RequestFields(GRPCChannelConfiguration())
        #expect(fields.problem(with: [(name, "value")])?.code == .invalidArgument)
        #expect(fields.problem(with: [("Right-name_1.x", "value")]) == nil)
    }

    @Test(arguments: ["a%20b", "%C3%A4", "100%", "%zz%4", "%"])
    func readsMessages(text: String) {
        let decoded = ["a%20b": "a b", "%C3%A4": "ä", "100%": "100%", "%zz%4": "%zz%4", "%": "%"]
        #expect(Array(text.utf8).withUnsafeBytes { StatusMessage.decoded($0) } == decoded[text])
    }
}

/// What `GRPCChannelConfiguration` offers, against our own server.
@Suite(.timeLimit(.minutes(2)))
struct ChannelConfigurationTests {
    private func echo(
        _ configuration: GRPCChannelConfiguration,
        _ body: [UInt8] = [1],
        deadline: Duration = .seconds(20)
    ) async throws -> [UInt8] {
        let channel = GRPCChannel(configuration)
        defer { channel.shutdown() }
        return try await channel.call("/test.S/Echo", body, deadline: deadline)
    }

    /// A port on which nobody listens.
    private func deadPort() async throws -> Int {
        let server = GRPCServer(GRPCServerConfiguration(port: 0))
        let port = try server.start()
        await onThread { server.shutdown(grace: .zero) }
        return port
    }

    @Test func theFirstAddressThatAnswersIsTaken() async throws {
        let dead = try await deadPort()
        try await withServer {
            $0.register("/test.S/Echo", .hot) { $0.reply($0.bytes) }
        } _: { _, port in
            let both = GRPCChannelConfiguration(target: "127.0.0.1:\(dead),localhost:\(port)")
            let first = try await echo(both)
            // A name that nobody has does not stand in the way of one that somebody has.
            let odd = GRPCChannelConfiguration(target: "no-such-host.invalid:1,localhost:\(port)")
            let second = try await echo(odd)
            #expect([first, second] == [[1], [1]])
        }
    }

    @Test func metadataOfEachCallIsAskedFor() async throws {
        try await withServer {
            $0.register("/test.S/Echo", .hot) { $0.reply(Array(($0.metadata("authorization") ?? "-").utf8)) }
        } _: { _, port in
            let count = Watched(0)
            var configuration = GRPCChannelConfiguration(target: "127.0.0.1:\(port)")
            configuration.callMetadata = { () throws(GRPCStatus) in
                count.change { $0 += 1 }
                if count.current > 2 { throw GRPCStatus(.unauthenticated, "the token has expired") }
                return [("authorization", "Bearer \(count.current)")]
            }
            let channel = GRPCChannel(configuration)
            for number in 1...2 {
                let seen = try await channel.call("/test.S/Echo", [], deadline: .seconds(20))
                #expect(String(decoding: seen, as: UTF8.self) == "Bearer \(number)")
            }
            let status = await #expect(throws: GRPCStatus.self) {
                try await channel.call("/test.S/Echo", [], deadline: .seconds(20))
            }
            #expect(status == GRPCStatus(.unauthenticated, "the token has expired"))
            await onThread { channel.shutdown() }
        }
    }

    @Test func requestsAreCompressedWhereThatPays() async throws {
        let deflater = MessageDeflater()
        let text = Array(repeating: UInt8(ascii: "x"), count: 50_000)
        #expect(try #require(deflater.gzip(text)).count < 500)
        var noise = SystemRandomNumberGenerator()
        #expect(deflater.gzip((0..<2_000).map { _ in noise.next() }) == nil)
        try await withServer {
            $0.register("/test.S/Echo", .hot) { $0.reply($0.bytes) }
        } _: { _, port in
            var configuration = GRPCChannelConfiguration(target: "127.0.0.1:\(port)")
            configuration.compressesRequests = true
            for body in [[], [1], text] {
                let answer = try await echo(configuration, body)
                #expect(answer == body)
            }
        }
    }

    @Test func wrongCredentialsAreAStatus() async throws {
        var configuration = GRPCChannelConfiguration(target: "127.0.0.1:1")
        configuration.tls = GRPCChannelConfiguration.TLS(serverRoots: "no certificate")
        let status = await #expect(throws: GRPCStatus.self) { try await echo(configuration) }
        #expect(status?.message.contains("must be PEM") == true)
    }
}
