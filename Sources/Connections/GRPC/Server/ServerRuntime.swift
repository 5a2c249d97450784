internal import SagamoreThreads

/// A running server: its thread, its pool, and its shutdown.
final class ServerRuntime: Sendable {
    let port: Int
    private let context: ServerContext
    private let health: HealthRegistry

    /// - Throws: `portBusy`, `cannotListen`, `badCredentials`, `noThread`.
    init(
        _ configuration: GRPCServerConfiguration,
        methods: [ServerMethod],
        connectionHandlers: [ConnectionHandler],
        authentication: GRPCAuthentication?,
        health: HealthRegistry,
        log: @escaping GRPCLog
    ) throws(GRPCServerError) {
        self.health = health
        let context = try ServerContext(
            configuration,
            methods: methods,
            connectionHandlers: connectionHandlers,
            authentication: authentication,
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

    func replaceCertificate(_ tls: GRPCServerConfiguration.TLS) throws(GRPCServerError) {
        try context.replaceCertificate(tls)
    }

    /// Shuts the server down. Later callers wait until that is done.
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
        send(.leave)
        waitUntilNoCallsCome(atMost: min(grace, .milliseconds(500)))
        send(.finish)
        if !isQuiet(within: end - .now) {
            send(.cancel)
            // Gives clients a moment to read the last answers.
            if !isQuiet(within: .milliseconds(250)) {
                send(.close)
                progress.wait(until: { $0.isQuiet })
            }
        }
        context.pool.stop()
        progress.change { $0.isOver = true }
    }

    private func send(_ command: ServerCommand) {
        context.mailbox.post { mail in
            mail.commands.append(command)
            return true
        }
    }

    private func isQuiet(within limit: Duration) -> Bool {
        context.progress.wait(atMost: limit, for: { $0.isQuiet ? true : nil }) ?? false
    }

    /// Waits until no new call has arrived for a moment. By then clients have read the shutdown notice, and no call is
    /// in flight when its connection is closed.
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
