internal import Foundation
internal import SagamoreJSONText

/// Where commands come from: a file or standard input, one JSON document (an object, or an array of them) or JSON lines.
enum CommandSource {
    /// - Parameter file: a path, or `-` for standard input.
    static func read(_ file: String) throws(CommandFailure) -> [UInt8] {
        if file == "-" { return [UInt8](FileHandle.standardInput.readDataToEndOfFile()) }
        do {
            return [UInt8](try Data(contentsOf: URL(fileURLWithPath: file)))
        } catch {
            throw CommandFailure("can't read \(file): \(error.localizedDescription)")
        }
    }

    /// The commands in a text.
    ///
    /// - Throws: `CommandFailure` with the line of the first one that is none.
    static func commands(in text: [UInt8], named name: String) throws(CommandFailure) -> [CommandDocument] {
        if let document = try? JSONValue.parse(text) {
            let elements = document.array ?? [document]
            return try commands(elements, name)
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

    private static func commands(_ values: [JSONValue], _ name: String) throws(CommandFailure) -> [CommandDocument] {
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

    /// Lines that are not empty, with their numbers from 1.
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
