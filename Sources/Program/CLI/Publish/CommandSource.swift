internal import Foundation
internal import SagamoreJSONText

/// A source of commands: a file or standard input, with one JSON document (an object or an array of objects) or JSON
/// lines.
enum CommandSource {
    /// - Parameter file: a path, or `-` for standard input.
    static func read(_ file: String) throws(CommandFailure) -> [UInt8] {
        if file == "-" { return [UInt8](FileHandle.standardInput.readDataToEndOfFile()) }
        do {
            return [UInt8](try Data(contentsOf: URL(fileURLWithPath: file)))
        } catch {
            throw CommandFailure("cannot read \(file): \(error.localizedDescription)")
        }
    }

    /// The commands in a text.
    ///
    /// - Throws: `CommandFailure` with the line of the first invalid one.
    static func commands(in text: [UInt8], named name: String) throws(CommandFailure) -> [CommandDocument] {
        let text = text.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(text.dropFirst(3)) : text
        // Text that is not one JSON document may be JSON lines.
        let depthLimit = JSONScanner.defaultDepthLimit + 1
        if let kind = try? JSONScanner.validate(text, depthLimit: depthLimit) {
            let elements =
                kind == .array ? try? JSONScanner.elements(of: text, depthLimit: depthLimit) : [trimmed(text)]
            return try commands((elements ?? []).map { Array(text[$0]) }, name)
        }
        var commands: [CommandDocument] = []
        for (number, line) in lines(of: text) {
            do throws(CommandDocument.Mistake) {
                commands.append(try CommandDocument(Array(line)))
            } catch {
                throw CommandFailure("\(name), line \(number): \(error). Nothing was published")
            }
        }
        return commands
    }

    /// The range of the text without surrounding white space.
    private static func trimmed(_ text: [UInt8]) -> Range<Int> {
        let whitespace = Array(" \t\r\n".utf8)
        let start = text.firstIndex { !whitespace.contains($0) } ?? text.count
        let end = text.lastIndex { !whitespace.contains($0) }.map { $0 + 1 } ?? start
        return start..<end
    }

    private static func commands(_ values: [[UInt8]], _ name: String) throws(CommandFailure) -> [CommandDocument] {
        var commands: [CommandDocument] = []
        for (index, value) in values.enumerated() {
            do throws(CommandDocument.Mistake) {
                commands.append(try CommandDocument(value))
            } catch {
                throw CommandFailure("\(name), command \(index + 1): \(error). Nothing was published")
            }
        }
        return commands
    }

    /// The nonempty lines with their numbers, from 1.
    static func lines(of text: [UInt8]) -> [(number: Int, bytes: ArraySlice<UInt8>)] {
        text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated().compactMap {
            index,
            line in
            let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
            let isBlank = line.allSatisfy { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
            return isBlank ? nil : (index + 1, line)
        }
    }
}
