public import SagamoreServer

/// A file in the form of Temporal's dynamic configuration: for each key a list of values, each for all or, by its
/// `constraints`, for a namespace; or one value itself.
public enum DynamicConfigurationFile {
    /// Reads a file.
    /// - Throws: `ConfigurationError`, with the line for what cannot be read.
    public static func read(_ path: String) throws(ConfigurationError) -> DynamicConfiguration {
        try decode(try text(of: path), path: path)
    }

    /// What stands in the file.
    /// - Throws: `ConfigurationError`.
    public static func text(of path: String) throws(ConfigurationError) -> String {
        try ConfigurationFile.text(of: path)
    }

    /// Reads the text of a file.
    /// - Throws: `ConfigurationError`, with the line for what cannot be read.
    public static func decode(_ text: String, path: String) throws(ConfigurationError) -> DynamicConfiguration {
        let settings = try ConfigurationFile.decode([String: Setting].self, text, file: path, [:])
        var configuration = DynamicConfiguration()
        for (key, setting) in settings.sorted(by: { $0.key < $1.key }) {
            for value in setting.values {
                do throws(ServerError) {
                    try configuration.set(key, value.text, namespace: value.namespace)
                } catch {
                    throw ConfigurationError("\(path): \(error)")
                }
            }
        }
        return configuration
    }

    private struct Setting: Decodable {
        let values: [(text: String, namespace: String?)]

        private struct Constrained: Decodable {
            let value: String
            let constraints: [String: String]?
        }

        init(from decoder: any Decoder) throws {
            if let value = try? decoder.singleValueContainer().decode(String.self) {
                values = [(value, nil)]
                return
            }
            values = try decoder.singleValueContainer().decode([Constrained].self).map { item in
                let constraints = item.constraints ?? [:]
                if let other = constraints.keys.first(where: { $0 != "namespace" }) {
                    throw ConfigurationProblem("the constraint '\(other)' is not known: there is 'namespace'")
                }
                return (item.value, constraints["namespace"])
            }
        }
    }
}
