internal import SagamoreProtobuf

/// Prints the entries of a list as its pages arrive: as a table for people, or as JSON.
struct ListPrinter<Entry: ProtobufMessage> {
    /// A line of the table; `colors` maps columns to colors.
    struct Row {
        let cells: [String]
        var colors: [Int: Color] = [:]
    }

    private let format: OutputFormat
    private let isColored: Bool
    private let row: (Entry) throws -> Row
    private var table: StreamingTable
    private var count = 0

    /// - Parameters:
    ///   - lineWidth: the terminal's width; nil for unlimited lines.
    ///   - row: the cells of an entry, one for each column.
    init(
        _ format: OutputFormat,
        columns: [StreamingTable.Column],
        lineWidth: Int? = TerminalWidth.ofStandardOutput,
        isColored: Bool = Color.isOn,
        row: @escaping (Entry) throws -> Row
    ) {
        self.format = format
        self.isColored = isColored
        self.row = row
        table = StreamingTable(columns, lineWidth: lineWidth)
    }

    /// The next entries, after what begins the output if they are the first.
    mutating func text(_ entries: [Entry]) throws -> String {
        var text = ""
        for entry in entries {
            switch format {
            case .text:
                let row = try row(entry)
                if count == 0 { text += table.header(colors: isColored) }
                text += table.row(row.cells, colors: row.colors, isColored: isColored)
            case .json:
                let json = try ProtobufJSON.value(of: entry).text(pretty: true)
                text += (count == 0 ? "[\n" : ",\n") + json
            case .jsonl: text += format.text(of: try ProtobufJSON.value(of: entry))
            }
            count += 1
        }
        return text
    }

    /// What follows the last entry.
    var end: String {
        guard format == .json else { return "" }
        return count == 0 ? "[]\n" : "\n]\n"
    }
}
