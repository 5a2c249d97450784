import Foundation
import Testing

@testable import SagamoreGRPC

/// Clients that attack the server with what HTTP/2 allows, or does not. The server ends their connections, reads what
/// still comes for a second at most, and goes on serving others.
@Suite(.serialized, .timeLimit(.minutes(5)), .enabled(Python.missing) { await Python.isThere })
struct HostileClientTests {
    struct Attack: Sendable, CustomTestStringConvertible {
        /// Its name in floods.py.
        var name: String
        /// Whether the server ends the connection; nil when it may do either.
        var ends: Bool? = true
        /// The error code of the last GOAWAY, where one has to arrive.
        var goaway: Int?
        var testDescription: String { name }
    }

    private struct Seen: Decodable {
        var ended: Bool
        var goaway: Int?
        var resets: [Int]
        var status: String?
        var seconds: Double?
        var closed: Int?
    }

    // RFC 9113, section 7.
    private static let (protocolError, flowControlError, frameSizeError) = (1, 3, 6)

    static let attacks = [
        Attack(name: "pings"),
        Attack(name: "settings"),
        Attack(name: "continuations"),
        Attack(name: "header_bomb", ends: nil),
        Attack(name: "window_overflow", goaway: flowControlError),
        Attack(name: "window_of_nothing", goaway: protocolError),
        Attack(name: "too_large_window", goaway: flowControlError),
        Attack(name: "too_large_frame", goaway: frameSizeError),
        Attack(name: "data_on_no_stream", goaway: protocolError),
        Attack(name: "data_on_an_idle_stream", goaway: protocolError),
        Attack(name: "a_stream_of_the_server", goaway: protocolError),
        Attack(name: "unknown_frames", ends: nil),
        Attack(name: "priorities", ends: nil),
        Attack(name: "empty_data", ends: nil), Attack(name: "rapid_reset"),
    ]

    @Test(arguments: attacks)
    func anAttackHarmsNobodyElse(_ attack: Attack) async throws {
        try await withServer {
            $0.register("/test.S/Echo", .hot) { $0.echo() }
        } _: { _, port in
            let seen: Seen = try await Python.run(attack.name, port, "/test.S/Echo", script: "floods.py")
            if let ends = attack.ends { #expect(seen.ended == ends) }
            if let goaway = attack.goaway { #expect(seen.goaway == goaway) }
            let after = try await Python.outcome("once", port, "/test.S/Echo")
            #expect(after.code == "OK")
        }
    }

    /// The header bomb stands for 64 MB of fields, of which the server takes none.
    @Test func fieldsOverTheLimitReachNoHandler() async throws {
        let calls = Watched(0)
        try await withServer {
            $0.register("/test.S/Echo", .hot) { call in
                calls.change { $0 += 1 }
                call.echo()
            }
        } _: { _, port in
            let _: Seen = try await Python.run("header_bomb", port, "/test.S/Echo", script: "floods.py")
            #expect(calls.current == 0)
        }
    }

    /// A request that comes byte by byte ends after its time, and others on other connections do not notice.
    @Test func aRequestHasToArriveInTime() async throws {
        try await withServer({ $0.requestTimeout = .seconds(1) }) {
            $0.register("/test.S/Echo", .hot) { $0.echo() }
        } _: { _, port in
            let seen: Seen = try await Python.run("slow_request", port, "/test.S/Echo", script: "floods.py")
            #expect(seen.status == "4")
            #expect((seen.seconds ?? 0) >= 1)
        }
    }

    @Test func thereAreNoMoreConnectionsThanThereMayBe() async throws {
        try await withServer({ $0.maximumConnections = 30 }) {
            $0.register("/test.S/Echo", .hot) { $0.echo() }
        } _: { _, port in
            let seen: Seen = try await Python.run("connections", port, "/test.S/Echo", script: "floods.py")
            #expect(seen.closed == 10)
            let after = try await Python.outcome("once", port, "/test.S/Echo")
            #expect(after.code == "OK")
        }
    }

    @Test func aConnectionHasNoMoreOpenCallsThanItMay() async throws {
        try await withServer {
            $0.register("/test.S/Echo", .hot) { $0.echo() }
        } _: { _, port in
            let seen: Seen = try await Python.run("half_requests", port, "/test.S/Echo", script: "floods.py")
            // REFUSED_STREAM, or the end of the connection.
            #expect(seen.ended || seen.resets.contains(7))
            let after = try await Python.outcome("once", port, "/test.S/Echo")
            #expect(after.code == "OK")
        }
    }
}
