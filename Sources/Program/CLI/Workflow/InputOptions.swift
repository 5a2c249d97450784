internal import SagamoreAPI
internal import SagamoreCommandLineArguments
internal import SagamoreJSONText
internal import SagamoreProtobuf

/// A JSON text of the command line, kept as it is.
struct JSONText: ExpressibleByArgument {
    let bytes: [UInt8]

    init?(argument: String) {
        bytes = Array(argument.utf8)
        guard Self.isJSON(bytes) else { return nil }
    }

    static func isJSON(_ bytes: [UInt8]) -> Bool { (try? JSONScanner.validate(bytes)) != nil }

    static var expectation: String { PublishOptions.JSON.expectation }
}

/// A named JSON value, `KEY=JSON`.
struct NamedJSON: ExpressibleByArgument {
    let name: String
    let bytes: [UInt8]

    init?(argument: String) {
        let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, let json = JSONText(argument: String(parts[1])) else { return nil }
        name = String(parts[0])
        bytes = json.bytes
    }

    static var expectation: String { "KEY=JSON (in a shell, use single quotes; a string is 'KEY=\"text\"')" }

    /// - Throws: `UsageError` when a name is given twice.
    static func payloads(_ values: [NamedJSON], option: String) throws(UsageError) -> ProtobufMap<Payload> {
        var payloads = ProtobufMap<Payload>()
        for value in values {
            guard payloads[value.name] == nil else { throw UsageError("'\(option)' names '\(value.name)' twice") }
            payloads[value.name] = Payload(json: value.bytes)
        }
        return payloads
    }
}

/// The options that give the arguments of a workflow or of one of its handlers.
enum InputOptions {
    static let input = Option<[JSONText]>("--input", "-i", valueName: "JSON", help: "An argument.")
    static let files = Option<[String]>(
        "--input-file",
        valueName: "FILE",
        help: "A file with an argument as JSON; - reads standard input."
    )

    static let parameters: [any Parameter] = [input, files]

    /// The arguments, from left to right; nil when there are none.
    static func payloads(_ values: ParsedValues) throws -> RawMessage<Payloads>? {
        try payloads(values[input], files: values[files], named: "--input")
    }

    /// - Parameter option: the option of the values; with `-file` it names files.
    static func payloads(
        _ values: [JSONText],
        files: [String],
        named option: String
    ) throws -> RawMessage<Payloads>? {
        var texts = values.map(\.bytes)
        if !texts.isEmpty, !files.isEmpty {
            throw UsageError("'\(option)' cannot be combined with '\(option)-file'")
        }
        for file in files {
            let text = try CommandSource.read(file)
            guard JSONText.isJSON(text) else { throw CommandFailure("'\(option)-file' expects JSON in \(file)") }
            texts.append(text)
        }
        guard !texts.isEmpty else { return nil }
        var payloads = Payloads()
        payloads.payloads = texts.map { Payload(json: $0) }
        return RawMessage(payloads)
    }
}
