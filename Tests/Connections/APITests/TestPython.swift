import Foundation

/// The Python with the official SDK and its descriptors.
enum TestPython {
    /// The folder of the package.
    static let repository = URL(filePath: #filePath).appending(path: "../../../..").standardized

    /// Its path, from `scripts/test-python`, which creates it if it is missing.
    private static let path = Result {
        let script = Self.repository.appending(path: "scripts/test-python").path
        let output = try Self.run(executable: "/usr/bin/env", ["python3", script])
        return output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Runs `exchange.py` and returns what it prints.
    static func exchange(_ arguments: [String]) throws -> String {
        let script = Self.repository.appending(path: "Tests/Connections/APITests/exchange.py").path
        return try self.run(executable: self.path.get(), [script] + arguments)
    }

    private static func run(executable: String, _ arguments: [String]) throws -> String {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: executable)
        process.arguments = arguments
        process.standardOutput = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw ExchangeError("\(arguments.first ?? executable) ended \(process.terminationStatus): \(text)")
        }
        return text
    }

    /// Calls `body` with a folder that is removed afterwards.
    static func withFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
        let folder = FileManager.default.temporaryDirectory.appending(path: "exchange-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        return try body(folder)
    }
}
