internal import SagamoreCommandLineArguments
internal import SagamoreServer

/// Finds the services for commands: by a flag, an environment variable, or the `sagamore dev` that runs here.
enum Places {
    static let dataFolder = Option<String>(
        "--data-dir",
        valueName: "DIR",
        default: DevConfiguration.defaultDataFolder,
        help: "The data folder of the running 'sagamore dev' to use when no address is given."
    )
    static let address = Option<String?>(
        "--address",
        valueName: "HOST:PORT",
        environment: ["SAGAMORE_ADDRESS", "TEMPORAL_ADDRESS"],
        help: "The gRPC address. Default: the running 'sagamore dev', or 127.0.0.1:7233."
    )
    static let namespace = Option<String>(
        "--namespace",
        "-n",
        valueName: "NAME",
        default: "default",
        environment: ["SAGAMORE_NAMESPACE", "TEMPORAL_NAMESPACE"],
        help: "The namespace."
    )
    static let kafka = Option<String?>(
        "--kafka",
        valueName: "HOST:PORT",
        environment: ["SAGAMORE_KAFKA"],
        help: "The Kafka bootstrap brokers. Default: those of the running 'sagamore dev'."
    )

    static func address(_ values: ParsedValues) -> String {
        values[address] ?? DevFile.ofRunning(in: values[dataFolder])?.grpc ?? "127.0.0.1:7233"
    }

    /// - Throws: `UsageError` when the address is unknown.
    static func kafka(_ values: ParsedValues) throws(UsageError) -> String {
        if let given = values[kafka] { return given }
        guard let file = DevFile.ofRunning(in: values[dataFolder]) else {
            throw UsageError(
                "no Kafka address is set, and no 'sagamore dev' is running on \(values[dataFolder])",
                hint: "Start 'sagamore dev' here, or set --kafka or SAGAMORE_KAFKA"
            )
        }
        guard let kafka = file.kafka else {
            throw UsageError("the running 'sagamore dev' has no Kafka", hint: "Set --kafka")
        }
        return kafka
    }
}
