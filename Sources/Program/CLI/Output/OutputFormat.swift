internal import SagamoreCommandLineArguments

/// The form of results.
enum OutputFormat: String, CaseIterable, ExpressibleByArgument {
    /// For people.
    case text
    /// For programs: JSON, one value a line where there are many.
    case json

    static let option = Option<OutputFormat>(
        "--output",
        "-o",
        valueName: "FORMAT",
        default: .text,
        help: "The output format."
    )
}
