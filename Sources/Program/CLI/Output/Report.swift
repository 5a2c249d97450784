internal import SagamoreCommandLineArguments

/// What a command that shows nothing says in the end.
enum Report {
    /// Says what was done, in text only: for programs the exit status says it, as with the `temporal` command.
    static func done(_ text: String, _ values: ParsedValues) {
        if !values[OutputFormat.option].isJSON { StandardOutput.show("\(text)\n") }
    }
}
