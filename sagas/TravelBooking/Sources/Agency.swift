import Sagamore

/// Stands in for a real travel agency.
///
/// Activities run at least once, so bookings and undos must be idempotent. An undo must accept an id that was never
/// booked: it is registered before its booking is tried.
struct Agency: Sendable {
    /// Logs every attempt; nil for no log.
    var log: ActivityLog?

    /// The six activities, for a worker.
    var activities: [Registration] {
        [
            booking(Travel.bookCar, of: "car"), booking(Travel.bookHotel, of: "hotel"),
            booking(Travel.bookFlight, of: "flight"),
            undoing(Travel.undoCar, of: "car"), undoing(Travel.undoHotel, of: "hotel"),
            undoing(Travel.undoFlight, of: "flight"),
        ]
    }

    private func booking(_ activity: Activity<Item, String>, of kind: String) -> Registration {
        activity.implemented { context, item in
            try logged(context.info) {
                if item.id.contains("invalid") {
                    throw ApplicationError(
                        "there is no \(kind) '\(item.id)'",
                        type: "InvalidBooking",
                        isNonRetryable: true,
                        isBenign: true
                    )
                }
                if context.info.attempt < item.attempts {
                    throw ApplicationError("the \(kind) agency is busy", type: "AgencyBusy", isBenign: true)
                }
                return item.id
            }
        }
    }

    private func undoing(_ activity: Activity<Item, Nothing>, of kind: String) -> Registration {
        activity.implemented { context, item in
            logged(context.info) {
                context.logger.debug("booking undone", metadata: ["kind": "\(kind)", "id": "\(item.id)"])
                return Nothing()
            }
        }
    }

    private func logged<Result>(_ info: ActivityInfo, _ body: () throws -> Result) rethrows -> Result {
        log?.write(info, "started")
        let result = try body()
        log?.write(info, "returned")
        return result
    }
}
