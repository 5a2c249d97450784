internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreProtobuf

/// A filter of workers: comparisons of their attributes, with AND, OR and parentheses. A worker does not fulfill a
/// query that names an unknown attribute; nor does any fulfill one that cannot be read, as in Temporal's answers.
struct WorkerQuery {
    private indirect enum Node {
        case all, none
        case comparison(attribute: String, WorkerQueryOperator, value: String)
        case and(Node, Node)
        case or(Node, Node)
    }

    private let root: Node

    init(_ text: String) {
        var parser = Parser(WorkerQueryLexer.tokens(text))
        root = parser.tokens.isEmpty && text.allSatisfy(\.isWhitespace) ? .all : parser.query() ?? .none
    }

    func matches(_ worker: WorkerHeartbeat) -> Bool { Self.matches(root, worker) }

    private static func matches(_ node: Node, _ worker: WorkerHeartbeat) -> Bool {
        switch node {
        case .all: true
        case .none: false
        case .and(let left, let right): matches(left, worker) && matches(right, worker)
        case .or(let left, let right): matches(left, worker) || matches(right, worker)
        case .comparison(let attribute, let comparison, let value):
            worker.attribute(attribute).map { comparison.holds($0, value) } ?? false
        }
    }

    private struct Parser {
        var tokens: ArraySlice<WorkerQueryLexer.Token>
        private var depth = 0

        init(_ tokens: [WorkerQueryLexer.Token]?) { self.tokens = tokens?[...] ?? [] }

        mutating func query() -> Node? {
            guard let node = alternatives(), tokens.isEmpty else { return nil }
            return node
        }

        private mutating func alternatives() -> Node? {
            guard var node = conjunction() else { return nil }
            while takeWord("OR") {
                guard let next = conjunction() else { return nil }
                node = .or(node, next)
            }
            return node
        }

        private mutating func conjunction() -> Node? {
            guard var node = term() else { return nil }
            while takeWord("AND") {
                guard let next = term() else { return nil }
                node = .and(node, next)
            }
            return node
        }

        private mutating func term() -> Node? {
            if tokens.first == .symbol("(") {
                depth += 1
                defer { depth -= 1 }
                guard depth <= 20 else { return nil }
                tokens.removeFirst()
                guard let node = alternatives(), tokens.popFirst() == .symbol(")") else { return nil }
                return node
            }
            guard case .word(let attribute) = tokens.popFirst() else { return nil }
            let comparison: WorkerQueryOperator
            switch tokens.popFirst() {
            case .symbol(let symbol):
                guard let found = WorkerQueryOperator(rawValue: symbol) else { return nil }
                comparison = found
            case .word(let word) where word.uppercased() == "STARTS_WITH": comparison = .startsWith
            default: return nil
            }
            guard case .text(let value) = tokens.popFirst() else { return nil }
            return .comparison(attribute: attribute, comparison, value: value)
        }

        private mutating func takeWord(_ word: String) -> Bool {
            guard case .word(let next) = tokens.first, next.uppercased() == word else { return false }
            tokens.removeFirst()
            return true
        }
    }
}

/// How a query compares an attribute with a value. Texts are compared by their bytes, which is also the order of times
/// in the form that is compared.
enum WorkerQueryOperator: String {
    case equal = "="
    case notEqual = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case startsWith = "STARTS_WITH"

    func holds(_ left: String, _ right: String) -> Bool {
        switch self {
        case .equal: left.hasSameBytes(as: right)
        case .notEqual: !left.hasSameBytes(as: right)
        case .less: ExactText(left) < ExactText(right)
        case .lessOrEqual: !(ExactText(right) < ExactText(left))
        case .greater: ExactText(right) < ExactText(left)
        case .greaterOrEqual: !(ExactText(left) < ExactText(right))
        case .startsWith: left.utf8.starts(with: right.utf8)
        }
    }
}

enum WorkerQueryLexer {
    enum Token: Equatable {
        case word(String)
        case text(String)
        case symbol(String)
    }

    /// The tokens of a query; nil when a text does not end.
    static func tokens(_ text: String) -> [Token]? {
        var tokens: [Token] = []
        var rest = text.unicodeScalars[...]
        while let first = rest.first {
            switch first {
            case " ", "\t", "\n", "\r": rest.removeFirst()
            case "'", "\"":
                rest.removeFirst()
                guard let end = rest.firstIndex(of: first) else { return nil }
                tokens.append(.text(String(rest[..<end])))
                rest = rest[rest.index(after: end)...]
            case "(", ")": tokens.append(.symbol(String(rest.removeFirst())))
            case "=", "!", "<", ">":
                var symbol = String(rest.removeFirst())
                if rest.first == "=" { symbol.unicodeScalars.append(rest.removeFirst()) }
                tokens.append(.symbol(symbol))
            default:
                let end = rest.firstIndex { " \t\n\r'\"()=!<>".unicodeScalars.contains($0) } ?? rest.endIndex
                tokens.append(.word(String(rest[..<end])))
                rest = rest[end...]
            }
        }
        return tokens
    }
}

extension WorkerHeartbeat {
    /// An attribute by its name in queries; nil for an unknown name.
    fileprivate func attribute(_ name: String) -> String? {
        switch name {
        case "WorkerInstanceKey": workerInstanceKey
        case "WorkerIdentity": workerIdentity
        case "HostName": hostInfo?.hostName ?? ""
        case "TaskQueue": taskQueue
        case "DeploymentName": deploymentVersion?.deploymentName ?? ""
        case "BuildId": deploymentVersion?.buildID ?? ""
        case "SdkName": sdkName
        case "SdkVersion": sdkVersion
        case "WorkerStatus", "Status": status.queryName
        default: nil
        }
    }
}

extension WorkerStatus {
    fileprivate var queryName: String {
        switch self {
        case .running: "Running"
        case .shuttingDown: "ShuttingDown"
        case .shutdown: "Shutdown"
        default: "Unspecified"
        }
    }
}
