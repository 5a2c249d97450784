public import SagamoreEngine

/// A limit of all runs and requests, by the key that Temporal's dynamic configuration has for it.
public struct DynamicKey: Sendable {
    /// The key, in Temporal's spelling.
    public let name: String
    /// What the value counts.
    public let unit: Unit
    /// What the value limits, for a table.
    public let summary: String
    /// Whether 0 means that there is no limit.
    public let zeroIsUnlimited: Bool
    private let read: @Sendable (Limits) -> Int64
    private let write: @Sendable (inout Limits, Int64) -> Void

    /// What a value counts.
    public enum Unit: String, Sendable {
        /// Events, signals, activities, characters.
        case count
        /// Bytes of an encoded value.
        case bytes
    }

    /// The value without any setting.
    public var defaultValue: Int64 { read(Limits()) }

    /// All keys, in the order of the table in the documentation.
    public static let all: [DynamicKey] = histories + payloads + pending + identifiers

    private static let histories = [
        DynamicKey("limit.historyCount.error", .count, "events of a run; more terminate it", \.historyEvents),
        DynamicKey("limit.historyCount.warn", .count, "events of a run; more are logged, once", \.warnedEvents),
        DynamicKey(
            "limit.historyCount.suggestContinueAsNew",
            .count,
            "events from which workers are told to continue as new",
            \.suggestedEvents
        ),
        DynamicKey("limit.historySize.error", .bytes, "history of a run; more terminate it", \.historyBytes),
        DynamicKey("limit.historySize.warn", .bytes, "history of a run; more are logged, once", \.warnedBytes),
        DynamicKey(
            "limit.historySize.suggestContinueAsNew",
            .bytes,
            "history size from which workers are told to continue as new",
            \.suggestedBytes
        ),
        DynamicKey("history.maximumSignalsPerExecution", .count, "signals that a run accepts", \.signals),
        DynamicKey("history.maxInFlightUpdates", .count, "updates of a run without an outcome", \.updatesInFlight),
        DynamicKey("history.maxTotalUpdates", .count, "updates that a run accepts", \.updates),
    ]

    private static let payloads = [
        DynamicKey("limit.blobSize.error", .bytes, "an input, a result or other payloads", \.payloadBytes),
        DynamicKey("limit.blobSize.warn", .bytes, "payloads; larger ones are logged", \.warnedPayloadBytes),
        DynamicKey("limit.memoSize.error", .bytes, "the memo of a run", \.memoBytes),
        DynamicKey("limit.memoSize.warn", .bytes, "the memo of a start; a larger one is logged", \.warnedMemoBytes),
        DynamicKey(
            "frontend.searchAttributesNumberOfKeysLimit",
            .count,
            "search attributes of a request",
            \.searchAttributes
        ),
        DynamicKey(
            "frontend.searchAttributesSizeOfValueLimit",
            .bytes,
            "the value of a search attribute",
            \.searchAttributeBytes
        ),
        DynamicKey(
            "frontend.searchAttributesTotalSizeLimit",
            .bytes,
            "all search attributes of a run",
            \.searchAttributesBytes
        ),
    ]

    private static let pending = [
        DynamicKey(
            "limit.numPendingActivities.error",
            .count,
            "pending activities of a run",
            \.pendingActivities,
            zeroIsUnlimited: true
        ),
        DynamicKey(
            "limit.numPendingChildExecutions.error",
            .count,
            "pending children of a run",
            \.pendingChildren,
            zeroIsUnlimited: true
        ),
        DynamicKey(
            "limit.numPendingSignals.error",
            .count,
            "signals of a run to other workflows that are not answered",
            \.pendingExternalSignals,
            zeroIsUnlimited: true
        ),
        DynamicKey(
            "limit.numPendingCancelRequests.error",
            .count,
            "cancel requests of a run to other workflows that are not answered",
            \.pendingExternalCancels,
            zeroIsUnlimited: true
        ),
    ]

    private static let identifiers = [
        DynamicKey("limit.maxIDLength", .bytes, "ids, names of types, queues, signals, namespaces", \.identifierLength)
    ]

    private init(
        _ name: String,
        _ unit: Unit,
        _ summary: String,
        _ path: WritableKeyPath<Limits, Int64> & Sendable
    ) {
        (self.name, self.unit, self.summary, zeroIsUnlimited) = (name, unit, summary, false)
        read = { $0[keyPath: path] }
        write = { $0[keyPath: path] = $1 }
    }

    private init(
        _ name: String,
        _ unit: Unit,
        _ summary: String,
        _ path: WritableKeyPath<Limits, Int> & Sendable,
        zeroIsUnlimited: Bool = false
    ) {
        (self.name, self.unit, self.summary, self.zeroIsUnlimited) = (name, unit, summary, zeroIsUnlimited)
        read = { Int64($0[keyPath: path]) }
        write = { $0[keyPath: path] = Int(clamping: $1) }
    }

    /// Sets the value in `limits`.
    ///
    /// - Throws: `ServerError.badSetting` with the key's name if the text is not a number that the key accepts.
    func set(_ text: String, in limits: inout Limits) throws(ServerError) {
        let least: Int64 = zeroIsUnlimited ? 0 : 1
        guard let value = Int64(text), (least...Int64(Int32.max)).contains(value) else {
            throw .badSetting("'\(name)' expects a whole number from \(least) to \(Int32.max), not '\(text)'")
        }
        write(&limits, value == 0 ? Int64(Int.max) : value)
    }
}
