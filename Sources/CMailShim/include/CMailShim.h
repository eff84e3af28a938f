#ifndef JUNCTION_CMAIL_SHIM_H
#define JUNCTION_CMAIL_SHIM_H

// Connections to mail servers over libcurl: it resolves, connects, secures and authenticates; the dialogue after that is
// the caller's. One `jmail` belongs to one thread; only `jmail_cancel` may be called from others.

#include <stddef.h>
#include <stdint.h>

typedef struct jmail jmail;

/// How a connection is secured.
enum { JMAIL_PLAIN = 0, JMAIL_STARTTLS, JMAIL_IMPLICIT_TLS };

/// What is connected to. Everything is copied.
typedef struct {
    /// `smtp` or `imap`.
    const char *protocol;
    const char *host;
    int32_t port;
    int32_t security;
    /// NULL: nobody logs in.
    const char *user;
    /// One of the two, if somebody does: a password, or an OAuth 2 token.
    const char *password, *token;
    /// PEM file of the authorities to trust; NULL: the system's.
    const char *ca_file;
    int64_t timeout_ms;
} jmail_request;

/// What became of an attempt, besides the code.
enum {
    JMAIL_OK = 0,
    JMAIL_CANCELLED = 1,
    JMAIL_UNREACHABLE,
    JMAIL_TIMEOUT,
    JMAIL_UNTRUSTED,
    /// TLS was wanted and cannot be had.
    JMAIL_INSECURE,
    JMAIL_DENIED,
    JMAIL_INTERRUPTED,
    JMAIL_CLOSED,
    JMAIL_OTHER,
};

/// NULL without memory. The library is set up with the first one.
jmail *jmail_create(void);
void jmail_destroy(jmail *mail);

/// Connects and logs in. Returns one of the codes above.
int32_t jmail_connect(jmail *mail, const jmail_request *request);

/// libcurl's words about the last failure, "" when it has none.
const char *jmail_error(const jmail *mail);

/// What the server said until it was connected, as it came, cut off at 16 KiB. Never what was said to it.
const char *jmail_greeting(const jmail *mail);

/// Sends all bytes. Returns one of the codes above.
int32_t jmail_send(jmail *mail, const uint8_t *bytes, size_t count, int64_t timeout_ms);

/// Waits for bytes; how many came, or one of the codes above below zero.
int64_t jmail_receive(jmail *mail, uint8_t *buffer, size_t capacity, int64_t timeout_ms);

/// Ends what runs, and everything after it.
void jmail_cancel(jmail *mail);

#endif
