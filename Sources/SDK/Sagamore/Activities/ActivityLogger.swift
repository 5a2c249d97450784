internal import SagamoreLogging

/// Writes log lines of an activity. Lines carry the activity, its attempt and its workflow.
public struct ActivityLogger: Sendable {
    let info: ActivityInfo

    private static let logger = Logger(label: "sagamore.activity")

    /// Logs a message that follows the code step by step.
    public func trace(_ message: @autoclosure () -> String, metadata: @autoclosure () -> [String: String] = [:]) {
        log(.trace, message, metadata)
    }

    /// Logs a message for developers and for debugging.
    public func debug(_ message: @autoclosure () -> String, metadata: @autoclosure () -> [String: String] = [:]) {
        log(.debug, message, metadata)
    }

    /// Logs a message that operators may want to see.
    public func info(_ message: @autoclosure () -> String, metadata: @autoclosure () -> [String: String] = [:]) {
        log(.info, message, metadata)
    }

    /// Logs a message that is out of the ordinary, and no problem.
    public func notice(_ message: @autoclosure () -> String, metadata: @autoclosure () -> [String: String] = [:]) {
        log(.notice, message, metadata)
    }

    /// Logs a problem that the activity handles by itself.
    public func warning(_ message: @autoclosure () -> String, metadata: @autoclosure () -> [String: String] = [:]) {
        log(.warning, message, metadata)
    }

    /// Something failed.
    public func error(_ message: @autoclosure () -> String, metadata: @autoclosure () -> [String: String] = [:]) {
        log(.error, message, metadata)
    }

    /// Logs a problem that somebody has to look at now.
    public func critical(_ message: @autoclosure () -> String, metadata: @autoclosure () -> [String: String] = [:]) {
        log(.critical, message, metadata)
    }

    private func log(_ level: Logger.Level, _ message: () -> String, _ metadata: () -> [String: String]) {
        guard Self.logger.isEnabled(level) else { return }
        let ids = [
            "activity": info.type, "attempt": String(info.attempt), "workflow_id": info.workflowID,
            "run_id": info.runID,
        ]
        Self.logger.log(level: level, message(), metadata: metadata().merging(ids) { own, _ in own })
    }
}
