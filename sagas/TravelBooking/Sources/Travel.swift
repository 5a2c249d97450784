import Sagamore

/// The declarations that the workflow, its activities and its clients share.
enum Travel {
    static let booking = WorkflowType<Booking, Booked>("TravelBooking", taskQueue: "travel-booking")

    static let bookCar = Activity<Item, String>("book_car", options)
    static let bookHotel = Activity<Item, String>("book_hotel", options)
    static let bookFlight = Activity<Item, String>("book_flight", options)
    static let undoCar = Activity<Item, Nothing>("undo_book_car", options)
    static let undoHotel = Activity<Item, Nothing>("undo_book_hotel", options)
    static let undoFlight = Activity<Item, Nothing>("undo_book_flight", options)

    static let cancel = Signal<Reason>("cancel_booking")
    static let status = Query<Nothing, [String]>("status")

    /// Five seconds per attempt, and unlimited attempts; the first retry after 100 ms.
    private static let options = ActivityOptions.startToCloseTimeout(
        .seconds(5),
        retryPolicy: RetryPolicy(initialInterval: .milliseconds(100))
    )
}

/// One trip.
struct Booking: Codable, Sendable {
    var userID: String
    var car: String
    var hotel: String
    var flight: String
    /// The attempt at which bookings succeed. The default, 1, means at once.
    var attempts = 1

    enum CodingKeys: String, CodingKey {
        case userID = "user_id"
        case car, hotel, flight, attempts
    }
}

extension Booking {
    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        userID = try container.decode(String.self, forKey: .userID)
        car = try container.decode(String.self, forKey: .car)
        hotel = try container.decode(String.self, forKey: .hotel)
        flight = try container.decode(String.self, forKey: .flight)
        attempts = try container.decodeIfPresent(Int.self, forKey: .attempts) ?? 1
        guard attempts >= 1 else {
            throw DecodingError.dataCorruptedError(forKey: .attempts, in: container, debugDescription: "at least 1")
        }
    }
}

/// Why a trip is cancelled. The signal counts whatever its input is; an input that is not text is no reason.
struct Reason: Codable, Sendable {
    var text: String?

    init(_ text: String?) { self.text = text }

    init(from decoder: any Decoder) throws {
        text = try? decoder.singleValueContainer().decode(String.self)
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}

/// What one activity books or undoes.
struct Item: Codable, Sendable {
    var userID: String
    var id: String
    var attempts: Int

    enum CodingKeys: String, CodingKey {
        case userID = "user_id"
        case id, attempts
    }
}

/// The result of a booked trip.
struct Booked: Codable, Sendable, Equatable {
    var status = "passed"
    var car: String
    var hotel: String
    var flight: String
}
