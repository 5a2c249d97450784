/// The form of a log line.
public enum LogFormat: String, Sendable, CaseIterable {
    /// `TIME LEVEL LABEL MESSAGE KEY=VALUE …`, for people; in colour on a terminal.
    case text
    /// One JSON object a line: `label`, `level`, `message`, `metadata` (an object of strings, absent when empty) and
    /// `time` (RFC 3339, UTC), with all keys in this order and those of `metadata` sorted.
    case json
}
