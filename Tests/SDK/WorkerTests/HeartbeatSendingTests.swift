import SagamoreAPI
import SagamoreGRPC
import SagamoreProtobuf
import Synchronization
import Testing

@testable import Sagamore

/// Heartbeats to a server with scripted responses.
struct HeartbeatSendingTests {
    /// Responds to heartbeats in turn, repeating the last response, and records the last letter of their details. It
    /// can hold responses back.
    private final class Server: Sendable {
        let received = Notes()
        let news = Notes()
        let service: ServiceConnection
        private let server: GRPCServer
        /// Responses that are held back; nil when none are.
        private let held = Held()

        private final class Held: Sendable {
            let answers = Mutex<[@Sendable () -> Void]?>(nil)
        }

        init(_ answers: GRPCStatus?...) throws {
            var configuration = GRPCServerConfiguration()
            configuration.port = 0
            let (server, received, held) = (GRPCServer(configuration), received, held)
            let left = Mutex(answers)
            server.register(WorkflowServiceMethod.recordActivityTaskHeartbeat.rawValue, .hot) { call in
                let request = call.withRequest { try? RecordActivityTaskHeartbeatRequest(serializedBytes: Array($0)) }
                received.add(String(decoding: request?.details?.bytes.suffix(1) ?? [], as: UTF8.self))
                let status = left.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] }
                let answer: @Sendable () -> Void = { if let status { call.fail(status) } else { call.reply([]) } }
                let isHeld = held.answers.withLock { $0?.append(answer) != nil }
                if !isHeld { answer() }
            }
            self.server = server
            service = ServiceConnection(ClientOptions(address: "127.0.0.1:\(try server.start())"))
        }

        func heartbeats(timeout: Duration) -> Heartbeats {
            let news = news
            return Heartbeats(.init(), timeout: timeout, service: service) { news.add("\($0)") }
        }

        func hold() { held.answers.withLock { $0 = [] } }

        func letGo() {
            let answers = held.answers.withLock { answers in
                defer { answers = nil }
                return answers
            }
            for answer in answers ?? [] { answer() }
        }

        func end() async throws {
            try await blocking { [self] in
                service.shutdown()
                server.shutdown(grace: .zero)
            }
        }
    }

    private func details(_ letter: String) -> RawMessage<Payloads> {
        var payload = Payload()
        payload.data = Array(letter.utf8)
        var payloads = Payloads()
        payloads.payloads = [payload]
        return RawMessage(payloads)
    }

    /// The next heartbeat would come after most of the timeout, which may be too late.
    @Test func oneThatIsLostIsSentAgainSoon() async throws {
        let server = try Server(GRPCStatus(.unavailable, "lost"), GRPCStatus(.unavailable, "again"), nil)
        server.heartbeats(timeout: .seconds(600)).beat(details("a"))
        try await eventually("it arrives") { server.received.all == ["a", "a", "a"] }
        try await server.end()
    }

    @Test func ofManyTheNewestIsSentAfterAPause() async throws {
        let server = try Server(nil)
        let heartbeats = server.heartbeats(timeout: .milliseconds(500))
        server.hold()
        for letter in ["a", "b", "c"] { heartbeats.beat(details(letter)) }
        try await eventually("the first one is there") { !server.received.all.isEmpty }
        let started = ContinuousClock.now
        server.letGo()
        try await eventually("the newest arrives") { server.received.all.count == 2 }
        #expect(ContinuousClock.now - started >= .milliseconds(400))
        #expect(server.received.all == ["a", "c"])
        #expect(heartbeats.lastDetails?.bytes == details("c").bytes)
        try await server.end()
    }

    @Test func oneThatIsRefusedIsSentAgainAfterThePause() async throws {
        let server = try Server(GRPCStatus(.failedPrecondition, "not now"), nil)
        server.heartbeats(timeout: .milliseconds(50)).beat(details("a"))
        try await eventually("it arrives") { server.received.all == ["a", "a"] }
        #expect(server.news.all.isEmpty)
        try await server.end()
    }

    @Test func afterTheEndNothingIsSent() async throws {
        let server = try Server(GRPCStatus(.notFound, "no such attempt"), nil)
        let gone = server.heartbeats(timeout: .milliseconds(50))
        gone.beat(details("a"))
        try await eventually("the news come") { server.news.all == ["gone"] }
        gone.beat(details("b"))

        let ended = server.heartbeats(timeout: .milliseconds(50))
        server.hold()
        ended.beat(details("c"))
        ended.beat(details("d"))
        ended.end()
        try await eventually("the first one is there") { server.received.all.last == "c" }
        server.letGo()
        // Sent twice, so the other two would have been sent by now.
        let other = server.heartbeats(timeout: .milliseconds(100))
        other.beat(details("e"))
        other.beat(details("f"))
        try await eventually("the other's arrive") { server.received.all.last == "f" }
        #expect(server.received.all.filter { !"ef".contains($0) } == ["a", "c"])
        #expect(server.news.all == ["gone"])
        try await server.end()
    }
}
