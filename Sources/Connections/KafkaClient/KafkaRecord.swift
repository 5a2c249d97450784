/// A header of a record. Names may repeat; the order is preserved.
public struct KafkaHeader: Sendable, Hashable {
    /// The name; not empty.
    public var name: String
    /// The value; nil is Kafka's null, which differs from an empty value.
    public var value: [UInt8]?

    /// Creates a header.
    public init(_ name: String, _ value: [UInt8]?) {
        self.name = name
        self.value = value
    }

    /// Creates a header whose value is text.
    public init(_ name: String, text: String) {
        self.init(name, Array(text.utf8))
    }
}

/// A record that was read from a topic.
public struct KafkaRecord: Sendable, Hashable {
    /// The topic it was read from.
    public var topic: String
    /// The partition it was read from.
    public var partition: Int32
    /// Its offset in the partition.
    public var offset: Int64
    /// The key; nil is Kafka's null, which differs from an empty key.
    public var key: [UInt8]?
    /// The value; nil is Kafka's null (a tombstone), which differs from an empty value.
    public var value: [UInt8]?
    /// The headers, in order.
    public var headers: [KafkaHeader]
    /// Milliseconds since 1970, set by the producer or, if the topic is configured so, by the broker; nil when absent.
    public var timestamp: Int64?

    /// Creates a record.
    public init(
        topic: String,
        partition: Int32,
        offset: Int64,
        key: [UInt8]?,
        value: [UInt8]?,
        headers: [KafkaHeader] = [],
        timestamp: Int64? = nil
    ) {
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.key = key
        self.value = value
        self.headers = headers
        self.timestamp = timestamp
    }
}

/// A partition of a topic.
public struct KafkaPartition: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The topic's name.
    public var topic: String
    /// The partition's number, from 0.
    public var partition: Int32

    /// Names a partition.
    public init(topic: String, partition: Int32) {
        self.topic = topic
        self.partition = partition
    }

    /// By topic, then by number.
    public static func < (left: KafkaPartition, right: KafkaPartition) -> Bool {
        (left.topic, left.partition) < (right.topic, right.partition)
    }

    /// `topic[partition]`.
    public var description: String { "\(topic)[\(partition)]" }
}
