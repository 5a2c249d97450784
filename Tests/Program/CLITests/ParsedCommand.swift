import SagamoreCommandLineArguments

extension Command {
    /// The values of a command line that asks for no help.
    func values(_ arguments: [String]) throws -> ParsedValues {
        guard case .run(_, let values) = try parse(arguments, environment: [:]) else {
            throw UsageError("help was asked for")
        }
        return values
    }
}
