extension Command {
    /// A manual page of this program and all its commands, for `man`.
    public func manualPage(date: String) -> String { ManualPage(root: self).text(date: date) }
}

/// The page in the language of `man(7)`.
struct ManualPage {
    let root: Command

    func text(date: String) -> String {
        var lines = [
            ".TH \(Self.escaped(root.name.uppercased())) 1 \"\(date)\" \"\(Self.escaped(root.version ?? root.name))\"",
            ".SH NAME", "\(Self.escaped(root.name)) \\- \(Self.escaped(root.abstract))",
            ".SH SYNOPSIS", ".B \(Self.escaped(root.name))", ".I COMMAND", "[\\fIOPTIONS\\fR]",
            ".SH DESCRIPTION", Self.escaped(root.discussion),
            ".SH COMMANDS",
        ]
        for command in root.subcommands { lines += section(command, path: [root.name, command.name]) }
        lines += [
            ".SH EXIT STATUS", ".TP", "0", "It has done what it was asked for.", ".TP", "1", "It failed.", ".TP", "2",
            "The command line or the configuration is wrong.",
        ]
        return lines.filter { !$0.isEmpty }.joined(separator: "\n") + "\n"
    }

    private func section(_ command: Command, path: [String]) -> [String] {
        if !command.subcommands.isEmpty {
            return command.subcommands.flatMap { section($0, path: path + [$0.name]) }
        }
        let help = HelpText(command: command, path: path, hasVersion: false, columns: 80)
        var lines = [".SS \(Self.escaped(path.joined(separator: " ")))", Self.escaped(command.abstract)]
        if !command.discussion.isEmpty { lines += [".PP", Self.escaped(command.discussion)] }
        lines += [".PP", "\\fB\(Self.escaped(help.usage))\\fR"]
        for row in help.parameterRows {
            lines += [".TP", "\\fB\(Self.escaped(row.label))\\fR", Self.escaped(row.text)]
        }
        return lines
    }

    /// Hyphens are kept as they are, for searching and copying; a line may not begin with a control character.
    private static func escaped(_ text: String) -> String {
        let plain = text.replacing("\\", with: "\\e").replacing("-", with: "\\-").unicodeScalars.map { scalar in
            scalar.isASCII ? String(scalar) : "\\[u\(Self.hexadecimal(scalar.value))]"
        }
        return plain.joined()
            .split(separator: "\n").map { $0.hasPrefix(".") || $0.hasPrefix("'") ? "\\&\($0)" : String($0) }
            .joined(separator: "\n")
    }

    private static func hexadecimal(_ value: UInt32) -> String {
        let digits = String(value, radix: 16, uppercase: true)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
