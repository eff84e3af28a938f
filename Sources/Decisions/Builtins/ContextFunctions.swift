import Values

extension Builtin {
    static let contextFunctions: [Builtin] = [
        Builtin("get value", "m, key", "context, key") { (arguments, _) throws(Mistake) in
            let context = try arguments.context(0)
            if case .list(let path) = arguments[1] { return try value(at: path, in: context) }
            guard let value = context[try arguments.string(1)] else {
                throw Mistake("The context has no entry '\(try arguments.string(1))'")
            }
            return value
        },
        Builtin("get entries", "m", "context") { (arguments, machine) throws(Mistake) in
            let context = try arguments.context(0)
            try arguments.spend(2 * context.count, &machine)
            return .list(context.map { .context(["key": .string($0.key), "value": $0.value]) })
        },
        Builtin(
            "context put", "context, key, value", "context, keys, value", buildsCollections: true
        ) { (arguments, machine) throws(Mistake) in
            let context = try arguments.context(0)
            try arguments.spend(context.count + 1, &machine)
            guard case .list(let keys) = arguments[1] else {
                var result = context
                result[try arguments.string(1)] = arguments[2]
                return .context(result)
            }
            guard !keys.isEmpty, keys.count <= Machine.valueDepthMax else {
                throw Mistake("The list of keys has \(keys.count) elements")
            }
            return .context(try putting(arguments[2], at: keys[...], in: context))
        },
        Builtin("context merge", "contexts", buildsCollections: true) { (arguments, machine) throws(Mistake) in
            var merged = ValueContext()
            for element in try arguments.list(0) {
                guard case .context(let context) = element else { throw arguments.expected("list of contexts", 0) }
                try arguments.spend(context.count + 1, &machine)
                merged.merge(context)
            }
            return .context(merged)
        },
        Builtin("context", "entries", buildsCollections: true) { (arguments, machine) throws(Mistake) in
            var context = ValueContext()
            for entry in try arguments.list(0) {
                try arguments.spend(1, &machine)
                guard case .string(let key) = entry["key"], let value = entry["value"] else {
                    throw Mistake("Every entry needs a 'key' that is a string, and a 'value'")
                }
                guard context[key] == nil else { throw Mistake("The key '\(key)' occurs twice") }
                context[key] = value
            }
            return .context(context)
        },
    ]

    private static func value(at path: [Value], in context: ValueContext) throws(Mistake) -> Value {
        var current = Value.context(context)
        for key in path {
            guard case .string(let key) = key, let value = current[key] else {
                throw Mistake("The context has no entry at this path")
            }
            current = value
        }
        return current
    }

    private static func putting(
        _ value: Value, at keys: ArraySlice<Value>, in context: ValueContext
    ) throws(Mistake) -> ValueContext {
        guard case .string(let key) = keys.first else { throw Mistake("Every key must be a string") }
        var result = context
        if keys.count == 1 {
            result[key] = value
        } else {
            guard case .context(let inner) = context[key] else {
                throw Mistake("There is no context under the key '\(key)'")
            }
            result[key] = .context(try putting(value, at: keys.dropFirst(), in: inner))
        }
        return result
    }
}
