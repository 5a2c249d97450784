internal import Glibc
internal import SagamoreAuthorization
internal import SagamoreCommandLineArguments
internal import SagamoreConfiguration
internal import SagamoreEngine
internal import SagamoreLogging
internal import SagamoreServer
internal import SagamoreThreads

/// `sagamore serve`.
enum ServeCommand {
    static let file = Option<String>(
        "--config",
        valueName: "FILE",
        environment: ["SAGAMORE_CONFIG"],
        help: "The configuration; 'sagamore config default' prints one."
    )
    static let isCheck = Flag(
        "--check",
        help: "Check the configuration, reach PostgreSQL and Kafka, print what is in effect, and exit."
    )

    static let command = Command(
        "serve",
        abstract: "Run the services from a configuration file.",
        discussion: """
            SIGTERM and SIGINT stop the services in order. SIGHUP reads the file again for the log's level, the API \
            keys and the permissions; certificates, key sets and the dynamic configuration are taken over when \
            their files change, and everything else needs a restart. Exit status: 0 after a stop, 1 when the \
            services cannot go on, 2 for a mistake in the configuration. Example:
            sagamore serve --config sagamore.yaml --check
            """,
        parameters: [file, isCheck, OutputFormat.option]
    ) { values in
        let path = values[file]
        let read = try read(path)
        if values[isCheck] {
            let format = values[OutputFormat.option]
            return try await Program.blocking { try ServeCheck(read.configuration, read.dynamic).run(format) }
        }
        let log = read.configuration.log
        LoggingSystem.bootstrap(
            level: log.level.level,
            format: log.format == .json ? .json : .text,
            metadata: ["node": "\(read.configuration.nodeName)"]
        )
        DynamicConfigurationWarning.write(read.dynamic, Logger(label: "serve"))
        try await SystemThread.run("serve") { try run(path, read) }
    }

    /// A configuration that is valid, with the limits of the file that it names.
    struct Read: Sendable {
        let configuration: Configuration
        let dynamic: DynamicConfiguration
    }

    /// Says what is wrong with the configuration.
    /// - Throws: `ExitCode.usage`.
    static func read(_ path: String) throws(ExitCode) -> Read {
        do throws(ConfigurationError) {
            let configuration = try ConfigurationFile.read(path, environment: EnvironmentVariables.all)
            var dynamic = DynamicConfiguration()
            if let file = configuration.dynamicConfig { dynamic = try DynamicConfigurationFile.read(file.path) }
            return Read(configuration: configuration, dynamic: dynamic)
        } catch {
            StandardError.write("sagamore: \(error)\n")
            throw .usage
        }
    }

    private static func run(_ path: String, _ read: Read) throws {
        let log = Logger(label: "serve")
        let configuration = read.configuration
        CertificateWarning.write(configuration, log)
        if let warning = configuration.kafka?.warning { log.warning("\(warning)") }
        let stopSignal = StopSignal()
        let server = Server(try configuration.serverConfiguration(dynamic: read.dynamic), stopSignal: stopSignal)
        let certificates = server.certificates
        for (listener, section) in configuration.certificates {
            CertificateWatch(listener: listener, section: section, certificates: certificates, log: log)
                .start(until: stopSignal)
        }
        if let path = configuration.dynamicConfig?.path {
            DynamicConfigurationWatch(path: path, configuration: configuration, limits: server.limits, log: log)
                .start(until: stopSignal)
        }
        let service = ServiceRun(
            log: log,
            warning: "still stopping; interrupt again to exit now",
            onHangUp: { [authenticator = server.authenticator] in reload(path, authenticator, log) }
        )
        try service.run(
            stopSignal,
            start: {
                try server.start()
                log.notice(
                    "ready",
                    metadata: [
                        "version": "\(SagamoreVersion.current)",
                        "grpc": "\(configuration.grpc.host):\(server.grpcPort)",
                        "kafka": "\(configuration.kafka?.bootstrap ?? "none")",
                    ]
                )
            },
            stop: { server.stop() }
        )
    }

    /// Takes the log's level and who may call from the file as it is now. A mistake changes nothing.
    private static func reload(_ path: String, _ authenticator: Authenticator?, _ log: Logger) {
        do {
            let configuration = try ConfigurationFile.read(path, environment: EnvironmentVariables.all)
            LoggingSystem.level = configuration.log.level.level
            if let rules = configuration.authorization?.rules { authenticator?.replace(rules) }
            if (authenticator == nil) != (configuration.authorization == nil) {
                log.warning("'authorization' comes and goes by a restart only")
            }
            CertificateWarning.write(configuration, log)
            log.notice("the configuration was read again", metadata: ["file": "\(path)"])
        } catch {
            log.error("the configuration was not read again, and nothing changes", metadata: ["error": "\(error)"])
        }
    }
}

extension LogSection.Level {
    /// The level of the same name.
    var level: Logger.Level { Logger.Level(rawValue: rawValue) ?? .info }
}

/// The variables of this process.
enum EnvironmentVariables {
    static var all: [String: String] {
        var variables: [String: String] = [:]
        var entry = environ
        while let text = entry.pointee.map({ String(cString: $0) }) {
            entry += 1
            guard let separator = text.firstIndex(of: "=") else { continue }
            variables[String(text[..<separator])] = String(text[text.index(after: separator)...])
        }
        return variables
    }
}
