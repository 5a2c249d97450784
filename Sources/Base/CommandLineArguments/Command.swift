/// A command of a program: a group of subcommands, or an action with parameters.
public struct Command: Sendable {
    /// Runs a command with its values. It throws `UsageError` for values that are inconsistent, `ExitCode` to exit with
    /// a status after reporting the reason itself, and any other error to fail.
    public typealias Action = @Sendable (ParsedValues) async throws -> Void

    /// The word that selects it.
    public let name: String
    /// What it does, in one line.
    public let abstract: String
    /// More details, shown in its own help.
    public let discussion: String

    let version: String?
    let parameters: [ParameterDefinition]
    let subcommands: [Command]
    let action: Action?

    /// A command with an action.
    /// - Parameters:
    ///   - name: The word that selects it.
    ///   - abstract: What it does, in one line.
    ///   - discussion: More details, shown in its own help.
    ///   - version: The text of `--version`, also for subcommands; only the program itself needs one.
    ///   - parameters: Its parameters, in the order of its help.
    ///   - action: Runs it.
    public init(
        _ name: String,
        abstract: String,
        discussion: String = "",
        version: String? = nil,
        parameters: [any Parameter] = [],
        action: @escaping Action
    ) {
        let definitions = parameters.map(\.definition)
        Self.checkNames(of: definitions, name)
        self.name = name
        self.abstract = abstract
        self.discussion = discussion
        self.version = version
        self.parameters = definitions
        self.subcommands = []
        self.action = action
    }

    /// A group of subcommands.
    /// - Parameters:
    ///   - name: The word that selects it.
    ///   - abstract: The purpose of the group, in one line.
    ///   - discussion: More details, shown in its own help.
    ///   - version: The text of `--version`, also for subcommands; only the program itself needs one.
    ///   - subcommands: The subcommands, in the order of its help.
    public init(
        _ name: String,
        abstract: String,
        discussion: String = "",
        version: String? = nil,
        subcommands: [Command]
    ) {
        precondition(Set(subcommands.map(\.name)).count == subcommands.count, "\(name) has a duplicate subcommand")
        self.name = name
        self.abstract = abstract
        self.discussion = discussion
        self.version = version
        self.parameters = []
        self.subcommands = subcommands
        self.action = nil
    }

    /// Parameters are identified by their names, and an argument that takes all remaining words must be the last.
    private static func checkNames(of parameters: [ParameterDefinition], _ command: String) {
        let names = parameters.flatMap(\.names)
        precondition(Set(names).count == names.count, "\(command) has a duplicate parameter name: \(names)")
        precondition(!names.contains("--help"), "--help is reserved")
        let arguments = parameters.filter(\.isArgument)
        precondition(!arguments.dropLast().contains(where: \.isRepeated), "only the last argument may be repeated")
    }
}
