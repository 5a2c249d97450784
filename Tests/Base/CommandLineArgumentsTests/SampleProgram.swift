import SagamoreCommandLineArguments

/// A sample program, structured like Sagamore's.
enum SampleProgram {
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case table, json
    }

    enum Level: String, ExpressibleByArgument, CaseIterable {
        case error, warning, info, debug
    }

    static let ip = Option<String>("--ip", default: "127.0.0.1", help: "The address to listen on.")
    static let port = Option<UInt16>(
        "--port",
        "-p",
        default: 7233,
        environment: ["SAGAMORE_PORT", "TEMPORAL_PORT"],
        help: "Where gRPC listens."
    )
    static let namespaces = Option<[String]>("--namespace", default: ["default"], help: "A namespace to make.")
    static let postgres = Option<String?>(
        "--postgres",
        valueName: "URL",
        environment: ["SAGAMORE_POSTGRES"],
        isSensitive: true,
        help: "A PostgreSQL to use instead of the embedded one."
    )
    static let level = Option<Level>("--log-level", default: .info, help: "The least severe lines to write.")
    static let ephemeral = Flag("--ephemeral", environment: ["SAGAMORE_EPHEMERAL"], help: "Keep nothing.")
    static let configuration = Option<String>("--config", valueName: "FILE", help: "What to serve.")
    static let file = Argument<String?>("FILE", help: "The command as JSON; '-' is standard input.")
    static let workflow = Argument<String>("ID", help: "The workflow's id.")
    static let event = Argument<Int?>("EVENT", help: "One event only.")
    static let topics = Argument<[String]>("TOPIC", help: "What to read.")
    static let offset = Option<Int?>("--offset", help: "Where to start.")
    static let output = Option<Format>("--output", "-o", default: .table, help: "The form of what is printed.")

    static let command = Command(
        "sagamore",
        abstract: "Durable sagas.",
        version: "sagamore 1.2.3",
        subcommands: [
            Command(
                "dev",
                abstract: "Everything on this machine.",
                discussion: "Starts what it needs and stops it at the end.",
                parameters: [ip, port, namespaces, postgres, level, ephemeral],
                action: { _ in }
            ),
            Command("serve", abstract: "The services for real.", parameters: [configuration], action: { _ in }),
            Command(
                "command",
                abstract: "Commands for workflows.",
                subcommands: [
                    Command("publish", abstract: "Send one.", parameters: [file, output], action: { _ in })
                ]
            ),
            Command(
                "events",
                abstract: "What came of them.",
                subcommands: [
                    Command("tail", abstract: "Follow.", parameters: [topics, offset, output], action: { _ in })
                ]
            ),
            Command(
                "workflow",
                abstract: "Workflows.",
                subcommands: [
                    Command("show", abstract: "A history.", parameters: [workflow, event, output], action: { _ in })
                ]
            ),
        ]
    )

    static func values(_ line: String, environment: [String: String] = [:]) throws(UsageError) -> ParsedValues {
        switch try command.parse(line.split(separator: " ").map(String.init), environment: environment) {
        case .run(_, let values): return values
        case .show(let text): throw UsageError("shows: \(text)")
        }
    }

    static func text(_ line: String, columns: Int = 100) throws(UsageError) -> String {
        switch try command.parse(line.split(separator: " ").map(String.init), environment: [:], columns: columns) {
        case .run(let command, _): throw UsageError("runs \(command.name)")
        case .show(let text): return text
        }
    }

    static func error(_ line: String, environment: [String: String] = [:]) -> String? {
        do {
            _ = try values(line, environment: environment)
            return nil
        } catch {
            return error.description
        }
    }
}
