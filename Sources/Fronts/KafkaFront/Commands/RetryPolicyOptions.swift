internal import SagamoreAPI
internal import SagamoreJSONText

/// The option `retry_policy` of a start.
struct RetryPolicyOptions {
    private let options: OptionsObject

    init(_ options: OptionsObject) { self.options = options }

    /// Reads the policy. What it leaves out has Temporal's defaults; the engine checks the values.
    func policy() throws(Refusal) -> RetryPolicy {
        var policy = RetryPolicy()
        for member in try options.members() where member.kind != .null {
            switch member.key {
            case "initial_interval": policy.initialInterval = try options.duration(member)
            case "maximum_interval": policy.maximumInterval = try options.duration(member)
            case "backoff_coefficient": policy.backoffCoefficient = try number(member)
            case "maximum_attempts": policy.maximumAttempts = try count(member)
            case "non_retryable_error_types": policy.nonRetryableErrorTypes = try texts(member)
            default: throw options.refusal(member, "there is no such option")
            }
        }
        return policy
    }

    private func number(_ member: JSONMember) throws(Refusal) -> Double {
        guard member.kind == .number, let number = try? JSONScanner.double(options.raw(member)) else {
            throw options.refusal(member, "must be a number")
        }
        return number
    }

    private func count(_ member: JSONMember) throws(Refusal) -> Int32 {
        guard member.kind == .number, let number = try? JSONScanner.int64(options.raw(member)),
            let count = Int32(exactly: number), count >= 0
        else { throw options.refusal(member, "must be a whole number from 0 on") }
        return count
    }

    private func texts(_ member: JSONMember) throws(Refusal) -> [String] {
        let value = try? JSONValue.parse(Array(options.raw(member)))
        guard let elements = value?.array else { throw options.refusal(member, "must be an array of strings") }
        let texts = elements.compactMap(\.string)
        guard texts.count == elements.count else { throw options.refusal(member, "must be an array of strings") }
        return texts
    }
}
