import SagamoreProtobuf
import Testing

/// Keys that `String` takes for equal because they are canonically equivalent.
private let (composed, decomposed) = ("caf\u{E9}", "cafe\u{301}")

@Suite struct ExactTextTests {
    @Test func keysAreComparedByTheirBytes() {
        #expect(composed == decomposed)
        #expect(ExactText(composed) != ExactText(decomposed))
        #expect(Set([ExactText(composed), ExactText(decomposed), ExactText(composed)]).count == 2)
        // The same number of bytes, in another order.
        let marks = ("a\u{323}\u{307}", "a\u{307}\u{323}")
        #expect(marks.0 == marks.1)
        #expect(ExactText(marks.0) != ExactText(marks.1))
    }

    @Test func everyByteIsCompared() {
        for length in 0...40 {
            let text = String(repeating: "x", count: length)
            #expect(text.hasSameBytes(as: String(repeating: "x", count: length)))
            #expect(!text.hasSameBytes(as: text + "x"))
            for index in 0..<length {
                let (before, after) = (text.prefix(index), text.dropFirst(index + 1))
                #expect(!text.hasSameBytes(as: "\(before)y\(after)"))
            }
        }
    }
}

@Suite struct ProtobufMapTests {
    @Test func canonicallyEquivalentKeysAreTwoEntries() {
        var map: ProtobufMap = [composed: 1]
        map[decomposed] = 2
        #expect(map.count == 2)
        #expect(map[composed] == 1)
        #expect(map[decomposed] == 2)
        #expect(map == [decomposed: 2, composed: 1])
        #expect(map != [composed: 2, decomposed: 1])
        map[composed] = nil
        #expect(map.keys.map { Array($0.utf8) } == [Array(decomposed.utf8)])
    }

    @Test func mapsMergeByTheBytesOfTheirKeys() {
        let old: ProtobufMap = [composed: 1, "a": 1]
        let new: ProtobufMap = [decomposed: 2, "a": 2]
        #expect(old.merging(new) == [composed: 1, decomposed: 2, "a": 2])
        #expect(old.merging(new).filter { $0 == 2 } == [decomposed: 2, "a": 2])
        #expect(old.mapValues { $0 + 1 } == [composed: 2, "a": 2])
    }

    /// Not in the order of `String`, which takes these two for equal.
    @Test func entriesAreOrderedByTheBytesOfTheirKeys() {
        let map: ProtobufMap = ["b": 1, "": 2, composed: 3, decomposed: 4]
        #expect(map.descending().map(\.value) == [3, 4, 1, 2])
        #expect(Set(map.map(\.value)) == [1, 2, 3, 4])
    }
}
