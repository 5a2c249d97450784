import SagamoreJSONText
import Testing

@Suite struct JSONScalarTests {
    private func read<Value>(
        _ text: String,
        _ reader: ([UInt8], Range<Int>) throws(JSONError) -> Value
    ) throws(JSONError) -> Value {
        // With bytes around the value, to detect reads outside its range.
        let bytes = Array("9\(text)9".utf8)
        return try reader(bytes, 1..<bytes.count - 1)
    }

    private func code<Value>(
        _ text: String,
        _ reader: ([UInt8], Range<Int>) throws(JSONError) -> Value
    ) -> JSONError.Code? {
        do {
            _ = try read(text, reader)
            return nil
        } catch {
            return error.code
        }
    }

    @Test func stringsAreUnescaped() throws {
        let text = try read(#""a\"\\\/\b\f\n\r\t\u0000\u00e9\u20ac\uD83D\uDE00z""#, JSONScanner.string)
        #expect(text == "a\"\\/\u{8}\u{C}\n\r\t\u{0}é€😀z")
        #expect(try read("\"\"", JSONScanner.string).isEmpty)
    }

    @Test func integersAreReadToTheLastBit() throws {
        #expect(try read("9223372036854775807", JSONScanner.int64) == .max)
        #expect(try read("-9223372036854775808", JSONScanner.int64) == .min)
        #expect(try read("-0", JSONScanner.int64) == 0)
        #expect(code("9223372036854775808", JSONScanner.int64) == .outOfRange)
        #expect(code("1.0", JSONScanner.int64) == .wrongKind)
        #expect(code("1e3", JSONScanner.int64) == .wrongKind)
    }

    @Test func doublesAreReadToTheNearest() throws {
        #expect(try read("0.1", JSONScanner.double) == 0.1)
        #expect(try read("-1.5E+3", JSONScanner.double) == -1500)
        #expect(try read("17", JSONScanner.double) == 17)
        #expect(try read("1e-400", JSONScanner.double) == 0)
        #expect(code("1e400", JSONScanner.double) == .outOfRange)
    }

    @Test func booleansAreRead() throws {
        #expect(try read("true", JSONScanner.bool))
        #expect(try !read("false", JSONScanner.bool))
        #expect(code("null", JSONScanner.bool) == .wrongKind)
    }

    @Test func anotherKindIsRefused() {
        for text in ["true", "null", "{}", "[]", "1"] { #expect(code(text, JSONScanner.string) == .wrongKind) }
        for text in ["true", "null", "{}", "[]", "\"1\""] {
            #expect(code(text, JSONScanner.int64) == .wrongKind)
            #expect(code(text, JSONScanner.double) == .wrongKind)
        }
    }

    @Test func bytesThatAreNoWholeValueAreRefused() {
        #expect(code("", JSONScanner.string) == .unexpectedEnd)
        #expect(code("\"a", JSONScanner.string) == .unexpectedEnd)
        #expect(code("\"a\"x", JSONScanner.string) == .trailingBytes)
        #expect(code("1x", JSONScanner.int64) == .trailingBytes)
        #expect(code("-", JSONScanner.double) == .unexpectedEnd)
    }
}
