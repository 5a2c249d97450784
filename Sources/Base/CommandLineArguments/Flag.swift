/// A parameter without a value: `--wait`. `--wait=false` overrides an environment variable.
public struct Flag: Parameter {
    /// Its definition, for the parser and the help.
    public let definition: ParameterDefinition
    let reader = ValueReader<Bool>.single(default: false)

    /// - Parameters:
    ///   - names: `--name`, and optionally a short `-n`.
    ///   - environment: Variables that can set it, to `true`, `yes`, `1` or `false`, `no`, `0`. The first nonempty one
    ///     counts.
    ///   - help: A sentence.
    public init(_ names: String..., environment: [String] = [], help: String) {
        precondition(ParameterName.areValid(names), "a flag is named --like-this, and optionally -l: \(names)")
        definition = ParameterDefinition(
            kind: .flag,
            names: names,
            valueName: "",
            help: help,
            defaultText: nil,
            environment: environment,
            isRequired: false,
            isSensitive: false,
            allowedValues: [],
            check: { [reader] (texts) throws(InvalidValue) in _ = try reader.read(texts) }
        )
    }
}
