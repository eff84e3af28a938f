/// Changes of a JSON document (RFC 6902): a list of operations that all apply, or none does.
public struct JSONPatch: Sendable, Hashable {
    /// One change.
    public enum Operation: Sendable, Hashable {
        /// Inserts into a list, or sets a member.
        case add(JSONPointer, Value)
        /// Takes away what is there.
        case remove(JSONPointer)
        /// Puts something else in the place of what is there.
        case replace(JSONPointer, Value)
        /// Takes away at `from` what is added at `to`.
        case move(from: JSONPointer, to: JSONPointer)
        /// Adds at `to` what is at `from`.
        case copy(from: JSONPointer, to: JSONPointer)
        /// Fails unless what is there equals the value.
        case test(JSONPointer, Value)
    }

    /// Why a patch is none, or does not apply.
    public struct Failure: Error, Sendable, Hashable, CustomStringConvertible {
        /// The operation, counted from 0; nil when the patch as a whole is wrong.
        public var operation: Int?
        /// What is wrong.
        public var reason: String

        /// The reason with the number of the operation.
        public var description: String {
            self.operation.map { "operation \($0): \(self.reason)" } ?? self.reason
        }
    }

    /// The most operations a patch may have.
    public static let operationsMax = 10_000

    /// The changes, in their order.
    public var operations: [Operation]

    /// A patch of these operations.
    public init(_ operations: [Operation]) {
        self.operations = operations
    }

    /// Reads a patch document: an array of `{op, path, value | from}`.
    ///
    /// Members of other names are ignored, as the RFC asks.
    public init(_ document: Value) throws(Failure) {
        guard let items = document.asList else {
            throw Failure(reason: "Expected an array of operations but found a \(document.typeName).")
        }
        guard items.count <= Self.operationsMax else {
            throw Failure(reason: "Expected at most \(Self.operationsMax) operations but found \(items.count).")
        }
        self.operations = []
        for (index, item) in items.enumerated() {
            do throws(Reason) {
                self.operations.append(try Operation(item))
            } catch {
                throw Failure(operation: index, reason: error.text)
            }
        }
    }

    /// The document after all operations.
    public func applied(to document: Value) throws(Failure) -> Value {
        var result = document
        for (index, operation) in self.operations.enumerated() {
            do throws(Reason) {
                try operation.apply(to: &result)
            } catch {
                throw Failure(operation: index, reason: error.text)
            }
        }
        return result
    }

    fileprivate struct Reason: Error {
        var text: String
    }
}

extension JSONPatch.Operation {
    fileprivate init(_ item: Value) throws(JSONPatch.Reason) {
        guard let members = item.asContext else {
            throw JSONPatch.Reason(text: "Expected an object but found a \(item.typeName).")
        }
        func pointer(_ name: String) throws(JSONPatch.Reason) -> JSONPointer {
            guard let text = members[name]?.asString else {
                throw JSONPatch.Reason(text: "Expected the member \"\(name)\" to be a JSON pointer.")
            }
            guard let pointer = JSONPointer(text) else {
                throw JSONPatch.Reason(text: "\"\(name)\" is no JSON pointer: \(text.prefix(80)).")
            }
            return pointer
        }
        func value() throws(JSONPatch.Reason) -> Value {
            guard let value = members["value"] else {
                throw JSONPatch.Reason(text: "Expected the member \"value\".")
            }
            return value
        }
        switch members["op"]?.asString {
        case "add": self = .add(try pointer("path"), try value())
        case "remove": self = .remove(try pointer("path"))
        case "replace": self = .replace(try pointer("path"), try value())
        case "move": self = .move(from: try pointer("from"), to: try pointer("path"))
        case "copy": self = .copy(from: try pointer("from"), to: try pointer("path"))
        case "test": self = .test(try pointer("path"), try value())
        default:
            throw JSONPatch.Reason(text: "Expected \"op\" to be one of add, remove, replace, move, copy, test.")
        }
    }

