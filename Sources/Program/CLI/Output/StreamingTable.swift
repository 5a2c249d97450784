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
        line(cells.map(\.printable), colors: colors, isColored: isColored) + "\n"
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

    private static func shortened(_ text: String, to width: Int) -> String {
        text.count > width ? text.prefix(width - 1) + "…" : text
    }
}
