import Foundation
import SagamoreCommandLineArguments
import Testing

/// Completion as the shells do it.
@Suite struct CompletionTests {
    private static let output = Option<String>("--output", "-o", default: "text", help: "It's the form.")
    private static let file = Option<String>("--file", valueName: "FILE", default: "", help: "Where to.")
    private static let isLoud = Flag("--loud", help: "Says more.")

    private enum Form: String, CaseIterable, ExpressibleByArgument { case text, json }

    private static let form = Option<Form>("--form", default: .text, help: "It's the form.")

    private static let program = Command(
        "tool",
        abstract: "A tool.",
        subcommands: [
            Command("show", abstract: "Shows \\ it's.", parameters: [form, file, isLoud]) { _ in },
            Command(
                "group",
                abstract: "A group.",
                subcommands: [Command("inner", abstract: "Inside.", parameters: [output]) { _ in }]
            ),
        ]
    )

    private struct Run {
        let output: String
        let status: Int32
    }

    /// Nil when there is no such shell.
    private func run(_ shell: Shell, _ script: String) throws -> Run? {
        let places = ["/bin", "/usr/bin", "/usr/local/bin"].map { "\($0)/\(shell.rawValue)" }
        guard let path = places.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else {
            print("skipped: completion for \(shell.rawValue) was not tried: the shell is not installed")
            return nil
        }
        let folder = FileManager.default.temporaryDirectory.appending(path: "completion-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Self.program.completionScript(for: shell).write(
            to: folder.appending(path: "script"),
            atomically: true,
            encoding: .utf8
        )
        try "".write(to: folder.appending(path: "some-file"), atomically: true, encoding: .utf8)
        let (process, pipe) = (Process(), Pipe())
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = ["-c", script]
        process.currentDirectoryURL = folder
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return Run(output: String(decoding: data, as: UTF8.self), status: process.terminationStatus)
    }

    @Test(
        arguments: [
            (["sh"], "show"), (["group", ""], "inner --help"), (["show", "--"], "--form --file --loud --help"),
            (["show", "--form", ""], "text json"), (["show", "--loud", "--form", "j"], "json"),
            (["show", "--file", "some"], "some-file"), (["group", "inner", "-"], "--output -o --help"),
            (["group", "inner", "--output", ""], ""),
        ]
    )
    func bashOffersWhatFits(words: [String], expected: String) throws {
        let line = (["tool"] + words).map { "'\($0)'" }.joined(separator: " ")
        let script = """
            source ./script; COMP_WORDS=(\(line)); COMP_CWORD=\(words.count); _tool; echo "${COMPREPLY[*]}"
            """
        guard let run = try run(.bash, script) else { return }
        #expect(run.output == expected + "\n")
    }

    @Test(arguments: [("sh", ["show"]), ("show --form ", ["json", "text"]), ("group in", ["inner"])])
    func fishOffersWhatFits(line: String, expected: [String]) throws {
        guard let run = try run(.fish, "source ./script; complete -C 'tool \(line)'") else { return }
        let words = run.output.split(separator: "\n").map { String($0.prefix { $0 != "\t" }) }
        #expect(words.sorted() == expected, "\(run.output)")
    }

    @Test func zshCanReadIt() throws {
        guard let run = try run(.zsh, "zsh -n ./script && source ./script && whence -w _tool") else { return }
        #expect(run.output == "_tool: function\n")
        #expect(run.status == 0)
    }

    @Test func theManualHasEveryCommandAndOption() {
        let page = Self.program.manualPage(date: "2026-01-02")
        #expect(page.hasPrefix(".TH TOOL 1 \"2026-01-02\" \"tool\"\n"))
        for text in ["tool show", "tool group inner", "\\-\\-form FORM", "\\-\\-loud", "Shows \\e it's."] {
            #expect(page.contains(text), "\(text) is not in \(page)")
        }
    }
}
