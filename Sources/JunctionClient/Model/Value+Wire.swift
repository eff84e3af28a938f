import Values

extension Value {
    func wireString(_ name: String) throws(ClientError) -> String {
        guard let text = self[name]?.asString else { throw .unexpectedAnswer("no text \(name)") }
        return text
    }

    func wireInt(_ name: String) throws(ClientError) -> Int {
        guard let number = self[name]?.asInt64 else { throw .unexpectedAnswer("no integer \(name)") }
        return Int(number)
    }

    func wireKey(_ name: String) throws(ClientError) -> Values.Key {
        guard let key = Values.Key(try self.wireString(name)) else { throw .unexpectedAnswer("\(name) is no key") }
        return key
    }
}
