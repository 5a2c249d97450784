public import SagamoreLogging

/// Logs from workflow code and from activities, in swift-log's vocabulary.
///
/// Lines carry what they are about: the workflow's id and run; of an activity, its type and attempt, too. Those of
/// workflow code are silent during replay, so that each line is written once.
public struct ContextLogger: Sendable {
    /// What a line says beside its message, by key.
    public typealias Metadata = Logger.Metadata

    let logger: Logger
    /// What each line carries; nil when nothing is to be logged.
    let identity: @Sendable () -> Metadata?

    /// Logs a message that follows the code step by step.
    public func trace(_ message: @autoclosure () -> String, metadata: @autoclosure () -> Metadata = [:]) {
        log(.trace, message, metadata)
    }

    /// Logs a message for developers and for debugging.
    public func debug(_ message: @autoclosure () -> String, metadata: @autoclosure () -> Metadata = [:]) {
        log(.debug, message, metadata)
    }

    /// Logs a message that operators may want to see.
    public func info(_ message: @autoclosure () -> String, metadata: @autoclosure () -> Metadata = [:]) {
        log(.info, message, metadata)
    }

    /// Logs a message that is out of the ordinary, and no problem.
    public func notice(_ message: @autoclosure () -> String, metadata: @autoclosure () -> Metadata = [:]) {
        log(.notice, message, metadata)
    }

    /// Logs a problem that the code handles by itself.
    public func warning(_ message: @autoclosure () -> String, metadata: @autoclosure () -> Metadata = [:]) {
        log(.warning, message, metadata)
    }

    /// Something failed.
    public func error(_ message: @autoclosure () -> String, metadata: @autoclosure () -> Metadata = [:]) {
        log(.error, message, metadata)
    }

    /// Logs a problem that somebody has to look at now.
    public func critical(_ message: @autoclosure () -> String, metadata: @autoclosure () -> Metadata = [:]) {
        log(.critical, message, metadata)
    }

    private func log(_ level: Logger.Level, _ message: () -> String, _ metadata: () -> Metadata) {
        guard logger.isEnabled(level), let identity = identity() else { return }
        logger.log(level: level, message(), metadata: metadata().merging(identity) { own, _ in own })
    }
}

extension ContextLogger {
    /// The logger of a run's code.
    init(_ core: RunCore) {
        logger = Self.ofWorkflows
        identity = {
            guard (try? core.check()) != nil, !core.isReplaying else { return nil }
            return ["workflow_id": "\(core.info.workflowID)", "run_id": "\(core.info.runID)"]
        }
    }

    /// The logger of an attempt of an activity.
    init(_ info: ActivityInfo) {
        logger = Self.ofActivities
        identity = {
            [
                "activity": "\(info.type)", "attempt": "\(info.attempt)", "workflow_id": "\(info.workflowID)",
                "run_id": "\(info.runID)",
            ]
        }
    }

    private static let ofWorkflows = Logger(label: "sagamore.workflow")
    private static let ofActivities = Logger(label: "sagamore.activity")
}
