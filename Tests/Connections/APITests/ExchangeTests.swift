import Foundation
import SagamoreAPI
import SagamoreProtobuf
import Testing

/// Exchanges values with Python's protobuf and compares them field by field, by name.
@Suite(.serialized)
struct ExchangeTests {
    private let seed = UInt64.random(in: 0...UInt64(Int32.max))

    @Test func valuesMadeByPythonAreReadFieldByField() throws {
        try TestPython.withFolder { folder in
            let (types, made) = (folder.appending(path: "types").path, folder.appending(path: "made").path)
            let names = generatedMessageTypes.map { $0.protobufMessageName }
            try names.joined(separator: "\n").write(toFile: types, atomically: true, encoding: .utf8)
            let summary = try TestPython.exchange(["make", types, made, "\(self.seed)"])

            let kinds = Dictionary(uniqueKeysWithValues: generatedMessageTypes.map { ($0.protobufMessageName, $0) })
            var (dumper, lines, count) = (Dumper(), [String](), 0)
            for line in try String(contentsOfFile: made, encoding: .utf8).split(separator: "\n") {
                let parts = line.split(separator: "\t", omittingEmptySubsequences: false)
                let kind = try #require(kinds[String(parts[0])])
                let original = try bytes(hex: parts[1].utf8)
                let message = try kind.init(serializedBytes: original)
                #expect(try dumper.dump(message) == parts[2], "seed \(self.seed), \(parts[0]), bytes \(parts[1])")
                lines.append("value\t\(parts[0])\t\(parts[1])\t\(hex(message.serializedBytes()))\t\(parts[2])")
                count += 1
            }
            #expect(!dumper.hasUnknownFields, "seed \(self.seed)")
            #expect(Self.fieldsNotCovered(dumper) == [])
            print("Python to Swift:", summary, terminator: "")
            print("Swift back to Python:", try self.check(lines, in: folder), terminator: "")
        }
    }

    @Test func valuesMadeBySwiftAreReadFieldByField() throws {
        try TestPython.withFolder { folder in
            var (generator, dumper, lines) = (WireGenerator(seed: self.seed), Dumper(), [String]())
            for kind in generatedMessageTypes {
                let fields = kind.protobufFields
                let forced: [ProtobufFields.Field?] = [nil, nil] + fields.fields
                for last in forced {
                    let original = generator.message(fields, depth: 2, share: 30, last: last)
                    let message = try kind.init(serializedBytes: original)
                    let (dump, written) = (try dumper.dump(message), hex(message.serializedBytes()))
                    lines.append("value\t\(kind.protobufMessageName)\t\(hex(original))\t\(written)\t\(dump)")
                }
            }
            #expect(!dumper.hasUnknownFields, "seed \(self.seed)")
            #expect(Self.fieldsNotCovered(dumper) == [], "seed \(self.seed)")
            print("Swift to Python:", try self.check(lines, in: folder), terminator: "")
        }
    }

    @Test func damagedBytesAreAnErrorOrAValueAsTheyAreForPython() throws {
        try TestPython.withFolder { folder in
            var (generator, dumper, lines) = (WireGenerator(seed: self.seed), Dumper(), [String]())
            for kind in generatedMessageTypes {
                for _ in 0..<12 {
                    let original = generator.message(kind.protobufFields, depth: 2, share: 30)
                    for _ in 0..<3 {
                        let damaged = generator.mutated(original)
                        let dump = try Self.outcome(of: damaged, as: kind, &dumper)
                        lines.append("damaged\t\(kind.protobufMessageName)\t\(hex(damaged))\t\(dump)")
                    }
                }
            }
            print("Damaged bytes:", try self.check(lines, in: folder), terminator: "")
        }
    }

    /// Decodes, and expects the same result from the check without decoding. Returns the dump, or `error`.
    private static func outcome<Message: ProtobufMessage>(
        of bytes: [UInt8],
        as kind: Message.Type,
        _ dumper: inout Dumper
    ) throws -> String {
        let decoded = Result { () throws(ProtobufError) in try Message(serializedBytes: bytes) }
        let checked = Result { () throws(ProtobufError) in try RawMessage<Message>(checking: bytes) }
        switch (decoded, checked) {
        case (.success(let message), .success(let raw)):
            // Compares dumps rather than values: a NaN does not equal itself.
            let dump = try dumper.dump(message)
            #expect(try dumper.dump(raw.decoded()) == dump, "\(kind) \(hex(bytes))")
            let again = try Message(serializedBytes: message.serializedBytes())
            #expect(try dumper.dump(again) == dump, "\(kind) \(hex(bytes))")
            return dump
        case (.failure(let first), .failure(let second)):
            #expect(first == second, "\(kind) \(hex(bytes))")
            return "error"
        case (.success, .failure(let error)):
            Issue.record("\(kind) is decoded, but the check says \(error): \(hex(bytes))")
            return "error"
        case (.failure(let error), .success):
            Issue.record("\(kind) passes the check, but decoding says \(error): \(hex(bytes))")
            return "error"
        }
    }

    private func check(_ lines: [String], in folder: URL) throws -> String {
        let path = folder.appending(path: "written").path
        try (lines.joined(separator: "\n") + "\n").write(toFile: path, atomically: true, encoding: .utf8)
        do {
            return try TestPython.exchange(["check", path])
        } catch {
            throw ExchangeError("seed \(self.seed): \(error)")
        }
    }

    /// Fields of all types that never had a value.
    private static func fieldsNotCovered(_ dumper: Dumper) -> [String] {
        generatedMessageTypes.flatMap { kind in
            kind.protobufFields.fields.map {
                "\(kind.protobufMessageName)/\($0.name.replacing("_", with: "").lowercased())"
            }
        }.filter { !dumper.covered.contains($0) }
    }
}
