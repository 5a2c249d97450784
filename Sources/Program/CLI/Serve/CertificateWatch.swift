internal import Glibc
internal import SagamoreConfiguration
internal import SagamoreGRPC
internal import SagamoreLogging
internal import SagamoreServer
internal import SagamoreThreads

/// Takes over certificates whose files have changed.
struct CertificateWatch: Sendable {
    let listener: ServerListener
    let section: TLSSection
    let certificates: ServerCertificates
    let log: Logger

    /// How often the files are read.
    static let interval = Duration.seconds(1)

    /// Watches on a thread of its own until the signal is given.
    func start(until stopSignal: StopSignal) {
        _ = SystemThread.required("certificates") {
            var current = try? section.settings()
            while stopSignal.wait(for: Self.interval) == nil {
                guard let found = try? section.settings(), found != current else { continue }
                current = found
                take(found)
            }
        }
    }

    private func take(_ tls: GRPCServerConfiguration.TLS) {
        do {
            let report = try CertificateReport(tls, now: Int64(time(nil)))
            try certificates.replace(tls, of: listener)
            log.notice(
                "the certificate was renewed",
                metadata: ["listener": "\(listener.rawValue)", "expires": "\(CertificateReport.day(report.expiresAt))"]
            )
        } catch {
            log.error("the certificate's files have changed and cannot be used", metadata: ["error": "\(error)"])
        }
    }
}
