import Sagamore

/// Workflows that work with others.
enum Deliveries {
    static let delivery = WorkflowType<[Order], Int>("Delivery", taskQueue: "deliveries")
    static let meter = WorkflowType<Int, Int>("Meter", taskQueue: "deliveries")

    static let read = Activity<Nothing, Int>("read", .startToCloseTimeout(.seconds(5)))
    static let hurry = Signal<Nothing>("hurry")
}

/// Runs a workflow for each order, side by side.
struct Delivery: Workflow {
    static let type = Deliveries.delivery

    func run(_ context: WorkflowContext<NoState>, _ orders: [Order]) async throws -> Int {
        try await withThrowingTaskGroup(of: Receipt.self) { group in
            for order in orders {
                group.addTask {
                    let options = ChildWorkflowOptions(id: "order-\(order.id)")
                    return try await context.execute(child: Orders.order, order, options)
                }
            }
            return try await group.reduce(into: 0) { count, _ in count += 1 }
        }
    }
}

/// Tells a child, and a workflow that somebody else has started.
func hurry(_ context: WorkflowContext<NoState>, _ order: Order) async throws -> Receipt {
    let child = try await context.start(child: Orders.order, order)
    try await child.signal(Deliveries.hurry, Nothing())
    try await context.external("warehouse").signal(Deliveries.hurry, Nothing())
    return try await child.result()
}

/// Reads a meter once an hour, for years.
struct Meter: Workflow {
    static let type = Deliveries.meter

    func run(_ context: WorkflowContext<NoState>, _ total: Int) async throws -> Int {
        var total = total
        while !context.isContinueAsNewSuggested {
            try await context.sleep(for: .seconds(3_600))
            total += try await context.execute(Deliveries.read)
        }
        throw try ContinueAsNew(Deliveries.meter, total)
    }
}

/// Sells an order: a saga whose first step is a workflow.
func sell(_ context: WorkflowContext<NoState>, _ order: Order) async throws {
    try await Saga.run(context) { saga in
        _ = try await saga.step(child: Orders.order, order, undo: Orders.refund, undoInput: order)
        _ = try await saga.step(Orders.charge, order, undo: Orders.refund)
    }
}
