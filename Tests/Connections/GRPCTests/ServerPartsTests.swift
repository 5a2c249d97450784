import Testing

@testable import SagamoreGRPC

@Suite struct RequestHeadTests {
    private func head(_ fields: [(String, String)], limit: Int = 1000) -> RequestHead {
        var reader = RequestHeadReader(limit: limit)
        reader.begin()
        for (name, value) in fields {
            Array(name.utf8).withUnsafeBytes { name in Array(value.utf8).withUnsafeBytes { reader.add(name, $0) } }
        }
        return reader.end()
    }

    @Test func separatesProtocolFieldsFromMetadata() {
        let head = head([
            (":method", "POST"), (":path", "/a.B/C"), ("te", "trailers"), ("content-type", "application/grpc+proto"),
            ("grpc-timeout", "5S"), ("grpc-encoding", "gzip"), ("client-name", "x"), ("empty", ""),
            ("client-name", "y"),
        ])
        #expect(head.path == "/a.B/C" && head.isPost && head.isGRPC && head.timeout == .seconds(5))
        #expect(head.encoding == .packed(.gzip))
        #expect(head.metadata.value("client-name").map { Array($0) } == Array("x".utf8))
        #expect(head.metadata.value("empty").map { Array($0) } == [])
        #expect(head.metadata.value("te") == nil && head.metadata.value("client") == nil)
    }

    @Test func countsFieldsAboveTheLimitWithoutStoringThem() {
        let head = head([("a", String(repeating: "x", count: 900)), ("b", String(repeating: "y", count: 900))])
        #expect(head.size == 2 * 933)
        #expect(head.metadata.value("a")?.count == 900)
        #expect(head.metadata.value("b") == nil)
    }

    @Test(arguments: [
        ("application/grpc", true), ("application/grpc;x=y", true), ("application/grpc+json", true),
        ("application/grpcx", false), ("application/grp", false), ("", false),
    ])
    func recognizesGRPCContentTypes(type: String, isGRPC: Bool) {
        #expect(head([("content-type", type)]).isGRPC == isGRPC)
    }

    @Test(arguments: [
        ("1H", Duration.seconds(3600)), ("2M", .seconds(120)), ("99999999S", .seconds(99_999_999)),
        ("1m", .milliseconds(1)), ("1u", .microseconds(1)), ("00000001n", .nanoseconds(1)), ("0m", .zero),
    ])
    func readsTimeouts(text: String, expected: Duration) {
        let head = head([("grpc-timeout", text)])
        #expect(head.timeout == expected && !head.isTimeoutMalformed)
    }

    @Test(arguments: ["", "1", "S", "-1S", "1.5S", "123456789S", "1s", "1 S", "٣S"])
    func refusesMalformedTimeouts(text: String) {
        let head = head([("grpc-timeout", text)])
        #expect(head.timeout == nil && head.isTimeoutMalformed)
    }
}

@Suite struct IncomingMessageTests {
    @Test(arguments: [1, 2, 3, 5, 7, 100, 100_000])
    func joinsPiecesOfEverySize(piece: Int) throws {
        let content = (0..<70_000).map { UInt8(truncatingIfNeeded: $0) }
        let bytes: [UInt8] = [0, 0, 1, 0x11, 0x70] + content
        var body = IncomingMessage(RequestMemory(limit: 1 << 20, smallSize: 1 << 10))
        defer { body.deallocate() }
        #expect(body.isEmpty)
        for start in stride(from: 0, to: bytes.count, by: piece) {
            #expect(!body.isComplete)
            try bytes[start..<min(bytes.count, start + piece)].withUnsafeBytes {
                try body.append($0, limit: 70_000)
            }
        }
        #expect(body.isComplete && !body.isPacked && body.bytes.elementsEqual(content))
    }

    @Test func anEmptyMessageIsComplete() throws {
        var body = IncomingMessage(RequestMemory(limit: 1 << 20, smallSize: 1 << 10))
        try ([1, 0, 0, 0, 0] as [UInt8]).withUnsafeBytes { try body.append($0, limit: 0) }
        #expect(body.isComplete && body.isPacked && body.bytes.isEmpty && !body.isEmpty)
    }
}

extension IncomingMessageTests {
    private func prefix(_ length: Int) -> [UInt8] {
        [0] + (0..<4).map { UInt8(truncatingIfNeeded: length >> (24 - 8 * $0)) }
    }

