import Sagamore

enum Payments {
    /// Ten seconds for an attempt, ten minutes for all of them. A declined card is not tried again.
    static let charge = Activity<Order, String>(
        "charge",
        ActivityOptions(
            startToCloseTimeout: .seconds(10),
            scheduleToCloseTimeout: .seconds(600),
            retryPolicy: RetryPolicy(
                initialInterval: .milliseconds(200),
                maximumInterval: .seconds(30),
                nonRetryableErrorTypes: ["CardDeclined"]
            )
        )
    )
}

/// Charges a customer who waits at the till.
func quickPayment(_ context: WorkflowContext<NoState>, for order: Order) async throws -> String {
    var options = Payments.charge.options
    options.scheduleToCloseTimeout = .seconds(20)
    return try await context.execute(Payments.charge, order, options: options)
}

/// Works until SIGTERM or SIGINT comes.
func serve(_ bank: Bank) async throws {
    var options = WorkerOptions()
    options.maximumConcurrentActivities = 20
    options.gracefulShutdownPeriod = .seconds(30)
    let client = try await connectPatiently()
    let worker = Worker(client, taskQueue: Orders.order.taskQueue, options: options) {
        OrderWorkflow.registered
        Orders.charge.implemented(bank.charge)
        Orders.send.implemented { order in "parcel-\(order.id)" }
    }
    try await worker.run()
}
