internal import CSagamorePostgres
internal import Glibc

/// libpq's connection parameters: the caller's connection string, completed with defaults.
struct ConnectionParameters {
    /// libpq's keywords with their values, in order; the last occurrence of a keyword counts.
    private(set) var keywords: [(name: String, value: String)] = []

    /// Defaults that detect a dead server: 5 s to connect, and a keepalive after 5 s idle with 3 probes, or 10 s of
    /// unacknowledged data.
    private static let defaults: [(name: String, value: String)] = [
        ("connect_timeout", "5"),
        ("keepalives", "1"),
        ("keepalives_idle", "5"),
        ("keepalives_interval", "2"),
        ("keepalives_count", "3"),
        ("tcp_user_timeout", "10000"),
    ]

    /// Session settings. Statements have no time limit. JIT costs more than short statements take, and times must not
    /// depend on the server's time zone.
    private static let sessionDefaults: [(name: String, value: String)] = [
        ("statement_timeout", "0"),
        ("lock_timeout", "0"),
        ("idle_in_transaction_session_timeout", "0"),
        ("jit", "off"),
        ("TimeZone", "UTC"),
    ]

    /// Reads a URL (`postgresql://…`) or keywords (`host=… dbname=…`), as libpq does.
    ///
    /// - Throws: `.usage` when libpq cannot parse it. The message quotes nothing, since the string may hold a password.
    init(
        _ url: String,
        applicationName: String,
        sessionSettings: [(name: String, value: String)]
    ) throws(PostgresError) {
        var message: UnsafeMutablePointer<CChar>?
        guard let parsed = PQconninfoParse(url, &message) else {
            let text = message.map { String(cString: $0) } ?? "out of memory"
            PQfreemem(message)
            throw PostgresError(.usage, "the connection string is invalid: " + Self.withoutQuotes(text))
        }
        defer { PQconninfoFree(parsed) }
        var given: [String: String] = [:]
        var option = parsed
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { given[String(cString: keyword)] = String(cString: value) }
            option += 1
        }
        for (name, value) in Self.defaults where given[name] == nil { keywords.append((name, value)) }
        for (name, value) in given.sorted(by: { $0.key < $1.key }) where name != "options" {
            keywords.append((name, value))
        }
        keywords.append(("fallback_application_name", applicationName))
        keywords.append(("client_encoding", "UTF8"))
        // The caller's options override the defaults, but not the settings that this connection needs.
        var options = Self.sessionDefaults.map(Self.commandLineOption)
        if let ownOptions = given["options"] { options.append(ownOptions) }
        options += sessionSettings.map(Self.commandLineOption)
        keywords.append(("options", options.joined(separator: " ")))
    }

    /// Connects; blocks for up to `connect_timeout` per host. The result may be a failed connection; nil when out of
    /// memory.
    func connect() -> OpaquePointer? {
        var names = keywords.map { strdup($0.name).map { UnsafePointer($0) } }
        var values = keywords.map { strdup($0.value).map { UnsafePointer($0) } }
        defer {
            for text in names + values { free(UnsafeMutablePointer(mutating: text)) }
        }
        names.append(nil)
        values.append(nil)
        return PQconnectdbParams(names, values, 0)
    }

    private static func commandLineOption(_ setting: (name: String, value: String)) -> String {
        var escaped = ""
        for character in setting.value {
            if character == " " || character == "\\" { escaped.append("\\") }
            escaped.append(character)
        }
        return "-c \(setting.name)=\(escaped)"
    }

    /// Removes everything from the first to the last quotation mark: libpq quotes parts of the connection string.
    private static func withoutQuotes(_ text: String) -> String {
        let text = text.trimmingLineEnd()
        guard let first = text.firstIndex(of: "\""), let last = text.lastIndex(of: "\"") else { return text }
        return text[..<first] + "…" + text[text.index(after: last)...]
    }
}

extension String {
    /// Joins the lines of libpq's messages, which end with a line feed.
    func trimmingLineEnd() -> String {
        var text = Substring(self)
        while let last = text.last, last.isNewline || last == " " { text.removeLast() }
        return text.split(whereSeparator: \.isNewline).joined(separator: "; ")
    }
}
