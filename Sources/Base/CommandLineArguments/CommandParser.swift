/// The result of parsing a command line.
public enum ParsedCommandLine: Sendable {
    /// Run a command with these values.
    case run(Command, ParsedValues)
    /// Print this text, help or the version, to standard output and exit with status 0.
    case show(String)
}

extension Command {
    /// Parses a command line. It is a pure function.
    ///
    /// `--help` (`-h`) anywhere before `--` shows the help of the command before it, as `help COMMAND` does.
    /// - Parameters:
    ///   - arguments: The words after the program's name.
    ///   - environment: The environment variables, as fallbacks for parameters; empty ones count as unset.
    ///   - columns: The width of help.
    /// - Throws: `UsageError` when the command line is invalid.
    public func parse(
        _ arguments: [String],
        environment: [String: String],
        columns: Int = 100
    ) throws(UsageError) -> ParsedCommandLine {
        var command = self
        var path = [name]
        var version = self.version
        var rest = arguments[...]
        var asksForHelp = false
        while command.action == nil {
            guard let word = rest.first else {
                if asksForHelp { break }
                throw command.missingSubcommand(path)
            }
            if Self.isHelp(word) { break }
            if word == "--version", let version { return .show(version) }
            rest = rest.dropFirst()
            if word == "help", !command.subcommands.contains(where: { $0.name == word }) {
                asksForHelp = true
                continue
            }
            command = try command.subcommand(word, path)
            path.append(command.name)
            version = command.version ?? version
        }
        if asksForHelp || rest.prefix(while: { $0 != "--" }).contains(where: Self.isHelp) {
            return .show(HelpText(command: command, path: path, hasVersion: version != nil, columns: columns).text)
        }
        if rest.first == "--version", let version,
            !command.parameters.contains(where: { $0.names.contains("--version") })
        {
            return .show(version)
        }
        var reading = Reading(parameters: command.parameters)
        try reading.read(rest)
        return .run(command, try reading.values(path: path, environment: environment))
    }

    private static func isHelp(_ word: String) -> Bool {
        word == "--help" || word == "-h"
    }

    private func missingSubcommand(_ path: [String]) -> UsageError {
        let names = subcommands.map(\.name).joined(separator: ", ")
        return UsageError("'\(path.joined(separator: " "))' expects a command: \(names)")
    }

    private func subcommand(_ word: String, _ path: [String]) throws(UsageError) -> Command {
        if let command = subcommands.first(where: { $0.name == word }) { return command }
        guard word.hasPrefix("-") else {
            throw UsageError(
                "'\(path.joined(separator: " "))' has no command '\(word)'",
                hint: Suggestion.hint(for: word, among: subcommands.map(\.name))
            )
        }
        let name = String(word.prefix { $0 != "=" })
        guard let owner = subcommands.lazy.compactMap({ $0.pathToOption(name) }).first else {
            throw UsageError(
                "unknown option '\(name)'",
                hint: Suggestion.hint(for: name, among: ["--help", "--version"])
            )
        }
        throw UsageError(
            "'\(name)' belongs after its command, as in '\((path + owner).joined(separator: " ")) \(name)'"
        )
    }

    private func pathToOption(_ name: String) -> [String]? {
        if parameters.contains(where: { $0.names.contains(name) }) { return [self.name] }
        return subcommands.lazy.compactMap { $0.pathToOption(name) }.first.map { [self.name] + $0 }
    }
}

/// Parses the words of one command.
private struct Reading {
    let parameters: [ParameterDefinition]
    private var texts: [String: [String]] = [:]
    private var arguments: [String] = []

    init(parameters: [ParameterDefinition]) {
        self.parameters = parameters
    }

    mutating func read(_ words: ArraySlice<String>) throws(UsageError) {
        var rest = words
        while let word = rest.popFirst() {
            if word == "--" {
                arguments += rest
                return
            }
            guard Self.isOption(word) else {
                arguments.append(word)
                continue
            }
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let parameter = try option(named: parts[0])
            if parts.count == 2 {
                texts[parameter.key, default: []].append(parts[1])
            } else if parameter.isFlag {
                texts[parameter.key, default: []].append("true")
            } else if let value = rest.first, !Self.isOption(value), value != "--" {
                texts[parameter.key, default: []].append(value)
                rest = rest.dropFirst()
            } else {
                let hint = rest.first.map { "Write a value that begins with a dash as '\(parts[0])=\($0)'" }
                throw UsageError("'\(parts[0])' expects a value, \(parameter.valueName)", hint: hint)
            }
        }
    }

    /// A lone dash is an argument (it often means standard input), and so is a negative number.
    private static func isOption(_ word: String) -> Bool {
        guard word.hasPrefix("-"), word != "--", let second = word.utf8.dropFirst().first else { return false }
        return second < UInt8(ascii: "0") || second > UInt8(ascii: "9")
    }

    private func option(named name: String) throws(UsageError) -> ParameterDefinition {
        let options = parameters.filter { !$0.isArgument }
        if let option = options.first(where: { $0.names.contains(name) }) { return option }
        throw UsageError(
            "unknown option '\(name)'",
            hint: Suggestion.hint(for: name, among: options.flatMap(\.names) + ["--help"])
        )
    }

    mutating func values(path: [String], environment: [String: String]) throws(UsageError) -> ParsedValues {
        try assignArguments()
        var sources: [String: ParsedValues.Source] = [:]
        for parameter in parameters {
            if texts[parameter.key] != nil {
                sources[parameter.key] = .commandLine
            } else if let variable = parameter.environment.first(where: { environment[$0]?.isEmpty == false }) {
                sources[parameter.key] = .environment(variable)
                texts[parameter.key] = environment[variable].map { [$0] }
            } else {
                sources[parameter.key] = .missing
                texts[parameter.key] = []
                if parameter.isRequired { throw Self.missing(parameter) }
            }
            try check(parameter, source: sources[parameter.key])
        }
        return ParsedValues(path: path, texts: texts, sources: sources)
    }

    private mutating func assignArguments() throws(UsageError) {
        var rest = arguments[...]
        for parameter in parameters where parameter.isArgument && !rest.isEmpty {
            let count = parameter.isRepeated ? rest.count : 1
            texts[parameter.key] = Array(rest.prefix(count))
            rest = rest.dropFirst(count)
        }
        if let surplus = rest.first { throw UsageError("unexpected argument '\(surplus)'") }
    }

    private static func missing(_ parameter: ParameterDefinition) -> UsageError {
        let variables = parameter.environment.joined(separator: " or ")
        return UsageError(
            parameter.isArgument ? "\(parameter.valueName) is missing" : "'\(parameter.key)' is missing",
            hint: variables.isEmpty ? nil : "It can also be set by the variable \(variables)"
        )
    }

    private func check(_ parameter: ParameterDefinition, source: ParsedValues.Source?) throws(UsageError) {
        do {
            try parameter.check(texts[parameter.key] ?? [])
        } catch {
            let place =
                if case .environment(let variable) = source { "the variable \(variable)" } else { "'\(parameter.key)'" }
            let given = parameter.isSensitive ? "" : ", not '\(error.text)'"
            throw UsageError(
                "\(place) expects \(error.expectation)\(given)",
                hint: parameter.isSensitive ? nil : Suggestion.hint(for: error.text, among: parameter.allowedValues)
            )
        }
    }
}
