/// A table whose rows are printed as they arrive. A column is as wide as its widest cell so far, so rows align from the
/// widest one on. The last column takes the rest of the line.
struct StreamingTable {
    /// A column's title and minimum width.
    struct Column {
        let title: String
        let width: Int
    }

    private var widths: [Int]
    private let titles: [String]
    /// The width of the terminal; nil for unlimited lines.
    private let lineWidth: Int?

    init(_ columns: [Column], lineWidth: Int?) {
        titles = columns.map(\.title)
        widths = columns.map { max($0.width, $0.title.count) }
        self.lineWidth = lineWidth
    }

    /// The header line.
    mutating func header(colors: Bool) -> String {
        Color.bold.paint(line(titles, colors: [:], isColored: false), isOn: colors) + "\n"
    }

    /// A row; `colors` maps columns to colors.
    mutating func row(_ cells: [String], colors: [Int: Color], isColored: Bool) -> String {
        line(cells.map(Self.printable), colors: colors, isColored: isColored) + "\n"
    }

    private mutating func line(_ cells: [String], colors: [Int: Color], isColored: Bool) -> String {
        var line = ""
        var used = 0
        for (index, cell) in cells.enumerated() {
            let isLast = index == cells.count - 1
            var cell = cell
            if isLast {
                if let lineWidth { cell = Self.shortened(cell, to: max(lineWidth - used, 20)) }
            } else {
                widths[index] = max(widths[index], cell.count)
            }
            let padding = isLast ? "" : String(repeating: " ", count: widths[index] - cell.count + 2)
            line += colors[index].map { $0.paint(cell, isOn: isColored) } ?? cell
            line += padding
            used += cell.count + padding.count
        }
        while line.last == " " { line.removeLast() }
        return line
    }

    /// Replaces control characters, which would affect the terminal.
    private static func printable(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) }) else {
            return text
        }
        return String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) ? " " : $0 }
            )
        )
    }

    private static func shortened(_ text: String, to width: Int) -> String {
        text.count > width ? text.prefix(width - 1) + "…" : text
    }
}
