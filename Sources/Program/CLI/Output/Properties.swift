/// Named values for people: one per line, indented and aligned.
struct Properties {
    private struct Row {
        let name: String
        let value: String
        let color: Color?
    }

    private var rows: [Row] = []

    /// Adds a value. A missing or empty one is left out.
    mutating func add(_ name: String, _ value: String?, color: Color? = nil) {
        guard let value, !value.isEmpty else { return }
        rows.append(Row(name: name, value: value.printable, color: color))
    }

    /// The lines below a title.
    func text(title: String, isColored: Bool) -> String {
        let width = rows.map { $0.name.count }.max() ?? 0
        let lines = rows.map { row in
            let value = row.color.map { $0.paint(row.value, isOn: isColored) } ?? row.value
            return "  \(row.name.padded(to: width))  \(value)\n"
        }
        return Color.bold.paint(title, isOn: isColored) + "\n" + lines.joined()
    }
}
