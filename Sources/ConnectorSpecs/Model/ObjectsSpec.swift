/// The operations on a store of objects.
///
/// Each takes `bucket` and `key`, `list` instead of a key a `prefix`; `get` also `version`, `copy` the `source`
/// percent-encoded, `tag` a context of `tags`. `list` gives records with `key`, `etag`, `size` and `modified`.
struct ObjectsSpec: Sendable {
    var list: String
    var get: String
    var copy: String?
    var delete: String?
    var tag: String?

    /// The operations, with the keys that name them.
    var named: [(key: String, operation: String)] {
        [("list", self.list), ("get", self.get)]
            + [("copy", self.copy), ("delete", self.delete), ("tag", self.tag)].compactMap { key, operation in
                operation.map { (key, $0) }
            }
    }
}
