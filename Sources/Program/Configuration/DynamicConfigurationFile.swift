public import SagamoreServer

/// A file in the form of Temporal's dynamic configuration: for each key a list with one `value`, or the value itself.
public enum DynamicConfigurationFile {
    /// Reads a file.
    /// - Throws: `ConfigurationError`, with the line for what cannot be read.
    public static func read(_ path: String) throws(ConfigurationError) -> DynamicConfiguration {
        let text = try ConfigurationFile.text(of: path)
        let settings = try ConfigurationFile.decode([String: Setting].self, text, file: path, [:])
        var configuration = DynamicConfiguration()
        for (key, setting) in settings.sorted(by: { $0.key < $1.key }) {
            do throws(ServerError) {
                try configuration.set("\(key)=\(setting.value)")
            } catch {
                throw ConfigurationError("\(path): \(error)")
            }
        }
        return configuration
    }

    private struct Setting: Decodable {
        let value: String

        private struct Constrained: Decodable {
            let value: String
            let constraints: [String: String]?
        }

        init(from decoder: any Decoder) throws {
            if let value = try? decoder.singleValueContainer().decode(String.self) {
                self.value = value
                return
            }
            let list = try decoder.singleValueContainer().decode([Constrained].self)
            guard list.count == 1, list[0].constraints?.isEmpty ?? true else {
                throw ConfigurationProblem("expected one value without constraints: a limit is the same for all")
            }
            value = list[0].value
        }
    }
}
