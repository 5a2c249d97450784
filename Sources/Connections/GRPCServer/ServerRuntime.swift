internal import SagamoreGRPC
internal import SagamoreThreads

/// A running server: its thread, its pool, and its orderly end.
final class ServerRuntime: Sendable {
    let port: Int
    private let context: ServerContext
    private let health: HealthRegistry

    /// - Throws: `portBusy`, `cannotListen`, `badCredentials`, `noThread`.
    init(
        _ configuration: GRPCServerConfiguration,
        methods: [ServerMethod],
        connectionHandlers: [ConnectionHandler],
        health: HealthRegistry,
        log: @escaping GRPCLog
    ) throws(GRPCServerError) {
        self.health = health
        let context = try ServerContext(
            configuration,
            methods: methods,
            connectionHandlers: connectionHandlers,
            log: log
        )
        self.context = context
        let listener = try ServerListener.open(host: configuration.host, port: configuration.port)
        port = listener.port
        let loop: ServerLoop
        do throws(GRPCServerError) {
            loop = try ServerLoop(context, listener)
        } catch {
            listener.close()
            throw error
        }
        do throws(ThreadError) {
            try context.pool.start(threads: configuration.blockingThreads)
            _ = try SystemThread("grpc-server") {
                loop.run()
                context.progress.change { $0.isQuiet = true }
            }
        } catch {
            context.pool.stop()
            listener.close()
            throw .noThread(errno: error.errno)
        }
        log(.debug, "gRPC listens on \(configuration.host):\(port)")
    }

    /// Ends the server; later callers wait until it is over.
    func shutdown(grace: Duration) {
        let progress = context.progress
        let isFirst = progress.withLock { progress in
            defer { progress.isEnding = true }
            return !progress.isEnding
        }
        guard isFirst else {
            progress.wait(until: { $0.isOver })
            return
        }
        let end = ContinuousClock.now.advanced(by: grace)
        health.drain()
        context.isDraining.store(true, ordering: .relaxed)
        order(.leave)
        waitUntilNoCallsCome(atMost: min(grace, .milliseconds(500)))
        order(.finish)
        if !isQuiet(within: end - .now) {
            order(.cancel)
            // What is said last has a moment to be read.
            if !isQuiet(within: .milliseconds(250)) {
                order(.close)
                progress.wait(until: { $0.isQuiet })
            }
        }
        context.pool.stop()
        progress.change { $0.isOver = true }
    }

    private func order(_ order: ServerOrder) {
        context.mailbox.post { mail in
            mail.orders.append(order)
            return true
        }
    }

    private func isQuiet(within limit: Duration) -> Bool {
        context.progress.wait(atMost: limit, for: { $0.isQuiet ? true : nil }) ?? false
    }

    /// Waits while new calls are answered UNAVAILABLE, until for a moment none comes: clients have heard by then that
    /// they are to go elsewhere, and no call is on its way when its connection ends.
    private func waitUntilNoCallsCome(atMost limit: Duration) {
        let end = ContinuousClock.now.advanced(by: limit)
        var seen = 0
        while ContinuousClock.now < end {
            let before = seen
            guard
                let now = context.progress.wait(
                    atMost: .milliseconds(20),
                    for: { $0.refused > before ? $0.refused : nil }
                )
            else { return }
            seen = now
        }
    }
}
