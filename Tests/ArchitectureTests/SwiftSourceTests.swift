import Testing

@Suite struct SwiftSourceTests {
    @Test(arguments: [
        ("a // Date()\nb", "a \nb"),
        ("a /* x /* nested */ y */ b", "a  b"),
        ("/* one\ntwo */c", "\nc"),
        (#"let s = "sleep(1)""#, #"let s = """#),
        (#"let s = "a \" b" + c"#, #"let s = "" + c"#),
        (##"let s = #"a " b"# + c"##, #"let s = "" + c"#),
        (#"let s = "\(f("x") + g()) tail" + c"#, #"let s = "" + c"#),
        ("let s = \"\"\"\nDate()\n\"\"\" + c", "let s = \"\"\n\n + c"),
        (#"let s = "https://x" + c"#, #"let s = "" + c"#),
        (#"let s = "open"#, #"let s = """#),
    ])
    func commentsAndLiteralsAreNotCode(source: String, code: String) {
        #expect(SwiftSource(source).code == code)
    }

    @Test func importsAreFoundBehindAttributesAndAccessLevels() {
        let source = SwiftSource(
            """
            public import Values
            @preconcurrency import Foundation
            @_spi(Testing) internal import Engine
            import struct NIOCore.ByteBuffer
            // import Hidden
            let important = 1
            """)
        #expect(source.imports == ["Values", "Foundation", "Engine", "NIOCore"])
    }
}