    fileprivate func apply(to document: inout Value) throws(JSONPatch.Reason) {
        switch self {
        case .add(let path, let value):
            try document.add(value, at: path.tokens[...])
        case .remove(let path):
            _ = try document.remove(at: path.tokens[...])
        case .replace(let path, let value):
            guard document[path] != nil else { throw Self.missing(path) }
            try document.replace(at: path.tokens[...], with: value)
        case .move(let from, let to):
            if from == to {
                guard document[from] != nil else { throw Self.missing(from) }
                return
            }
            guard !to.tokens.starts(with: from.tokens) else {
                throw JSONPatch.Reason(text: "\(from) cannot be moved into itself.")
            }
            let value = try document.remove(at: from.tokens[...])
            try document.add(value, at: to.tokens[...])
        case .copy(let from, let to):
            guard let value = document[from] else { throw Self.missing(from) }
            try document.add(value, at: to.tokens[...])
        case .test(let path, let value):
            guard let found = document[path] else { throw Self.missing(path) }
            guard found == value else {
                throw JSONPatch.Reason(text: "The value at \"\(path)\" is another one.")
            }
        }
    }

    private static func missing(_ path: JSONPointer) -> JSONPatch.Reason {
        JSONPatch.Reason(text: "There is nothing at \"\(path)\".")
    }
}

extension Value {
    private static func noPlace(_ token: String, in value: Value) -> JSONPatch.Reason {
        JSONPatch.Reason(text: "There is no place \"\(token)\" in a \(value.typeName).")
    }

    fileprivate mutating func add(_ new: Value, at path: ArraySlice<String>) throws(JSONPatch.Reason) {
        guard let token = path.first else {
            self = new
            return
        }
        guard path.count > 1 else {
            switch self {
            case .context(var members):
                self = .null
                members[token] = new
                self = .context(members)
            case .list(var elements):
                let index = token == "-" ? elements.count : JSONPointer.index(token, count: elements.count + 1)
                guard let index else { throw Self.noPlace(token, in: self) }
                self = .null
                elements.insert(new, at: index)
                self = .list(elements)
            default:
                throw Self.noPlace(token, in: self)
            }
            return
        }
        try self.descend(token) { (child) throws(JSONPatch.Reason) in try child.add(new, at: path.dropFirst()) }
    }

    fileprivate mutating func replace(at path: ArraySlice<String>, with new: Value) throws(JSONPatch.Reason) {
        guard let token = path.first else {
            self = new
            return
        }
        try self.descend(token) { (child) throws(JSONPatch.Reason) in
            try child.replace(at: path.dropFirst(), with: new)
        }
    }

    fileprivate mutating func remove(at path: ArraySlice<String>) throws(JSONPatch.Reason) -> Value {
        guard let token = path.first else {
            throw JSONPatch.Reason(text: "The whole document cannot be removed.")
        }
        guard path.count > 1 else {
            switch self {
            case .context(var members):
                guard let old = members[token] else { throw Self.noPlace(token, in: self) }
                members[token] = nil
                self = .context(members)
                return old
            case .list(var elements):
                guard let index = JSONPointer.index(token, count: elements.count) else {
                    throw Self.noPlace(token, in: self)
                }
                let old = elements.remove(at: index)
                self = .list(elements)
                return old
            default:
                throw Self.noPlace(token, in: self)
            }
        }
        var removed = Value.null
        try self.descend(token) { (child) throws(JSONPatch.Reason) in
            removed = try child.remove(at: path.dropFirst())
        }
        return removed
    }

    /// Changes the member or element `token` names.
    private mutating func descend(
        _ token: String, _ change: (inout Value) throws(JSONPatch.Reason) -> Void
    ) throws(JSONPatch.Reason) {
        switch self {
        case .context(var members):
            guard var child = members[token] else { throw Self.noPlace(token, in: self) }
            try change(&child)
            members[token] = child
            self = .context(members)
        case .list(var elements):
            guard let index = JSONPointer.index(token, count: elements.count) else {
                throw Self.noPlace(token, in: self)
            }
            try change(&elements[index])
            self = .list(elements)
        default:
            throw Self.noPlace(token, in: self)
        }
    }
}
