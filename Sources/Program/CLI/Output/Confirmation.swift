internal import Glibc
internal import SagamoreCommandLineArguments

/// Asks before something is lost.
enum Confirmation {
    static let yes = Flag("--yes", "-y", help: "Do not ask for confirmation.")

    /// - Throws: `CommandFailure` unless `--yes` is set or somebody at a terminal agrees.
    static func obtain(_ values: ParsedValues, _ question: String) throws(CommandFailure) {
        if values[yes] { return }
        guard isatty(0) == 1 else { throw CommandFailure("this needs a confirmation. Set '--yes'") }
        StandardError.write("\(question) y/N ")
        let answer = readLine()?.lowercased() ?? ""
        guard ["y", "yes"].contains(answer) else { throw CommandFailure("not confirmed, nothing was changed") }
    }
}
