import Foundation
import Glibc
import Testing

/// A worker in Python, of a script in `Python`, as a process of its own.
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

    /// Starts the worker of `worker.py` and waits until it works.
    convenience init(address: String, queue: String, swiftQueue: String) throws {
        try self.init("worker.py", [address, queue, swiftQueue])
    }

    /// Starts a worker and waits until it works, which it says with a line.
    init(_ script: String, _ arguments: [String]) throws {
        process = try Self.process(script, arguments)
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

    /// Kills it, and returns when the process is gone.
    func kill() {
        Glibc.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    private struct ScriptFailed: Error {
        let script: String
        let status: Int32
    }

    /// Runs a script to its end, and returns what it printed.
    static func output(of script: String, _ arguments: [String]) throws -> Data {
        let process = try process(script, arguments)
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw ScriptFailed(script: script, status: process.terminationStatus)
        }
        return data
    }

    private static func process(_ script: String, _ arguments: [String]) throws -> Process {
        let path = URL(fileURLWithPath: #filePath).appendingPathComponent("../../Python/\(script)")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(python))
        process.arguments = [path.standardizedFileURL.path] + arguments
        return process
    }
}
