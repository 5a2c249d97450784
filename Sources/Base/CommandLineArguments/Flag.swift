/// A parameter that is there or not: `--wait`. `--wait=false` switches off what the environment switched on.
public struct Flag: Parameter {
    /// What the parser and the help know of it.
    public let definition: ParameterDefinition
    let reader = ValueReader<Bool>.single(default: false)

    /// - Parameters:
    ///   - names: `--name`, and perhaps a short `-n`.
    ///   - environment: Variables that stand for it, with `true`, `yes`, `1` or `false`, `no`, `0`; of those that are
    ///     set and not empty, the first one counts.
    ///   - help: A sentence.
    public init(_ names: String..., environment: [String] = [], help: String) {
        precondition(ParameterName.areValid(names), "a flag is named --like-this, and perhaps -l: \(names)")
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
