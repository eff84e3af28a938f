import Values

/// The text of an expression, shared by everything compiled from it.
final class SourceText: Sendable {
    let text: String

    init(_ text: String) { self.text = text }
}

/// One evaluation in progress: variables, the bounds that remain, and the warnings so far.
struct Machine {
    let scope: any VariableScope
    /// The text that the spans of the running nodes refer to.
    ///
    /// Whoever runs the nodes keeps it alive.
    unowned(unsafe) var source: SourceText
    let collects: Bool
    var warnings: [EvaluationWarning] = []

    /// Local variables of all running functions; those of the innermost begin at `base`.
    var stack: [Value] = []
    var base = 0
    /// Variables of the scope that were read inside a loop.
    var roots: [Value?] = []
    /// The value of `?`.
    var input: Value = .null
    /// The running function.
    var function: FunctionValue?
    /// The evaluation of a decision model that this is part of.
    var run: DecisionRun?

    /// What remains of ``stepsMax``.
    var budget = Machine.stepsMax
    /// How deep the running functions are nested, in nodes.
    var height = 0

    /// The most iterations, invocations and elements of built lists one evaluation may take.
    static let stepsMax = 1_000_000
    /// The deepest recursion, in nodes; bounds the native stack, which needs at most 1 MiB in a release build.
    static let heightMax = 3_000
    /// The deepest nesting of lists and contexts in a value that an expression builds.
    static let valueDepthMax = 400
    /// The longest string that an expression builds, in bytes.
    static let stringLengthMax = 16 << 20

    @inline(__always)
    init(scope: any VariableScope, source: SourceText, collects: Bool) {
        self.scope = scope
        self.source = source
        self.collects = collects
    }

    /// Makes room for the local variables of the outermost expression.
    @inline(__always)
    mutating func prepare(slotCount: Int, rootCount: Int) {
        if slotCount > 0 { stack = Array(repeating: .null, count: slotCount) }
        if rootCount > 0 { roots = Array(repeating: nil, count: rootCount) }
    }

    /// Records why the part at `span` is null.
    ///
    /// The message is built only when warnings are collected.
    @inline(never)
    mutating func warn(_ span: SourceSpan, _ message: (Machine) -> String) {
        guard collects, warnings.count < Evaluation.warningsMax else { return }
        let text = message(self)
        let place = run?.place(of: self).map { "\($0): " } ?? ""
        warnings.append(EvaluationWarning(message: place + text, offset: Int(span.start)))
    }

    /// The source at `span`, shortened for a message.
    func text(_ span: SourceSpan) -> String {
        let bytes = source.text.utf8.dropFirst(Int(span.start)).prefix(Int(span.end - span.start))
        let text = String(decoding: bytes, as: UTF8.self)
        return text.unicodeScalars.count <= 80
            ? text : String(String.UnicodeScalarView(text.unicodeScalars.prefix(77))) + "..."
    }

    /// A value as a message names it: its type, and itself when it is short.
    func summary(of value: Value) -> String {
        switch value {
        case .boolean, .number: "the \(value.typeName) \(value)"
        case .string(let text) where text.utf8.count <= 40: "the string \"\(text)\""
        default: "a \(value.typeName)"
        }
    }

    /// Takes `count` steps.
    ///
    /// When they are used up the evaluation winds down: every loop stops.
    @inline(__always)
    mutating func spend(_ count: Int, at span: SourceSpan) -> Bool {
        budget -= count
        return budget >= 0 ? true : exhausted(span, count)
    }

    @inline(never)
    private mutating func exhausted(_ span: SourceSpan, _ count: Int) -> Bool {
        if budget &+ count >= 0 {
            warn(span) { "The evaluation was stopped in '\($0.text(span))' after \(Self.stepsMax) steps" }
        }
        budget = -1
        return false
    }

    /// Whether a value that an expression built is small enough to be handed on; says so when it is not.
    mutating func admits(_ value: Value, at span: SourceSpan) -> Bool {
        guard budget >= 0 else { return false }
        return isBounded(value, depth: 0, at: span)
    }

    private mutating func isBounded(_ value: Value, depth: Int, at span: SourceSpan) -> Bool {
        switch value {
        case .list(let elements):
            guard nests(depth, at: span), spend(elements.count / 8 + 1, at: span) else { return false }
            for element in elements where !isBounded(element, depth: depth + 1, at: span) { return false }
        case .context(let context):
            guard nests(depth, at: span), spend(context.count / 8 + 1, at: span) else { return false }
            for (_, entry) in context where !isBounded(entry, depth: depth + 1, at: span) { return false }
        default: break
        }
        return true
    }

    private mutating func nests(_ depth: Int, at span: SourceSpan) -> Bool {
        if depth < Self.valueDepthMax { return true }
        warn(span) { "The value of '\($0.text(span))' is nested deeper than \(Self.valueDepthMax) levels" }
        return false
    }
}
