import Values

/// Data stores: values that outlive process instances (BPMN 2.0.2 clause 10.4.1).
///
/// Every partition has a copy, so that reading one never waits. A write is in this partition's copy at once and reaches
/// the others with the commit; of writes from several partitions at the same time, the one that arrives last stays.
extension PartitionEngine {
    /// The value of a data store; nil when it was never written.
    func dataStore(_ name: String) -> Value? {
        state.dataStores[StableHash.fnv1a64(name)].map { resolved($0.value).value }
    }

    /// Writes a data store, here and in the other partitions.
    func setDataStore(_ name: String, _ value: Value) {
        let value = VariableValue(value)
        keep(dataStore: name, value)
        for target in 0..<partitionCount where target != partition {
            send(.dataStore(name: name, value: value), to: target)
        }
    }

    /// Takes over the value of a data store.
    func keep(dataStore name: String, _ value: VariableValue) {
        let isLarge = value.isLarge(over: Self.inlineValueBytesMax)
        emit(.dataStoreSet(name: name, value: isLarge ? stored(value) : value))
    }
}
