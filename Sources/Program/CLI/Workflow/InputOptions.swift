internal import Foundation
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
struct InputOptions: Sendable {
    private let input: Option<[String]>
    private let files: Option<[String]>
    private let isBase64: Flag
    private let metadata: Option<[NamedText]>

    /// Those of a workflow, or of the one handler of a command.
    static let own = InputOptions("--input", "-i")
    /// Those of the signal of a command that has a workflow, too.
    static let ofSignal = InputOptions("--signal-input")

    private let name: String

    private init(_ name: String, _ short: String? = nil) {
        self.name = name
        let help = "An argument, as JSON unless its metadata says otherwise."
        input =
            short.map { Option(name, $0, valueName: "JSON", help: help) }
            ?? Option(name, valueName: "JSON", help: help)
        files = Option("\(name)-file", valueName: "FILE", help: "A file with an argument; - reads standard input.")
        isBase64 = Flag("\(name)-base64", help: "The arguments are in base 64.")
        metadata = Option(
            "\(name)-meta",
            valueName: "KEY=VALUE",
            help: "Metadata of an argument, in their order; the last is for the rest. Default: encoding=json/plain."
        )
    }

    var parameters: [any Parameter] { [input, files, isBase64, metadata] }

    /// The arguments, from left to right; nil when there are none.
    ///
    /// - Throws: `UsageError`, and `CommandFailure` for a file that cannot be read.
    func payloads(_ values: ParsedValues) throws -> RawMessage<Payloads>? {
        if !values[input].isEmpty, !values[files].isEmpty {
            throw UsageError("'\(name)' cannot be combined with '\(name)-file'")
        }
        var payloads = Payloads()
        for text in values[input] {
            guard let payload = payload(Array(text.utf8), at: payloads.payloads.count, values) else {
                throw UsageError("'\(name)' expects \(expectation(values)), not '\(text)'")
            }
            payloads.payloads.append(payload)
        }
        for file in values[files] {
            guard let payload = payload(try CommandSource.read(file), at: payloads.payloads.count, values) else {
                throw CommandFailure("'\(name)-file' expects \(values[isBase64] ? "base 64" : "JSON") in \(file)")
            }
            payloads.payloads.append(payload)
        }
        return payloads.payloads.isEmpty ? nil : RawMessage(payloads)
    }

    private func expectation(_ values: ParsedValues) -> String {
        values[isBase64] ? "base 64" : JSONText.expectation
    }

    /// Nil for what is no JSON but should be, and for what is no base 64.
    private func payload(_ bytes: [UInt8], at index: Int, _ values: ParsedValues) -> Payload? {
        var payload = Payload(json: bytes)
        var counts: [String: Int] = [:]
        for entry in values[metadata] {
            let count = counts[entry.name, default: 0]
            if count <= index { payload.metadata[entry.name] = Array(entry.value.utf8) }
            counts[entry.name] = count + 1
        }
        if values[isBase64] {
            guard let data = Data(base64Encoded: Data(bytes.filter { !$0.isBlank })) else { return nil }
            payload.data = [UInt8](data)
        }
        let encoding = String(decoding: payload.metadata["encoding"] ?? [], as: UTF8.self)
        return !encoding.hasPrefix("json/") || JSONText.isJSON(payload.data) ? payload : nil
    }
}

extension UInt8 {
    /// Whether it is a space or ends a line, as files end.
    fileprivate var isBlank: Bool { self == 0x20 || self == 0x0A || self == 0x0D }
}
