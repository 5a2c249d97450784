internal import SagamoreProtobuf

/// What a schedule is known by.
public struct ScheduleName: Hashable, Sendable {
    /// The number of its namespace.
    public let namespace: Int32
    private let exactID: ExactText

    public init(namespace: Int32, id: String) {
        self.namespace = namespace
        exactID = ExactText(id)
    }

    /// Its id, unique in the namespace. Compared by its bytes, like the database does.
    public var id: String { exactID.text }
}

extension ScheduleRecord {
    /// What it is known by.
    public var name: ScheduleName { ScheduleName(namespace: namespace, id: id) }
}
