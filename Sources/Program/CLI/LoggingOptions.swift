internal import SagamoreCommandLineArguments
internal import SagamoreLogging

/// The logging options.
enum LoggingOptions {
    /// The levels of `--log-level`.
    enum Level: String, CaseIterable, ExpressibleByArgument {
        case error, warning, info, debug

        var level: Logger.Level {
            switch self {
            case .error: .error
            case .warning: .warning
            case .info: .info
            case .debug: .debug
            }
        }
    }

    /// The formats of `--log-format`.
    enum Format: String, CaseIterable, ExpressibleByArgument {
        case text, json
    }

    static let level = Option<Level>("--log-level", valueName: "LEVEL", default: .warning, help: "The lowest level.")
    static let format = Option<Format>(
        "--log-format",
        valueName: "FORMAT",
        default: .text,
        help: "The log format."
    )

    /// Configures logging to standard error.
    static func bootstrap(_ values: ParsedValues) {
        LoggingSystem.bootstrap(
            level: values[level].level,
            format: values[format] == .json ? .json : .text
        )
    }
}
