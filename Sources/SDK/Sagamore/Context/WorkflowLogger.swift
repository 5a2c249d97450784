internal import SagamoreLogging

/// Logs from workflow code, silently during replay. Lines carry the workflow's id and run.
public struct WorkflowLogger: Sendable {
    let core: RunCore

    private static let logger = Logger(label: "sagamore.workflow")

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

    /// Logs a problem that the workflow handles by itself.
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
        guard Self.logger.isEnabled(level), (try? core.check()) != nil, !core.isReplaying else { return }
        let ids = ["workflow_id": core.info.workflowID, "run_id": core.info.runID]
        Self.logger.log(level: level, message(), metadata: metadata().merging(ids) { own, _ in own })
    }
}
