import Foundation
import Testing

@testable import SagamoreGRPC

/// How the server responds to clients that violate the protocol.
@Suite(.serialized, .timeLimit(.minutes(3)), .enabled(Python.missing) { await Python.isThere })
struct ProtocolTests {
    struct Told: Decodable {
        var http: String?
        var status: String?
        var message: String?
        var answer: String
        var reset: Int?
        var goaway: String?
        var closed: Bool
        /// The answer to the next call on the same connection.
        var after: String
    }

    struct Call: Encodable {
        var path = "/test.S/Echo"
        var fields: [String: String?] = [:]
        var pieces: [String] = []
        var ends = true
        var pause = 0.0
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var fields: [String: String] = [:]
        var pieces: [String] = []
        var ends = true
        var status: GRPCStatus.Code?
        var http = "200"
    }

    private func told(_ call: Call, _ port: Int) async throws -> Told {
        let text = String(decoding: try JSONEncoder().encode(call), as: UTF8.self)
        return try await Python.run("call", port, text, script: "frames.py")
    }

    static let cases = [
        Case(testDescription: "no message", status: .internalError),
        Case(testDescription: "half a prefix", pieces: ["0000"], status: .internalError),
        Case(testDescription: "half a message", pieces: ["000000000361"], status: .internalError),
        Case(testDescription: "two messages", pieces: ["000000000161", "000000000162"], status: .unimplemented),
        Case(testDescription: "more bytes than the prefix says", pieces: ["00000000016162"], status: .unimplemented),
        Case(testDescription: "an unknown compression flag", pieces: ["020000000161"], status: .internalError),
        Case(testDescription: "compressed without an encoding", pieces: ["010000000161"], status: .internalError),
        Case(
            testDescription: "invalid gzip data",
            fields: ["grpc-encoding": "gzip"],
            pieces: ["010000000161"],
            status: .internalError
        ),
        Case(
            testDescription: "compressed with an unknown encoding",
            fields: ["grpc-encoding": "snappy"],
            pieces: ["010000000161"],
            status: .unimplemented
        ),
        Case(
            testDescription: "a malformed timeout",
            fields: ["grpc-timeout": "soon"],
            pieces: ["000000000161"],
            status: .internalError
        ),
        // Only the prefix arrives, and the stream stays open.
        Case(testDescription: "a length over 4 MiB", pieces: ["0000400001"], ends: false, status: .resourceExhausted),
        Case(testDescription: "a length of 4 GiB", pieces: ["00ffffffff"], ends: false, status: .resourceExhausted),
        Case(
            testDescription: "a path without a method",
            fields: [":path": "/"],
            pieces: ["000000000161"],
            status: .unimplemented
        ),
        Case(testDescription: "another method", fields: [":method": "PUT"], pieces: ["000000000161"], http: "405"),
        Case(
            testDescription: "another content type",
            fields: ["content-type": "application/grpcx"],
            pieces: ["000000000161"],
            http: "415"
        ),
    ]

    @Test(arguments: cases)
    func aMalformedCallIsAnsweredAndHarmsNoOther(_ wrong: Case) async throws {
        try await withServer {
            $0.register("/test.S/Echo", .hot) { $0.echo() }
        } _: { _, port in
            let call = Call(fields: wrong.fields, pieces: wrong.pieces, ends: wrong.ends)
            let seen = try await told(call, port)
            #expect(seen.http == wrong.http)
            #expect(seen.status == wrong.status.map { String($0.rawValue) })
            #expect((seen.message?.isEmpty == false) == (wrong.status != nil))
            #expect(seen.after == "after")
            #expect(seen.goaway == nil && !seen.closed)
        }
    }

    @Test func aMessageInPiecesIsAssembled() async throws {
        try await withServer {
            $0.register("/test.S/Echo", .hot) { $0.echo() }
        } _: { _, port in
            let call = Call(
                fields: ["content-type": "application/grpc+proto"],
                pieces: ["00", "00", "", "000004", "61", "6263", "64"],
                pause: 0.01
            )
            let seen = try await told(call, port)
            #expect(seen.status == "0")
            #expect(seen.answer == "abcd")
        }
    }

    @Test func aDeadlineEndsACallWithAnIncompleteRequest() async throws {
        try await withServer {
            $0.register("/test.S/Echo", .hot) { $0.echo() }
        } _: { _, port in
            let call = Call(fields: ["grpc-timeout": "100m"], pieces: ["000000"], ends: false)
            let seen = try await told(call, port)
            #expect(seen.status == String(GRPCStatus.Code.deadlineExceeded.rawValue))
            #expect(seen.after == "after")
        }
    }

