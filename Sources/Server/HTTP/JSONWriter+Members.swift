import Values

extension JSONWriter {
    mutating func member(_ name: String, _ text: String) {
        self.key(name)
        self.value(text)
    }

    /// Writes `null` for nil, as the wire contract wants nullable members.
    mutating func member(_ name: String, nullable text: String?) {
        self.key(name)
        if let text { self.value(text) } else { self.null() }
    }

    mutating func member(_ name: String, _ number: Int) {
        self.key(name)
        self.value(number)
    }

    mutating func member(_ name: String, _ flag: Bool) {
        self.key(name)
        self.value(flag)
    }

    mutating func member(_ name: String, _ key: Key) {
        self.key(name)
        self.value(key)
    }

    mutating func member(_ name: String, nullable key: Key?) {
        self.key(name)
        if let key { self.value(key) } else { self.null() }
    }

    /// An instant in Unix milliseconds, written as RFC 3339 text.
    mutating func member(_ name: String, instant milliseconds: Int64?) {
        self.key(name)
        if let milliseconds { self.value(Timestamp.text(milliseconds)) } else { self.null() }
    }

    mutating func member(_ name: String, _ texts: [String]) {
        self.key(name)
        self.beginArray()
        for text in texts { self.value(text) }
        self.endArray()
    }

    /// A member that is JSON already.
    mutating func member(_ name: String, raw json: some Collection<UInt8>) {
        self.key(name)
        self.raw(json)
    }

    mutating func diagnostic(_ diagnostic: Diagnostic) {
        self.beginObject()
        self.member("code", diagnostic.code)
        self.member("severity", diagnostic.severity.rawValue)
        self.member("message", diagnostic.message)
        if let remedy = diagnostic.remedy { self.member("remedy", remedy) }
        if let file = diagnostic.file { self.member("file", file) }
        if let line = diagnostic.line { self.member("line", line) }
        if let column = diagnostic.column { self.member("column", column) }
        if let elementID = diagnostic.elementID { self.member("elementId", elementID) }
        self.endObject()
    }
}
