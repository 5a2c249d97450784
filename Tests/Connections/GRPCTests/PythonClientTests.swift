import Testing

@testable import SagamoreGRPC

/// The server against grpcio, an independent client.
@Suite(.serialized, .timeLimit(.minutes(3)), .enabled(Python.missing) { await Python.isThere })
struct PythonClientTests {
    @Test(arguments: [GRPCMethodKind.hot, .cold])
    func echoesMessagesOfAllSizes(kind: GRPCMethodKind) async throws {
        struct Echoed: Decodable {
            var echoed: Int
            var wrong: [Int]
        }
        try await withServer {
            $0.register("/test.S/Echo", kind) { $0.reply($0.bytes) }
        } _: { _, port in
            let seen: Echoed = try await Python.run("echo", port, "/test.S/Echo")
            #expect(seen.wrong.isEmpty)
            #expect(seen.echoed == 15)
        }
    }

    @Test(arguments: ["Gzip", "Deflate"], [GRPCMethodKind.hot, .cold])
    func inflatesCompressedRequests(algorithm: String, kind: GRPCMethodKind) async throws {
        struct Seen: Decodable, Equatable {
            var wrong: [Int]
            var tooLarge: String
        }
        try await withServer {
            $0.register("/test.S/Echo", kind) { $0.echo() }
        } _: { _, port in
            let seen: Seen = try await Python.run("compressed", port, "/test.S/Echo,\(algorithm)")
            #expect(seen == Seen(wrong: [], tooLarge: "RESOURCE_EXHAUSTED"))
        }
    }

    @Test func joinsTheSegmentsOfAnAnswer() async throws {
        try await withServer {
            $0.register("/test.S/Parts", .hot) { $0.reply([Array("one ".utf8), [], Array("two".utf8)]) }
            $0.register("/test.S/None", .hot) { $0.reply([[UInt8]]()) }
        } _: { _, port in
            let joined = try await Python.outcome("once", port, "/test.S/Parts")
            #expect(joined == CallOutcome(code: "OK", answer: "one two"))
            let empty = try await Python.outcome("once", port, "/test.S/None")
            #expect(empty == CallOutcome(code: "OK", answer: ""))
        }
    }

    @Test func refusesARequestOverTheLimit() async throws {
        try await withServer {
            $0.register("/test.S/Size", .hot) { $0.reply(Array(String($0.bytes.count).utf8)) }
        } _: { _, port in
            let largest = try await Python.outcome("send", port, "/test.S/Size,\(4 << 20)")
            #expect(largest == CallOutcome(code: "OK", answer: String(4 << 20)))
            let larger = try await Python.outcome("send", port, "/test.S/Size,\((4 << 20) + 1)")
            #expect(larger.code == "RESOURCE_EXHAUSTED")
        }
    }

    @Test func refusesMetadataOverTheLimit() async throws {
        try await withServer {
            $0.register("/test.S/Any", .hot) { $0.reply([]) }
        } _: { _, port in
            let fitting = try await Python.outcome("huge_metadata", port, "/test.S/Any,20000")
            #expect(fitting.code == "OK")
            let larger = try await Python.outcome("huge_metadata", port, "/test.S/Any,40000")
            #expect(larger.code == "RESOURCE_EXHAUSTED")
        }
    }

    @Test func passesMetadataToTheHandler() async throws {
        struct Seen: Decodable {
            var answer: String
        }
        try await withServer {
            $0.register("/test.S/Metadata", .hot) { call in
                let blob = call.metadataBytes("blob-bin") ?? []
                #expect(blob == Array(0...255))
                #expect(call.metadata("absent") == nil)
                #expect(call.peer.hasPrefix("ipv4:127.0.0.1:"))
                call.reply(Array("\(call.metadata("text") ?? "") \(blob.count)".utf8))
            }
        } _: { _, port in
            let seen: Seen = try await Python.run("metadata", port, "/test.S/Metadata")
            #expect(seen.answer == "one two 256")
        }
    }

    @Test func passesTheDeadlineToTheHandler() async throws {
        struct Seen: Decodable { var answer: String }
        try await withServer {
            $0.register("/test.S/Deadline", .hot) { call in
                guard let remaining = call.timeRemaining, let deadline = call.deadline else {
                    call.fail(GRPCStatus(.internalError, "no deadline"))
                    return
                }
                let byClock = deadline - .now
                let isRight =
                    remaining > .seconds(10) && remaining <= .seconds(20)
                    && byClock > .seconds(10) && byClock <= .seconds(20)
                call.reply(Array("\(isRight)".utf8))
            }
            $0.register("/test.S/None", .hot) { call in call.reply(Array("\(call.path)".utf8)) }
        } _: { _, port in
            let seen: Seen = try await Python.run("deadline", port, "/test.S/Deadline")
            #expect(seen.answer == "true")
        }
    }

