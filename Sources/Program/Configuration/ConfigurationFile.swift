internal import FoundationEssentials
internal import SagamoreCommandLineArguments
internal import SagamoreYAML

/// Why a configuration cannot be used.
public struct ConfigurationError: Error, Sendable, Hashable, CustomStringConvertible {
    /// `FILE:LINE:COLUMN: ` and what is wrong, and what to do.
    public let description: String

    init(_ description: String) { self.description = description }

    init(_ error: YAMLError, in file: String) {
        var message = error.message
        if case .unknownKey(let key, let known) = error.code {
            if let near = Suggestion.near(to: key, among: known).first {
                message += "; did you mean '\(near)'?"
            } else {
                message += "; there are " + known.map { "'\($0)'" }.joined(separator: ", ")
            }
        }
        description = "\(file):\(error.mark): \(message)"
    }
}

/// Reads a configuration from a file.
public enum ConfigurationFile {
    /// The size of the largest file, in bytes.
    static let largest = 1 << 20

    /// Reads a file. `${VARIABLE}` in a value is a variable of the environment, `${VARIABLE:-text}` has a text for a
    /// variable that is not set, and `$${` is `${`.
    ///
    /// - Throws: `ConfigurationError`, with the line.
    public static func read(
        _ path: String,
        environment: [String: String]
    ) throws(ConfigurationError) -> Configuration {
        let folder = path.contains("/") ? String(path[..<path.lastIndex(of: "/")!]) : ""
        return try decode(Configuration.self, try text(of: path), file: path, folder: folder, environment)
    }

    static func text(of path: String) throws(ConfigurationError) -> String {
        do {
            let data = try Data(contentsOf: URL(fileURLWithPath: path))
            guard data.count <= largest else { throw ConfigurationError("\(path) has more than \(largest) bytes") }
            guard let text = String(validating: data, as: UTF8.self) else {
                throw ConfigurationError("\(path) is not UTF-8")
            }
            return text
        } catch let error as ConfigurationError {
            throw error
        } catch let error as CocoaError where error.code == .fileReadNoSuchFile {
            throw ConfigurationError("there is no file '\(path)'; 'sagamore config default' prints one to begin with")
        } catch let error as CocoaError where error.code == .fileReadNoPermission {
            throw ConfigurationError("this user may not read '\(path)'")
        } catch {
            throw ConfigurationError("cannot read '\(path)'")
        }
    }

    static func decode<Value: Decodable>(
        _ type: Value.Type,
        _ text: String,
        file: String,
        folder: String = "",
        _ environment: [String: String]
    ) throws(ConfigurationError) -> Value {
        do throws(YAMLError) {
            let node = try YAMLParser.parse(text).substituting(environment)
            return try YAMLDecoder.decode(type, from: node, userInfo: [ConfigurationFolder.key: folder])
        } catch {
            throw ConfigurationError(error, in: file)
        }
    }
}

extension Configuration {
    /// A file with every key, its default and a comment.
    public static var defaultFile: String {
        """
        # The configuration of 'sagamore serve'. All keys are here, with their defaults; delete what you do not change.
        # A value may be ${VARIABLE} or ${VARIABLE:-text} of the environment, and secrets file:PATH. Paths are relative
        # to this file's folder. 'sagamore serve --check' looks for mistakes.


        """ + ConfigurationWriter.text(Configuration().text, isExplained: true)
    }

    /// All keys with the values in effect. Secrets are masked.
    public var effectiveFile: String { ConfigurationWriter.text(text, isExplained: false) }
}

extension YAMLNode {
    /// With the variables of an environment in place of their names.
    func substituting(_ environment: [String: String]) throws(YAMLError) -> YAMLNode {
        var node = self
        switch content {
        case .scalar(let text, let isPlain):
            guard text.contains("${") else { return self }
            node.content = .scalar(try Self.substitute(text, environment, mark), isPlain: isPlain)
        case .sequence(let items):
            var substituted: [YAMLNode] = []
            for item in items { substituted.append(try item.substituting(environment)) }
            node.content = .sequence(substituted)
        case .mapping(var members):
            for index in members.indices { members[index].value = try members[index].value.substituting(environment) }
            node.content = .mapping(members)
        }
        return node
    }

    private static func substitute(
        _ text: String,
        _ environment: [String: String],
        _ mark: YAMLMark
    ) throws(YAMLError) -> String {
        var result = ""
        var rest = text[...]
        while let start = rest.firstRange(of: "${") {
            let before = rest[..<start.lowerBound]
            rest = rest[start.upperBound...]
            if before.hasSuffix("$") {
                result += before.dropLast() + "${"
                continue
            }
            guard let end = rest.firstIndex(of: "}") else {
                throw YAMLError(.badValue, "'${' without '}'; '$${' is a '${' that means itself", at: mark)
            }
            let (name, fallback) = parts(rest[..<end])
            guard let value = environment[name].flatMap({ $0.isEmpty && fallback != nil ? nil : $0 }) ?? fallback else {
                throw YAMLError(.badValue, "the environment has no variable '\(name)'", at: mark)
            }
            result += before + value
            rest = rest[rest.index(after: end)...]
        }
        return result + rest
    }

    /// The name of a variable, and the text for one that is not set.
    private static func parts(_ text: Substring) -> (name: String, fallback: String?) {
        guard let separator = text.firstRange(of: ":-") else { return (String(text), nil) }
        return (String(text[..<separator.lowerBound]), String(text[separator.upperBound...]))
    }
}
