internal import Foundation

/// An authority that signs certificates for tests, in a folder of its own that is removed with it.
package final class TestAuthority {
    /// The folder of all files.
    package let folder: String
    /// The authority's own certificate.
    package var root: String { folder + "/root.pem" }

    /// A certificate with its key, as files.
    package struct Signed {
        package let certificate: String
        package let key: String
        /// The key, followed by the certificate: the form of Kafka's key stores.
        package let both: String
    }

    package struct Failure: Error, CustomStringConvertible { package let description: String }

    package init() throws {
        folder = NSTemporaryDirectory() + "sagamore-authority-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Self.openssl(
            ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
                + ["-subj", "/CN=authority", "-keyout", "root-key.pem", "-out", "root.pem"],
            in: folder
        )
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// A certificate for a name and an address.
    package func sign(_ name: String, address: String = "127.0.0.1") throws -> Signed {
        try Self.openssl(
            ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=\(name)"]
                + ["-keyout", "\(name)-key.pem", "-out", "\(name).csr"],
            in: folder
        )
        try "subjectAltName=IP:\(address),DNS:localhost\n"
            .write(toFile: "\(folder)/\(name).ext", atomically: true, encoding: .utf8)
        try Self.openssl(
            ["x509", "-req", "-in", "\(name).csr", "-CA", "root.pem", "-CAkey", "root-key.pem", "-CAcreateserial"]
                + ["-days", "2", "-extfile", "\(name).ext", "-out", "\(name).pem"],
            in: folder
        )
        let signed = Signed(
            certificate: "\(folder)/\(name).pem",
            key: "\(folder)/\(name)-key.pem",
            both: "\(folder)/\(name)-both.pem"
        )
        let texts = try [signed.key, signed.certificate].map { try String(contentsOfFile: $0, encoding: .utf8) }
        try texts.joined().write(toFile: signed.both, atomically: true, encoding: .utf8)
        return signed
    }

    private static func openssl(_ arguments: [String], in folder: String) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        process.currentDirectoryURL = URL(filePath: folder)
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(description: "openssl \(arguments.joined(separator: " ")) failed")
        }
    }
}
