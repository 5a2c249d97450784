/// Writes log lines under one label, in the vocabulary of swift-log.
///
/// A logger is a value: metadata set on a copy stays with the copy. Message and metadata are evaluated only when the
/// level is on, so a line that is off costs a comparison and allocates nothing.
public struct Logger: Sendable {
    /// Who speaks, for example `history.lane`.
    public let label: String

    private var ownLevel: Level?
    private var metadata: [String: String] = [:]
    private let handler: LogHandler?

    /// A logger that writes where `LoggingSystem.bootstrap` said, also when it was made before that.
    public init(label: String) {
        self.label = label
        self.handler = nil
    }

    /// A logger with a handler of its own, whatever the process uses. For tests that read what was logged.
    public init(label: String, handler: LogHandler) {
        self.label = label
        self.handler = handler
    }

    /// The least severe level that is written: the process's level, unless one was set here.
    public var logLevel: Level {
        get { ownLevel ?? LoggingSystem.level }
        set { ownLevel = newValue }
    }

    /// A key and value that go with every line of this logger; `nil` takes the key away.
    public subscript(metadataKey key: String) -> String? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Whether a line of this level would be written.
    public func isEnabled(_ level: Level) -> Bool {
        level >= logLevel
    }

    /// Writes one line if `level` is on.
    /// - Parameters:
    ///   - level: How severe it is.
    ///   - message: What happened, without values that differ from line to line; those are metadata. No payloads, no
    ///     secrets.
    ///   - metadata: Keys and values of this line; a key that the logger has too is taken from here.
    public func log(
        level: Level,
        _ message: @autoclosure () -> String,
        metadata: @autoclosure () -> [String: String] = [:]
    ) {
        guard isEnabled(level) else { return }
        write(level, message(), metadata())
    }

    /// Every step, for the hunt for one error.
    public func trace(_ message: @autoclosure () -> String, metadata: @autoclosure () -> [String: String] = [:]) {
        log(level: .trace, message(), metadata: metadata())
    }

    /// What helps who develops or looks for the cause of a failure.
    public func debug(_ message: @autoclosure () -> String, metadata: @autoclosure () -> [String: String] = [:]) {
        log(level: .debug, message(), metadata: metadata())
    }

    /// What an operator may want to know.
    public func info(_ message: @autoclosure () -> String, metadata: @autoclosure () -> [String: String] = [:]) {
        log(level: .info, message(), metadata: metadata())
    }

    /// Nothing wrong, but worth a look.
    public func notice(_ message: @autoclosure () -> String, metadata: @autoclosure () -> [String: String] = [:]) {
        log(level: .notice, message(), metadata: metadata())
    }

    /// Something is wrong and the service carries on by itself.
    public func warning(_ message: @autoclosure () -> String, metadata: @autoclosure () -> [String: String] = [:]) {
        log(level: .warning, message(), metadata: metadata())
    }

    /// Something failed.
    public func error(_ message: @autoclosure () -> String, metadata: @autoclosure () -> [String: String] = [:]) {
        log(level: .error, message(), metadata: metadata())
    }

    /// The service can't go on as it should, and somebody has to act now.
    public func critical(_ message: @autoclosure () -> String, metadata: @autoclosure () -> [String: String] = [:]) {
        log(level: .critical, message(), metadata: metadata())
    }

    @inline(never)
    private func write(_ level: Level, _ message: String, _ lineMetadata: [String: String]) {
        let all = metadata.merging(lineMetadata) { _, ofTheLine in ofTheLine }
        let record = LogRecord(
            time: .now,
            level: level,
            label: label,
            message: message,
            metadata: all.sorted { $0.key < $1.key }
        )
        (handler ?? LoggingSystem.handler).write(record)
    }
}
