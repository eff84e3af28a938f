/// Where the name of a line stands.
enum EdgeLabel {
    /// Above the first level stretch after the first turn that is long enough, since lines may share their beginnings;
    /// else above the first; else beside the middle.
    static func bounds(_ name: String?, _ line: [DiagramPoint]) -> DiagramBounds? {
        let size = LabelText.size(name ?? "", width: 90)
        guard size.height > 0, line.count > 1 else { return nil }
        let (width, height) = (Double(size.width), Double(size.height))
        let stretches = zip(line, line.dropFirst()).filter { $0.y == $1.y && abs($0.x - $1.x) >= width + 8 }
        let long = stretches.first { $0.0 != line.first } ?? stretches.first
        if let (from, to) = long {
            let x = from.x < to.x ? from.x + 6 : from.x - 6 - width
            return DiagramBounds(x: x, y: from.y - height - 2, width: width, height: height)
        }
        let middle = line[line.count / 2]
        return DiagramBounds(x: middle.x + 4, y: middle.y - height - 2, width: width, height: height)
    }
}

extension [DiagramPoint] {
    /// The same line without corners it passes straight, and without repeated ones.
    var withoutNeedlessCorners: [DiagramPoint] {
        var line: [DiagramPoint] = []
        for point in self where line.last != point {
            if line.count > 1 {
                let (before, last) = (line[line.count - 2], line[line.count - 1])
                let isStraight = (before.x == last.x && last.x == point.x) || (before.y == last.y && last.y == point.y)
                if isStraight { line.removeLast() }
            }
            line.append(point)
        }
        return line
    }
}
