/// The help of one command: its purpose, its usage, and its parameters or subcommands in columns.
struct HelpText {
    let command: Command
    /// The words that select the command, starting with the program's name.
    let path: [String]
    let hasVersion: Bool
    /// The width of a line.
    let columns: Int

    struct Row {
        var label: String
        var text: String
    }

    /// The text of longer labels is on the next line.
    private static let widestLabel = 34

    var text: String {
        var blocks = [command.abstract]
        if !command.discussion.isEmpty { blocks.append(wrapped(command.discussion, indentation: 0)) }
        blocks.append("Usage: \(usage)")
        let sections = [
            ("Commands", command.subcommands.map { Row(label: $0.name, text: $0.abstract) }),
            ("Arguments", command.parameters.filter(\.isArgument).map(row)),
            ("Options", command.parameters.filter { !$0.isArgument }.map(row) + commonOptions),
        ]
        let labels = sections.flatMap { $0.1.map(\.label.count) }
        let width = min(Self.widestLabel, labels.filter { $0 <= Self.widestLabel }.max() ?? 0)
        for (title, rows) in sections where !rows.isEmpty {
            blocks.append("\(title):\n" + rows.map { line($0, width: width) }.joined(separator: "\n"))
        }
        if !command.subcommands.isEmpty {
            blocks.append("'\(path.joined(separator: " ")) COMMAND --help' describes a command.")
        }
        return blocks.joined(separator: "\n\n")
    }

    var usage: String {
        guard command.subcommands.isEmpty else { return (path + ["COMMAND"]).joined(separator: " ") }
        let options = command.parameters.filter { !$0.isArgument }
        let required = options.filter(\.isRequired).map(label)
        let arguments = command.parameters.filter(\.isArgument).map { argument in
            let name = argument.valueName + (argument.isRepeated ? "…" : "")
            return argument.isRequired ? name : "[\(name)]"
        }
        let others = options.count > required.count ? ["[OPTIONS]"] : []
        return (path + required + others + arguments).joined(separator: " ")
    }

    /// The parameters alone.
    var parameterRows: [Row] { command.parameters.map(row) }

    private var commonOptions: [Row] {
        let help = Row(label: "-h, --help", text: "Show this help.")
        return hasVersion ? [help, Row(label: "--version", text: "Show the version.")] : [help]
    }

    private func row(_ parameter: ParameterDefinition) -> Row {
        var notes: [String] = []
        if !parameter.allowedValues.isEmpty {
            notes.append("one of \(parameter.allowedValues.joined(separator: ", "))")
        }
        if parameter.isRequired, !parameter.isArgument { notes.append("required") }
        if let text = parameter.defaultText, !text.isEmpty { notes.append("default: \(text)") }
        if parameter.isRepeated { notes.append("may be repeated") }
        if !parameter.environment.isEmpty {
            notes.append("environment: \(parameter.environment.joined(separator: ", "))")
        }
        let note = notes.isEmpty ? "" : " (\(notes.joined(separator: "; ")))"
        return Row(label: label(parameter), text: parameter.help + note)
    }

    private func label(_ parameter: ParameterDefinition) -> String {
        if parameter.isArgument { return parameter.valueName }
        let names = parameter.names.sorted { $0.count < $1.count }.joined(separator: ", ")
        return parameter.isFlag ? names : "\(names) \(parameter.valueName)"
    }

    private func line(_ row: Row, width: Int) -> String {
        let text = wrapped(row.text, indentation: width + 4)
        guard row.label.count <= width else {
            return "  \(row.label)\n\(String(repeating: " ", count: width + 4))\(text)"
        }
        return "  \(row.label)\(String(repeating: " ", count: width - row.label.count + 2))\(text)"
    }

    /// Wraps lines between words and indents all but the first. Words are never split.
    private func wrapped(_ text: String, indentation: Int) -> String {
        let room = max(20, columns - indentation)
        let paragraphs = text.split(separator: "\n", omittingEmptySubsequences: false).map { paragraph in
            var lines = [""]
            for word in paragraph.split(separator: " ") {
                if lines[lines.count - 1].isEmpty {
                    lines[lines.count - 1] = String(word)
                } else if lines[lines.count - 1].count + 1 + word.count <= room {
                    lines[lines.count - 1] += " \(word)"
                } else {
                    lines.append(String(word))
                }
            }
            return lines.joined(separator: "\n" + String(repeating: " ", count: indentation))
        }
        return paragraphs.joined(separator: "\n" + String(repeating: " ", count: indentation))
    }
}
