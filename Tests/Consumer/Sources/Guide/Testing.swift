import Sagamore
import SagamoreTesting

/// Orders that are under way go on with the present code.
func ordersGoOn() throws {
    let replayer = WorkflowReplayer { OrderWorkflow.registered }
    try replayer.replay(WorkflowHistory(contentsOfFile: "Histories/order.json"))
}

/// All that is under way goes on with the present code.
func everythingGoesOn() throws {
    let replayer = WorkflowReplayer { OrderWorkflow.registered }
    let failures = try replayer.replay(folder: "Histories")
    precondition(failures.isEmpty, "\(failures)")
}

/// The second attempt converts what the first one has left.
func conversionGoesOn() async throws {
    let environment = ActivityEnvironment { Videos.convert.implemented(Converter().convert) }
    environment.attempt = 2
    environment.heartbeatDetails = try EncodedValues(2)
    _ = try await environment.execute(Videos.convert, Video(name: "holidays", parts: 3))
    precondition(environment.heartbeats.count == 1)
}

/// A cart that is lost from a worker's memory goes on.
func cartsGoOn() throws {
    let book = try HistoryBook(Cart.self, ["tea"])
    try book.update(Carts.quote, "cake", id: "quote-1")
    let first = try book.task()
    precondition(first == ["quote-1/accept", "schedule price"])
    book.forgetRun()
    try book.complete(Carts.price, 250)
    try book.signal(Carts.checkOut, Nothing())
    let last = try book.task()
    precondition(last == ["quote-1/complete", "complete"])
}
