/// A table whose rows are printed as they come: a column is as wide as its widest cell so far, so that rows stand
/// under each other from the widest one on. The last column takes what is left of the line.
struct StreamingTable {
    /// A column's title, and how wide it is at least.
    struct Column {
        let title: String
        let width: Int
    }

    private var widths: [Int]
    private let titles: [String]
    /// The width of the terminal; nil where lines may be as long as they like.
    private let lineWidth: Int?

    init(_ columns: [Column], lineWidth: Int?) {
        titles = columns.map(\.title)
        widths = columns.map { max($0.width, $0.title.count) }
        self.lineWidth = lineWidth
    }

    /// The line of titles.
    mutating func header(colors: Bool) -> String {
        Color.bold.paint(line(titles, colors: [:], isColored: false), isOn: colors) + "\n"
    }

    /// A row; `colors` are those of single cells.
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

    /// Control characters would change the terminal.
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
