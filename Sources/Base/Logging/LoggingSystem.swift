internal import SagamoreThreads
internal import Synchronization

/// The destination and the level of this process's loggers. Set once, at startup.
public enum LoggingSystem {
    /// Sets the destination of all loggers without their own handler, including existing ones. Before this call they
    /// write text to standard error, from `info` on.
    ///
    /// - Precondition: Called at most once per process, by the program's entry point.
    /// - Parameters:
    ///   - level: The lowest level that is written.
    ///   - format: Text for people or JSON for machines.
    ///   - destination: The destination of the lines.
    ///   - metadata: Metadata for every line, such as the name of this node. That of loggers and lines overrides it.
    public static func bootstrap(
        level: Logger.Level,
        format: LogFormat = .text,
        destination: LogDestination = .standardError,
        metadata: Logger.Metadata = [:]
    ) {
        let handler = LogHandler(format: format, destination: destination)
        installed.withLock { state in
            precondition(!state.isBootstrapped, "LoggingSystem.bootstrap may be called only once")
            state = Installed(handler: handler, metadata: metadata, isBootstrapped: true)
        }
        severity.store(level.severity, ordering: .relaxed)
    }

    /// The level of loggers without their own. It may be changed at any time, from any thread.
    public static var level: Logger.Level {
        get { Logger.Level(severity: severity.load(ordering: .relaxed)) }
        set { severity.store(newValue.severity, ordering: .relaxed) }
    }

    static var handler: LogHandler {
        installed.withLock { $0.handler }
    }

    static var metadata: Logger.Metadata {
        installed.withLock { $0.metadata }
    }

    private struct Installed {
        var handler: LogHandler
        var metadata: Logger.Metadata = [:]
        var isBootstrapped: Bool
    }

    private static let severity = Atomic<UInt8>(Logger.Level.info.severity)
    private static let installed = Locked(
        Installed(handler: LogHandler(format: .text, destination: .standardError), isBootstrapped: false)
    )
}
