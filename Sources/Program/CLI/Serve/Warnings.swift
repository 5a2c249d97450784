internal import SagamoreCommandLineArguments
internal import SagamoreConfiguration
internal import SagamoreLogging
internal import SagamoreServer

/// Temporal's server has many more keys. What sets one of those starts all the same.
enum DynamicConfigurationWarning {
    static func write(_ dynamic: DynamicConfiguration, _ log: Logger) {
        for key in dynamic.unknownKeys {
            let near = Suggestion.near(to: key, among: DynamicKey.all.map(\.name)).prefix(3)
            var metadata: Logger.Metadata = ["key": "\(key)"]
            if !near.isEmpty { metadata["near"] = "\(near.joined(separator: ", "))" }
            log.warning("an unknown key of the dynamic configuration has no effect", metadata: metadata)
        }
    }
}

/// A certificate that expires soon.
enum CertificateWarning {
    static func write(_ configuration: Configuration, _ log: Logger) {
        for (listener, section) in configuration.certificates {
            guard let day = section.expiringSoon else { continue }
            log.warning(
                "a certificate expires soon: renew its files",
                metadata: [
                    "listener": "\(listener.rawValue)", "expires": "\(day)", "file": "\(section.certificate.path)",
                ]
            )
        }
    }
}
