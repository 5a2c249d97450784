/// What a program can be told to do: a group of subcommands, or an action with its parameters.
public struct Command: Sendable {
    /// What a command does with the values it was given. It throws `UsageError` for values that don't go together,
    /// `ExitCode` to end with a status after it has said why by itself, and anything else to fail.
    public typealias Action = @Sendable (ParsedValues) async throws -> Void

    /// The word by which it is called.
    public let name: String
    /// What it does, in one line.
    public let abstract: String
    /// More about it, shown in its own help.
    public let discussion: String

    let version: String?
    let parameters: [ParameterDefinition]
    let subcommands: [Command]
    let action: Action?

    /// A command that does something.
    /// - Parameters:
    ///   - name: The word by which it is called.
    ///   - abstract: What it does, in one line.
    ///   - discussion: More about it, shown in its own help.
    ///   - version: What `--version` prints, also for the commands below; only the program itself needs one.
    ///   - parameters: What it takes, in the order of its help.
    ///   - action: What it does.
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

    /// A command that only leads to others.
    /// - Parameters:
    ///   - name: The word by which it is called.
    ///   - abstract: What they are for, in one line.
    ///   - discussion: More about it, shown in its own help.
    ///   - version: What `--version` prints, also for the commands below; only the program itself needs one.
    ///   - subcommands: What it leads to, in the order of its help.
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

    /// Parameters are told apart by their names, and an argument that takes all leaves nothing to those after it.
    private static func checkNames(of parameters: [ParameterDefinition], _ command: String) {
        let names = parameters.flatMap(\.names)
        precondition(Set(names).count == names.count, "\(command) has a duplicate parameter name: \(names)")
        precondition(!names.contains("--help"), "--help is reserved")
        let arguments = parameters.filter(\.isArgument)
        precondition(!arguments.dropLast().contains(where: \.isRepeated), "only the last argument may be repeated")
    }
}
