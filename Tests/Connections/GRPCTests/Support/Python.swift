import Foundation
import Testing

/// The Python that has grpcio, a client that is independent of this project.
enum Python {
    static let missing: Comment = "no Python with grpcio: set SAGAMORE_TEST_PYTHON, or let scripts/test-python make one"

    private static let here = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()

    /// The interpreter, searched for once; nil when there is none.
    private static let interpreter = Task { await onThread { findInterpreter() } }

    /// Whether the tests that need Python can run.
    static var isThere: Bool {
        get async { await interpreter.value != nil }
    }

    private static func findInterpreter() -> String? {
        if let path = ProcessInfo.processInfo.environment["SAGAMORE_TEST_PYTHON"] { return path }
        let script = here.appending(path: "../../../scripts/test-python").standardized
        guard FileManager.default.isExecutableFile(atPath: script.path) else { return nil }
        let process = Process()
        process.executableURL = script
        let output = Pipe()
        process.standardOutput = output
        guard (try? process.run()) != nil else { return nil }
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        let path = text.trimmingCharacters(in: .whitespacesAndNewlines)
        return process.terminationStatus == 0 && !path.isEmpty ? path : nil
    }

    /// Runs a scenario to its end and decodes its last line.
    ///
    /// - Parameter script: `client.py` makes calls, `frames.py` speaks bare HTTP/2.
    static func run<Result: Decodable>(
        _ scenario: String,
        _ port: Int,
        _ argument: String = "",
        script: String = "client.py",
        as type: Result.Type = Result.self
    ) async throws -> Result {
        try await start(scenario, port, argument, script: script).result()
    }

    /// Runs a scenario that makes one call.
    static func outcome(_ scenario: String, _ port: Int, _ argument: String = "") async throws -> CallOutcome {
        try await run(scenario, port, argument)
    }

    /// Starts a scenario that exchanges lines with the test.
    static func start(
        _ scenario: String,
        _ port: Int,
        _ argument: String = "",
        script: String = "client.py"
    ) async throws -> Conversation {
        let path = try #require(await interpreter.value)
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = ["-B", here.appending(path: "Python/\(script)").path, scenario, String(port), argument]
        return try Conversation(process)
    }

    /// A running scenario.
    struct Conversation: ~Copyable {
        private let process: Process
        private let input = Pipe()
        private var lines: AsyncStream<String>.Iterator

        fileprivate init(_ process: Process) throws {
            self.process = process
            let output = Pipe()
            process.standardInput = input
            process.standardOutput = output
            try process.run()
            let (stream, continuation) = AsyncStream<String>.makeStream()
            lines = stream.makeAsyncIterator()
            Thread.detachNewThread {
                var rest = Data()
                while true {
                    let more = output.fileHandleForReading.availableData
                    if more.isEmpty { break }
                    rest += more
                    while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                        continuation.yield(String(decoding: rest[..<end], as: UTF8.self))
                        rest = Data(rest[(end + 1)...])
                    }
                }
                process.waitUntilExit()
                continuation.finish()
            }
        }

        deinit {
            if process.isRunning { process.terminate() }
        }

        /// The scenario's next line; nil at its end.
        mutating func nextLine() async -> String? { await lines.next() }

        /// Lets a waiting scenario continue.
        func goOn() throws { try input.fileHandleForWriting.write(contentsOf: Data("\n".utf8)) }

        /// Decodes the scenario's last line.
        consuming func result<Result: Decodable>(_ type: Result.Type = Result.self) async throws -> Result {
            var last: String?
            while let line = await lines.next() { last = line }
            let text = try #require(last, "the Python client printed nothing")
            return try JSONDecoder().decode(Result.self, from: Data(text.utf8))
        }
    }
}

/// How one call ended, as reported by the Python client.
struct CallOutcome: Decodable, Equatable {
    var code: String
    var answer: String?
    var message: String?
    var details: [UInt8]?
}

/// Runs a blocking body on a new thread, so that the test's own pool stays free.
func onThread<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
    await withCheckedContinuation { continuation in
        Thread.detachNewThread { continuation.resume(returning: body()) }
    }
}
