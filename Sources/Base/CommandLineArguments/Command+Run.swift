#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

extension Command {
    /// Parses this process's command line and environment and runs the command. Help and version go to standard output,
    /// errors to standard error.
    /// - Returns: The exit status: 0 for success, 1 for failure, 2 for an invalid command line, or the `ExitCode` that
    ///   the command threw.
    public func run() async -> Int32 {
        await run(
            Array(CommandLine.arguments.dropFirst()),
            environment: ProcessInfo.processInfo.environment,
            output: { print($0, terminator: "") },
            errors: StandardError.write
        )
    }

    func run(
        _ arguments: [String],
        environment: [String: String],
        output: (String) -> Void,
        errors: (String) -> Void
    ) async -> Int32 {
        let columns = environment["COLUMNS"].flatMap(Int.init) ?? 100
        do {
            switch try parse(arguments, environment: environment, columns: min(max(columns, 40), 120)) {
            case .show(let text): output("\(text)\n")
            case .run(let command, let values): try await command.action?(values)
            }
            return ExitCode.success.code
        } catch let exit as ExitCode {
            return exit.code
        } catch let error as UsageError {
            errors("\(name): \(error)\n'\(name) --help' shows the usage.\n")
            return ExitCode.usage.code
        } catch {
            errors("\(name): \(error)\n")
            return ExitCode.failure.code
        }
    }
}
