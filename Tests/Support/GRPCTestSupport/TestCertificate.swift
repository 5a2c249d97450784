internal import Foundation

/// A certificate for `sagamore.test`, made when a test needs it.
package struct TestCertificate: Sendable {
    package var chain: String
    package var key: String

    private static let program = "/usr/bin/openssl"

    package static var isPossible: Bool { FileManager.default.isExecutableFile(atPath: program) }

    /// Nil when openssl fails.
    package static func make() -> TestCertificate? {
        let folder = FileManager.default.temporaryDirectory.appending(path: "sagamore-grpc-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let process = Process()
            process.executableURL = URL(filePath: program)
            process.currentDirectoryURL = folder
            process.standardError = FileHandle.nullDevice
            process.arguments = [
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "chain.pem", "-days",
                "2", "-subj", "/CN=sagamore.test", "-addext", "subjectAltName=DNS:sagamore.test",
            ]
            try process.run()
            process.waitUntilExit()
            return TestCertificate(
                chain: try String(contentsOf: folder.appending(path: "chain.pem"), encoding: .utf8),
                key: try String(contentsOf: folder.appending(path: "key.pem"), encoding: .utf8)
            )
        } catch {
            return nil
        }
    }
}
