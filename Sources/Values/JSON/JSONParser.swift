/// Builds values from JSON text.
///
/// Elements and members are collected on two stacks and moved into arrays of the right size when their bracket closes:
/// one allocation for each array or object.
struct JSONParser: ~Copyable {
    private var scanner: JSONScanner
    private var elements = MoveStack<Value>()
    private var members = MoveStack<ValueContext.Entry>()

    init(_ bytes: UnsafeRawBufferPointer, limits: JSONLimits) throws(JSONError) {
        self.scanner = try JSONScanner(bytes, limits: limits)
    }

    /// Reads the whole text as one value.
    mutating func parse() throws(JSONError) -> Value {
        self.scanner.skipWhitespace()
        let value = try self.value(depth: 0)
        try self.scanner.expectEnd()
        return value
    }

    /// Builds one value; `depth` is the number of arrays and objects around it.
    private mutating func value(depth: Int) throws(JSONError) -> Value {
        switch self.scanner.current {
        case 0x22:
            self.scanner.position &+= 1
            let content = try self.scanner.skipString()
            return .string(self.scanner.text(content))
        case 0x7B:
            return .context(try self.object(depth: depth))
        case 0x5B:
            return .list(try self.array(depth: depth))
        case 0x74:
            try self.scanner.skipLiteral("true")
            return .boolean(true)
        case 0x66:
            try self.scanner.skipLiteral("false")
            return .boolean(false)
        case 0x6E:
            try self.scanner.skipLiteral("null")
            return .null
        default:
            return .number(try self.scanner.number())
        }
    }

    private mutating func array(depth: Int) throws(JSONError) -> [Value] {
        try self.scanner.enter(depth)
        if self.scanner.current == 0x5D {
            self.scanner.position &+= 1
            return []
        }
        let start = self.elements.count
        repeat {
            self.elements.push(try self.value(depth: depth + 1))
        } while try self.scanner.separator(closing: 0x5D)
        return self.elements.popArray(from: start)
    }

    private mutating func object(depth: Int) throws(JSONError) -> ValueContext {
        try self.scanner.enter(depth)
        if self.scanner.current == 0x7D {
            self.scanner.position &+= 1
            return ValueContext()
        }
        let start = self.members.count
        var register = KeyRegister()
        repeat {
            try self.scanner.beginString()
            let content = try self.scanner.skipString()
            let key = self.scanner.text(content)
            let repeated = register.note(
                key, utf8: UnsafeRawBufferPointer(rebasing: self.scanner.bytes[content.range]),
                isASCII: content.isASCII && !content.hasEscapes, count: self.members.count - start
            ) { self.members[start + $0].key }
            try self.scanner.skipColon()
            let value = try self.value(depth: depth + 1)
            if let repeated {
                self.members[start + repeated].value = value
            } else {
                self.members.push(ValueContext.Entry(key: key, value: value))
            }
        } while try self.scanner.separator(closing: 0x7D)
        return ValueContext(distinct: self.members.popArray(from: start), index: register.index)
    }
}
