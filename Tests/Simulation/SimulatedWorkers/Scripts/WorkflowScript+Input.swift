public import SagamoreAPI
public import SagamoreProtobuf

/// What a start of a script and its signals consist of, for those that start scripts by themselves.
extension WorkflowScript {
    /// The workflow type of all scripts.
    public static let workflowType = "saga"

    /// The name of a signal.
    public static func signalName(_ number: Int) -> String { "signal-" + Decimal.text(number) }

    /// The workflow id of a child.
    public static func childID(_ number: Int) -> String { "child-" + Decimal.text(number) }

    /// The script as the input of its run.
    public var input: RawMessage<Payloads> { RawMessage(data: bytes) }

    /// The script as a JSON value, for a command from a topic: a string of hexadecimal digits.
    public var json: [UInt8] {
        var text: [UInt8] = [UInt8(ascii: "\"")]
        for byte in bytes {
            text.append(Self.digits[Int(byte >> 4)])
            text.append(Self.digits[Int(byte & 15)])
        }
        text.append(UInt8(ascii: "\""))
        return text
    }

    /// The script of a run's input, in either form.
    init?(input: [UInt8]) {
        guard input.first == UInt8(ascii: "\"") else {
            self.init(bytes: input)
            return
        }
        var bytes: [UInt8] = []
        var high: UInt8?
        for character in input.dropFirst().dropLast() {
            guard let digit = Self.digits.firstIndex(of: character) else { return nil }
            if let first = high {
                bytes.append(first << 4 | UInt8(digit))
                high = nil
            } else {
                high = UInt8(digit)
            }
        }
        guard high == nil else { return nil }
        self.init(bytes: bytes)
    }

    private static let digits = Array("0123456789abcdef".utf8)
}
