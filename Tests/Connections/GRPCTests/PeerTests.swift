import Foundation
import Testing

@testable import SagamoreGRPC

/// The client against servers of other makes: gRPC's C core, and peers that do what no server would do.
@Suite(.serialized, .timeLimit(.minutes(3)), .enabled(Python.missing) { await Python.isThere })
struct PeerTests {
    /// Runs `body` with a channel to a peer.
    private func withPeer<Result>(
        _ scenario: String,
        _ argument: String = "",
        _ change: (inout GRPCChannelConfiguration) -> Void = { _ in },
        _ body: (GRPCChannel) async throws -> Result
    ) async throws -> Result {
        var peer = try await Python.start(scenario, 0, argument, script: "peer.py")
        let port = try #require(await peer.nextLine().flatMap { Int($0) }, "the peer told no port")
        var configuration = GRPCChannelConfiguration(target: "127.0.0.1:\(port)")
        configuration.initialBackoff = .milliseconds(20)
        change(&configuration)
        let channel = GRPCChannel(configuration)
        let result = try await body(channel)
        await onThread { channel.shutdown() }
        return result
    }

    private func outcome(
        _ channel: GRPCChannel,
        _ request: [UInt8] = [1, 2, 3],
        deadline: Duration = .seconds(20)
    ) async -> Result<[UInt8], GRPCStatus> {
        do throws(GRPCStatus) {
            return .success(try await channel.call("/test.S/Echo", request, deadline: deadline))
        } catch {
            return .failure(error)
        }
    }

    private static let megabytes = (0..<5_000_000).map { UInt8(truncatingIfNeeded: $0 * 31 + $0 >> 8) }

    // MARK: gRPC's C core

