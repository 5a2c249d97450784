/// The outcome of one undo of a saga.
public struct SagaCompensation: Codable, Sendable, Hashable {
    /// How an undo ended.
    public enum Status: String, Codable, Sendable, Hashable {
        /// The step was undone.
        case compensated
        /// The undo failed permanently: the step may still be in effect.
        case failed
    }

    /// A failure as plain data.
    public struct FailureDescription: Codable, Sendable, Hashable {
        /// The kind of failure.
        public let type: String
        /// A description for people.
        public let message: String
        /// What led to it: none, or one.
        private let causes: [FailureDescription]

        /// The cause, if any.
        public var cause: FailureDescription? { causes.first }

        private enum CodingKeys: String, CodingKey { case type, message, cause }

        /// What `error` says. An ``ActivityError`` or ``ChildWorkflowError`` says only what failed, so its cause is
        /// described.
        public init(_ error: any Error) {
            let wrapped = (error as? ActivityError)?.cause ?? (error as? ChildWorkflowError)?.cause
            if let wrapped {
                self = FailureDescription(wrapped)
                return
            }
            let failure = FailureCoding.failure(error, depth: .max)
            type = (error as? ApplicationError)?.type ?? "\(Swift.type(of: error))"
            message = failure.message
            causes = ((error as? any WorkflowFailure)?.cause).map { [FailureDescription($0)] } ?? []
        }

        /// Reads `{"type", "message", "cause"}`.
        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            type = try container.decode(String.self, forKey: .type)
            message = try container.decode(String.self, forKey: .message)
            causes = try container.decodeIfPresent(FailureDescription.self, forKey: .cause).map { [$0] } ?? []
        }

        /// Writes `{"type", "message", "cause"}`, without `cause` where there is none.
        public func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(type, forKey: .type)
            try container.encode(message, forKey: .message)
            try container.encodeIfPresent(cause, forKey: .cause)
        }
    }

    /// The step that was undone: the name of its activity or child workflow.
    public let step: String
    /// The undo: the name of its activity or child workflow.
    public let compensation: String
    /// How it ended.
    public let status: Status
    /// Why it failed, if it did.
    public let failure: FailureDescription?
}
