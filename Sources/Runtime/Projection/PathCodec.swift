public import Engine
public import Values

/// The path of a process instance: what its element instances did, in order, in a few bytes each (ADR-0002).
///
/// A path is a sequence of chunks, one per projector batch that touched the instance. Element instances are counted from
/// 1 in the order in which they begin; 0 is the process.
struct PathWriter {
    private var writer = ByteWriter()
    private var previousKey: UInt64 = 0
    private var previousTime: Int64 = 0

    var isEmpty: Bool { writer.count == 0 }

    /// Takes the chunk written since the last call.
    mutating func take() -> [UInt8] {
        defer {
            writer.removeAll()
            previousKey = 0
            previousTime = 0
        }
        return writer.bytes
    }

    private mutating func at(_ time: Int64, since startedAt: Int64) {
        if writer.count == 0 {
            writer.u8(0)
            writer.zigzag(time - startedAt)
            previousTime = time
        } else if time != previousTime {
            writer.u8(1)
            writer.zigzag(time - previousTime)
            previousTime = time
        }
    }

    private mutating func key(_ key: UInt64) {
        writer.zigzag(Int64(bitPattern: key &- previousKey))
        previousKey = key
    }

    mutating func began(
        _ node: Int32, flow: Int32, scope: UInt32, key: UInt64, role: ElementRole, loopCounter: Int32, at time: Int64,
        since startedAt: Int64
    ) {
        at(time, since: startedAt)
        writer.u8(role == .single ? 2 : 4)
        writer.varint(UInt64(node))
        writer.zigzag(Int64(flow))
        writer.varint(UInt64(scope))
        self.key(key)
        if role != .single {
            writer.u8(role.rawValue)
            writer.varint(UInt64(loopCounter))
        }
    }

    mutating func passed(
        _ node: Int32, flow: Int32, scope: UInt32, key: UInt64, at time: Int64, since startedAt: Int64
    ) {
        at(time, since: startedAt)
        writer.u8(3)
        writer.varint(UInt64(node))
        writer.zigzag(Int64(flow))
        writer.varint(UInt64(scope))
        self.key(key)
    }

    /// Something happened to an element instance: `key` belongs to it for those kinds that have one.
    mutating func mark(
        _ kind: PathEntry.Kind, _ ordinal: UInt32, key: UInt64? = nil, at time: Int64, since startedAt: Int64
    ) {
        at(time, since: startedAt)
        writer.u8(kind.rawValue)
        writer.varint(UInt64(ordinal))
        if kind.hasKey { self.key(key ?? 0) }
    }
}

/// One thing that happened on a path.
struct PathEntry {
    /// What happened; raw values are stored.
    enum Kind: UInt8 {
        case completed = 5
        case terminated = 6
        case job = 7
        case jobFailed = 8
        case userTask = 9
        case incident = 10
        case incidentResolved = 11
        case calledInstance = 12
        /// The job or user task is answered, but the element instance cannot end.
        case answered = 13

        var hasKey: Bool {
            switch self {
            case .job, .userTask, .incident, .calledInstance: true
            case .completed, .terminated, .jobFailed, .incidentResolved, .answered: false
            }
        }
    }
}

/// One element instance as its path tells it.
public struct PathElement: Sendable {
    /// Its number within the process instance, from 1.
    public var ordinal: UInt32
    /// The node index in the process.
    public var node: Int
    /// The index of the flow that led to it; −1 when none did.
    public var flow: Int
    /// The ordinal of the element instance that contains it; 0 is the process.
    public var scope: UInt32
    /// Its public key.
    public var key: Key
    /// What part it plays in a multi-instance activity.
    public var role: ElementRole
    /// Counts inner multi-instance instances from 1; 0 otherwise.
    public var loopCounter: Int
    /// Unix milliseconds.
    public var startedAt: Int64
    /// Unix milliseconds; nil while it lives.
    public var endedAt: Int64?
    /// Whether it was ended from outside.
    public var isTerminated = false
    /// The job it has or had last.
    public var jobKey: Key?
    /// Failed attempts of its jobs.
    public var failedAttempts = 0
    /// Whether that job or user task was answered, while the element instance could not end.
    public var isAnswered = false
    /// The user task it has or had.
    public var userTaskKey: Key?
    /// Its open incident.
    public var incidentKey: Key?
    /// The process instance it called.
    public var calledInstanceKey: Key?
}

/// Expands stored paths.
public enum ElementPath {
    /// The element instances of a path in the order in which they began.
    ///
    /// - Throws: `DecodingFailure` when the bytes are damaged.
    public static func expand(_ path: [UInt8], startedAt: Int64) throws(DecodingFailure) -> [PathElement] {
        var elements: [PathElement] = []
        var failure: DecodingFailure?
        path.withUnsafeBytes { bytes in
            var reader = ByteReader(bytes)
            do throws(DecodingFailure) {
                try read(&reader, startedAt: startedAt, into: &elements)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return elements
    }

    private static func read(
        _ reader: inout ByteReader, startedAt: Int64, into elements: inout [PathElement]
    ) throws(DecodingFailure) {
        var time = startedAt
        var previousKey: UInt64 = 0
        func key(_ reader: inout ByteReader) throws(DecodingFailure) -> Key {
            previousKey = previousKey &+ UInt64(bitPattern: try reader.zigzag())
            return Key(rawValue: previousKey)
        }
        while !reader.isAtEnd {
            let type = try reader.u8()
            switch type {
            case 0:
                time = startedAt + (try reader.zigzag())
                previousKey = 0
            case 1:
                time += try reader.zigzag()
            case 2, 3, 4:
                let node = Int(try reader.varint())
                let flow = Int(try reader.zigzag())
                guard let scope = UInt32(exactly: try reader.varint()) else { throw reader.failure(.invalidValue) }
                var element = PathElement(
                    ordinal: UInt32(elements.count + 1), node: node, flow: flow, scope: scope, key: try key(&reader),
                    role: .single, loopCounter: 0, startedAt: time)
                if type == 3 { element.endedAt = time }
                if type == 4 {
                    guard let role = ElementRole(rawValue: try reader.u8()) else {
                        throw reader.failure(.invalidValue)
                    }
                    element.role = role
                    element.loopCounter = Int(try reader.varint())
                }
                elements.append(element)
            default:
                guard let kind = PathEntry.Kind(rawValue: type) else { throw reader.failure(.unknownTag(type)) }
                let position = Int(try reader.varint()) - 1
                let own = kind.hasKey ? try key(&reader) : nil
                guard elements.indices.contains(position) else { throw reader.failure(.invalidValue) }
                switch kind {
                case .completed: elements[position].endedAt = time
                case .terminated:
                    elements[position].endedAt = time
                    elements[position].isTerminated = true
                case .job:
                    elements[position].jobKey = own
                    elements[position].isAnswered = false
                case .jobFailed: elements[position].failedAttempts += 1
                case .userTask:
                    elements[position].userTaskKey = own
                    elements[position].isAnswered = false
                case .answered: elements[position].isAnswered = true
                case .incident: elements[position].incidentKey = own
                case .incidentResolved: elements[position].incidentKey = nil
                case .calledInstance: elements[position].calledInstanceKey = own
                }
            }
        }
    }
}
