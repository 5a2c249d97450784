public import SagamoreEngine
public import SagamoreGRPCFront

/// A limit of what a namespace may ask for, by its key in the dynamic configuration.
public struct DynamicRequestKey: Sendable {
    /// The key; Temporal's where it means the same.
    public let name: String
    /// What the value limits, for a table.
    public let summary: String
    // Never changed: a key path of a value that may be sent between threads.
    nonisolated(unsafe) fileprivate let path: WritableKeyPath<RequestLimits, Int>

    private init(_ name: String, _ summary: String, _ path: WritableKeyPath<RequestLimits, Int>) {
        (self.name, self.summary, self.path) = (name, summary, path)
    }

    /// All keys, in the order of the table in the documentation.
    public static let all = [
        DynamicRequestKey("frontend.namespaceRPS", "requests of a namespace, a second", \.requestsPerSecond),
        DynamicRequestKey("frontend.namespaceCount", "long polls of a namespace at a time", \.longPolls),
        DynamicRequestKey(
            "sagamore.namespacePayloadBytesPerSecond",
            "bytes of requests of a namespace, a second",
            \.payloadBytesPerSecond
        ),
        DynamicRequestKey("sagamore.namespaceRunningWorkflows", "open workflows of a namespace", \.runningWorkflows),
    ]
}

/// Settings by Temporal's keys.
public struct DynamicConfiguration: Sendable {
    private struct RequestSetting: Sendable {
        let namespace: String?
        let key: DynamicRequestKey
        let value: Int
    }

    /// The limits with all settings so far.
    public private(set) var limits = Limits()
    /// The keys that name nothing here, in their order.
    public private(set) var unknownKeys: [String] = []
    private var requestSettings: [RequestSetting] = []

    /// The defaults.
    public init() {}

    /// Takes a setting. The spelling of a key is compared without regard to case, as by Temporal; later settings win.
    ///
    /// - Parameter setting: `KEY=VALUE`.
    /// - Throws: `ServerError.badSetting` for a text of another form, and for a bad value.
    public mutating func set(_ setting: String) throws(ServerError) {
        guard let separator = setting.firstIndex(of: "="), separator != setting.startIndex else {
            throw .badSetting("'\(setting)' is not of the form KEY=VALUE")
        }
        try set(String(setting[..<separator]), String(setting[setting.index(after: separator)...]))
    }

    /// Takes a setting of a key.
    ///
    /// - Parameter namespace: the one that it is for; nil for all that have none of their own.
    /// - Throws: `ServerError.badSetting` for a bad value, and for a namespace at a key that is the same for all.
    public mutating func set(_ name: String, _ value: String, namespace: String? = nil) throws(ServerError) {
        if let key = DynamicRequestKey.all.first(where: { $0.name.lowercased() == name.lowercased() }) {
            guard let number = Int(value), (0...Int(Int32.max)).contains(number) else {
                throw .badSetting("'\(key.name)' expects a whole number from 0 to \(Int32.max), not '\(value)'")
            }
            requestSettings.append(RequestSetting(namespace: namespace, key: key, value: number))
            return
        }
        guard let key = DynamicKey.all.first(where: { $0.name.lowercased() == name.lowercased() }) else {
            unknownKeys.append(name)
            return
        }
        guard namespace == nil else {
            throw .badSetting("'\(key.name)' is the same for all: expected a value without constraints")
        }
        try key.set(value, in: &limits)
    }

    /// The limits of requests with all settings so far.
    ///
    /// - Parameter table: what holds where there is no setting.
    public func requestLimits(over table: RequestLimitTable) -> RequestLimitTable {
        var table = table
        for setting in requestSettings where setting.namespace == nil {
            table.namespace[keyPath: setting.key.path] = setting.value
        }
        for setting in requestSettings {
            guard let namespace = setting.namespace else { continue }
            table.namespaces[namespace, default: table.namespace][keyPath: setting.key.path] = setting.value
        }
        return table
    }
}
