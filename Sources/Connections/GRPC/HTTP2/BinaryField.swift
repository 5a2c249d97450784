internal import CSagamoreTLS

/// The values of fields whose names end in `-bin`: base64, sent without padding, accepted with or without it.
enum BinaryField {
    static func encoded(_ bytes: [UInt8]) -> [UInt8] {
        var text = [UInt8](repeating: 0, count: (bytes.count + 2) / 3 * 4 + 1)
        let count = EVP_EncodeBlock(&text, bytes, Int32(bytes.count))
        let padding = (3 - bytes.count % 3) % 3
        return Array(text[..<(Int(count) - padding)])
    }

    /// Decodes the first value of the field; nil when it is not valid base64.
    static func decoded(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        let value = text.prefix { $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: "=") }
        guard value.count % 4 != 1 else { return nil }
        let padding = (4 - value.count % 4) % 4
        let padded = Array(value) + Array(repeating: UInt8(ascii: "="), count: padding)
        var bytes = [UInt8](repeating: 0, count: padded.count / 4 * 3)
        let count = EVP_DecodeBlock(&bytes, padded, Int32(padded.count))
        guard count >= 0 else { return nil }
        return Array(bytes[..<(Int(count) - padding)])
    }
}
