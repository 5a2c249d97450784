internal import SagamoreCommandLineArguments
internal import SagamoreJSONText

/// The output format.
enum OutputFormat: String, CaseIterable, ExpressibleByArgument {
    /// For people.
    case text
    /// For programs: JSON.
    case json
    /// For programs: compact JSON, one value per line.
    case jsonl

    static let option = Option<OutputFormat>(
        "--output",
        "-o",
        valueName: "FORMAT",
        default: .text,
        help: "The output format."
    )

    var isJSON: Bool { self != .text }

    /// One value with its line break.
    func text(of value: JSONValue) -> String { value.text(pretty: self != .jsonl) + "\n" }
}
