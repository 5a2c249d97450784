import SagamoreGRPC
import SagamoreThreads

/// Measures unary calls of 200 bytes, 16 at a time, between a channel and a server in this process.
enum CallBenchmark {
    private static let path = "/bench.Service/Echo"
    private static let request = [UInt8](repeating: 65, count: 200)

    static func run() -> String {
        let server = GRPCServer(GRPCServerConfiguration(port: 0))
        server.register(path, .hot) { call in call.reply(call.withRequest { [UInt8]($0) }) }
        guard let port = try? server.start() else { preconditionFailure("the server cannot start") }
        let channel = GRPCChannel(GRPCChannelConfiguration(target: "127.0.0.1:\(port)"))
        calls(2_000, atOnce: 16, channel)
        let count = 100_000
        let microseconds = leastMicroseconds(rounds: 3, per: count) {
        } _: {
            calls(count, atOnce: 16, channel)
        }
        channel.shutdown()
        server.shutdown(grace: .zero)
        return json([("call_us_both_ends", microseconds)])
    }

    /// Makes calls, each from the completion of another one, and waits for the last.
    private static func calls(_ count: Int, atOnce: Int, _ channel: GRPCChannel) {
        let progress = Monitor((begun: 0, ended: 0))
        @Sendable func next() {
            let begins = progress.withLock { progress in
                guard progress.begun < count else { return false }
                progress.begun += 1
                return true
            }
            guard begins else { return }
            channel.call(path, request, deadline: .seconds(60)) { result in
                if case .failure(let status) = result { preconditionFailure("a call has failed: \(status)") }
                let isLast = progress.withLock { progress in
                    progress.ended += 1
                    return progress.ended == count
                }
                if isLast { progress.change { _ in } } else { next() }
            }
        }
        for _ in 0..<atOnce { next() }
        progress.wait(until: { $0.ended == count })
    }
}