    @Test func notifiesTheHandlerWhenTheClientGivesUp() async throws {
        struct Seen: Decodable, Equatable {
            var deadline: String
            var cancelled: Bool
        }
        let started = Watched<[String]>([])
        let cancelled = Watched<[String]>([])
        let delivered = Watched<[Bool]>([])
        try await withServer {
            $0.register("/test.S/Wait", .hot) { call in
                let name = call.text
                started.change { $0.append(name) }
                call.onCancel {
                    cancelled.change { $0.append(name) }
                }
                call.onCancel { [held = Held(call)] in
                    guard let call = held.take() else { return }
                    // The call is cancelled already, so the answer is only reported as undelivered.
                    call.reply([1]) { outcome in delivered.change { $0.append(outcome) } }
                    call.onCancel { cancelled.change { $0.append("again") } }
                }
            }
        } _: { _, port in
            var python = try await Python.start("give_up", port, "/test.S/Wait")
            #expect(await python.nextLine() == "started")
            #expect(await cancelled.reached { $0.contains("deadline") } != nil)
            #expect(await started.reached { $0.contains("cancel") } != nil)
            try python.goOn()
            #expect(await cancelled.reached { $0.contains("cancel") } != nil)
            #expect(await python.nextLine() == "started")
            #expect(await started.reached { $0.contains("close") } != nil)
            try python.goOn()
            #expect(await cancelled.reached { $0.contains("close") } != nil)
            #expect(try await python.result(Seen.self) == Seen(deadline: "DEADLINE_EXCEEDED", cancelled: true))
            #expect(await delivered.reached { $0.count == 3 } == [false, false, false])
            #expect(cancelled.current == ["deadline", "cancel", "close"])
        }
    }

    @Test func reportsWhetherAnAnswerWasDelivered() async throws {
        let delivered = Watched<[Bool]>([])
        let late = LateThread()
        try await withServer {
            $0.register("/test.S/AtOnce", .hot) { call in
                call.reply([65]) { outcome in delivered.change { $0.append(outcome) } }
                call.reply([66]) { outcome in delivered.change { $0.append(outcome) } }
            }
            $0.register("/test.S/Later", .hot) { call in
                call.onCancel {}
                late.run { call.reply([[67]]) { outcome in delivered.change { $0.append(outcome) } } }
            }
        } _: { _, port in
            let atOnce = try await Python.outcome("once", port, "/test.S/AtOnce")
            #expect(atOnce == CallOutcome(code: "OK", answer: "A"))
            #expect(await delivered.reached { $0.count == 2 } == [false, true])
            let later = try await Python.outcome("once", port, "/test.S/Later")
            #expect(later == CallOutcome(code: "OK", answer: "C"))
            #expect(await delivered.reached { $0.count == 3 } == [false, true, true])
        }
    }

