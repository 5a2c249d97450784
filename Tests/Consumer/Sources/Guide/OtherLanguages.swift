import Sagamore

/// A person, with the names that a service in Python uses.
struct Applicant: Codable, Sendable {
    var fullName: String

    enum CodingKeys: String, CodingKey {
        case fullName = "full_name"
    }
}

enum Scoring {
    /// An activity whose workers are written in Python and serve a queue of their own.
    static let score = Activity<Applicant, Double>(
        "score",
        ActivityOptions(startToCloseTimeout: .seconds(30), taskQueue: "scoring-python")
    )
}
