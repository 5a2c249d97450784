internal import Glibc
internal import SagamoreCommandLineArguments
internal import SagamoreLogging
internal import SagamoreServer
internal import SagamoreThreads

/// Runs services until somebody asks for their end.
struct ServiceRun {
    let log: Logger
    /// What is said at the second interrupt.
    let warning: String
    /// What SIGHUP does; nil: it ends the process like other signals.
    var onHangUp: (@Sendable () -> Void)?

    /// Starts, waits for SIGINT or SIGTERM, and stops. The third signal ends the process at once.
    ///
    /// - Throws: what `start` throws, and `ExitCode.failure` when the services had to end by themselves.
    func run(_ stopSignal: StopSignal, start: () throws -> Void, stop: () -> Void) throws {
        let (count, log, warning, onHangUp) = (Locked(0), log, warning, onHangUp)
        ProcessSignals.watch { signal in
            if signal == SIGHUP, let onHangUp { return onHangUp() }
            let number = count.withLock { count in
                count += 1
                return count
            }
            if number == 2 { log.notice("\(warning)") }
            if number >= 3 { exit(128 + signal) }
            stopSignal.give(.asked)
        }
        do {
            try start()
        } catch {
            stop()
            if case ServerError.stopped = error, stopSignal.given == .asked { return }
            throw error
        }
        let reason = stopSignal.wait()
        if reason == .asked { log.info("stopping") }
        stop()
        if case .failed = reason { throw ExitCode.failure }
    }
}
