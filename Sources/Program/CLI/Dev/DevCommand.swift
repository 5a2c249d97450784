internal import SagamoreCommandLineArguments
internal import SagamoreEngine
internal import SagamoreGRPCFront
internal import SagamoreLogging
internal import SagamoreServer
internal import SagamoreThreads

/// `sagamore dev`.
enum DevCommand {
    static let ip = Option<String>("--ip", default: "127.0.0.1", help: "The address to listen on.")
    static let port = Option<UInt16>("--port", default: 7233, help: "The gRPC port; 0 picks a free port.")
    static let httpPort = Option<UInt16>(
        "--http-port",
        default: 8233,
        help: "The port of /healthz, /readyz and /metrics (no web UI yet); 0 picks a free port."
    )
    static let dataFolder = Option<String?>(
        "--data-dir",
        valueName: "DIR",
        help: "The folder for the database and dev.json. Default: .sagamore."
    )
    static let namespaces = Option<[String]>(
        "--namespace",
        valueName: "NAME",
        environment: ["SAGAMORE_NAMESPACE"],
        help: "A namespace to create in addition to 'default'."
    )
    static let searchAttributes = Option<[String]>(
        "--search-attribute",
        valueName: "NAME=TYPE",
        help: "A search attribute that each of these namespaces gets. TYPE is \(SearchAttributeType.expectation)."
    )
    static let kafka = Option<String?>(
        "--kafka-bootstrap",
        valueName: "HOST:PORT",
        environment: ["SAGAMORE_KAFKA"],
        help: "Use this Kafka cluster instead of the development broker."
    )
    static let postgres = Option<String?>(
        "--postgres",
        valueName: "URL",
        environment: ["SAGAMORE_POSTGRES"],
        isSensitive: true,
        help: "Use this database instead of a private PostgreSQL."
    )
    static let isTimeSkipping = Flag("--time-skipping", help: "Not available yet.")
    static let dynamicValues = Option<[String]>(
        "--dynamic-config-value",
        valueName: "KEY=VALUE",
        help: "Set a limit by the key that Temporal's dynamic configuration has for it."
    )
    static let isEphemeral = Flag("--ephemeral", help: "Use a fresh data folder and remove it at exit.")

    static let command = Command(
        "dev",
        abstract: "Run everything on this machine, without setup.",
        discussion: """
            Starts a private PostgreSQL, a development Kafka broker and the services, prints their addresses (also \
            in DATA_DIR/dev.json), and stops everything on Ctrl-C. The development broker supports only clients \
            built on librdkafka and keeps its records in memory; use --kafka-bootstrap for a real cluster. Example:
            sagamore dev --namespace shop --ephemeral
            """,
        parameters: [
            ip, port, httpPort, dataFolder, namespaces, searchAttributes, kafka, postgres, LoggingOptions.level,
            LoggingOptions.format,
            isEphemeral, isTimeSkipping, dynamicValues,
        ]
    ) { values in
        if values[isTimeSkipping] { throw Unavailable.refusal("dev --time-skipping") }
        let dynamic = try dynamicConfiguration(values)
        let configuration = try configuration(values, dynamic)
        LoggingOptions.bootstrap(values)
        DynamicConfigurationWarning.write(dynamic, Logger(label: "dev"))
        try await SystemThread.run("dev") { try run(configuration) }
    }

    private static func configuration(
        _ values: ParsedValues,
        _ dynamic: DynamicConfiguration
    ) throws(UsageError) -> DevConfiguration {
        var configuration = DevConfiguration()
        configuration.limits = dynamic.limits
        configuration.requestLimits = dynamic.requestLimits(over: RequestLimitTable())
        configuration.host = values[ip]
        configuration.grpcPort = Int(values[port])
        configuration.httpPort = Int(values[httpPort])
        configuration.isEphemeral = values[isEphemeral]
        configuration.dataFolder =
            values[dataFolder] ?? (values[isEphemeral] ? nil : DevConfiguration.defaultDataFolder)
        configuration.namespaces = (["default"] + values[namespaces]).reduce(into: []) { names, name in
            if !names.contains(name) { names.append(name) }
        }
        for text in values[searchAttributes] {
            let parts = text.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, let type = SearchAttributeType(named: String(parts[1])) else {
                throw UsageError(
                    "'--search-attribute' expects NAME=TYPE with the type \(SearchAttributeType.expectation),"
                        + " not '\(text)'"
                )
            }
            configuration.searchAttributes[String(parts[0])] = type
        }
        configuration.kafkaBootstrap = values[kafka]
        configuration.postgresURL = values[postgres]
        return configuration
    }

    private static func dynamicConfiguration(_ values: ParsedValues) throws(UsageError) -> DynamicConfiguration {
        var dynamic = DynamicConfiguration()
        for setting in values[dynamicValues] {
            do throws(ServerError) { try dynamic.set(setting) } catch { throw UsageError("\(error)") }
        }
        return dynamic
    }

    private static func run(_ configuration: DevConfiguration) throws {
        let stopSignal = StopSignal()
        let server = DevServer(configuration, stopSignal: stopSignal)
        let service = ServiceRun(
            log: Logger(label: "dev"),
            warning: "still stopping; interrupt again to exit now and leave PostgreSQL to the next start"
        )
        try service.run(
            stopSignal,
            start: {
                let file = try server.start()
                DevAnnouncement(file: file, configuration: configuration, dataFolder: server.dataFolder ?? "").print()
            },
            stop: { server.stop() }
        )
    }
}
