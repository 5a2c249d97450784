/// Why a command is rejected: the code and message of its event's `reason`.
struct Refusal: Error, Equatable {
    let code: String
    let message: String

    /// A field's value is not valid.
    static func invalid(_ field: String, _ what: String) -> Refusal {
        Refusal(code: "INVALID_ARGUMENT", message: "\(shortened(field)): \(what)")
    }

    static func invalid(_ field: CommandFields.Known, _ what: String) -> Refusal {
        invalid(field.rawValue, what)
    }

    /// Names from outside are repeated up to a length.
    static func shortened(_ name: String) -> String {
        name.unicodeScalars.count <= 120
            ? name : String(String.UnicodeScalarView(name.unicodeScalars.prefix(120))) + "…"
    }
}
