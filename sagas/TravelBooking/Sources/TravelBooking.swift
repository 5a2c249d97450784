import Sagamore

/// Books a car, a hotel and a flight, or none of them.
struct TravelBooking: Workflow {
    struct State: WorkflowState {
        /// The completed steps.
        var steps: [String] = []
        /// Why the booking was cancelled; nil while it was not.
        var cancellation: String?
    }

    static let type = Travel.booking

    static let handlers: [Handler<State>] = [
        .on(Travel.cancel) { state, reason in
            if state.cancellation == nil {
                state.cancellation = "the booking was cancelled" + (reason.text.map { ": \($0)" } ?? "")
            }
        },
        .answer(Travel.status) { state, _ in state.steps },
    ]

    func run(_ context: WorkflowContext<State>, _ booking: Booking) async throws -> Booked {
        try await Saga.run(context, abortWhen: { $0.cancellation }) { saga in
            func book(
                _ activity: Activity<Item, String>,
                _ id: String,
                undo: Activity<Item, Nothing>
            ) async throws -> String {
                let item = Item(userID: booking.userID, id: id, attempts: booking.attempts)
                let booked = try await saga.step(activity, item, undo: undo)
                context.update { $0.steps.append(activity.name) }
                return booked
            }

            let car = try await book(Travel.bookCar, booking.car, undo: Travel.undoCar)
            let hotel = try await book(Travel.bookHotel, booking.hotel, undo: Travel.undoHotel)
            let flight = try await book(Travel.bookFlight, booking.flight, undo: Travel.undoFlight)
            return Booked(car: car, hotel: hotel, flight: flight)
        }
    }
}
