import Foundation
import Sagamore

/// A log of every activity attempt, for tests that kill things: one JSON line when an attempt starts and one when it
/// returns. An attempt that throws has only the first.
///
/// Several processes can share the file: each line is a single write to a file that is opened for appending.
final class ActivityLog: Sendable {
    private let file: Int32

    /// Opens the file, creating it if necessary.
    init(path: String) throws {
        file = open(path, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        guard file >= 0 else { throw CocoaError(.fileWriteUnknown, userInfo: [NSFilePathErrorKey: path]) }
    }

    deinit { close(file) }

    private struct Line: Encodable {
        let workflowID: String
        let runID: String
        let activity: String
        let attempt: Int
        let phase: String
        let given: Double
        let time: Double
        let pid: Int32

        enum CodingKeys: String, CodingKey {
            case workflowID = "workflow_id"
            case runID = "run_id"
            case activity, attempt, phase, given, time, pid
        }
    }

    func write(_ info: ActivityInfo, _ phase: String) {
        let line = Line(
            workflowID: info.workflowID,
            runID: info.runID,
            activity: info.type,
            attempt: info.attempt,
            phase: phase,
            given: info.startedAt.timeIntervalSince1970,
            time: Date().timeIntervalSince1970,
            pid: ProcessInfo.processInfo.processIdentifier
        )
        guard var bytes = try? JSONEncoder().encode(line) else { return }
        bytes.append(10)
        _ = bytes.withUnsafeBytes { Foundation.write(file, $0.baseAddress, $0.count) }
    }
}
