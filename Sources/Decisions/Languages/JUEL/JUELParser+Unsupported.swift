extension JUELParser {
    /// A method that is not among those of ``JUELMethod``.
    func unknownMethod(_ name: ForeignLexer.Token, of base: Node) -> FEELError {
        let property =
            name.text.hasPrefix("get")
            ? name.text.dropFirst(3) : name.text.hasPrefix("is") ? name.text.dropFirst(2) : ""
        let remedy =
            if let first = property.first, first.isUppercase {
                "Read the property: write .\(first.lowercased())\(property.dropFirst()) without parentheses"
            } else if base is JUELNameNode {
                "Java beans are not called: let a job worker do it (service task), or a script task in FEEL"
            } else {
                "Known methods are " + JUELMethod.allCases.map(\.rawValue).joined(separator: ", ")
            }
        return unsupported("There is no method '\(name.text)'", at: name.start, remedy: remedy)
    }

    /// A function of a library of the other engine.
    func unknownFunction(_ name: ForeignLexer.Token) -> FEELError {
        unsupported(
            "There is no function '\(name.text)'", at: name.start,
            remedy: "Write the expression in FEEL, whose functions Junction has, or let a job worker compute it")
    }

    /// Something of the engine's own objects other than variables.
    func unsupportedMember(_ member: String, of object: ForeignLexer.Token) -> FEELError {
        unsupported(
            "'\(object.text).\(member)' is not supported; only getVariable('name') and hasVariable('name') are",
            at: object.start, remedy: "Pass the value as a variable when the instance is created")
    }

    private func unsupported(_ message: String, at offset: Int, remedy: String) -> FEELError {
        lexer.error(.unsupported, message, at: offset, remedy: remedy)
    }
}
