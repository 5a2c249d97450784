public import SagamoreAPI
public import SagamoreEngine
internal import SagamoreProtobuf

/// What lists show of a run and filters find it by, beside what its owner reads back.
public struct RunListing: Sendable, Equatable {
    /// When its first workflow task is due, if not with the start.
    public var executionAt: Instant?
    /// The run that has started it as a child.
    public var parent: RunName?
    /// The root of its tree, if that is another run.
    public var root: RunName?
    /// The command that began its chain.
    public var commandID: String?
    /// An encoded `Memo` message.
    public var memo: [UInt8]?
    /// An encoded `SearchAttributes` message, as the client gave it.
    public var searchAttributes: [UInt8]?
    /// What the search attributes are found by.
    public var values: [SearchValue] = []
    /// The number of its transitions; known when it has closed.
    public var transitions: Int64?
    /// How far it has come as a saga; nil while nothing is undone.
    public var saga: SagaStatus?

    /// A run of which nothing is known.
    public init() {}

    /// The run ends. One that was compensating has undone everything if it ends as it meant to, and not otherwise.
    public mutating func end(as status: WorkflowExecutionStatus, _ saga: SagaStatus?) {
        if let saga {
            self.saga = saga
        } else if self.saga == .compensating, status != .continuedAsNew {
            self.saga = status == .completed || status == .canceled ? .compensated : .compensationFailed
        }
    }

    /// Makes a change that happened before the run is stored.
    public mutating func apply(_ change: RunListingChange) {
        memo = change.memo ?? memo
        searchAttributes = change.searchAttributes ?? searchAttributes
        values.replace(change.changedAttributes, by: change.values)
        saga = change.saga ?? saga
    }
}

extension [SearchValue] {
    fileprivate mutating func replace(_ attributes: [Int32], by values: [SearchValue]) {
        removeAll { attributes.contains($0.attribute) }
        self += values
    }
}

/// A run by its ids, as events name it.
public struct RunName: Sendable, Equatable {
    /// The id of its workflow.
    public let workflowID: String
    /// Its id.
    public let runID: RunID

    public init(workflowID: String, runID: RunID) {
        self.workflowID = workflowID
        self.runID = runID
    }
}

/// How far the compensation of a saga has come. The raw values are stored.
public enum SagaStatus: Int32, Sendable, CaseIterable {
    /// What its steps did is being undone.
    case compensating = 2
    /// Everything was undone.
    case compensated = 3
    /// Something was not: somebody has to look at it.
    case compensationFailed = 4

    /// As filters and lists name it.
    public var name: String {
        switch self {
        case .compensating: "compensating"
        case .compensated: "compensated"
        case .compensationFailed: "compensation failed"
        }
    }
}

/// A value of a search attribute, as it is found.
public struct SearchValue: Sendable, Equatable {
    /// Which kind of value it is.
    public enum Content: Sendable, Equatable {
        /// A keyword, an element of a list, or a word of a text.
        case word(String)
        /// An integer, a boolean as 0 or 1, or a time in nanoseconds since 1970.
        case number(Int64)
        /// A number with a fraction.
        case fraction(Double)
    }

    /// The attribute.
    public let attribute: Int32
    /// Its place among those of the attribute, from 0.
    public let position: Int32
    /// The value.
    public let content: Content

    /// The longest word that is found, in bytes: a row of an index has 2,704 at most.
    public static let wordLimit = 2_400
    /// The most values of one attribute.
    public static let countLimit = 1_000

    init(attribute: Int32, position: Int32, content: Content) {
        self.attribute = attribute
        self.position = position
        self.content = content
    }

    /// What a value of an attribute is found by: nothing where it has no words. Words that are too long, or too many,
    /// are left out.
    public static func values(of attribute: SearchAttribute, _ value: SearchAttributeValue) -> [SearchValue] {
        let contents: [Content] =
            switch value {
            case .keyword(let text): [.word(text)]
            case .keywordList(let texts): unique(texts).map { .word($0) }
            case .text(let text): unique(words(of: text)).map { .word($0) }
            case .int(let number): [.number(number)]
            case .bool(let isTrue): [.number(isTrue ? 1 : 0)]
            case .datetime(let at): [.number(at.nanoseconds)]
            case .double(let fraction): [.fraction(fraction)]
            }
        let found = contents.filter { content in
            if case .word(let word) = content { return word.utf8.count <= wordLimit }
            return true
        }
        return found.prefix(countLimit).enumerated().map { position, content in
            SearchValue(attribute: attribute.id, position: Int32(position), content: content)
        }
    }

    /// The words of a text, in lower case: runs of letters and digits.
    public static func words(of text: String) -> [String] {
        text.lowercased().split { !($0.isLetter || $0.isNumber) }.map(String.init)
    }

    private static func unique(_ texts: [String]) -> [String] {
        var seen: Set<ExactText> = []
        return texts.filter { seen.insert(ExactText($0)).inserted }
    }
}

/// A change of what lists show of a run that is stored.
public struct RunListingChange: Sendable, Equatable {
    /// The run.
    public let runID: RunID
    /// Its namespace.
    public let namespace: Int32
    /// An encoded `Memo` message, if it has changed.
    public var memo: [UInt8]?
    /// An encoded `SearchAttributes` message, if one of them has changed.
    public var searchAttributes: [UInt8]?
    /// The attributes that have changed.
    public var changedAttributes: [Int32] = []
    /// The values of these attributes; none where one was removed.
    public var values: [SearchValue] = []
    /// How far it has come as a saga, if that has changed.
    public var saga: SagaStatus?

    public init(runID: RunID, namespace: Int32) {
        self.runID = runID
        self.namespace = namespace
    }

    /// Whether nothing changes.
    public var isEmpty: Bool { memo == nil && searchAttributes == nil && changedAttributes.isEmpty && saga == nil }

    /// Adds a later change.
    public mutating func apply(_ change: RunListingChange) {
        memo = change.memo ?? memo
        searchAttributes = change.searchAttributes ?? searchAttributes
        values.replace(change.changedAttributes, by: change.values)
        changedAttributes += change.changedAttributes.filter { !changedAttributes.contains($0) }
        saga = change.saga ?? saga
    }
}
