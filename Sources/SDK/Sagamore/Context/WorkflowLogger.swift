internal import SagamoreLogging

/// Writes log lines of workflow code: each once, whenever the code is repeated. Lines carry the workflow's id and run.
public struct WorkflowLogger: Sendable {
    let core: RunCore

    private static let logger = Logger(label: "sagamore.workflow")

    /// What helps who develops or looks for the cause of a failure.
    public func debug(_ message: @autoclosure () -> String, metadata: @autoclosure () -> [String: String] = [:]) {
        log(.debug, message, metadata)
    }

    /// What an operator may want to know.
    public func info(_ message: @autoclosure () -> String, metadata: @autoclosure () -> [String: String] = [:]) {
        log(.info, message, metadata)
    }

    /// Something is wrong and the workflow carries on by itself.
    public func warning(_ message: @autoclosure () -> String, metadata: @autoclosure () -> [String: String] = [:]) {
        log(.warning, message, metadata)
    }

    /// Something failed.
    public func error(_ message: @autoclosure () -> String, metadata: @autoclosure () -> [String: String] = [:]) {
        log(.error, message, metadata)
    }

    private func log(_ level: Logger.Level, _ message: () -> String, _ metadata: () -> [String: String]) {
        guard Self.logger.isEnabled(level), (try? core.check()) != nil, !core.isReplaying else { return }
        let ids = ["workflow_id": core.info.workflowID, "run_id": core.info.runID]
        Self.logger.log(level: level, message(), metadata: metadata().merging(ids) { own, _ in own })
    }
}
