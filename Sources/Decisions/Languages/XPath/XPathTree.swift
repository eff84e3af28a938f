import Values

/// The elements that one evaluation has looked at, made from values as paths reach them.
struct XPathTree {
    enum Kind: Int {
        case attribute, element, text
    }

    struct Item {
        let value: Value
        let name: String
        let kind: Kind
        /// The element around it; nil for a variable.
        let parent: Int?
        let depth: Int
        var children: Range<Int>?
        var attributes: Range<Int>?
    }

    private(set) var items: [Item] = []

    /// Makes the elements of a variable: one, or one for each element of a list.
    mutating func add(_ value: Value, name: String) -> [Int] {
        let start = items.count
        append(value, name: name, kind: .element, parent: nil)
        return Array(start..<items.count)
    }

    /// The children of an element: its members, the elements of a list, or its text.
    mutating func children(of index: Int) -> Range<Int> {
        if let known = items[index].children { return known }
        let item = items[index]
        let start = items.count
        switch item.value {
        case .context(let context) where item.kind == .element:
            for (key, value) in context where !key.utf8.starts(with: "@".utf8) {
                append(value, name: key, kind: .element, parent: index)
            }
        case .list(let elements) where item.kind == .element:
            for element in elements { appendOne(element, name: item.name, kind: .element, parent: index) }
        default:
            if item.kind == .element { append(item.value, name: "", kind: .text, parent: index) }
        }
        items[index].children = start..<items.count
        return start..<items.count
    }

    /// The attributes of an element: members whose names begin with `@`, and all that hold neither context nor list.
    mutating func attributes(of index: Int) -> Range<Int> {
        if let known = items[index].attributes { return known }
        let start = items.count
        if case .context(let context) = items[index].value, items[index].kind == .element {
            for (key, value) in context {
                switch value {
                case .context, .list: break
                default:
                    let isMarked = key.utf8.starts(with: "@".utf8)
                    if !isMarked, context["@" + key] != nil { continue }
                    append(value, name: isMarked ? String(key.dropFirst()) : key, kind: .attribute, parent: index)
                }
            }
        }
        items[index].attributes = start..<items.count
        return start..<items.count
    }

    /// A list is its elements.
    private mutating func append(_ value: Value, name: String, kind: Kind, parent: Int?) {
        if case .list(let elements) = value {
            for element in elements { appendOne(element, name: name, kind: kind, parent: parent) }
        } else {
            appendOne(value, name: name, kind: kind, parent: parent)
        }
    }

    /// Null is nothing.
    private mutating func appendOne(_ value: Value, name: String, kind: Kind, parent: Int?) {
        guard !value.isNull else { return }
        let depth = parent.map { items[$0].depth + 1 } ?? 0
        items.append(Item(value: value, name: name, kind: kind, parent: parent, depth: depth))
    }

    /// Whether `a` comes before `b` in document order.
    func precedes(_ a: Int, _ b: Int) -> Bool {
        var (x, y) = (a, b)
        while items[x].depth > items[y].depth, let parent = items[x].parent { x = parent }
        while items[y].depth > items[x].depth, let parent = items[y].parent { y = parent }
        if x == y { return items[a].depth < items[b].depth }
        while let left = items[x].parent, let right = items[y].parent, left != right { (x, y) = (left, right) }
        if items[x].kind != items[y].kind { return items[x].kind.rawValue < items[y].kind.rawValue }
        return x < y
    }
}
