internal import SagamoreAPI
internal import SagamoreProtobuf

/// The header of an activity, or of a child, that undoes a step of a saga. Its value is the name of that step.
private let undoHeader = "saga-undo"

/// Whether what a command starts undoes a step of a saga: its worker says so in a header.
func undoesStep(_ header: RawMessage<Header>?) -> Bool {
    guard let header, !header.bytes.isEmpty else { return false }
    return (try? header.decoded().fields[undoHeader]) != nil
}
