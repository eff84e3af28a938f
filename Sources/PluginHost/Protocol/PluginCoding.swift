internal import ConnectorKit
internal import Values

/// The JSON forms of what the kit defines.
///
/// Reading is lenient about unknown fields, so that a newer peer may say more, and strict about those it knows.
enum PluginCoding {
    /// Reads the fields of an object.
    struct Fields {
        let path: String
        private let fields: ValueContext

        init(_ value: Value, _ path: String) throws(PluginCodingError) {
            guard let fields = value.asContext else { throw Self.wrong(path, "an object") }
            self.fields = fields
            self.path = path
        }

        static func wrong(_ path: String, _ expected: String) -> PluginCodingError {
            PluginCodingError(reason: "\(path): expected \(expected).")
        }

        private func read<Result>(
            _ key: String, _ expected: String, _ convert: (Value) -> Result?
        ) throws(PluginCodingError) -> Result? {
            guard let value = self.fields[key], !value.isNull else { return nil }
            guard let result = convert(value) else { throw Self.wrong("\(self.path).\(key)", expected) }
            return result
        }

        private func required<Result>(_ key: String, _ result: Result?, _ expected: String)
            throws(PluginCodingError) -> Result
        {
            guard let result else { throw Self.wrong("\(self.path).\(key)", expected) }
            return result
        }

        func value(_ key: String) -> Value? { self.fields[key] }

        func string(_ key: String) throws(PluginCodingError) -> String {
            try self.required(key, try self.optionalString(key), "a text")
        }

        func optionalString(_ key: String) throws(PluginCodingError) -> String? {
            try self.read(key, "a text") { $0.asString }
        }

        func integer(_ key: String) throws(PluginCodingError) -> Int64 {
            try self.required(key, try self.optionalInteger(key), "a whole number")
        }

        func optionalInteger(_ key: String) throws(PluginCodingError) -> Int64? {
            try self.read(key, "a whole number") { $0.asInt64 }
        }

        func boolean(_ key: String, default standard: Bool) throws(PluginCodingError) -> Bool {
            try self.read(key, "true or false") { $0.asBoolean } ?? standard
        }

        func word<Word: RawRepresentable<String> & CaseIterable>(
            _ key: String, _ type: Word.Type
        ) throws(PluginCodingError) -> Word {
            let text = try self.string(key)
            guard let word = Word(rawValue: text) else {
                let words = Word.allCases.map(\.rawValue).joined(separator: ", ")
                throw Self.wrong("\(self.path).\(key)", "one of \(words)")
            }
            return word
        }

        /// Milliseconds, below a hundred years.
        func optionalDuration(_ key: String) throws(PluginCodingError) -> Duration? {
            guard let milliseconds = try self.optionalInteger(key) else { return nil }
            guard (0...3_155_760_000_000).contains(milliseconds) else {
                throw Self.wrong("\(self.path).\(key)", "milliseconds, not below 0")
            }
            return .milliseconds(milliseconds)
        }

        func context(_ key: String) throws(PluginCodingError) -> ValueContext {
            try self.read(key, "an object") { $0.asContext } ?? ValueContext()
        }

        func list<Element>(
            _ key: String, _ convert: (Value, String) throws(PluginCodingError) -> Element
        ) throws(PluginCodingError) -> [Element] {
            var elements: [Element] = []
            for (index, value) in (try self.read(key, "a list") { $0.asList } ?? []).enumerated() {
                elements.append(try convert(value, "\(self.path).\(key)[\(index)]"))
            }
            return elements
        }
    }

    static func number(_ integer: some BinaryInteger) -> Value { .number(Number(Int64(clamping: integer))) }

    static func milliseconds(_ duration: Duration) -> Value {
        let (seconds, attoseconds) = duration.components
        let (product, overflows) = seconds.multipliedReportingOverflow(by: 1_000)
        return .number(Number(overflows ? .max : product + attoseconds / 1_000_000_000_000_000))
    }

    // MARK: - Errors and outcomes

