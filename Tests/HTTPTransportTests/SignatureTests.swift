import ConnectorKit
import Crypto
import Foundation
import Testing
import Values

@testable import HTTPTransport

struct AWSSignatureTests {
    struct Vector: Sendable, CustomTestStringConvertible {
        var name: String
        var method = "GET"
        var path = "/"
        var query: String?
        var fields: [(name: String, value: String)] = []
        var body = ""
        var signature: String

        var testDescription: String { self.name }
    }

    /// From AWS's test suite for Signature Version 4.
    static let vectors: [Vector] = [
        Vector(
            name: "get-vanilla", signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        Vector(
            name: "get-vanilla-query-order-key-case", query: "Param2=value2&Param1=value1",
            signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"),
        Vector(
            name: "get-utf8", path: "/ሴ",
            signature: "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"),
        Vector(
            name: "get-header-value-trim",
            fields: [("My-Header1", " value1"), ("My-Header2", " \"a   b   c\"")],
            signature: "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"),
        Vector(
            name: "post-vanilla", method: "POST",
            signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        Vector(
            name: "post-x-www-form-urlencoded", method: "POST",
            fields: [("Content-Type", "application/x-www-form-urlencoded")], body: "Param1=value1",
            signature: "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"),
    ]

    @Test(arguments: vectors)
    func signsLikeTheTestSuite(_ vector: Vector) {
        let signature = AWSSignature(
            region: "us-east-1", service: "service", accessKeyID: "AKIDEXAMPLE",
            secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
        let value = signature.authorization(
            method: vector.method, path: vector.path, query: vector.query,
            fields: vector.fields + [("Host", "example.amazonaws.com"), ("X-Amz-Date", "20150830T123600Z")],
            payloadHash: Hex.encode(SHA256.hash(data: Array(vector.body.utf8))), timestamp: "20150830T123600Z")
        #expect(value.hasSuffix("Signature=" + vector.signature), "\(value)")
        #expect(value.contains("Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request"))
    }

    /// From the documentation of S3, "Signature Calculations for the Authorization Header".
    static let objects: [Vector] = [
        Vector(
            name: "GET object", path: "/test.txt", fields: [("Range", "bytes=0-9")],
            signature: "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
        Vector(
            name: "PUT object", method: "PUT", path: "/test%24file.text",
            fields: [("Date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")],
            body: "Welcome to Amazon S3.",
            signature: "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"),
        Vector(
            name: "PUT object, path not encoded", method: "PUT", path: "/test$file.text",
            fields: [("Date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")],
            body: "Welcome to Amazon S3.",
            signature: "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"),
        Vector(
            name: "GET bucket lifecycle", query: "lifecycle",
            signature: "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        Vector(
            name: "GET bucket", query: "max-keys=2&prefix=J",
            signature: "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
    ]

    @Test(arguments: objects)
    func signsObjectsLikeTheDocumentation(_ vector: Vector) {
        let signature = AWSSignature(
            region: "us-east-1", service: "s3", accessKeyID: "AKIAIOSFODNN7EXAMPLE",
            secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
        let hash = Hex.encode(SHA256.hash(data: Array(vector.body.utf8)))
        let value = signature.authorization(
            method: vector.method, path: vector.path, query: vector.query,
            fields: vector.fields + [
                ("Host", "examplebucket.s3.amazonaws.com"), ("x-amz-date", "20130524T000000Z"),
                ("x-amz-content-sha256", hash),
            ], payloadHash: hash, timestamp: "20130524T000000Z")
        #expect(value.hasSuffix("Signature=" + vector.signature), "\(value)")
    }

    private static let credentials: ValueContext = [
        "type": "awsSignature", "region": "us-east-1", "accessKeyId": secret("ID"),
        "secretAccessKey": secret("KEY"),
    ]

    /// moto checks signatures once it knows a user: with botocore's code, on what arrived.
    @Test func anIndependentVerifierAcceptsSignatures() async throws {
        let base = try Service.url("MOTOAUTH")
        var auth = Self.credentials
        auth["service"] = "iam"
        let unchecked = secrets(["ID": "anyone", "KEY": "anything"])
        let form = "application/x-www-form-urlencoded"
        func call(_ client: HTTPClient, _ body: String) async throws -> HTTPResponse {
            try await client.send(
                HTTPRequest(method: "POST", target: .path(""), body: .bytes(Array(body.utf8), contentType: form)))
        }
        let user = "user-\(UUID().uuidString)"
        let (id, key) = try await withClient(["baseUrl": .string(base), "auth": .context(auth)], secrets: unchecked) {
            client async throws in
            _ = try await call(client, "Action=CreateUser&Version=2010-05-08&UserName=\(user)")
            let policy = PercentEncoding.component(
                #"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#)
            _ = try await call(
                client,
                "Action=PutUserPolicy&Version=2010-05-08&UserName=\(user)&PolicyName=p&PolicyDocument=\(policy)")
            let keys = try await call(client, "Action=CreateAccessKey&Version=2010-05-08&UserName=\(user)").text
            return (
                try #require(keys.firstMatch(of: /<AccessKeyId>(.+?)<\/AccessKeyId>/)?.1),
                try #require(keys.firstMatch(of: /<SecretAccessKey>(.+?)<\/SecretAccessKey>/)?.1)
            )
        }
        try await Self.letPass(0, base)
        do {
            try await Self.expectChecks(base, secrets(["ID": String(id), "KEY": String(key)]), call)
            auth["service"] = "sqs"
            let wrong = secrets(["ID": String(id), "KEY": "wrong"])
            try await withClient(["baseUrl": .string(base), "auth": .context(auth)], secrets: wrong) {
                client async throws in
                let list = try await call(client, "Action=ListQueues&Version=2012-11-05")
                #expect(list.status == 403 && list.text.contains("SignatureDoesNotMatch"), "\(list.text)")
            }
        } catch {
            try await Self.letPass(1_000_000, base)
            throw error
        }
        try await Self.letPass(1_000_000, base)
    }

    /// How many calls the server does not check from now on.
    private static func letPass(_ count: Int, _ base: String) async throws {
        let answer = try await withClient(["baseUrl": .string(base)]) { client async throws in
            try await client.send(
                HTTPRequest(method: "POST", target: .path("moto-api/reset-auth"), body: .bytes(Array("\(count)".utf8))))
        }
        #expect(answer.status == 200)
    }

    private static func expectChecks(
        _ base: String, _ secrets: FixedSecrets, _ call: (HTTPClient, String) async throws -> HTTPResponse
    ) async throws {
        var auth = Self.credentials
        auth["service"] = "sqs"
        try await withClient(["baseUrl": .string(base), "auth": .context(auth)], secrets: secrets) {
            client async throws in
            let list = try await call(client, "Action=ListQueues&Version=2012-11-05")
            #expect(list.status == 200, "\(list.text)")
        }
        auth["service"] = "s3"
        try await withClient(["baseUrl": .string(base), "auth": .context(auth)], secrets: secrets) {
            client async throws in
            let bucket = "b\(UUID().uuidString.lowercased())"
            let made = try await client.send(HTTPRequest(method: "PUT", target: .path(bucket)))
            #expect(made.status == 200, "\(made.text)")
            let path = "\(bucket)/a b+c&d='ä'.txt"
            let put = try await client.send(
                HTTPRequest(method: "PUT", target: .path(path), body: .bytes(Array("hello".utf8))))
            #expect(put.status == 200, "\(put.text)")
            #expect(try await client.get(path).text == "hello")
            try await withDirectory { folder in
                let bytes = Data((0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7) })
                try bytes.write(to: URL(filePath: folder + "/in"))
                let file = try BlobDirectory(path: folder).open("in")
                let sent = try await client.send(
                    HTTPRequest(method: "PUT", target: .path("\(bucket)/file"), body: .file(file)))
                #expect(sent.status == 200, "\(sent.text)")
                #expect(try await client.get("\(bucket)/file").bytes == Array(bytes))
            }
        }
    }
}

struct HMACSignatureTests {
    private static func signed(_ settings: HMACSettings, key: String = "Jefe") throws -> HTTPMessage {
        let address = try #require(HTTPAddress("https://api.example:8443/v1/things?b=2&a=1"))
        var message = HTTPMessage(method: "POST", address: address)
        try message.set(.bytes(Array("what do ya want for nothing?".utf8), contentType: "text/plain"))
        try settings.sign(&message, key: key, unixMilliseconds: 1_785_542_399_123, nonce: "n0nce")
        return message
    }

    typealias Row = (name: String, algorithm: HMACSettings.Algorithm, hex: String)

    /// RFC 2202 and RFC 4231, test case 2.
    @Test(
        arguments: [
            ("SHA-1", .sha1, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
            ("SHA-256", .sha256, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
            (
                "SHA-384", .sha384,
                "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649"
            ),
            (
                "SHA-512", .sha512,
                "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fd"
                    + "caeab1a34d4a6b4b636e070a38bce737"
            ),
        ] as [Row])
    func matchesTheVectorsOfTheStandards(_ row: Row) throws {
        var settings = HMACSettings(key: SecretReference(store: "test", name: "K"), text: "{body}", header: "X-Sig")
        settings.algorithm = row.algorithm
        settings.prefix = "v1={timestamp},"
        let message = try Self.signed(settings)
        #expect(message.value("x-sig") == "v1=1785542399,\(row.hex)")
    }

    @Test func everyPartOfARequestCanBeSigned() throws {
        var settings = HMACSettings(
            key: SecretReference(store: "test", name: "K"),
            text:
                "{method}\n{host}\n{path}\n{query}\n{target}\n{timestamp}\n{nonce}\n{bodyHash}\n{header:Content-Type}",
            header: "Authorization")
        settings.encoding = .base64
        settings.keyEncoding = .base64
        settings.timestampHeader = "X-Time"
        settings.timestampFormat = .iso8601
        settings.nonceHeader = "X-Nonce"
        let text =
            "POST\napi.example:8443\n/v1/things\nb=2&a=1\n/v1/things?b=2&a=1\n2026-07-31T23:59:59Z\nn0nce\n"
            + "b381e7fec653fc3ab9b178272366b8ac87fed8d31cb25ed1d0e1f3318644c89c\ntext/plain"
        let expected = HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: SymmetricKey(data: [1, 2, 3]))
        let message = try Self.signed(settings, key: "AQID")
        #expect(message.value("authorization") == Base64.encode(Array(expected)))
        #expect(message.value("x-time") == "2026-07-31T23:59:59Z")
        #expect(message.value("x-nonce") == "n0nce")
        #expect(throws: UnusableKey.self) { try Self.signed(settings, key: "no base64!") }
    }
}

struct DigestAnswerTests {
    /// RFC 7616, 3.9.1.
    @Test(arguments: [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ])
    func answersLikeTheStandard(_ row: (algorithm: String, response: String)) throws {
        let field =
            "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=\(row.algorithm), "
            + "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", "
            + "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
        let challenge = try #require(DigestChallenge(["Negotiate abc=, Basic realm=\"x\", " + field]))
        let answer = challenge.answer(
            user: "Mufasa", password: "Circle of Life", method: "GET", target: "/dir/index.html", count: 1,
            clientNonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ")
        #expect(answer.contains("response=\"\(row.response)\""), "\(answer)")
        #expect(answer.contains("nc=00000001") && answer.contains("qop=auth,"))
        #expect(answer.contains("opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""))
    }

    typealias Row = (parameters: String, response: String)

    /// What the Python library requests answers.
    @Test(
        arguments: [
            ("qop=\"auth\", algorithm=MD5-SESS", "5198cf2372b900bccb51b9fdf82efdbd"),
            ("qop=auth, algorithm=sha-256", "6031edf620d970c972b1cfd59ca76897bf05947ea65137be5b44441c8b5b0532"),
        ] as [Row])
    func answersLikeAnotherClient(_ row: Row) throws {
        let field =
            "Digest nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", realm=\"http-auth@example.org\", "
            + row.parameters
        let answer = try #require(DigestChallenge([field])).answer(
            user: "Mufasa", password: "Circle of Life", method: "GET", target: "/dir/index.html?a=1", count: 1,
            clientNonce: "da0a83ed2b915687")
        #expect(answer.contains("response=\"\(row.response)\""), "\(answer)")
    }

    @Test func servicesOfTheOldStandardAreAnsweredToo() throws {
        let answer = try #require(DigestChallenge(["Digest realm=\"r\", nonce=\"n\""])).answer(
            user: "Mufasa", password: "Circle of Life", method: "GET", target: "/dir/index.html?a=1", count: 1,
            clientNonce: "c")
        #expect(answer.contains("response=\"21fd0ed4d6265caf520c782bd0fd2105\""), "\(answer)")
        #expect(!answer.contains("qop") && !answer.contains("cnonce") && !answer.contains("algorithm"))
    }

    @Test func theStrongestChallengeIsAnswered() throws {
        let fields = [
            "Digest realm=\"r\", nonce=\"1\", qop=\"auth\"", "Digest realm=\"r\", nonce=\"2\", algorithm=SHA-256",
        ]
        #expect(DigestChallenge(fields)?.nonce == "2")
    }

    @Test(arguments: [
        "", "Digest", "Digest realm=\"r\"", "Basic realm=\"r\", nonce=\"1\"", "Digest realm=\"r\", nonce=\"1",
        "Digest realm=\"r\", nonce=\"1\", algorithm=SNEFRU", "Digest realm=\"r\", nonce=\"1\", qop=\"auth-int\"",
        "Digest ====,,,\"\"\"=", "Digest realm=\"\\", "=Digest nonce=1",
    ])
    func brokenChallengesAreNoReasonToCrash(_ field: String) {
        let challenge = DigestChallenge([field])
        #expect(challenge == nil || challenge?.nonce == "1", "\(String(describing: challenge))")
    }
}
