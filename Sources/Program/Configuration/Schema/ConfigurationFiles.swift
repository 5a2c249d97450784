internal import FoundationEssentials
internal import SagamoreThreads

/// The folder that relative paths in a configuration refer to.
enum ConfigurationFolder {
    static let key = CodingUserInfoKey(rawValue: "folder")!

    static func path(_ path: String, _ decoder: any Decoder) -> String {
        guard !path.hasPrefix("/"), let folder = decoder.userInfo[key] as? String, !folder.isEmpty else { return path }
        return "\(folder)/\(path)"
    }

    static func read(_ path: String, _ decoder: any Decoder) throws -> String {
        do {
            return try String(contentsOfFile: path, encoding: .utf8)
        } catch let error as CocoaError where error.code == .fileReadNoSuchFile {
            throw refusal("there is no file '\(path)'", decoder)
        } catch let error as CocoaError where error.code == .fileReadNoPermission {
            throw refusal("this user may not read the file '\(path)'", decoder)
        } catch {
            throw refusal("cannot read the file '\(path)' as text", decoder)
        }
    }

    private static func refusal(_ reason: String, _ decoder: any Decoder) -> any Error {
        ConfigurationProblem(reason).placed(at: decoder.yamlMark)
    }
}

/// A text that nobody may see. `file:PATH` is what stands in that file, without the end of its last line.
public struct Secret: ConfigurationValue, CustomStringConvertible {
    /// The text.
    public let value: String

    /// A secret.
    public init(_ value: String) { self.value = value }

    /// Reads the text, or the file that it names.
    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard text.hasPrefix("file:") else {
            value = text
            return
        }
        var content = try ConfigurationFolder.read(
            ConfigurationFolder.path(String(text.dropFirst(5)), decoder),
            decoder
        )
        if content.hasSuffix("\n") { content.removeLast() }
        value = content
    }

    /// Masked, unless it is empty.
    public var text: SettingText { (value.isEmpty ? "" : Self.mask).text }

    /// Masked.
    public var description: String { Self.mask }

    static let mask = "********"
}

/// A file, as a path from the folder of the configuration. It has to be readable.
public struct ConfigurationPath: ConfigurationValue {
    /// The path as it stands in the configuration, and from the folder of this process.
    let written: String
    /// The path from the folder of this process.
    public let path: String

    init(_ path: String) { (written, self.path) = (path, path) }

    /// Reads a path, and looks whether the file can be read.
    public init(from decoder: any Decoder) throws {
        written = try decoder.singleValueContainer().decode(String.self)
        path = ConfigurationFolder.path(written, decoder)
        _ = try ConfigurationFolder.read(path, decoder)
    }

    /// The path.
    public var text: SettingText { written.text }

    /// What stands in the file now.
    public func content() throws -> String { try String(contentsOfFile: path, encoding: .utf8) }
}
