import Testing
import Values

@Suite struct JSONPatchTests {
    private static func apply(_ patch: String, to document: String) throws -> Value {
        try JSONPatch(try JSON.parse(patch)).applied(to: try JSON.parse(document))
    }

    /// Appendix A of RFC 6902, and the cases around it.
    @Test(arguments: [
        ("A.1", #"{"foo":"bar"}"#, #"[{"op":"add","path":"/baz","value":"qux"}]"#, #"{"baz":"qux","foo":"bar"}"#),
        (
            "A.2", #"{"foo":["bar","baz"]}"#, #"[{"op":"add","path":"/foo/1","value":"qux"}]"#,
            #"{"foo":["bar","qux","baz"]}"#
        ),
        ("A.3", #"{"baz":"qux","foo":"bar"}"#, #"[{"op":"remove","path":"/baz"}]"#, #"{"foo":"bar"}"#),
        ("A.4", #"{"foo":["bar","qux","baz"]}"#, #"[{"op":"remove","path":"/foo/1"}]"#, #"{"foo":["bar","baz"]}"#),
        (
            "A.5", #"{"baz":"qux","foo":"bar"}"#, #"[{"op":"replace","path":"/baz","value":"boo"}]"#,
            #"{"baz":"boo","foo":"bar"}"#
        ),
        (
            "A.6", #"{"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}}"#,
            #"[{"op":"move","from":"/foo/waldo","path":"/qux/thud"}]"#,
            #"{"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}}"#
        ),
        (
            "A.7", #"{"foo":["all","grass","cows","eat"]}"#, #"[{"op":"move","from":"/foo/1","path":"/foo/3"}]"#,
            #"{"foo":["all","cows","eat","grass"]}"#
        ),
        (
            "A.8", #"{"baz":"qux","foo":["a",2,"c"]}"#,
            #"[{"op":"test","path":"/baz","value":"qux"},{"op":"test","path":"/foo/1","value":2}]"#,
            #"{"baz":"qux","foo":["a",2,"c"]}"#
        ),
        (
            "A.10", #"{"foo":"bar"}"#, #"[{"op":"add","path":"/child","value":{"grandchild":{}}}]"#,
            #"{"foo":"bar","child":{"grandchild":{}}}"#
        ),
        (
            "A.11", #"{"foo":"bar"}"#, #"[{"op":"add","path":"/baz","value":"qux","xyz":123}]"#,
            #"{"foo":"bar","baz":"qux"}"#
        ),
        (
            "A.14", #"{"/":9,"~1":10}"#, #"[{"op":"test","path":"/~01","value":10}]"#, #"{"/":9,"~1":10}"#
        ),
        (
            "A.16", #"{"foo":["bar"]}"#, #"[{"op":"add","path":"/foo/-","value":["abc","def"]}]"#,
            #"{"foo":["bar",["abc","def"]]}"#
        ),
        ("whole document", #"{"a":1}"#, #"[{"op":"replace","path":"","value":[1]}]"#, "[1]"),
        ("add over a member", #"{"a":1}"#, #"[{"op":"add","path":"/a","value":null}]"#, #"{"a":null}"#),
        ("the empty name", #"{"":1}"#, #"[{"op":"replace","path":"/","value":2}]"#, #"{"":2}"#),
        (
            "copy", #"{"a":{"b":[1]}}"#,
            #"[{"op":"copy","from":"/a/b","path":"/c"},{"op":"add","path":"/c/0","value":0}]"#,
            #"{"a":{"b":[1]},"c":[0,1]}"#
        ),
        ("move to itself", #"{"a":1}"#, #"[{"op":"move","from":"/a","path":"/a"}]"#, #"{"a":1}"#),
        ("equal numbers", #"{"a":1.0}"#, #"[{"op":"test","path":"/a","value":1}]"#, #"{"a":1.0}"#),
        ("deep", #"{"a":[{"b":1}]}"#, #"[{"op":"replace","path":"/a/0/b","value":2}]"#, #"{"a":[{"b":2}]}"#),
    ])
    func aPatchDoesWhatTheStandardSays(
        _ row: (name: String, document: String, patch: String, result: String)
    ) throws {
        #expect(try Self.apply(row.patch, to: row.document) == JSON.parse(row.result), "\(row.name)")
    }

    @Test(arguments: [
        ("A.9 a test that fails", #"{"baz":"qux"}"#, #"[{"op":"test","path":"/baz","value":"bar"}]"#, 0),
        ("A.12 no parent", #"{"foo":"bar"}"#, #"[{"op":"add","path":"/baz/bat","value":"qux"}]"#, 0),
        ("A.15 text is no number", #"{"/":9,"~1":10}"#, #"[{"op":"test","path":"/~01","value":"10"}]"#, 0),
        ("nothing to remove", #"{}"#, #"[{"op":"remove","path":"/a"}]"#, 0),
        ("nothing to replace", #"{}"#, #"[{"op":"replace","path":"/a","value":1}]"#, 0),
        ("beyond the end", #"[1]"#, #"[{"op":"add","path":"/2","value":1}]"#, 0),
        ("a leading zero", #"[1,2]"#, #"[{"op":"remove","path":"/01"}]"#, 0),
        ("no index", #"[1]"#, #"[{"op":"remove","path":"/-"}]"#, 0),
        ("into itself", #"{"a":{}}"#, #"[{"op":"move","from":"/a","path":"/a/b"}]"#, 0),
        ("below a number", #"{"a":1}"#, #"[{"op":"add","path":"/a/b","value":1}]"#, 0),
        ("the whole document", #"{"a":1}"#, #"[{"op":"remove","path":""}]"#, 0),
        ("the second of two", #"{"a":1}"#, #"[{"op":"remove","path":"/a"},{"op":"remove","path":"/a"}]"#, 1),
        ("no operation", #"{}"#, #"[{"op":"spam","path":"/a"}]"#, 0),
        ("no value", #"{}"#, #"[{"op":"add","path":"/a"}]"#, 0),
        ("no path", #"{}"#, #"[{"op":"add","value":1}]"#, 0),
        ("no pointer", #"{}"#, #"[{"op":"add","path":"a","value":1}]"#, 0),
        ("a wrong escape", #"{}"#, #"[{"op":"add","path":"/a~2","value":1}]"#, 0),
        ("no object", #"{}"#, "[1]", 0),
    ])
    func aPatchThatDoesNotApplyNamesTheOperation(
        _ row: (name: String, document: String, patch: String, operation: Int)
    ) throws {
        do {
            _ = try JSONPatch(try JSON.parse(row.patch)).applied(to: try JSON.parse(row.document))
            Issue.record("\(row.name): expected a failure")
        } catch let failure as JSONPatch.Failure {
            #expect(failure.operation == row.operation, "\(row.name)")
            #expect(!failure.reason.isEmpty)
        }
    }

    @Test func aPatchIsAnArrayOfBoundedLength() {
        #expect(throws: JSONPatch.Failure.self) { try JSONPatch(["op": "add"]) }
        let many = Value.list(
            Array(repeating: ["op": "remove", "path": "/a"], count: JSONPatch.operationsMax + 1))
        #expect(throws: JSONPatch.Failure.self) { try JSONPatch(many) }
    }

    /// RFC 6901 clause 5.
    @Test(arguments: [
        ("", nil), ("/foo", #"["bar","baz"]"#), ("/foo/0", #""bar""#), ("/", "0"), ("/a~1b", "1"), ("/c%d", "2"),
        ("/e^f", "3"), ("/g|h", "4"), ("/i\\j", "5"), ("/k\"l", "6"), ("/ ", "7"), ("/m~0n", "8"),
    ])
    func aPointerFindsItsPlace(_ row: (pointer: String, value: String?)) throws {
        let document = try JSON.parse(
            #"{"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\j":5,"k\"l":6," ":7,"m~n":8}"#)
        let pointer = try #require(JSONPointer(row.pointer))
        #expect(document[pointer] == (try row.value.map { try JSON.parse($0) } ?? document))
        #expect(pointer.description == row.pointer)
    }

    /// Random documents and places in them: what is changed and changed back is the same.
    @Test(arguments: [UInt64.random(in: 0 ... .max)])
    func whatIsAddedCanBeFoundAndTakenAwayAgain(_ seed: UInt64) throws {
        var generator = SeededRandom(seed: seed)
        for _ in 0..<2_000 {
            let document = Self.document(depth: 3, &generator)
            let places = Self.places(in: document)
            let place = places.randomElement(using: &generator) ?? JSONPointer(tokens: [])
            let found = try #require(document[place])
            // Taking away and adding at the same place gives the document back.
            if !place.tokens.isEmpty {
                let there = try JSONPatch([.remove(place), .add(place, found)]).applied(to: document)
                #expect(there == document, "\(place)")
                let elsewhere = try JSONPatch([.add(place, "new"), .test(place, "new")]).applied(to: document)
                #expect(elsewhere[place] == "new")
            }
            let replaced = try JSONPatch([.replace(place, "x"), .replace(place, found)]).applied(to: document)
            #expect(replaced == document)
            // A failure after changes changes nothing: patches are values.
            #expect(throws: JSONPatch.Failure.self) {
                try JSONPatch([.replace(place, 1), .test(place, 2)]).applied(to: document)
            }
        }
    }

    private static func document(depth: Int, _ generator: inout some RandomNumberGenerator) -> Value {
        switch Int.random(in: 0..<(depth == 0 ? 2 : 4), using: &generator) {
        case 0: return .number(Number(Int.random(in: 0..<100, using: &generator)))
        case 1: return .string(["a", "~", "/", ""].randomElement(using: &generator) ?? "")
        case 2:
            return .list(
                (0..<Int.random(in: 0..<4, using: &generator)).map { _ in
                    Self.document(depth: depth - 1, &generator)
                })
        default:
            var members = ValueContext()
            for name in ["", "a", "~1", "x/y", "0"].prefix(Int.random(in: 0..<6, using: &generator)) {
                members[name] = Self.document(depth: depth - 1, &generator)
            }
            return .context(members)
        }
    }

    private static func places(in value: Value) -> [JSONPointer] {
        var places = [JSONPointer(tokens: [])]
        switch value {
        case .list(let elements):
            for (index, element) in elements.enumerated() {
                places += Self.places(in: element).map { JSONPointer(tokens: ["\(index)"] + $0.tokens) }
            }
        case .context(let members):
            for (name, member) in members {
                places += Self.places(in: member).map { JSONPointer(tokens: [name] + $0.tokens) }
            }
        default: break
        }
        return places
    }
}
