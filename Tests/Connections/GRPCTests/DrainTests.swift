import Testing

@testable import SagamoreGRPC

/// Shutdown of a server, and keepalive pings.
@Suite(.serialized, .timeLimit(.minutes(3)), .enabled(Python.missing) { await Python.isThere })
struct DrainTests {
    @Test func drainUnderLoadLosesNoAcceptedCall() async throws {
        struct Totals {
            var accepted = 0
            var delivered = 0
            var byPath: [String: Int] = [:]
            var lost = 0
        }
        let totals = Watched(Totals())
        let late = LateThread()
        let server = GRPCServer(GRPCServerConfiguration(port: 0))
        for (path, kind) in [("/test.S/Hot", GRPCMethodKind.hot), ("/test.S/Cold", .cold)] {
            server.register(path, kind) { call in
                totals.change {
                    $0.accepted += 1
                    $0.byPath[path, default: 0] += 1
                }
                late.run {
                    call.reply(call.bytes) { delivered in
                        totals.change { if delivered { $0.delivered += 1 } else { $0.lost += 1 } }
                    }
                }
            }
        }
        let port = try server.start()
        let hot = try await Python.start("load", port, "/test.S/Hot,16")
        let cold = try await Python.start("load", port, "/test.S/Cold,16")
        #expect(await totals.reached { $0.byPath.count == 2 && $0.byPath.values.allSatisfy { $0 > 200 } } != nil)
        await onThread { server.shutdown(grace: .seconds(30)) }
        let ended: [[String: Int]] = [try await hot.result(), try await cold.result()]
        let answered = ended.reduce(0) { $0 + ($1["OK"] ?? 0) }
        let seen = totals.current
        #expect(seen.lost == 0)
        #expect(seen.delivered == seen.accepted)
        #expect(answered == seen.accepted)
        // Calls that came too late got a status that clients retry.
        #expect(ended.allSatisfy { $0.keys.sorted() == ["OK", "UNAVAILABLE"] })
        await onThread { server.shutdown(grace: .zero) }
    }

    @Test func cancelsCallsThatOutlastTheGracePeriod() async throws {
        let held = Watched<[GRPCServerCall]>([])
        let cancelled = Watched(0)
        let delivered = Watched<[Bool]>([])
        let gate = Watched(false)
        var configuration = GRPCServerConfiguration(port: 0)
        configuration.blockingThreads = 1
        let server = GRPCServer(configuration)
        server.register("/test.S/Watching", .hot) { call in
            call.onCancel { cancelled.change { $0 += 1 } }
            held.change { $0.append(call) }
        }
        server.register("/test.S/Silent", .hot) { call in held.change { $0.append(call) } }
        server.register("/test.S/Cold", .cold) { call in
            held.change { $0.append(call) }
            _ = gateWait(gate)
        }
        let port = try server.start()
        let channel = GRPCChannel(GRPCChannelConfiguration(target: "127.0.0.1:\(port)"))
        let results = Watched<[GRPCStatus.Code]>([])
        for path in ["Watching", "Silent", "Cold", "Cold"] {
            channel.call("/test.S/\(path)", [1], deadline: nil) { result in
                results.change { list in
                    if case .failure(let status) = result { list.append(status.code) }
                }
            }
        }
        #expect(await held.reached { $0.count == 3 } != nil)
        await onThread { server.shutdown(grace: .milliseconds(50)) }
        #expect(cancelled.current == 1)
        // A status that clients retry.
        #expect(await results.reached { $0.count == 4 } == Array(repeating: .unavailable, count: 4))
        for call in held.current {
            call.reply([1]) { outcome in delivered.change { $0.append(outcome) } }
            call.onCancel { delivered.change { $0.append(true) } }
            #expect(call.bytes == [1])
            #expect(call.peer.hasPrefix("ipv4:127.0.0.1:"))
            #expect(call.metadata("user-agent") != nil)
        }
        #expect(delivered.current == [false, false, false])
        gate.change { $0 = true }
        // The handlers hold the list, and the held calls hold their handlers.
        held.change { $0 = [] }
        await onThread { channel.shutdown() }
    }

    @Test func pingsAreAnsweredUnlessTheyAreTooFrequent() async throws {
        struct Seen: Decodable, Equatable {
            var answered: Int
            var closed: String?
        }
        try await withServer {
            $0.minimumPingInterval = .milliseconds(20)
        } register: { _ in
        } _: { _, port in
            let seen: Seen = try await Python.run("pings", port, "20,0.03")
            #expect(seen == Seen(answered: 20, closed: nil))
        }
        try await withServer {
            $0.minimumPingInterval = .seconds(60)
        } register: { _ in
        } _: { _, port in
            let seen: Seen = try await Python.run("pings", port, "20,0.03")
            #expect(seen.closed == "too_many_pings")
            #expect(seen.answered < 10)
        }
    }

    @Test func aLongPollSurvivesItsClientsKeepalive() async throws {
        // The client pings every 50 ms, about twenty times during the poll.
        let held = Held()
        try await withServer {
            $0.minimumPingInterval = .milliseconds(10)
        } register: {
            $0.register("/test.S/Poll", .hot) { call in held.put(call) }
        } _: { _, port in
            async let seen = Python.outcome("keepalive", port, "/test.S/Poll")
            let call = await onThread { held.wait() }
            try await Task.sleep(for: .seconds(1))
            call.reply(Array("still here".utf8))
            let outcome = try await seen
            #expect(outcome == CallOutcome(code: "OK", answer: "still here"))
        }
    }
}