    @Test(arguments: [false, true])
    func aServerOnTheCCoreAnswers(compresses: Bool) async throws {
        try await withPeer("grpcio", "", { $0.compressesRequests = compresses }) { channel in
            for path in ["/test.S/Echo", "/test.S/Packed"] {
                for body in [[], [7], Array(repeating: 65, count: 100_000), Self.megabytes] as [[UInt8]] {
                    #expect(try await channel.call(path, body, deadline: .seconds(20)) == body)
                }
            }
            let status = await #expect(throws: GRPCStatus.self) {
                try await channel.call("/test.S/Fail", [], deadline: nil)
            }
            #expect(status == GRPCStatus(.failedPrecondition, "not „now\" 100%", details: [1, 2, 0xFF]))
            let metadata = [("Name", "value"), ("bytes-bin", "\u{1}ä")]
            let seen = try await channel.call("/test.S/Metadata", [], deadline: .seconds(9), metadata: metadata)
            #expect(String(decoding: seen, as: UTF8.self) == #"['value', b'\x01\xc3\xa4', True]"#)
        }
    }

    /// The server ends its connections all the time: calls go on, on new ones.
    @Test func callsSurviveTheAgeOfConnections() async throws {
        try await withPeer("grpcio", "100", { $0.waitsForReady = true }) { channel in
            try await withThrowingTaskGroup(of: Int.self) { group in
                for worker in 0..<8 {
                    group.addTask {
                        var count = 0
                        let end = ContinuousClock.now + .seconds(2)
                        while ContinuousClock.now < end {
                            let body = [UInt8(worker), UInt8(truncatingIfNeeded: count)]
                            let answer = try await channel.call("/test.S/Echo", body, deadline: .seconds(20))
                            #expect(answer == body)
                            count += 1
                        }
                        return count
                    }
                }
                var total = 0
                for try await count in group { total += count }
                #expect(total > 20)
            }
        }
    }

    @Test func aThousandCallsAtATimeShareAConnection() async throws {
        try await withPeer("grpcio") { channel in
            await withTaskGroup(of: Bool.self) { group in
                for number in 0..<1_000 {
                    let body = [UInt8(truncatingIfNeeded: number), UInt8(number >> 8)]
                    group.addTask { await self.outcome(channel, body, deadline: .seconds(60)) == .success(body) }
                }
                for await isRight in group { #expect(isRight) }
            }
        }
    }

    // MARK: Calls that are sent again

    @Test(arguments: ["echo", "leaves-first", "refuses-twice"])
    func aCallThatNoServerProcessedIsSentAgain(peer: String) async throws {
        try await withPeer(peer) { channel in
            #expect(await outcome(channel) == .success([1, 2, 3]))
            #expect(await outcome(channel) == .success([1, 2, 3]))
        }
    }

    @Test func theLimitOfOpenCallsIsKept() async throws {
        try await withPeer("few-streams") { channel in
            // The limit is known from the first answer on.
            _ = await outcome(channel)
            let most = await withTaskGroup(of: Int.self) { group in
                for _ in 0..<50 {
                    group.addTask {
                        guard case .success(let answer) = await self.outcome(channel) else { return .max }
                        return Int(String(decoding: answer, as: UTF8.self)) ?? .max
                    }
                }
                return await group.reduce(0, max)
            }
            #expect((1...3).contains(most))
        }
    }

    // MARK: Bad answers

    struct Bad: CustomTestStringConvertible {
        let peer: String
        let code: GRPCStatus.Code
        let says: String?
        var testDescription: String { peer }
    }

    static let bad = [
        Bad(peer: "refuses-always", code: .unavailable, says: "refuses the call"),
        Bad(peer: "resets", code: .internalError, says: "HTTP/2 error 2"),
        Bad(peer: "asks-for-calm", code: .resourceExhausted, says: "fewer calls"),
        Bad(peer: "page", code: .unavailable, says: "status 503"),
        Bad(peer: "answers-early", code: .resourceExhausted, says: "full"),
        Bad(peer: "no-message", code: .internalError, says: "without a message"),
        Bad(peer: "half-a-message", code: .internalError, says: "inside its message"),
        Bad(peer: "two-messages", code: .internalError, says: "more than one message"),
        Bad(peer: "large-message", code: .resourceExhausted, says: "(1073741824 vs. 4194304)"),
        Bad(peer: "odd-flag", code: .internalError, says: "not a gRPC message"),
        Bad(peer: "odd-compression", code: .internalError, says: "not offered"),
        Bad(peer: "odd-status", code: .unknown, says: nil),
        Bad(peer: "long-fields", code: .resourceExhausted, says: "header fields"),
        Bad(peer: "silent", code: .unavailable, says: "does not answer pings"),
        Bad(peer: "nothing", code: .unavailable, says: "it does not answer"),
        Bad(peer: "http1", code: .unavailable, says: "no connection to"),
        Bad(peer: "noise", code: .unavailable, says: "no connection to"),
        Bad(peer: "closes", code: .unavailable, says: "does it expect TLS?"),
        Bad(peer: "ping-flood", code: .unavailable, says: "broke the protocol"),
        Bad(peer: "settings-flood", code: .unavailable, says: "broke the protocol"),
        Bad(peer: "header-flood", code: .unavailable, says: "broke the protocol"),
        Bad(peer: "empty-header-flood", code: .unavailable, says: "broke the protocol"),
    ]

    @Test(arguments: bad)
    func aBadAnswerEndsItsCall(_ bad: Bad) async throws {
        try await withPeer(bad.peer) {
            $0.maximumMessageBytes = 4 << 20
            // Only where silence is the matter: a busy machine makes others slow, too.
            if bad.peer == "silent" {
                $0.keepaliveInterval = .milliseconds(200)
                $0.keepaliveTimeout = .milliseconds(300)
            }
            if bad.peer == "nothing" { $0.connectTimeout = .milliseconds(500) }
        } _: { channel in
            for _ in 0..<2 {
                guard case .failure(let status) = await outcome(channel, deadline: .seconds(20)) else {
                    Issue.record("\(bad.peer) was taken for an answer")
                    return
                }
                #expect(status.code == bad.code, "\(status)")
                if let says = bad.says { #expect(status.message.contains(says), "\(status)") }
            }
        }
    }

    /// The peer has no room for the message, or is not there at all: the deadline ends the call.
    @Test(arguments: ["silent", "nothing"])
    func theDeadlineEndsACallThatWaits(peer: String) async throws {
        try await withPeer(peer, "", { $0.waitsForReady = true }) { channel in
            let status = await outcome(channel, Self.megabytes, deadline: .milliseconds(300))
            #expect(status == .failure(ClientCall.expired))
            let task = Task { await outcome(channel) }
            task.cancel()
            #expect(await task.value == .failure(ClientCall.cancelled))
        }
    }
}

extension Result where Success == [UInt8], Failure == GRPCStatus {
    fileprivate static func == (left: Self, right: Self) -> Bool {
        switch (left, right) {
        case (.success(let left), .success(let right)): left == right
        case (.failure(let left), .failure(let right)): left == right
        default: false
        }
    }
}
