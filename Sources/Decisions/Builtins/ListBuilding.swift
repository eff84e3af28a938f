import Values

extension Builtin {
    /// Functions that make lists of lists.
    static let listBuilding: [Builtin] = [
        Builtin("append", "list, item...", buildsCollections: true) { (arguments, machine) throws(Mistake) in
            var elements = try arguments.list(0)
            try arguments.spend(elements.count + arguments.count, &machine)
            for index in 1..<max(arguments.count, 1) { elements.append(arguments[index]) }
            return .list(elements)
        },
        Builtin("concatenate", "list...", buildsCollections: true) { (arguments, machine) throws(Mistake) in
            var elements: [Value] = []
            for index in 0..<arguments.count {
                let list = try arguments.list(index)
                try arguments.spend(list.count, &machine)
                elements += list
            }
            return .list(elements)
        },
        Builtin("insert before", "list, position, newItem", buildsCollections: true) {
            (arguments, machine) throws(Mistake) in
            var elements = try arguments.list(0)
            try arguments.spend(elements.count, &machine)
            elements.insert(arguments[2], at: try arguments.position(1, in: elements))
            return .list(elements)
        },
        Builtin("remove", "list, position") { (arguments, machine) throws(Mistake) in
            var elements = try arguments.list(0)
            try arguments.spend(elements.count, &machine)
            elements.remove(at: try arguments.position(1, in: elements))
            return .list(elements)
        },
        Builtin(
            "list replace", "list, position, newItem", "list, match, newItem", buildsCollections: true
        ) { (arguments, machine) throws(Mistake) in
            var elements = try arguments.list(0)
            try arguments.spend(elements.count, &machine)
            guard case .function(let match) = arguments[1] else {
                elements[try arguments.position(1, in: elements)] = arguments[2]
                return .list(elements)
            }
            for index in elements.indices {
                let result = machine.invoke(match, [elements[index], arguments[2]], at: arguments.span)
                guard case .boolean(let matches) = result else { throw Mistake("The match gave no boolean") }
                if matches { elements[index] = arguments[2] }
            }
            return .list(elements)
        },
        Builtin("sublist", "list, start position, length?") { (arguments, machine) throws(Mistake) in
            let elements = try arguments.list(0)
            let start = try arguments.position(1, in: elements)
            var end = elements.count
            if !arguments.isMissing(2) {
                let length = try arguments.integer(2)
                guard length >= 1, length <= elements.count - start else {
                    throw Mistake("There are no \(length) elements from position \(start + 1) on")
                }
                end = start + length
            }
            try arguments.spend(end - start, &machine)
            return .list(Array(elements[start..<end]))
        },
        Builtin("reverse", "list") { (arguments, machine) throws(Mistake) in
            let elements = try arguments.list(0)
            try arguments.spend(elements.count, &machine)
            return .list(elements.reversed())
        },
        Builtin("union", "list...", buildsCollections: true) { (arguments, machine) throws(Mistake) in
            var distinct = DistinctValues()
            for index in 0..<arguments.count {
                for element in try arguments.list(index) { _ = try distinct.insert(element, arguments, &machine) }
            }
            return .list(distinct.values)
        },
        Builtin("distinct values", "list") { (arguments, machine) throws(Mistake) in
            var distinct = DistinctValues()
            for element in try arguments.list(0) { _ = try distinct.insert(element, arguments, &machine) }
            return .list(distinct.values)
        },
        Builtin("flatten", "list") { (arguments, machine) throws(Mistake) in
            var flat: [Value] = []
            try flatten(try arguments.list(0), into: &flat, arguments, &machine)
            return .list(flat)
        },
        Builtin("sort", "list, precedes?") { (arguments, machine) throws(Mistake) in
            let elements = try arguments.list(0)
            try arguments.spend(elements.count, &machine)
            if arguments.isMissing(1) {
                return .list(
                    try mergeSort(elements) { (a, b) throws(Mistake) in
                        guard let order = Order.between(a, b) else {
                            throw Mistake("Cannot compare a \(a.typeName) and a \(b.typeName)")
                        }
                        return order == .less
                    })
            }
            let precedes = try arguments.function(1)
            return .list(
                try mergeSort(elements) { (a, b) throws(Mistake) in
                    let result = machine.invoke(precedes, [a, b], at: arguments.span)
                    guard case .boolean(let flag) = result else {
                        throw Mistake("The comparison gave a \(result.typeName) where a boolean is needed")
                    }
                    return flag
                })
        },
    ]

    private static func flatten(
        _ elements: [Value], into flat: inout [Value], _ arguments: Arguments, _ machine: inout Machine
    ) throws(Mistake) {
        try arguments.spend(elements.count + 1, &machine)
        for element in elements {
            if case .list(let inner) = element {
                try flatten(inner, into: &flat, arguments, &machine)
            } else {
                flat.append(element)
            }
        }
    }

    /// A stable sort that also ends when `precedes` is no order at all.
    private static func mergeSort(
        _ elements: [Value], by precedes: (Value, Value) throws(Mistake) -> Bool
    ) throws(Mistake) -> [Value] {
        var sorted = elements
        var width = 1
        while width < sorted.count {
            var merged: [Value] = []
            merged.reserveCapacity(sorted.count)
            for start in stride(from: 0, to: sorted.count, by: 2 * width) {
                let middle = min(start + width, sorted.count)
                let end = min(start + 2 * width, sorted.count)
                var (left, right) = (start, middle)
                while left < middle, right < end {
                    if try precedes(sorted[right], sorted[left]) {
                        merged.append(sorted[right])
                        right += 1
                    } else {
                        merged.append(sorted[left])
                        left += 1
                    }
                }
                merged += sorted[left..<middle]
                merged += sorted[right..<end]
            }
            sorted = merged
            width *= 2
        }
        return sorted
    }
}

extension Arguments {
    /// A position counted from 1, or from the end when negative, as an index.
    fileprivate func position(_ index: Int, in elements: [Value]) throws(Mistake) -> Int {
        let position = try integer(index)
        if position >= 1, position <= elements.count { return position - 1 }
        if position <= -1, position >= -elements.count { return elements.count + position }
        throw Mistake("There is no position \(position) in a list of \(elements.count)")
    }
}
