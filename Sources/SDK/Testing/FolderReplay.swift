internal import FoundationEssentials
internal import Glibc
public import Sagamore

/// A history that the present code does not fit, or that could not be replayed.
public struct FailedReplay: Error, CustomStringConvertible {
    /// The history's file, below the folder that was replayed.
    public let file: String
    /// What ``WorkflowReplayer/replay(_:)`` or the reading of the file has thrown.
    public let error: any Error

    /// The file and what is wrong.
    public var description: String { "\(file): \(error)" }
}

/// How far the replay of several histories is.
public struct ReplayProgress: Sendable, Hashable, CustomStringConvertible {
    /// How many histories have been replayed.
    public let replayed: Int
    /// How many there are.
    public let total: Int
    /// How many of those that were replayed have failed.
    public let failed: Int

    /// As one line for people.
    public var description: String {
        let share = total == 0 ? 100 : replayed * 100 / total
        return "replayed \(replayed) of \(total) histories (\(share) %)" + (failed == 0 ? "" : ", \(failed) failed")
    }
}

extension WorkflowReplayer {
    /// Replays the histories in a folder: every file whose name ends with `.json`, also in folders below, in the order
    /// of their paths. One that fails does not keep the others from being replayed.
    ///
    /// On a terminal a line on standard error shows how far it is.
    ///
    /// - Parameter onProgress: called behind each history, instead of that line.
    /// - Returns: what has failed.
    /// - Throws: ``ReplayError`` when the folder cannot be read, or holds no history.
    public func replay(
        folder: String,
        onProgress: ((ReplayProgress) -> Void)? = nil
    ) throws -> [FailedReplay] {
        let files = try Self.files(in: folder)
        let line = onProgress == nil && isatty(2) == 1 ? ProgressLine() : nil
        defer { line?.end() }
        var failures: [FailedReplay] = []
        for (index, file) in files.enumerated() {
            do { try replay(WorkflowHistory(contentsOfFile: "\(folder)/\(file)")) } catch {
                failures.append(FailedReplay(file: file, error: error))
            }
            let progress = ReplayProgress(replayed: index + 1, total: files.count, failed: failures.count)
            onProgress?(progress)
            line?.show(progress)
        }
        return failures
    }

    private static func files(in folder: String) throws -> [String] {
        let paths: [String]
        do { paths = try FileManager.default.subpathsOfDirectory(atPath: folder) } catch {
            throw ReplayError(code: .badFolder, message: "the folder '\(folder)' cannot be read: \(error)")
        }
        let files = paths.filter { $0.hasSuffix(".json") }.sorted()
        guard !files.isEmpty else {
            throw ReplayError(code: .badFolder, message: "the folder '\(folder)' has no file '*.json'")
        }
        return files
    }
}

/// A line on a terminal that is written anew, ten times a second at most.
private final class ProgressLine {
    private var shownAt: ContinuousClock.Instant?

    func show(_ progress: ReplayProgress) {
        let now = ContinuousClock.now
        if let shownAt, now - shownAt < .milliseconds(100), progress.replayed < progress.total { return }
        shownAt = now
        write(progress.description)
    }

    func end() { write("") }

    private func write(_ text: String) {
        let bytes = Array("\r\u{1b}[K\(text)".utf8)
        _ = Glibc.write(2, bytes, bytes.count)
    }
}
