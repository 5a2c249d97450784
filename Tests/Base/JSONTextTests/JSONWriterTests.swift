import SagamoreJSONText
import Testing

@Suite struct JSONWriterTests {
    private func text(_ write: (inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter()
        write(&writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    @Test func commasComeByThemselves() {
        let text = text { json in
            json.beginObject()
            json.key("a")
            json.int(1)
            json.key("b")
            json.beginArray()
            json.beginObject()
            json.endObject()
            json.beginArray()
            json.endArray()
            json.null()
            json.bool(true)
            json.bool(false)
            json.raw(Array("{\"x\":1}".utf8))
            json.double(0.5)
            json.endArray()
            json.key("c")
            json.string("d")
            json.endObject()
        }
        #expect(text == #"{"a":1,"b":[{},[],null,true,false,{"x":1},0.5],"c":"d"}"#)
    }

    @Test func onlyWhatHasToBeIsEscaped() {
        let text = text { $0.string("\"\\/\u{8}\t\n\u{C}\r\u{0}\u{1F}\u{7F}é😀\u{2028}") }
        #expect(text == "\"\\\"\\\\/\\b\\t\\n\\f\\r\\u0000\\u001f\u{7F}é😀\u{2028}\"")
    }

    @Test func integersReachBothEnds() {
        #expect(text { $0.int(Int64.max) } == "9223372036854775807")
        #expect(text { $0.int(Int64.min) } == "-9223372036854775808")
        #expect(text { $0.int(0) } == "0")
        #expect(text { $0.int(-10) } == "-10")
    }

    @Test(arguments: [0.1, 1e300, -Double.leastNonzeroMagnitude, 1.7976931348623157e308, 123_456_789, 1e16, -0.0])
    func doublesReadBackTheSame(value: Double) throws {
        let bytes = Array(text { $0.double(value) }.utf8)
        #expect(try JSONScanner.double(bytes, 0..<bytes.count).bitPattern == value.bitPattern)
    }

    @Test func whatIsNoNumberBecomesNull() {
        #expect(text { $0.double(.nan) } == "null")
        #expect(text { $0.double(-.infinity) } == "null")
    }

    @Test func removeAllStartsAnew() {
        let text = text { json in
            json.int(1)
            json.removeAll()
            json.int(2)
        }
        #expect(text == "2")
    }

    @Test func everyStringReadsBackTheSame() throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            var original = ""
            for _ in 0..<Int.random(in: 0...40, using: &random) {
                let top: UInt32 = Bool.random(using: &random) ? 0x7F : 0x10FFFF
                guard let scalar = Unicode.Scalar(UInt32.random(in: 0...top, using: &random)) else { continue }
                original.unicodeScalars.append(scalar)
            }
            let bytes = Array(text { $0.string(original) }.utf8)
            #expect(try JSONScanner.string(bytes, 0..<bytes.count).utf8.elementsEqual(original.utf8))
        }
    }
}
