import ArgumentParser
import JunctionClient
import Values

/// A list of things the API can search: a table for people, an object a line for programs.
struct Listing: Sendable {
    /// A column: its head and how it is read from an item.
    struct Field: Sendable {
        var column: Table.Column
        var text: @Sendable (Value) -> String?

        init(_ column: Table.Column, _ text: @escaping @Sendable (Value) -> String?) {
            self.column = column
            self.text = text
        }

        /// A member as it is.
        init(_ column: Table.Column, _ member: String) {
            self.init(column) { Self.text($0[member]) }
        }

        /// A member with a date-time, shortened to seconds.
        static func instant(_ title: String, _ member: String) -> Field {
            Field(.init(title)) { item in
                item[member]?.asString.map { text in
                    String(text.prefix(19)).map { $0 == "T" ? " " : String($0) }.joined()
                }
            }
        }

        static func text(_ value: Value?) -> String? {
            switch value {
            case .none, .some(.null): nil
            case .some(.string(let text)): text
            case .some(.list(let items)): items.compactMap { Self.text($0) }.joined(separator: ", ")
            case .some(let value): JSON.string(value)
            }
        }
    }

    var resource: SearchResource
    /// What the items are called when there are none.
    var plural: String
    var fields: [Field]

    /// Prints the items that match; fails when there are none.
    func show(
        _ client: JunctionClient, _ console: Console, options: ListOptions, filter: ValueContext,
        sort: [(field: String, descending: Bool)]
    ) async throws {
        var page = try await client.search(self.resource, filter: filter, sort: sort, limit: options.limit)
        guard !page.items.isEmpty else {
            console.note("No \(self.plural) found.")
            throw ExitCode.failure
        }
        let total = page.totalItems
        var shown = 0
        while true {
            self.show(page.items, console, isFirst: shown == 0)
            shown += page.items.count
            guard options.all, let cursor = page.endCursor, page.items.count == options.limit else { break }
            page = try await client.search(
                self.resource, filter: filter, sort: sort, limit: options.limit, after: cursor)
            if page.items.isEmpty { break }
        }
        if shown < total, !console.isJSON { console.note("\(shown) of \(total) \(self.plural); --all shows all.") }
    }

    private func show(_ items: [Value], _ console: Console, isFirst: Bool) {
        if console.isJSON {
            for item in items { console.print(json: item) }
            return
        }
        for line in self.lines(items, console.style, hasHead: isFirst) { console.print(line) }
    }

    /// The table of some items.
    func lines(_ items: [Value], _ style: Style, hasHead: Bool = true) -> [String] {
        var table = Table(self.fields.map(\.column))
        for item in items { table.add(self.fields.map { $0.text(item) }) }
        return table.lines(style, hasHead: hasHead)
    }
}

/// One thing in full: its members below each other.
enum Details {
    static func lines(_ item: Value, _ style: Style) -> [String] {
        guard let members = item.asContext else { return [JSON.string(item)] }
        var table = Table([.init(""), .init("", shrinks: true)])
        for (name, value) in members where !value.isNull {
            table.add([name, Listing.Field.text(value)])
        }
        return table.lines(style, hasHead: false)
    }
}
