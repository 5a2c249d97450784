internal import SagamoreAPI
internal import SagamoreJSONText
internal import SagamoreProtobuf

/// The option `retry_policy` of a start. Points into the record's bytes, and must not outlive them.
struct RetryPolicyOptions {
    private let bytes: UnsafeRawBufferPointer

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// Reads the policy. What it leaves out has Temporal's defaults; the engine checks the values.
    func policy() throws(Refusal) -> RetryPolicy {
        var policy = RetryPolicy()
        let members: [JSONMember]
        do throws(JSONError) {
            members = try JSONScanner.members(of: bytes)
        } catch {
            throw .invalid("options.retry_policy", "must be an object")
        }
        for member in members {
            if member.isDuplicate { throw refusal(member, "is given more than once") }
            if member.kind == .null { continue }
            switch member.key {
            case "initial_interval": policy.initialInterval = try duration(member)
            case "maximum_interval": policy.maximumInterval = try duration(member)
            case "backoff_coefficient": policy.backoffCoefficient = try number(member)
            case "maximum_attempts": policy.maximumAttempts = try count(member)
            case "non_retryable_error_types": policy.nonRetryableErrorTypes = try texts(member)
            default: throw refusal(member, "there is no such option")
            }
        }
        return policy
    }

    private func refusal(_ member: JSONMember, _ what: String) -> Refusal {
        .invalid("options.retry_policy." + member.key, what)
    }

    private func raw(_ member: JSONMember) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[member.range])
    }

    private func duration(_ member: JSONMember) throws(Refusal) -> ProtobufDuration {
        guard member.kind == .string, let text = try? JSONScanner.string(raw(member)),
            let duration = GoDuration.parse(text)
        else { throw refusal(member, "must be a duration such as \"90s\" or \"1h30m\"") }
        guard duration >= .zero else { throw refusal(member, "must not be negative") }
        let (seconds, attoseconds) = duration.components
        return ProtobufDuration(seconds: seconds, nanos: Int32(attoseconds / 1_000_000_000))
    }

    private func number(_ member: JSONMember) throws(Refusal) -> Double {
        guard member.kind == .number, let number = try? JSONScanner.double(raw(member)) else {
            throw refusal(member, "must be a number")
        }
        return number
    }

    private func count(_ member: JSONMember) throws(Refusal) -> Int32 {
        guard member.kind == .number, let number = try? JSONScanner.int64(raw(member)),
            let count = Int32(exactly: number), count >= 0
        else { throw refusal(member, "must be a whole number from 0 on") }
        return count
    }

    private func texts(_ member: JSONMember) throws(Refusal) -> [String] {
        let value = try? JSONValue.parse(Array(raw(member)))
        guard let elements = value?.array else { throw refusal(member, "must be an array of strings") }
        let texts = elements.compactMap(\.string)
        guard texts.count == elements.count else { throw refusal(member, "must be an array of strings") }
        return texts
    }
}
