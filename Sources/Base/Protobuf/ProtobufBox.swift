/// Puts a value on the heap, so that a message may contain a message of its own type.
public final class ProtobufBox<Value: Equatable & Sendable>: Equatable, Sendable {
    /// What is in the box.
    public let value: Value

    /// Puts a value in a box.
    public init(_ value: Value) { self.value = value }

    public static func == (left: ProtobufBox, right: ProtobufBox) -> Bool { left.value == right.value }
}
