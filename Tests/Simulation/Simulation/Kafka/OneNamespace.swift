internal import SagamoreEngine
internal import SagamoreProtobuf
internal import SagamoreServices

/// The namespace `default`, number 1, in which everything of a world happens.
struct OneNamespace: NamespaceDirectory {
    private static let record = NamespaceRecord(
        number: 1,
        id: "00000000-0000-0000-0000-000000000001",
        name: "default",
        description: "",
        ownerEmail: "",
        retention: .seconds(30 * 86_400),
        data: [:]
    )

    func namespace(named name: String) throws(RequestError) -> NamespaceRecord {
        guard name == Self.record.name else { throw RequestError(.notFound, "Namespace \(name) is not found.") }
        return Self.record
    }

    func namespace(numbered number: Int32) -> NamespaceRecord? { number == 1 ? Self.record : nil }

    func list() -> [NamespaceRecord] { [Self.record] }

    func register(
        name: String,
        description: String,
        ownerEmail: String,
        retention: Interval,
        data: ProtobufMap<String>
    ) throws(RequestError) -> NamespaceRecord {
        throw RequestError(.unimplemented, "a world has one namespace")
    }
}
