import Foundation

/// Certificates for tests, made by the `openssl` command.
enum Certificates {
    /// Writes `server.pem` (valid for 20 days), `server-key.pem`, `other-key.pem`, and `old.pem`, which has expired.
    static func write(to folder: String) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        try openssl(
            ["req", "-x509"] + key + ["-subj", "/CN=localhost", "-days", "20", "-out", "server.pem"]
                + ["-keyout", "server-key.pem"],
            in: folder
        )
        try openssl(
            ["req", "-x509"] + key + ["-subj", "/CN=x", "-out", "other.pem", "-keyout", "other-key.pem"],
            in: folder
        )
        try openssl(["req", "-new", "-key", "server-key.pem", "-subj", "/CN=old", "-out", "old.csr"], in: folder)
        try openssl(
            ["x509", "-req", "-in", "old.csr", "-signkey", "server-key.pem", "-days", "-1", "-out", "old.pem"],
            in: folder
        )
    }

    private static func openssl(_ arguments: [String], in folder: String) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure(description: "openssl \(arguments)") }
    }

    struct Failure: Error { let description: String }
}
