/// A workflow type: its name, task queue, input, and output. Client, workflow, and worker share it.
///
///     static let booking = WorkflowType<Booking, Booked>("TravelBooking", taskQueue: "travel-booking")
public struct WorkflowType<Input: Codable & Sendable, Output: Codable & Sendable>: Sendable {
    /// The name on the wire.
    public let name: String
    /// The task queue of the workers that run it.
    public let taskQueue: String

    /// Declares a workflow type.
    public init(_ name: String, taskQueue: String) {
        self.name = name
        self.taskQueue = taskQueue
    }
}

/// An activity type: its name, options, input, and output. Workflow and worker share it.
///
///     static let bookCar = Activity<Item, String>("book_car", .startToCloseTimeout(.seconds(5)))
public struct Activity<Input: Codable & Sendable, Output: Codable & Sendable>: Sendable {
    /// The name on the wire.
    public let name: String
    /// The default options.
    public let options: ActivityOptions

    /// Declares an activity type.
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

    /// Declares a signal.
    public init(_ name: String) { self.name = name }
}

/// A question about a workflow's state. Workflow and client share it.
///
///     static let status = Query<Nothing, [String]>("status")
public struct Query<Input: Codable & Sendable, Output: Codable & Sendable>: Sendable {
    /// The name on the wire.
    public let name: String

    /// Declares a query.
    public init(_ name: String) { self.name = name }
}

/// A request that changes a running workflow's state and returns a result, or is rejected. Workflow and client share
/// it.
///
///     static let addItem = Update<Item, Int>("add_item")
public struct Update<Input: Codable & Sendable, Output: Codable & Sendable>: Sendable {
    /// The name on the wire.
    public let name: String

    /// Declares an update.
    public init(_ name: String) { self.name = name }
}
