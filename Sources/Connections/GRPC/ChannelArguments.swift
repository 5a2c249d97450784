internal import CSagamoreGRPC
internal import Glibc

/// The C core's channel arguments.
struct ChannelArguments {
    private var entries: [(key: String, value: Value)] = []

    private enum Value {
        case integer(Int32)
        case text(String)
    }

    mutating func set(_ key: String, _ value: Int) {
        entries.append((key, .integer(Int32(clamping: value))))
    }

    mutating func set(_ key: String, _ value: Bool) {
        set(key, value ? 1 : 0)
    }

    /// Milliseconds, at least 1.
    mutating func set(_ key: String, _ value: Duration) {
        let parts = max(.milliseconds(1), min(value, .seconds(2_000_000))).components
        set(key, Int(parts.seconds * 1000 + parts.attoseconds / 1_000_000_000_000_000))
    }

    mutating func set(_ key: String, _ value: String) {
        entries.append((key, .text(value)))
    }

    /// Calls `body` with the arguments in the C core's form.
    func withArguments<Result>(_ body: (UnsafePointer<grpc_channel_args>) -> Result) -> Result {
        var strings: [UnsafeMutablePointer<CChar>?] = []
        defer { for string in strings { free(string) } }
        func keep(_ text: String) -> UnsafeMutablePointer<CChar>? {
            strings.append(strdup(text))
            return strings[strings.count - 1]
        }
        var list = entries.map { entry in
            var argument = grpc_arg()
            argument.key = keep(entry.key)
            switch entry.value {
            case .integer(let value):
                argument.type = GRPC_ARG_INTEGER
                argument.value.integer = value
            case .text(let value):
                argument.type = GRPC_ARG_STRING
                argument.value.string = keep(value)
            }
            return argument
        }
        return list.withUnsafeMutableBufferPointer { buffer in
            var arguments = grpc_channel_args(num_args: buffer.count, args: buffer.baseAddress)
            return withUnsafePointer(to: &arguments) { body($0) }
        }
    }
}
