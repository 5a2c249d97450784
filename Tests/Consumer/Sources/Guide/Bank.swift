import Sagamore

/// The bank, as far as orders need it.
struct Bank: Sendable {
    /// More than this no card has.
    var mostCents = 100_000

    func charge(_ context: ActivityContext, _ order: Order) throws -> String {
        if order.cents > mostCents {
            throw ApplicationError("the card was declined", type: "CardDeclined", isNonRetryable: true, isBenign: true)
        }
        // The same in each attempt: the bank sees that it is the same charge.
        let key = "\(context.info.runID)-\(context.info.id)"
        context.logger.info("charging", metadata: ["key": "\(key)"])
        return "payment-\(key)"
    }
}

/// A worker of the queue `orders`.
func orderWorker(_ client: Client, _ bank: Bank) -> Worker {
    Worker(client, taskQueue: Orders.order.taskQueue) {
        OrderWorkflow.registered
        Orders.charge.implemented(bank.charge)
        Orders.send.implemented { order in "parcel-\(order.id)" }
    }
}
