import Values

extension SchemaRun {
    // MARK: - Arrays

    mutating func check(_ node: SchemaNode, _ items: [Value], at path: String, _ seen: inout Evaluated) -> Bool {
        var matches = self.checkCount(node, items, at: path)
        for (index, item) in items.enumerated() {
            guard let schema = index < node.prefixItems.count ? node.prefixItems[index] : node.items else { break }
            if self.program.tracksEvaluation { seen.items.insert(index) }
            guard !self.isFull else { return false }
            var inner = Evaluated()
            matches = self.check(schema, item, at: "\(path)/\(index)", &inner) && matches
        }
        if let contains = node.contains {
            matches = self.checkContains(contains, node, items, at: path, &seen) && matches
        }
        return matches
    }

    private mutating func checkCount(_ node: SchemaNode, _ items: [Value], at path: String) -> Bool {
        var matches = true
        if let minimum = node.minimumItems, items.count < minimum {
            self.report(path, "Expected at least \(minimum) items but found \(items.count).")
            matches = false
        }
        if let maximum = node.maximumItems, items.count > maximum {
            self.report(path, "Expected at most \(maximum) items but found \(items.count).")
            matches = false
        }
        if node.hasUniqueItems, Set(items).count < items.count {
            self.report(path, "Expected items that differ from each other.")
            matches = false
        }
        return matches
    }

    private mutating func checkContains(
        _ contains: Int, _ node: SchemaNode, _ items: [Value], at path: String, _ seen: inout Evaluated
    ) -> Bool {
        var count = 0
        for (index, item) in items.enumerated() {
            var inner = Evaluated()
            guard self.accepts(contains, item, &inner) else { continue }
            count += 1
            if self.program.tracksEvaluation { seen.items.insert(index) }
        }
        let minimum = node.minimumContains ?? 1
        if count < minimum {
            self.report(path, "Expected at least \(minimum) items as under \"contains\" but found \(count).")
            return false
        }
        if let maximum = node.maximumContains, count > maximum {
            self.report(path, "Expected at most \(maximum) items as under \"contains\" but found \(count).")
            return false
        }
        return true
    }

    // MARK: - Objects

    mutating func check(
        _ node: SchemaNode, _ members: ValueContext, at path: String, _ seen: inout Evaluated
    ) -> Bool {
        var matches = self.checkNames(node, members, at: path)
        let looksInside =
            !node.properties.isEmpty || !node.patternProperties.isEmpty || node.additionalProperties != nil
            || node.propertyNames != nil
        if looksInside {
            for (key, value) in members {
                guard !self.isFull else { return false }
                matches = self.checkMember(node, key, value, at: path, &seen) && matches
            }
        }
        return matches
    }

    private mutating func checkNames(_ node: SchemaNode, _ members: ValueContext, at path: String) -> Bool {
        var matches = true
        for name in node.required where members[name] == nil {
            self.report(path, "Expected the member \"\(name)\" but it is missing.")
            matches = false
        }
        if let minimum = node.minimumProperties, members.count < minimum {
            self.report(path, "Expected at least \(minimum) members but found \(members.count).")
            matches = false
        }
        if let maximum = node.maximumProperties, members.count > maximum {
            self.report(path, "Expected at most \(maximum) members but found \(members.count).")
            matches = false
        }
        for (name, required) in node.dependentRequired where members[name] != nil {
            for other in required where members[other] == nil {
                self.report(path, "Expected the member \"\(other)\", because there is \"\(name)\", but it is missing.")
                matches = false
            }
        }
        return matches
    }

    private mutating func checkMember(
        _ node: SchemaNode, _ key: String, _ value: Value, at path: String, _ seen: inout Evaluated
    ) -> Bool {
        let place = path + "/" + key.pointerEscaped
        var matches = true
        var isKnown = false
        if let names = node.propertyNames {
            var inner = Evaluated()
            if !self.accepts(names, .string(key), &inner) {
                self.report(place, "Expected a member name as under \"propertyNames\".")
                matches = false
            }
        }
        var inner = Evaluated()
        if let schema = node.properties[key] {
            isKnown = true
            matches = self.check(schema, value, at: place, &inner) && matches
        }
        for (pattern, schema) in node.patternProperties where pattern.matches(key) {
            isKnown = true
            matches = self.check(schema, value, at: place, &inner) && matches
        }
        if !isKnown, let additional = node.additionalProperties {
            isKnown = true
            if self.program.nodes[additional].constant == false {
                let hint = ClosestMatch.of(key, in: node.properties.keys.sorted()).map { " Did you mean \"\($0)\"?" }
                self.report(place, "Expected no member of this name." + (hint ?? ""))
                matches = false
            } else {
                matches = self.check(additional, value, at: place, &inner) && matches
            }
        }
        if self.program.tracksEvaluation, isKnown { seen.members.insert(key) }
        return matches
    }

    // MARK: - What nobody looked at

    /// Applies the unevaluated keywords, which come after everything else: a part that failed looked at nothing.
    mutating func checkUnevaluated(
        _ node: SchemaNode, _ value: Value, at path: String, _ seen: inout Evaluated
    ) -> Bool {
        var matches = true
        switch value {
        case .list(let items):
            guard let unevaluated = node.unevaluatedItems else { break }
            for (index, item) in items.enumerated() where !seen.items.contains(index) {
                var inner = Evaluated()
                matches = self.check(unevaluated, item, at: "\(path)/\(index)", &inner) && matches
                seen.items.insert(index)
            }
        case .context(let members):
            guard let unevaluated = node.unevaluatedProperties else { break }
            for (key, value) in members where !seen.members.contains(key) {
                var inner = Evaluated()
                matches = self.check(unevaluated, value, at: path + "/" + key.pointerEscaped, &inner) && matches
                seen.members.insert(key)
            }
        default: break
        }
        return matches
    }
}
