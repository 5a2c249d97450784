internal import SagamoreThreads
internal import Synchronization

/// Where this process's loggers write, and from which level on. Set once, at the start.
public enum LoggingSystem {
    /// Says where all loggers write that have no handler of their own, also those that exist already. Until it is
    /// called they write text to standard error, from `info` on.
    ///
    /// - Precondition: It is called at most once in a process, as only the program's entry knows what is right.
    /// - Parameters:
    ///   - level: The least severe level that is written.
    ///   - format: Text for people or JSON for machines.
    ///   - destination: Where lines go.
    public static func bootstrap(
        level: Logger.Level,
        format: LogFormat = .text,
        destination: LogDestination = .standardError
    ) {
        let handler = LogHandler(format: format, destination: destination)
        installed.withLock { state in
            precondition(!state.isBootstrapped, "LoggingSystem.bootstrap may be called only once")
            state = Installed(handler: handler, isBootstrapped: true)
        }
        severity.store(level.severity, ordering: .relaxed)
    }

    /// The level of loggers that have none of their own. It may be changed at any time, from any thread.
    public static var level: Logger.Level {
        get { Logger.Level(severity: severity.load(ordering: .relaxed)) }
        set { severity.store(newValue.severity, ordering: .relaxed) }
    }

    static var handler: LogHandler {
        installed.withLock { $0.handler }
    }

    private struct Installed {
        var handler: LogHandler
        var isBootstrapped: Bool
    }

    private static let severity = Atomic<UInt8>(Logger.Level.info.severity)
    private static let installed = Locked(
        Installed(handler: LogHandler(format: .text, destination: .standardError), isBootstrapped: false)
    )
}
