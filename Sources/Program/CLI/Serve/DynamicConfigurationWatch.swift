internal import SagamoreConfiguration
internal import SagamoreLogging
internal import SagamoreServer
internal import SagamoreThreads

/// Puts the limits of the dynamic configuration in force when its file changes.
struct DynamicConfigurationWatch: Sendable {
    let path: String
    let configuration: Configuration
    let limits: ServerLimits
    let log: Logger

    /// How often the file is read.
    static let interval = Duration.seconds(1)

    /// Watches on a thread of its own until the signal is given.
    func start(until stopSignal: StopSignal) {
        _ = SystemThread.required("dynamic-config") {
            var current = try? DynamicConfigurationFile.text(of: path)
            while stopSignal.wait(for: Self.interval) == nil {
                guard let text = try? DynamicConfigurationFile.text(of: path), text != current else { continue }
                current = text
                do throws(ConfigurationError) {
                    let dynamic = try DynamicConfigurationFile.decode(text, path: path)
                    limits.replace(dynamic.limits, dynamic.requestLimits(over: configuration.limits.table))
                    log.notice("the dynamic configuration was read again", metadata: ["file": "\(path)"])
                    DynamicConfigurationWarning.write(dynamic, log)
                } catch {
                    log.error("the dynamic configuration cannot be used", metadata: ["error": "\(error)"])
                }
            }
        }
    }
}
