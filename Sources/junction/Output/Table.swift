/// Rows and columns for people, aligned with spaces.
struct Table: Sendable {
    /// A column.
    struct Column: Sendable {
        var title: String
        /// Numbers stand at the right.
        var isRight = false
        /// Whether the column is shortened when the terminal is too narrow.
        var canShrink = false
        /// Whether its cells are states, shown in the tone of the state.
        var isState = false

        init(_ title: String, right: Bool = false, shrinks: Bool = false, state: Bool = false) {
            self.title = title
            self.isRight = right
            self.canShrink = shrinks
            self.isState = state
        }
    }

    private static let gap = "  "
    private static let widthMin = 8

    var columns: [Column]
    var rows: [[String]] = []

    init(_ columns: [Column]) {
        self.columns = columns
    }

    mutating func add(_ cells: [String?]) {
        self.rows.append(cells.map { cell in (cell ?? "").map { $0.isNewline ? " " : String($0) }.joined() })
    }

    /// The lines, the head first; without a head when `hasHead` is false.
    func lines(_ style: Style, hasHead: Bool = true) -> [String] {
        let widths = self.widths(style)
        var lines: [String] = []
        if hasHead {
            lines.append(style.paint(self.line(self.columns.map(\.title), widths, .plain), .quiet))
        }
        for row in self.rows { lines.append(self.line(row, widths, style)) }
        return lines
    }

    private func line(_ cells: [String], _ widths: [Int], _ style: Style) -> String {
        var parts: [String] = []
        for (index, column) in self.columns.enumerated() {
            let text = TextWidth.cut(index < cells.count ? cells[index] : "", to: widths[index])
            let isLast = index == self.columns.count - 1
            let painted = column.isState ? style.paint(text, Style.tone(ofState: text)) : text
            let padding = TextWidth.pad("", to: widths[index] - TextWidth.of(text))
            parts.append(column.isRight ? padding + painted : isLast ? painted : painted + padding)
        }
        var line = parts.joined(separator: Self.gap)
        while line.last == " " { line.removeLast() }
        return line
    }

    private func widths(_ style: Style) -> [Int] {
        var widths = self.columns.enumerated().map { index, column in
            self.rows.reduce(TextWidth.of(column.title)) { max($0, index < $1.count ? TextWidth.of($1[index]) : 0) }
        }
        guard let available = style.width else { return widths }
        // The widest column that may shrink gives way, column by column, until all fit.
        while widths.reduce(Self.gap.count * (widths.count - 1), +) > available {
            let candidates = widths.indices.filter { self.columns[$0].canShrink && widths[$0] > Self.widthMin }
            guard let widest = candidates.max(by: { widths[$0] < widths[$1] }) else { break }
            widths[widest] -= 1
        }
        return widths
    }
}