    @Test func largeMessagesShareABoundedMemory() throws {
        let memory = RequestMemory(limit: 300_000, smallSize: 1_000)
        let large = prefix(200_000) + [UInt8](repeating: 1, count: 200_000)
        let small = prefix(1_000) + [UInt8](repeating: 1, count: 1_000)
        func received(_ bytes: [UInt8]) throws -> IncomingMessage {
            var body = IncomingMessage(memory)
            do {
                try bytes.withUnsafeBytes { try body.append($0, limit: 1 << 20) }
                return body
            } catch {
                body.deallocate()
                throw error
            }
        }
        var first = try received(large)
        #expect(memory.bytes == 200_000)
        let refused = #expect(throws: GRPCStatus.self) { try received(large) }
        #expect(refused?.code == .resourceExhausted)
        #expect(memory.bytes == 200_000)
        // Small messages are handled at once, so they are accepted whatever the large ones use.
        var other = try received(small)
        #expect(memory.bytes == 200_000)
        // The inflated size counts instead of the compressed size.
        func message(_ count: Int) -> MessageInflater.Message {
            let message = MessageInflater.Message.allocate(byteCount: count, alignment: 1)
            message.initializeMemory(as: UInt8.self, repeating: 2)
            return message
        }
        #expect(throws: GRPCStatus.self) { try other.replace(with: message(100_001)) }
        try other.replace(with: message(100_000))
        #expect(memory.bytes == 300_000)
        first.deallocate()
        other.deallocate()
        #expect(memory.bytes == 0)
    }
}

@Suite struct OutgoingMessageTests {
    @Test(arguments: [1, 2, 4, 5, 6, 9, 300])
    func isReadInPiecesOfEverySize(room: Int) {
        let parts: [[UInt8]] = [[1, 2, 3], [], Array(repeating: 7, count: 260), [9]]
        var message = OutgoingMessage(parts)
        var taken: [UInt8] = []
        while !message.isOver {
            let piece = [UInt8](unsafeUninitializedCapacity: room) { place, count in
                count = message.take(into: UnsafeMutableRawBufferPointer(place))
            }
            #expect(piece.count == room || message.isOver)
            taken += piece
        }
        #expect(taken == [0, 0, 0, 1, 8] + parts.joined())
    }

    @Test func anEmptyMessageIsAPrefix() {
        var message = OutgoingMessage([])
        let bytes = [UInt8](unsafeUninitializedCapacity: 10) { place, count in
            count = message.take(into: UnsafeMutableRawBufferPointer(place))
        }
        #expect(bytes == [0, 0, 0, 0, 0] && message.isOver)
    }
}

@Suite struct ResponseFieldTests {
    @Test func messagesArePercentEncoded() {
        #expect(String(decoding: StatusMessage.encoded("a % ä\n~"), as: UTF8.self) == "a %25 %C3%A4%0A~")
    }

    @Test(arguments: 0...10)
    func binaryValuesAreDecodedWithAndWithoutPadding(count: Int) {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: 250 + $0) }
        let text = BinaryField.encoded(bytes)
        #expect(!text.contains(UInt8(ascii: "=")))
        #expect(BinaryField.decoded(text[...]) == bytes)
        let padded = text + Array(repeating: UInt8(ascii: "="), count: (4 - text.count % 4) % 4)
        #expect(BinaryField.decoded(padded[...]) == bytes)
        #expect(BinaryField.decoded((text + Array(",AAAA".utf8))[...]) == bytes)
    }

    @Test(arguments: ["A", "AAAAA", "A*AA", "ä"])
    func malformedBase64IsNil(text: String) {
        #expect(BinaryField.decoded(Array(text.utf8)[...]) == nil)
    }
}

@Suite struct PingPolicyTests {
    @Test func toleratesSomeEarlyPings() {
        var policy = PingPolicy(shortest: .seconds(5))
        let begin = ContinuousClock.now
        let allowed = [0, 6, 7, 8, 9].map { policy.received(0, at: begin + .seconds($0)) != nil }
        #expect(allowed == [true, true, true, true, false])
    }

    @Test func forgetsEarlyPingsOnceTheServerSends() {
        var policy = PingPolicy(shortest: .seconds(5))
        let now = ContinuousClock.now
        for _ in 0..<100 {
            let due = policy.received(0, at: now)
            #expect(due != nil)
            policy.answered()
        }
    }

