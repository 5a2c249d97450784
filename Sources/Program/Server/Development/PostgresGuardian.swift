internal import SagamoreEmbeddedPostgres
internal import SagamoreLogging
internal import SagamoreThreads

/// Restarts the private PostgreSQL when it has died. The services wait for it as for any database.
final class PostgresGuardian {
    private let signal = StopSignal()
    private let thread: SystemThread

    /// - Parameter file: rewritten with the new process id after a restart.
    init(_ postgres: EmbeddedPostgres, _ file: DevFile, in folder: String, log: Logger) {
        let signal = signal
        thread = SystemThread.required("postgres-guard") {
            var said = ""
            while signal.wait(for: .milliseconds(200)) == nil {
                guard !postgres.isRunning else { continue }
                if said.isEmpty { log.warning("PostgreSQL exited unexpectedly; restarting it") }
                do {
                    try postgres.start()
                    var file = file
                    file.postgresPID = postgres.postmasterPID
                    try file.write(in: folder)
                    said = ""
                } catch {
                    let reason = "\(error)"
                    if reason != said { log.error("failed to restart PostgreSQL: \(reason)") }
                    said = reason
                    _ = signal.wait(for: .seconds(2))
                }
            }
        }
    }

    /// Stops watching. Call it before the server is stopped.
    func stop() {
        signal.give(.asked)
        thread.join()
    }
}
