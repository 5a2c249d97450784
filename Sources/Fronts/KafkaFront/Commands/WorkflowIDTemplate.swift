/// Builds a workflow id from a command: text with `{command_id}` and `{field}` for any correlation field.
public struct WorkflowIDTemplate: Sendable, Equatable, CustomStringConvertible {
    enum Part: Sendable, Equatable {
        case text(String)
        case commandID
        case field(String)
    }

    let parts: [Part]
    /// The template's text.
    public let description: String

    /// The command's own id.
    public static let commandID = WorkflowIDTemplate(parts: [.commandID], description: "{command_id}")

    private init(parts: [Part], description: String) {
        self.parts = parts
        self.description = description
    }

    /// Parses a template.
    ///
    /// - Returns: nil when it is empty, a brace is unbalanced, or a field has no name.
    public init?(_ text: String) {
        var parts: [Part] = []
        var rest = Substring(text)
        while !rest.isEmpty {
            let plain = rest.prefix { $0 != "{" && $0 != "}" }
            if !plain.isEmpty { parts.append(.text(String(plain))) }
            rest = rest.dropFirst(plain.count)
            guard !rest.isEmpty else { break }
            guard rest.first == "{", let end = rest.firstIndex(of: "}") else { return nil }
            let name = rest[rest.index(after: rest.startIndex)..<end]
            guard !name.isEmpty, !name.contains("{") else { return nil }
            parts.append(name == "command_id" ? .commandID : .field(String(name)))
            rest = rest[rest.index(after: end)...]
        }
        guard !parts.isEmpty else { return nil }
        self.init(parts: parts, description: text)
    }

    /// Builds the id.
    ///
    /// - Returns: the id, or the name of the first field that the command lacks.
    func expand(commandID: String, field: (String) -> String?) -> Result<String, MissingField> {
        if parts == [.commandID] { return .success(commandID) }
        var id = ""
        for part in parts {
            switch part {
            case .text(let text): id += text
            case .commandID: id += commandID
            case .field(let name):
                guard let value = field(name) else { return .failure(MissingField(name: name)) }
                id += value
            }
        }
        return .success(id)
    }

    struct MissingField: Error, Equatable {
        let name: String
    }
}
