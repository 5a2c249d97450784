/// A shell that completes words of a command line.
public enum Shell: String, Sendable, CaseIterable {
    /// The shells of these names.
    case bash, zsh, fish
}

extension Command {
    /// A script by which a shell completes this program's commands, options and their values.
    public func completionScript(for shell: Shell) -> String {
        let script = CompletionScript(self)
        return switch shell {
        case .bash: script.bash
        case .zsh: script.zsh
        case .fish: script.fish
        }
    }
}

/// The scripts find the command by the words before the cursor, and offer what it takes.
struct CompletionScript {
    /// A command with the words that select it, joined by spaces.
    private struct Place {
        let path: String
        let command: Command
    }

    private let program: String
    private let places: [Place]

    init(_ root: Command) {
        program = root.name
        places = Self.places(of: root, path: root.name)
    }

    private static func places(of command: Command, path: String) -> [Place] {
        [Place(path: path, command: command)]
            + command.subcommands.flatMap { places(of: $0, path: "\(path) \($0.name)") }
    }

    // MARK: Words

    private func words(_ place: Place) -> [String] {
        let options = place.command.parameters.filter { !$0.isArgument }.flatMap(\.names)
        return place.command.subcommands.map(\.name) + options + ["--help"]
    }

    /// The options that have a value, with what it may be: words, or nil for the name of a file.
    private func values(_ place: Place) -> [(names: [String], words: [String]?)] {
        place.command.parameters.filter { !$0.isArgument && !$0.isFlag }.compactMap { option in
            if !option.allowedValues.isEmpty { return (option.names, option.allowedValues) }
            return ["FILE", "DIR"].contains(option.valueName) ? (option.names, nil) : (option.names, [])
        }
    }

    /// What an argument may be.
    private func argumentWords(_ place: Place) -> [String] {
        place.command.parameters.filter(\.isArgument).flatMap(\.allowedValues)
    }

    private func patterns(_ paths: [String]) -> String { paths.map { "\"\($0)\"" }.joined(separator: "|") }

    private var commandPatterns: String { patterns(places.dropFirst().map(\.path)) }

    // MARK: Scripts

    var bash: String {
        """
        # Completion for bash: source <(\(program) completion bash)
        _\(program)() {
            local place="\(program)" current="${COMP_WORDS[COMP_CWORD]}" word
            for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
                case "$place $word" in
                    \(commandPatterns)) place="$place $word" ;;
                esac
            done
            COMPREPLY=()
            case "$place ${COMP_WORDS[COMP_CWORD-1]}" in
        \(valueCases(words: Self.bashWords, "COMPREPLY=($(compgen -f -- \"$current\"))"))
            esac
            case "$place" in
        \(wordCases(Self.bashWords))
            esac
        }
        complete -o filenames -F _\(program) \(program)

        """
    }

    private static func bashWords(_ words: String) -> String {
        "COMPREPLY=($(compgen -W \"\(words)\" -- \"$current\"))"
    }

    var zsh: String {
        """
        #compdef \(program)
        # Completion for zsh: source <(\(program) completion zsh)
        _\(program)() {
            local place="\(program)" word
            for word in ${words[2,CURRENT-1]}; do
                case "$place $word" in
                    \(commandPatterns)) place="$place $word" ;;
                esac
            done
            case "$place ${words[CURRENT-1]}" in
        \(valueCases(words: { "compadd -- \($0)" }, "_files"))
            esac
            case "$place" in
        \(wordCases { "compadd -- \($0)" })
            esac
        }
        if (( $+functions[compdef] )); then compdef _\(program) \(program); fi

        """
    }

    var fish: String {
        let lines = places.flatMap { place in
            let condition = "-n '__\(program)_is_at \"\(place.path)\"'"
            let start = "complete -c \(program) -f \(condition)"
            return place.command.subcommands.map { "\(start) -a \($0.name) -d '\(quoted($0.abstract))'" }
                + argumentWords(place).map { "\(start) -a \($0)" }
                + place.command.parameters.filter { !$0.isArgument }.map { fishOption($0, place, condition) }
        }
        return """
            # Completion for fish: \(program) completion fish | source
            function __\(program)_is_at
                set -l place \(program)
                for word in (commandline -opc)[2..]
                    switch "$place $word"
                        case \(places.dropFirst().map { "\"\($0.path)\"" }.joined(separator: " "))
                            set place "$place $word"
                    end
                end
                test "$place" = "$argv[1]"
            end
            complete -c \(program) -f -s h -l help -d 'Show this help.'
            \(lines.joined(separator: "\n"))

            """
    }

    private func fishOption(_ option: ParameterDefinition, _ place: Place, _ condition: String) -> String {
        let names = option.names.map { $0.hasPrefix("--") ? "-l \($0.dropFirst(2))" : "-s \($0.dropFirst())" }
        var line = "complete -c \(program) \(condition) \(names.joined(separator: " ")) -d '\(quoted(option.help))'"
        if option.isFlag { return line }
        line += " -r"
        if !option.allowedValues.isEmpty { return line + " -f -a '\(option.allowedValues.joined(separator: " "))'" }
        return ["FILE", "DIR"].contains(option.valueName) ? line + " -F" : line + " -f"
    }

    private func quoted(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("'", with: "\\'").replacing("\n", with: " ")
    }

    private func wordCases(_ offer: (String) -> String) -> String {
        places.map { place in
            let all = words(place) + argumentWords(place)
            return "        \(patterns([place.path]))) \(offer(all.joined(separator: " "))) ;;"
        }
        .joined(separator: "\n")
    }

    /// What stands behind an option that has a value. Where nobody knows what it may be, nothing is offered.
    private func valueCases(words offer: (String) -> String, _ files: String) -> String {
        places.flatMap { place in
            values(place).map { option in
                let patterns = patterns(option.names.map { "\(place.path) \($0)" })
                let action =
                    switch option.words {
                    case nil: files
                    case .some(let words) where words.isEmpty: ":"
                    case .some(let words): offer(words.joined(separator: " "))
                    }
                return "        \(patterns)) \(action); return ;;"
            }
        }
        .joined(separator: "\n")
    }
}