    @Test func answersInOrderAfterADelay() {
        var policy = PingPolicy(shortest: .zero)
        let begin = ContinuousClock.now
        #expect(policy.nextAnswer == nil)
        let due = [0, 4, 8].map { policy.received(UInt64($0), at: begin + .milliseconds($0)) }
        #expect(due == Array(repeating: begin + PingPolicy.patience, count: 3))
        let answered = [9, 13, 14, 100].map { policy.due(by: begin + .milliseconds($0)) }
        #expect(answered == [[], [0], [4], [8]])
        #expect(policy.nextAnswer == nil)
    }

    @Test func boundsThePingsItHolds() {
        var policy = PingPolicy(shortest: .zero)
        let now = ContinuousClock.now
        for content in 0..<UInt64(PingPolicy.capacity) { _ = policy.received(content, at: now) }
        let early = policy.due(by: now)
        #expect(early == [])
        let due = policy.received(99, at: now)
        #expect(due == now)
        let oldest = policy.due(by: now)
        #expect(oldest == [0])
    }
}

@Suite struct ConnectionTimesTests {
    private func times(
        keepalive: Duration = .seconds(60),
        timeout: Duration = .seconds(15),
        idle: Duration? = nil,
        begin: ContinuousClock.Instant
    ) -> ConnectionTimes {
        var configuration = GRPCServerConfiguration()
        configuration.keepaliveInterval = keepalive
        configuration.keepaliveTimeout = timeout
        configuration.maximumConnectionIdle = idle
        return ConnectionTimes(configuration, now: begin)
    }

    @Test func aConnectionWithoutAPrefaceIsClosed() {
        let begin = ContinuousClock.now
        var times = times(begin: begin)
        #expect(times.next == begin + .seconds(20))
        #expect(times.check(at: begin + .seconds(19), isGreeted: false, hasCalls: false) == .none)
        #expect(times.next == begin + .seconds(20))
        #expect(times.check(at: begin + .seconds(20), isGreeted: false, hasCalls: false) == .close)
    }

    @Test func aSilentConnectionIsPingedAndThenClosed() {
        let begin = ContinuousClock.now
        var times = times(begin: begin)
        times.heard(at: begin + .seconds(30))
        #expect(times.check(at: begin + .seconds(60), isGreeted: true, hasCalls: true) == .none)
        #expect(times.next == begin + .seconds(90))
        #expect(times.check(at: begin + .seconds(90), isGreeted: true, hasCalls: true) == .ping)
        #expect(times.next == begin + .seconds(105))
        var heard = times
        heard.heard(at: begin + .seconds(91))
        #expect(heard.check(at: begin + .seconds(105), isGreeted: true, hasCalls: true) == .none)
        #expect(heard.next == begin + .seconds(151))
        #expect(times.check(at: begin + .seconds(105), isGreeted: true, hasCalls: true) == .close)
    }

    @Test func idleTimeIsMeasuredFromTheLastCall() {
        let begin = ContinuousClock.now
        var times = times(idle: .seconds(10), begin: begin)
        #expect(times.check(at: begin + .seconds(9), isGreeted: true, hasCalls: true) == .none)
        #expect(times.next == begin + .seconds(19))
        #expect(times.check(at: begin + .seconds(9), isGreeted: true, hasCalls: false) == .none)
        #expect(times.next == begin + .seconds(10))
        #expect(times.check(at: begin + .seconds(10), isGreeted: true, hasCalls: false) == .leave)
    }

    @Test func theEarliestDeadlineIsCheckedInTime() {
        let begin = ContinuousClock.now
        var times = times(begin: begin)
        times.due(at: begin + .seconds(3))
        times.due(at: begin + .seconds(5))
        #expect(times.next == begin + .seconds(3))
    }
}

@Suite struct StreamTableTests {
    @Test func reusesPlaces() throws {
        let context = try ServerContext(GRPCServerConfiguration(), methods: [], log: { _, _ in })
        let connection = try #require(ServerConnection(descriptor: -1, peer: "", context: context, now: .now))
        func record(_ stream: Int32) -> ServerCallRecord {
            ServerCallRecord(stream: stream, connection: connection, head: RequestHead())
        }
        var table = StreamTable<ServerCallRecord>()
        #expect([1, 3].map { table.insert(record($0)) } == [0, 1])
        #expect(table[1]?.stream == 3)
        let removed = [0, 0, 9].map { table.remove($0)?.stream }
        #expect(removed == [1, nil, nil])
        #expect(table[0] == nil && table[9] == nil)
        let again = table.insert(record(5))
        #expect(again == 0)
        #expect(table.count == 2)
        let all = Set(table.removeAll().map(\.stream))
        #expect(all == [3, 5])
        #expect(table.isEmpty)
    }
}