    @Test func aDeadlineEndsAnUnansweredCall() async throws {
        let cancelled = Watched(0)
        let held = Watched<[GRPCServerCall]>([])
        try await withServer {
            $0.register("/test.S/Echo", .hot) { call in
                guard call.text == "wait" else { return call.echo() }
                call.onCancel { cancelled.change { $0 += 1 } }
                held.change { $0.append(call) }
            }
        } _: { _, port in
            let call = Call(fields: ["grpc-timeout": "100000u"], pieces: ["000000000477616974"])
            let seen = try await told(call, port)
            #expect(seen.status == String(GRPCStatus.Code.deadlineExceeded.rawValue))
            #expect(cancelled.current == 1)
            #expect(held.current.first?.timeRemaining.map { $0 <= .zero } == true)
            held.change { $0 = [] }
        }
    }

    @Test func aSlowReaderGetsAWholeLargeAnswer() async throws {
        struct Seen: Decodable, Equatable {
            var bytes: Int
            var status: String?
            var small: String
        }
        try await withServer {
            $0.register("/test.S/Size", .hot) { call in
                call.reply([UInt8](repeating: UInt8(ascii: "z"), count: Int(call.text) ?? 0))
            }
        } _: { _, port in
            let seen: Seen = try await Python.run("slow", port, "/test.S/Size", script: "frames.py")
            #expect(seen == Seen(bytes: 300_000, status: "0", small: "zzz"))
        }
    }

    @Test func anUnreadAnswerBlocksNoOtherCallAndIsNotDelivered() async throws {
        let delivered = Watched<[Bool]>([])
        try await withServer {
            $0.register("/test.S/Size", .hot) { call in
                call.reply([UInt8](repeating: 1, count: Int(call.text) ?? 0)) { outcome in
                    delivered.change { $0.append(outcome) }
                }
            }
        } _: { _, port in
            var stuck = try await Python.start("stuck", port, "/test.S/Size", script: "frames.py")
            #expect(await stuck.nextLine() == "asked")
            let other = try await Python.outcome("send", port, "/test.S/Size,0")
            #expect(other.code == "OK")
            #expect(await delivered.reached { !$0.isEmpty } == [true])
            try stuck.goOn()
            #expect(await delivered.reached { $0.count == 2 } == [true, false])
        }
    }

    @Test func aConnectionThatAnswersNoPingIsClosed() async throws {
        struct Seen: Decodable { var seconds: Double }
        try await withServer {
            $0.keepaliveInterval = .milliseconds(200)
            $0.keepaliveTimeout = .milliseconds(200)
        } register: { _ in
        } _: { _, port in
            let seen: Seen = try await Python.run("silent", port, script: "frames.py")
            #expect(seen.seconds >= 0.35)
        }
    }

    @Test func anIdleConnectionIsClosed() async throws {
        struct Seen: Decodable, Equatable { var goaway: String? }
        try await withServer {
            $0.keepaliveInterval = .milliseconds(50)
            $0.maximumConnectionIdle = .milliseconds(300)
        } register: {
            $0.register("/test.S/Echo", .hot) { $0.echo() }
        } _: { _, port in
            let seen: Seen = try await Python.run("idle", port, "/test.S/Echo", script: "frames.py")
            #expect(seen == Seen(goaway: "NO_ERROR"))
        }
    }

    @Test func anotherProtocolIsRefused() async throws {
        struct Seen: Decodable { var received: Int }
        try await withServer {
            $0.register("/test.S/Echo", .hot) { $0.echo() }
        } _: { _, port in
            let seen: Seen = try await Python.run("other_protocol", port, script: "frames.py")
            #expect(seen.received < 1000)
            let after = try await Python.outcome("once", port, "/test.S/Echo")
            #expect(after.code == "OK")
        }
    }

    @Test func aFloodOfResetsEndsItsConnectionOnly() async throws {
        struct Seen: Decodable, Equatable { var ended: Bool }
        try await withServer {
            $0.register("/test.S/Echo", .hot) { $0.echo() }
        } _: { _, port in
            let seen: Seen = try await Python.run("resets", port, "/test.S/Echo", script: "frames.py")
            #expect(seen == Seen(ended: true))
            let after = try await Python.outcome("once", port, "/test.S/Echo")
            #expect(after.code == "OK")
        }
    }
}
