public import Values

/// A deployed version of a decision model: a DMN document, a decision requirements graph.
public struct DecisionsDeployed: Sendable {
    /// The key of the version.
    public var key: UInt64
    /// The deployment that brought it.
    public var deploymentKey: UInt64
    /// The id of the document's definitions, shared by all versions.
    public var requirementsID: String
    /// The name of the definitions.
    public var name: String
    /// From 1.
    public var version: Int32
    /// The file it came in.
    public var resourceName: String
    /// The document.
    public var resource: [UInt8]
    /// The models its imports mean, by the keys of their versions.
    public var imports: [UInt64]
    /// Its decisions in document order.
    public var decisions: [DecisionVersion]

    /// One decision of a version.
    public struct DecisionVersion: Sendable {
        /// The key of this version of the decision.
        public var key: UInt64
        /// The decision id, shared by all versions.
        public var id: String
        /// From 1.
        public var version: Int32
    }

    func write(into writer: inout ByteWriter) {
        writer.string(requirementsID)
        writer.string(name)
        writer.varint(UInt64(version))
        writer.string(resourceName)
        writer.bytes(resource)
        writer.varint(UInt64(imports.count))
        for key in imports { writer.fixed64LE(key) }
        writer.varint(UInt64(decisions.count))
        for decision in decisions {
            writer.varint(decision.key &- key)
            writer.string(decision.id)
            writer.varint(UInt64(decision.version))
        }
    }

    static func read(
        key: UInt64, deploymentKey: UInt64, _ reader: inout ByteReader
    ) throws(DecodingFailure) -> DecisionsDeployed {
        var deployed = DecisionsDeployed(
            key: key, deploymentKey: deploymentKey, requirementsID: try reader.string(), name: try reader.string(),
            version: try reader.int32(), resourceName: try reader.string(), resource: try reader.byteArray(),
            imports: [], decisions: [])
        for _ in 0..<(try reader.count(minimumByteCount: 8)) { deployed.imports.append(try reader.fixed64LE()) }
        for _ in 0..<(try reader.count(minimumByteCount: 3)) {
            deployed.decisions.append(
                DecisionVersion(
                    key: key &+ (try reader.varint()), id: try reader.string(), version: try reader.int32()))
        }
        return deployed
    }
}

/// An evaluation of a decision with everything it required.
public struct DecisionEvaluated: Sendable {
    /// The key of the evaluation.
    public var key: UInt64
    /// The version of the decision that was asked for.
    public var decisionKey: UInt64
    /// The result; null when it failed.
    public var output: VariableValue
    /// Why it failed; nil when it did not.
    public var failure: String?
    /// The decisions that were evaluated, in the order in which they ended.
    public var decisions: [Decision]

    /// One decision of an evaluation.
    public struct Decision: Sendable {
        /// Its key, unique to this evaluation.
        public var key: UInt64
        /// The version of the decision.
        public var decisionKey: UInt64
        /// Its result; null when it failed.
        public var output: VariableValue
        /// Why it failed; nil when it did not.
        public var failure: String?
        /// Inputs and matched rules, in the form of `DecisionTrace`.
        public var trace: [UInt8]
    }

    func write(into writer: inout ByteWriter) {
        writer.fixed64LE(decisionKey)
        output.write(into: &writer)
        writer.optional(failure)
        writer.varint(UInt64(decisions.count))
        for decision in decisions {
            writer.varint(decision.key &- key)
            writer.zigzag(Int64(bitPattern: decision.decisionKey &- decisionKey))
            decision.output.write(into: &writer)
            writer.optional(decision.failure)
            writer.bytes(decision.trace)
        }
    }

    static func read(key: UInt64, _ reader: inout ByteReader) throws(DecodingFailure) -> DecisionEvaluated {
        var evaluated = DecisionEvaluated(
            key: key, decisionKey: try reader.fixed64LE(), output: try VariableValue.read(&reader),
            failure: try reader.optionalString(), decisions: [])
        for _ in 0..<(try reader.count(minimumByteCount: 5)) {
            evaluated.decisions.append(
                Decision(
                    key: key &+ (try reader.varint()),
                    decisionKey: evaluated.decisionKey &+ UInt64(bitPattern: try reader.zigzag()),
                    output: try VariableValue.read(&reader), failure: try reader.optionalString(),
                    trace: try reader.byteArray()))
        }
        return evaluated
    }
}
