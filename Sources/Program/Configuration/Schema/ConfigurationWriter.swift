/// Writes a configuration as a file.
enum ConfigurationWriter {
    /// The text of a section.
    ///
    /// - Parameter isExplained: whether each key has its comment, and sections that are absent stand there in comments.
    static func text(_ text: SettingText, isExplained: Bool) -> String {
        var writer = Writer(isExplained: isExplained)
        writer.write(text, indentation: "")
        return writer.lines.joined(separator: "\n") + "\n"
    }

    private struct Writer {
        let isExplained: Bool
        var lines: [String] = []
        /// In front of each line of a section that is absent.
        private var prefix = ""

        init(isExplained: Bool) { self.isExplained = isExplained }

        mutating func write(_ text: SettingText, indentation: String) {
            guard case .section(let members) = text else { return }
            for member in members {
                if isExplained {
                    if indentation.isEmpty, !lines.isEmpty { lines.append("") }
                    for line in Self.wrapped(member.comment, 117 - indentation.count) {
                        lines.append("\(prefix)\(indentation)# \(line)")
                    }
                }
                write(member, indentation: indentation)
            }
        }

        private mutating func write(_ member: SettingText.Member, indentation: String) {
            let start = "\(prefix)\(indentation)\(member.key):"
            switch member.text {
            case .scalar(let value): lines.append(value.isEmpty ? start : "\(start) \(value)")
            case .section(let members):
                lines.append(members.isEmpty ? "\(start) {}" : start)
                write(member.text, indentation: indentation + "  ")
            case .list(let items):
                lines.append(items.isEmpty ? "\(start) []" : start)
                for item in items { write(item: item, indentation: indentation + "  ") }
            case .none(let item):
                lines.append("\(start) []")
                guard isExplained else { return }
                let outer = prefix
                prefix = "#"
                write(item: item, indentation: indentation + "  ")
                prefix = outer
            case .absent(let section) where isExplained:
                let outer = prefix
                prefix = "#"
                lines.append("\(prefix)\(indentation)\(member.key):")
                write(section, indentation: indentation + "  ")
                prefix = outer
            case .absent: lines.append(start)
            }
        }

        /// The first line of an item has the dash.
        private mutating func write(item: SettingText, indentation: String) {
            if case .scalar(let value) = item { return lines.append("\(prefix)\(indentation)- \(value)") }
            let start = lines.count
            write(item, indentation: indentation + "  ")
            let width = prefix.count + indentation.count
            if let first = lines.indices.dropFirst(start).first(where: { !Self.isComment(lines[$0], after: prefix) }) {
                lines[first] = lines[first].prefix(width) + "- " + lines[first].dropFirst(width + 2)
            }
        }

        private static func isComment(_ line: String, after prefix: String) -> Bool {
            line.dropFirst(prefix.count).drop { $0 == " " }.hasPrefix("#")
        }

        private static func wrapped(_ text: String, _ width: Int) -> [String] {
            var lines: [String] = []
            for word in text.split(separator: " ") {
                if let last = lines.last, last.count + 1 + word.count <= width {
                    lines[lines.count - 1] = "\(last) \(word)"
                } else {
                    lines.append(String(word))
                }
            }
            return lines
        }
    }
}
