/// A node of a flow with everything that moves with it: its label below, boundary events on its lower border with the
/// beginnings of their flows, and data and annotations above.
///
/// Coordinates are from the upper left corner of the block.
struct LayoutBlock {
    /// Something that stands with a node.
    struct Companion {
        let element: ElementID
        let width: Int
        let height: Int
        /// The size of the text below it; zero when there is none.
        var label: (width: Int, height: Int) = (0, 0)
    }

    let node: ElementID
    private(set) var width: Int
    private(set) var height: Int
    private(set) var shape: (x: Int, y: Int, width: Int, height: Int)
    private(set) var label: (x: Int, y: Int, width: Int, height: Int)?
    /// The companions above, with their upper left corners.
    private(set) var above: [(companion: Companion, x: Int, y: Int)] = []
    /// The boundary events, with their upper left corners.
    private(set) var boundary: [(companion: Companion, x: Int, y: Int)] = []
    /// How far below the top of the block the flow of each boundary event turns to the right.
    private(set) var boundaryTurns: [Int] = []

    static let (eventSize, companionGap, associationLength, turnPitch) = (36, 20, 30, 14)

    /// Where sequence flows begin and end.
    var port: Int { shape.y + shape.height / 2 }

    init(
        node: ElementID, width: Int, height: Int, labelBelow: (width: Int, height: Int), above companions: [Companion],
        boundary events: [Companion]
    ) {
        self.node = node
        let pitch = LayoutBlock.eventSize + 14 + (events.map(\.label.width).max() ?? 0)
        let shapeWidth = max(width, events.isEmpty ? 0 : events.count * pitch + 10)
        let rowWidth = companions.reduce(-LayoutBlock.companionGap) { $0 + $1.outerWidth + LayoutBlock.companionGap }
        let rowHeight = companions.map { $0.height + $0.label.height }.max() ?? 0
        let top = companions.isEmpty ? 0 : rowHeight + LayoutBlock.associationLength
        self.width = max(shapeWidth, rowWidth, labelBelow.width)
        shape = ((self.width - shapeWidth) / 2, top, shapeWidth, height)
        self.height = top + height
        var x = (self.width - max(rowWidth, 0)) / 2
        for companion in companions {
            let left = x + (companion.outerWidth - companion.width) / 2
            above.append((companion, left, rowHeight - companion.height - companion.label.height))
            x += companion.outerWidth + LayoutBlock.companionGap
        }
        if labelBelow.height > 0 {
            label = ((self.width - labelBelow.width) / 2, self.height + 4, labelBelow.width, labelBelow.height)
            self.height += labelBelow.height + 6
        }
        addBoundary(events, pitch: pitch)
    }

    /// Boundary events stand side by side; the flow of the rightmost turns first, so that none crosses another.
    private mutating func addBoundary(_ events: [Companion], pitch: Int) {
        guard !events.isEmpty else { return }
        let bottom = shape.y + shape.height
        let half = LayoutBlock.eventSize / 2
        let labelHeight = events.map(\.label.height).max() ?? 0
        let firstTurn = bottom + half + max(labelHeight + 4, 10)
        for (number, event) in events.enumerated() {
            boundary.append((event, shape.x + 10 + number * pitch, bottom - half))
            boundaryTurns.append(firstTurn + LayoutBlock.turnPitch * (events.count - 1 - number))
        }
        height = max(height, firstTurn + LayoutBlock.turnPitch * (events.count - 1) + 4)
    }
}

extension LayoutBlock.Companion {
    /// The width with the text below.
    var outerWidth: Int { max(width, label.width) }
}
