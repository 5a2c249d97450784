import Testing

@testable import SagamoreCLI
@testable import SagamoreCommandLineArguments

/// All commands of the program, without running one.
struct CommandTreeTests {
    private struct Leaf {
        let path: [String]
        let command: Command
    }

    private func leaves(_ command: Command = Program.command, _ path: [String] = []) -> [Leaf] {
        guard command.action == nil else { return [Leaf(path: path, command: command)] }
        return command.subcommands.flatMap { leaves($0, path + [$0.name]) }
    }

    private var available: [Leaf] { leaves().filter { !$0.command.abstract.hasSuffix("Not available yet.") } }

    /// The words of a line as a shell splits it, up to a pipe or a redirection.
    private func words(_ line: String) -> [String] {
        var words: [String] = []
        var word: String?
        var quote: Character?
        for character in line {
            if character == quote {
                quote = nil
            } else if quote == nil, character == "'" || character == "\"" {
                (quote, word) = (character, word ?? "")
            } else if quote == nil, character == " " {
                word.map { words.append($0) }
                word = nil
            } else {
                word = (word ?? "") + String(character)
            }
        }
        word.map { words.append($0) }
        return Array(words.prefix { $0 != "|" && $0 != ">" })
    }

    @Test func everyCommandHasAnExampleThatIsValid() throws {
        for leaf in available {
            let name = leaf.path.joined(separator: " ")
            let lines = leaf.command.discussion.split(separator: "\n").map(String.init)
            let title = try #require(lines.lastIndex { $0.hasSuffix("Example:") }, "\(name) has no example")
            let words = words(lines[(title + 1)...].joined(separator: " "))
            #expect(words.first == "sagamore", "\(name)")
            guard case .run(let command, _) = try Program.command.parse(Array(words.dropFirst()), environment: [:])
            else {
                Issue.record("the example of \(name) asks for help")
                continue
            }
            #expect(command.abstract == leaf.command.abstract, "\(name)")
        }
    }

    @Test func everyCommandThatCallsAServerHasTheCommonOptions() {
        for leaf in available {
            let names = Set(leaf.command.parameters.flatMap(\.names))
            guard names.contains("--address") else { continue }
            for name in ["--namespace", "--output", "--time-format", "--api-key", "--tls"] {
                #expect(names.contains(name), "\(leaf.path.joined(separator: " ")) has no \(name)")
            }
        }
    }

    @Test func listsHaveALimit() {
        for leaf in available where leaf.path.last == "list" && leaf.path.first != "operator" {
            #expect(leaf.command.parameters.contains { $0.names.contains("--limit") }, "\(leaf.path)")
        }
    }

    @Test func shellsCompleteEveryCommand() {
        for shell in Shell.allCases {
            let script = Program.command.completionScript(for: shell)
            for name in available.flatMap(\.path) { #expect(script.contains(name), "\(shell): \(name)") }
            #expect(script.contains("BufferAll"), "\(shell)")
        }
    }
}
