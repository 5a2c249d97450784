import Foundation
package import SagamoreJSONText
import Testing

/// A folder of one test.
package final class TemporaryFolder: Sendable {
    package let path: String

    package init() throws {
        path = "/tmp/sagamore-cli-tests-\(UUID().uuidString)"
        // The database's user has to pass through when the tests run as root.
        try FileManager.default.createDirectory(
            atPath: path,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o711]
        )
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// A `sagamore dev` that is ready.
package struct DevProgram: Sendable {
    package let program: RunningProgram
    package let dataFolder: String

    private static let sharedDev = Result { try DevProgram(dataFolder: "/tmp/sagamore-cli-tests-\(UUID().uuidString)") }

    /// One that all tests share and none stops: it ends with the tests.
    package static func shared() throws -> DevProgram { try sharedDev.get() }

    package init(dataFolder: String, options: [String] = ["--ephemeral"]) throws {
        self.dataFolder = dataFolder
        program = try RunningProgram(["dev", "--port", "0", "--http-port", "0", "--data-dir", dataFolder] + options)
        try waitUntilReady()
    }

    package func waitUntilReady() throws {
        try program.wait(until: { program.output.contains("Ctrl-C stops everything.\n") })
    }

    /// What `dev.json` says.
    package func file() throws -> JSONValue {
        try JSONValue.parse([UInt8](try Data(contentsOf: URL(fileURLWithPath: dataFolder + "/dev.json"))))
    }

    /// Where its services listen: `host:port`.
    package func address() throws -> String {
        try #require(try file()["grpc"]?.string)
    }

    /// Runs a command against it.
    package func run(_ arguments: String..., input: String? = nil) throws -> Outcome {
        try sagamore(arguments + ["--data-dir", dataFolder], input: input)
    }

    /// Stops it as Ctrl-C does.
    @discardableResult
    package func stop() -> Int32 {
        program.signal(SIGINT)
        return program.status()
    }
}

/// Whether a process runs; one that has ended and that nobody has asked about does not.
package func isThere(_ pid: Int64) -> Bool {
    guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return false }
    return text.split(separator: ")").last?.split(separator: " ").first != "Z"
}

package func fileExists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }
