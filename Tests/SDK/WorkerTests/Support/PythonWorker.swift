import Foundation
import Testing

/// The worker of `Python/worker.py` as a process of its own.
final class PythonWorker: Sendable {
    static let missing: Comment =
        "no Python with temporalio: set SAGAMORE_TEST_PYTHON, or let scripts/test-python make one"

    static var python: String? {
        if let path = ProcessInfo.processInfo.environment["SAGAMORE_TEST_PYTHON"] { return path }
        let root = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../../..").standardizedFileURL
        let path = root.appendingPathComponent(".build/python/bin/python").path
        return FileManager.default.isExecutableFile(atPath: path) ? path : nil
    }

    private let process: Process
    private let input = Pipe()

    /// Starts it and waits until it works.
    init(address: String, queue: String, swiftQueue: String) throws {
        let script = URL(fileURLWithPath: #filePath).appendingPathComponent("../../Python/worker.py")
        process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(Self.python))
        process.arguments = [script.standardizedFileURL.path, address, queue, swiftQueue]
        process.standardInput = input
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        var said: [UInt8] = []
        while !said.contains(10) {
            let more = output.fileHandleForReading.availableData
            try #require(!more.isEmpty, "the Python worker did not start")
            said += more
        }
    }

    /// Lets it end, which it does soon.
    func stop() { try? input.fileHandleForWriting.close() }
}
