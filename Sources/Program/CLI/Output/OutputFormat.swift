internal import SagamoreCommandLineArguments

/// The output format.
enum OutputFormat: String, CaseIterable, ExpressibleByArgument {
    /// For people.
    case text
    /// For programs: JSON, one value per line when there are several.
    case json

    static let option = Option<OutputFormat>(
        "--output",
        "-o",
        valueName: "FORMAT",
        default: .text,
        help: "The output format."
    )
}
