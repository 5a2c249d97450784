/// Why a spec names no times: what is wrong with which of its fields.
struct SpecError: Error, Equatable {
    let problem: String

    init(_ problem: String) { self.problem = problem }
}
