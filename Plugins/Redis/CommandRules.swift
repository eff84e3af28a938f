/// Which commands the operation `command` takes, and which of them may be sent twice.
enum CommandRules {
    /// What doing a command twice means.
    enum Standing {
        /// Changes nothing, or nothing more the second time.
        case repeatable
        /// Does more the second time.
        case once
        /// Not without the connection's leave.
        case restricted
        /// Never: it would change what the connection means to its other users, or hold them up.
        case never
    }

    static func standing(of command: String) -> Standing {
        let name = command.uppercased()
        if Self.repeatable.contains(name) { return .repeatable }
        if Self.once.contains(name) { return .once }
        if Self.never.contains(name) { return .never }
        return .restricted
    }

    private static let repeatable = Self.names(
        """
        GET MGET STRLEN GETRANGE EXISTS TTL PTTL TYPE OBJECT DUMP HGET HMGET HGETALL HKEYS HVALS HLEN HEXISTS HSTRLEN
        LRANGE LLEN LINDEX LPOS SMEMBERS SISMEMBER SMISMEMBER SCARD SINTER SUNION SDIFF SINTERCARD ZRANGE ZRANGEBYSCORE
        ZREVRANGE ZREVRANGEBYSCORE ZSCORE ZMSCORE ZCARD ZCOUNT ZRANK ZREVRANK ZINTER ZUNION ZDIFF XRANGE XREVRANGE XLEN
        XPENDING XINFO SCAN HSCAN SSCAN ZSCAN BITCOUNT BITPOS GETBIT PFCOUNT GEOPOS GEODIST GEOHASH GEOSEARCH TIME DBSIZE
        PING ECHO
        SET MSET SETEX PSETEX SETRANGE SETBIT HSET HMSET HDEL DEL UNLINK EXPIRE PEXPIRE EXPIREAT PEXPIREAT PERSIST SADD
        SREM ZREM ZREMRANGEBYSCORE ZREMRANGEBYLEX LSET PFADD PFMERGE XDEL XACK XTRIM GEOADD TOUCH SINTERSTORE SUNIONSTORE
        SDIFFSTORE ZINTERSTORE ZUNIONSTORE ZDIFFSTORE ZRANGESTORE
        """)

    private static let once = Self.names(
        """
        INCR INCRBY INCRBYFLOAT DECR DECRBY APPEND SETNX MSETNX GETSET GETDEL GETEX HINCRBY HINCRBYFLOAT HSETNX LPUSH RPUSH
        LPUSHX RPUSHX LPOP RPOP LREM LTRIM LINSERT LMOVE RPOPLPUSH SPOP SMOVE SRANDMEMBER ZADD ZINCRBY ZPOPMIN ZPOPMAX
        ZREMRANGEBYRANK XADD XCLAIM XAUTOCLAIM PUBLISH RENAME RENAMENX COPY BITFIELD BITOP RESTORE
        """)

    private static let never = Self.names(
        """
        SUBSCRIBE PSUBSCRIBE SSUBSCRIBE UNSUBSCRIBE PUNSUBSCRIBE SUNSUBSCRIBE MULTI EXEC DISCARD WATCH UNWATCH SELECT AUTH
        HELLO QUIT RESET CLIENT MONITOR SYNC PSYNC REPLCONF ASKING READONLY READWRITE BLPOP BRPOP BRPOPLPUSH BLMOVE BLMPOP
        BZPOPMIN BZPOPMAX BZMPOP XREAD XREADGROUP WAIT WAITAOF
        """)

    private static func names(_ text: String) -> Set<String> {
        Set(text.split(whereSeparator: \.isWhitespace).map(String.init))
    }
}
