internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreGRPC
internal import SagamoreLogging
internal import SagamoreProtobuf
internal import SagamoreServices

/// The search attributes of namespaces: add, remove, list.
extension GRPCFront {
    func registerSearchAttributes(on server: GRPCServer) {
        register(.addSearchAttributes, on: server, .cold) {
            [self] (call, request: AddSearchAttributesRequest) throws(RequestError) in
            try add(request)
            call.reply([])
        }
        register(.removeSearchAttributes, on: server, .cold) {
            [self] (call, request: RemoveSearchAttributesRequest) throws(RequestError) in
            try remove(request)
            call.reply([])
        }
        register(.listSearchAttributes, on: server, .hot) {
            [self] (call, request: ListSearchAttributesRequest) throws(RequestError) in
            let catalog = try attributedNamespace(request.namespace).searchAttributes
            var response = ListSearchAttributesResponse()
            response.customAttributes = Self.types(catalog.ownAttributes.map { ($0.name, $0.type) })
            response.systemAttributes = Self.types(Self.systemAttributes)
            call.reply(response.serializedBytes())
        }
        register(.getSearchAttributes, on: server, .hot) {
            (call, _: GetSearchAttributesRequest) throws(RequestError) in
            var response = GetSearchAttributesResponse()
            response.keys = Self.types(Self.systemAttributes)
            call.reply(response.serializedBytes())
        }
    }

    private static let systemAttributes =
        SearchAttributeCatalog.maintained + SearchAttributeCatalog.predefined.map { ($0.name, $0.type) }

    private static func types(
        _ attributes: [(name: String, type: SearchAttributeType)]
    ) -> ProtobufMap<IndexedValueType> {
        var types = ProtobufMap<IndexedValueType>()
        for attribute in attributes { types[attribute.name] = IndexedValueType(rawValue: attribute.type.rawValue) }
        return types
    }

    private func attributedNamespace(_ name: String) throws(RequestError) -> NamespaceRecord {
        if name.isEmpty { throw .invalidArgument("Namespace is not set on request.") }
        return try namespace(name)
    }

    /// The longest name, in bytes.
    private static let nameLimit = 255
    /// The most attributes of a namespace.
    private static let countLimit = 500

    private func add(_ request: AddSearchAttributesRequest) throws(RequestError) {
        let record = try attributedNamespace(request.namespace)
        guard !request.searchAttributes.isEmpty else {
            throw .invalidArgument("SearchAttributes are not set on request.")
        }
        var new: [(name: String, type: SearchAttributeType)] = []
        for (name, value) in request.searchAttributes.sorted(by: { $0.key < $1.key }) {
            let type = try Self.type(of: name, value)
            guard let known = record.searchAttributes[name] else {
                new.append((name, type))
                continue
            }
            guard known.type == type else {
                throw RequestError(
                    .alreadyExists,
                    "Search attribute \(name) already exists, and its type is \(known.type.name)."
                )
            }
        }
        if new.isEmpty { return }
        guard record.searchAttributes.ownAttributes.count + new.count <= Self.countLimit else {
            throw .invalidArgument(
                "Unable to create search attributes: cannot have more than \(Self.countLimit) search attributes."
            )
        }
        _ = try namespaces.addSearchAttributes(new, to: record.name)
        log.info(
            "search attributes added",
            metadata: ["namespace": "\(record.name)", "names": "\(new.map(\.name).joined(separator: ", "))"]
        )
    }

    private static func type(of name: String, _ value: IndexedValueType) throws(RequestError) -> SearchAttributeType {
        if SearchAttributeCatalog.isReserved(name) {
            throw .invalidArgument("Search attribute \(name) is reserved by system.")
        }
        guard !name.isEmpty, name.utf8.count <= nameLimit, !name.holdsNUL else {
            throw .invalidArgument("The name of a search attribute has 1 to \(nameLimit) bytes, and no NUL.")
        }
        guard let type = SearchAttributeType(rawValue: value.rawValue) else {
            throw .invalidArgument("Unknown search attribute type: \(value.rawValue).")
        }
        return type
    }

    private func remove(_ request: RemoveSearchAttributesRequest) throws(RequestError) {
        let record = try attributedNamespace(request.namespace)
        guard !request.searchAttributes.isEmpty else {
            throw .invalidArgument("SearchAttributes are not set on request.")
        }
        if let reserved = request.searchAttributes.first(where: SearchAttributeCatalog.isReserved) {
            throw .invalidArgument("Unable to remove non-custom search attributes: \(reserved).")
        }
        // One that is not there is as good as removed.
        let names = Set(request.searchAttributes).filter { record.searchAttributes[$0] != nil }
        if names.isEmpty { return }
        _ = try namespaces.removeSearchAttributes(names.sorted(), from: record.name)
        log.info(
            "search attributes removed",
            metadata: ["namespace": "\(record.name)", "names": "\(names.sorted().joined(separator: ", "))"]
        )
    }
}
