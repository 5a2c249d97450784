import Logging
import Metrics
import Sagamore

enum Shop {
    static let order = WorkflowType<[String], String>("Order", taskQueue: "shop")
    static let pack = Activity<String, String>("pack", .startToCloseTimeout(.seconds(5)))
    static let unpack = Activity<String, Nothing>("unpack", .startToCloseTimeout(.seconds(5)))
}

struct Order: Workflow {
    static let type = Shop.order

    func run(_ context: WorkflowContext<NoState>, _ items: [String]) async throws -> String {
        try await Saga.run(context) { saga in
            var packed: [String] = []
            for item in items { packed.append(try await saga.step(Shop.pack, item, undo: Shop.unpack)) }
            return packed.joined(separator: ", ")
        }
    }
}

let counter = Counter()
let logger = Logger()
let client = try await Client.connect()
let worker = Worker(client, taskQueue: Shop.order.taskQueue) {
    Order.registered
    Shop.pack.implemented { item in
        counter.increment()
        if item == "nothing" { throw ApplicationError("there is none", type: "SoldOut", isNonRetryable: true) }
        return "packed \(item)"
    }
    Shop.unpack.implemented { _ in counter.increment() }
}
let running = Task { try await worker.run() }
logger.log(try await client.execute(Shop.order, ["tea", "cups"], WorkflowOptions(id: "order-1")))
do {
    _ = try await client.execute(Shop.order, ["tea", "nothing"], WorkflowOptions(id: "order-2"))
} catch let ended as WorkflowFailedError {
    guard let rolledBack = ended.cause as? SagaCompensatedError else { throw ended }
    logger.log(rolledBack.compensations.map { "\($0.compensation) \($0.status.rawValue)" }.joined(separator: ", "))
}
logger.log("\(counter.value) activities")
worker.stop()
try await running.value