    @Test func sendsStatusMessageAndDetails() async throws {
        let long = String(repeating: "ä", count: 20_000)
        try await withServer {
            $0.register("/test.S/Fail", .hot) {
                $0.fail(GRPCStatus(.notFound, "no „workflow\" 100 %\nhere", details: [8, 5, 0, 255]))
            }
            $0.register("/test.S/Ok", .hot) { $0.fail(GRPCStatus(.ok, "not an error")) }
            $0.register("/test.S/Long", .hot) {
                $0.fail(GRPCStatus(.aborted, long, details: Array(repeating: 7, count: 3000)))
            }
            $0.register("/test.S/Drop", .hot) { _ in }
        } _: { _, port in
            let failed = try await Python.outcome("once", port, "/test.S/Fail")
            #expect(
                failed
                    == CallOutcome(
                        code: "NOT_FOUND",
                        message: "no „workflow\" 100 %\nhere",
                        details: [8, 5, 0, 255]
                    )
            )
            let ok = try await Python.outcome("once", port, "/test.S/Ok")
            #expect(ok.code == "UNKNOWN")
            let cut = try await Python.outcome("once", port, "/test.S/Long")
            #expect(cut.code == "ABORTED")
            #expect(cut.details?.count == 3000)
            #expect(cut.message.map { long.hasPrefix($0) && $0.count > 100 } == true)
            let dropped = try await Python.outcome("once", port, "/test.S/Drop")
            #expect(dropped.code == "UNAVAILABLE")
            #expect(dropped.message == "the server dropped this call without an answer: try again")
        }
    }

    @Test func answersUnknownMethods() async throws {
        try await withServer {
            $0.register("/test.S/Known", .hot) { $0.reply([]) }
        } _: { _, port in
            for _ in 0..<3 {
                let seen = try await Python.outcome("once", port, "/test.S/Unknown")
                #expect(
                    seen == CallOutcome(code: "UNIMPLEMENTED", message: "this server has no method /test.S/Unknown")
                )
            }
        }
    }

    @Test func answersHeldPollsFromAnotherThread() async throws {
        struct Seen: Decodable { var right: Int }
        let late = LateThread()
        let held = Watched<[GRPCServerCall]>([])
        try await withServer {
            $0.register("/test.S/Poll", .hot) { call in
                call.onCancel {}
                held.change { $0.append(call) }
                guard held.current.count == 500 else { return }
                late.run {
                    for call in held.current { call.reply(call.bytes) }
                    held.change { $0 = [] }
                }
            }
        } _: { _, port in
            let seen: Seen = try await Python.run("poll", port, "/test.S/Poll,500")
            #expect(seen.right == 500)
        }
    }

    @Test func refusesColdCallsAboveThePoolsLimitButNeverLargeHotCalls() async throws {
        let gate = Watched(false)
        let running = Watched(0)
        try await withServer {
            $0.blockingThreads = 1
            $0.blockingQueueLimit = 2
        } register: {
            $0.register("/test.S/Cold", .cold) { call in
                running.change { $0 += 1 }
                _ = gateWait(gate)
                call.reply(call.bytes)
            }
            $0.register("/test.S/Hot", .hot) { call in
                running.change { $0 += 1 }
                call.reply(Array(String(call.bytes.count).utf8))
            }
        } _: { _, port in
            let channel = GRPCChannel(GRPCChannelConfiguration(target: "127.0.0.1:\(port)"))
            let results = Watched<[String]>([])
            func call(_ path: String, _ request: [UInt8]) {
                channel.call(path, request, deadline: .seconds(30)) { result in
                    results.change { list in
                        switch result {
                        case .success(let bytes): list.append(String(decoding: bytes, as: UTF8.self))
                        case .failure(let status): list.append(status.code.description)
                        }
                    }
                }
            }
            call("/test.S/Cold", Array("a".utf8))
            #expect(await running.reached { $0 == 1 } != nil)
            for name in ["b", "c", "d"] { call("/test.S/Cold", Array(name.utf8)) }
            #expect(await results.reached { $0 == ["RESOURCE_EXHAUSTED"] } != nil)
            for _ in 0..<100 { call("/test.S/Hot", Array(repeating: 0, count: 70_000)) }
            call("/test.S/Hot", [0])
            #expect(await results.reached { $0.contains("1") } != nil)
            gate.change { $0 = true }
            #expect(await results.reached { $0.filter { $0 == "70000" }.count == 100 } != nil)
            #expect(await results.reached { Set($0).isSuperset(of: ["a", "b", "c"]) } != nil)
            await onThread { channel.shutdown() }
        }
    }

    /// A few kilobytes on the wire may inflate to 4 MiB, and a connection carries thousands of calls.
    @Test func boundsTheMemoryOfWaitingInflatedRequests() async throws {
        let gate = Watched(false)
        try await withServer {
            $0.blockingThreads = 1
            $0.largeRequestMemoryLimit = 20 << 20
        } register: {
            $0.register("/test.S/Hot", .hot) { call in
                _ = gateWait(gate)
                call.releaseRequest()
                call.reply([])
            }
            $0.register("/test.S/Open", .hot) { call in
                gate.change { $0 = true }
                call.reply([])
            }
        } _: { _, port in
            let first: [String: Int] = try await Python.run("inflated", port, "/test.S/Hot,30,25")
            #expect(first == ["OK": 5, "RESOURCE_EXHAUSTED": 25])
            // Released memory can be used again.
            let second: [String: Int] = try await Python.run("inflated", port, "/test.S/Hot,5,0")
            #expect(second == ["OK": 5])
        }
    }

    @Test func answersHealthChecks() async throws {
        try await withServer {
            $0.register("/test.S/Any", .hot) { $0.reply([]) }
        } _: { server, port in
            let serving = CallOutcome(code: "OK", answer: "\u{8}\u{1}")
            let notServing = CallOutcome(code: "OK", answer: "\u{8}\u{2}")
            let whole = try await Python.outcome("health", port)
            #expect(whole == serving)
            let unset = try await Python.outcome("health", port, "test.S")
            #expect(unset.code == "NOT_FOUND")
            server.setHealth("test.S", serving: true)
            let set = try await Python.outcome("health", port, "test.S")
            #expect(set == serving)
            server.setHealth("", serving: false)
            let wholeOff = try await Python.outcome("health", port)
            #expect(wholeOff == notServing)
            let stillSet = try await Python.outcome("health", port, "test.S")
            #expect(stillSet == serving)
            server.drainHealth()
            server.setHealth("test.S", serving: true)
            let draining = try await Python.outcome("health", port, "test.S")
            #expect(draining == notServing)
            let watch = try await Python.outcome("health_watch", port)
            #expect(watch.code == "UNIMPLEMENTED")
        }
    }
}