    static func json(_ error: ConnectorError) -> Value {
        var fields: ValueContext = [
            "kind": .string(error.kind.rawValue), "code": .string(error.code), "message": .string(error.message),
            "remedy": .string(error.remedy), "retryable": .boolean(error.isRetryable),
            "mayHaveExecuted": .boolean(error.mayHaveExecuted),
        ]
        fields["retryAfterMilliseconds"] = error.retryAfter.map(Self.milliseconds)
        if !error.details.isEmpty { fields["details"] = .context(error.details) }
        return .context(fields)
    }

    static func error(_ value: Value, _ path: String = "error") throws(PluginCodingError) -> ConnectorError {
        let fields = try Fields(value, path)
        let kind = try fields.word("kind", ConnectorError.Kind.self)
        return ConnectorError(
            kind, code: try fields.optionalString("code") ?? PluginErrors.Code.unnamed,
            try fields.string("message"), remedy: try fields.optionalString("remedy") ?? "Ask the plugin's author.",
            isRetryable: try fields.boolean("retryable", default: kind.isRetryable),
            mayHaveExecuted: try fields.boolean("mayHaveExecuted", default: false),
            retryAfter: try fields.optionalDuration("retryAfterMilliseconds"),
            details: try fields.context("details"))
    }

    private enum OutcomeKind: String, CaseIterable {
        case done, alreadyDone, retry, park, reject
    }

    static func json(_ outcome: Outcome) -> Value {
        func success(_ kind: OutcomeKind, _ value: Value, _ facts: ValueContext) -> Value {
            var fields: ValueContext = ["outcome": .string(kind.rawValue), "value": value]
            if !facts.isEmpty { fields["facts"] = .context(facts) }
            return .context(fields)
        }
        func failure(_ kind: OutcomeKind, _ error: ConnectorError, after: Duration? = nil) -> Value {
            var fields: ValueContext = ["outcome": .string(kind.rawValue), "error": Self.json(error)]
            fields["afterMilliseconds"] = after.map(Self.milliseconds)
            return .context(fields)
        }
        switch outcome {
        case .done(let value, let facts): return success(.done, value, facts)
        case .alreadyDone(let value, let facts): return success(.alreadyDone, value, facts)
        case .retry(let after, let error): return failure(.retry, error, after: after)
        case .park(let error): return failure(.park, error)
        case .reject(let error): return failure(.reject, error)
        }
    }

    static func outcome(_ value: Value, _ path: String = "result") throws(PluginCodingError) -> Outcome {
        let fields = try Fields(value, path)
        let kind = try fields.word("outcome", OutcomeKind.self)
        func error() throws(PluginCodingError) -> ConnectorError {
            try Self.error(fields.value("error") ?? .null, "\(path).error")
        }
        switch kind {
        case .done: return .done(fields.value("value") ?? .null, facts: try fields.context("facts"))
        case .alreadyDone: return .alreadyDone(fields.value("value") ?? .null, facts: try fields.context("facts"))
        case .retry: return .retry(after: try fields.optionalDuration("afterMilliseconds"), try error())
        case .park: return .park(try error())
        case .reject: return .reject(try error())
        }
    }

    // MARK: - Calls

    static func json(_ call: OperationCall) -> Value {
        var fields: ValueContext = [
            "operation": .string(call.operation), "input": call.input,
            "timeoutMilliseconds": Self.milliseconds(call.timeout), "attempt": Self.number(call.attempt),
        ]
        fields["idempotencyKey"] = call.idempotencyKey.map { .string($0) }
        fields["traceparent"] = call.traceparent.map { .string($0) }
        return .context(fields)
    }

    static func call(_ value: Value, _ path: String = "params") throws(PluginCodingError) -> OperationCall {
        let fields = try Fields(value, path)
        return OperationCall(
            operation: try fields.string("operation"), input: fields.value("input") ?? .null,
            idempotencyKey: try fields.optionalString("idempotencyKey"),
            timeout: try fields.optionalDuration("timeoutMilliseconds") ?? .seconds(30),
            attempt: Int(clamping: try fields.optionalInteger("attempt") ?? 1),
            traceparent: try fields.optionalString("traceparent"))
    }
}
