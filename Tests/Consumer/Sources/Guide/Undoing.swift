import Sagamore

/// Goods that are set aside.
struct Reservation: Codable, Sendable {
    var id: String
    var order: Order
}

enum Stock {
    static let reserve = Activity<Reservation, Nothing>("reserve_goods", .startToCloseTimeout(.seconds(10)))
    static let release = Activity<String, Nothing>("release_goods", .startToCloseTimeout(.seconds(10)))
}

/// Sets goods aside. The undo needs the reservation's id only.
func setAside(_ order: Order, _ saga: Saga, _ context: WorkflowContext<NoState>) async throws {
    let reservation = Reservation(id: context.makeUUID().uuidString, order: order)
    _ = try await saga.step(Stock.reserve, reservation, undo: Stock.release, undoInput: reservation.id)
}

/// Charges the customer. The refund is tried for a day, and once a minute at least.
func chargeAndRefundPatiently(_ saga: Saga, _ order: Order) async throws -> String {
    let patient = ActivityOptions(
        startToCloseTimeout: .seconds(10),
        scheduleToCloseTimeout: .seconds(86_400),
        retryPolicy: RetryPolicy(maximumInterval: .seconds(60))
    )
    return try await saga.step(Steps.charge, order, undo: Steps.refund, undoOptions: patient)
}

/// What was undone of an order; empty when it worked out.
func compensations(of handle: WorkflowHandle<Receipt>) async throws -> [SagaCompensation] {
    do {
        _ = try await handle.result()
        return []
    } catch let ended as WorkflowFailedError {
        if let saga = ended.cause as? SagaCompensatedError { return saga.compensations }
        if let saga = ended.cause as? SagaCompensationFailedError { return saga.compensations }
        if ended.way == .canceled, ended.details.count > 0 {
            return try ended.details.decode([SagaCompensation].self)
        }
        throw ended
    }
}

/// Tells people what is left to do.
func report(_ compensations: [SagaCompensation]) {
    for compensation in compensations where compensation.status == .failed {
        let reason = compensation.failure?.message ?? "no reason is known"
        print("\(compensation.step) is not undone, \(compensation.compensation) failed: \(reason)")
    }
}
