extension JSONScanner {
    /// Builds one value; `depth` is the number of arrays and objects around it.
    mutating func value(depth: Int) throws(JSONError) -> Value {
        switch self.current {
        case 0x22:
            self.position += 1
            return .string(try self.string())
        case 0x7B:
            return .context(try self.object(depth: depth))
        case 0x5B:
            return .list(try self.array(depth: depth))
        case 0x74:
            try self.skipLiteral("true")
            return .boolean(true)
        case 0x66:
            try self.skipLiteral("false")
            return .boolean(false)
        case 0x6E:
            try self.skipLiteral("null")
            return .null
        default:
            return .number(try self.number())
        }
    }

    /// Reads the rest of a string.
    @inline(__always)
    mutating func string() throws(JSONError) -> String {
        let (content, hasEscapes) = try self.skipString()
        return self.text(content, hasEscapes: hasEscapes)
    }

    private mutating func array(depth: Int) throws(JSONError) -> [Value] {
        try self.enter(depth)
        var elements: [Value] = []
        if self.current == 0x5D {
            self.position += 1
            return elements
        }
        repeat {
            elements.append(try self.value(depth: depth + 1))
        } while try self.separator(closing: 0x5D)
        return elements
    }

    private mutating func object(depth: Int) throws(JSONError) -> ValueContext {
        try self.enter(depth)
        var context = ValueContext()
        if self.current == 0x7D {
            self.position += 1
            return context
        }
        repeat {
            try self.beginString()
            let key = try self.string()
            try self.skipColon()
            context[key] = try self.value(depth: depth + 1)
        } while try self.separator(closing: 0x7D)
        return context
    }
}
