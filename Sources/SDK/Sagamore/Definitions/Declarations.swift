/// A kind of workflow: its name, its task queue, and what goes in and comes out. Client, workflow and worker share it.
///
///     static let booking = WorkflowType<Booking, Booked>("TravelBooking", taskQueue: "travel-booking")
public struct WorkflowType<Input: Codable & Sendable, Output: Codable & Sendable>: Sendable {
    /// The name on the wire.
    public let name: String
    /// Whose workers run it.
    public let taskQueue: String

    /// A workflow by its name and its task queue.
    public init(_ name: String, taskQueue: String) {
        self.name = name
        self.taskQueue = taskQueue
    }
}

/// A kind of activity: its name, its options, and what goes in and comes out. Workflow and worker share it.
///
///     static let bookCar = Activity<Item, String>("book_car", .startToClose(.seconds(5)))
public struct Activity<Input: Codable & Sendable, Output: Codable & Sendable>: Sendable {
    /// The name on the wire.
    public let name: String
    /// How it is run, unless the caller says otherwise.
    public let options: ActivityOptions

    /// An activity by its name, and how it is run.
    public init(_ name: String, _ options: ActivityOptions) {
        self.name = name
        self.options = options
    }
}

/// A message that changes a running workflow's state. Workflow and client share it.
///
///     static let cancel = Signal<String>("cancel_booking")
public struct Signal<Input: Codable & Sendable>: Sendable {
    /// The name on the wire.
    public let name: String

    /// A signal by its name.
    public init(_ name: String) { self.name = name }
}

/// A question about a workflow's state. Workflow and client share it.
///
///     static let status = Query<Nothing, [String]>("status")
public struct Query<Input: Codable & Sendable, Output: Codable & Sendable>: Sendable {
    /// The name on the wire.
    public let name: String

    /// A query by its name.
    public init(_ name: String) { self.name = name }
}
