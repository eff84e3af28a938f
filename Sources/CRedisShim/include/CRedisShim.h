#pragma once

// One connection to a Redis server over hiredis, which writes the requests and reads the replies.
//
// A connection belongs to one thread at a time and never blocks after it was opened. Memory is bounded: a reply of more
// bytes or more elements than allowed is an error, found before it is held.

#include <stddef.h>
#include <stdint.h>

typedef struct jrd_connection jrd_connection;
typedef struct jrd_reply jrd_reply;

// Bytes of somebody else.
typedef struct {
    const uint8_t *bytes;
    size_t count;
} jrd_bytes;

typedef enum {
    JRD_STRING = 1,
    JRD_ARRAY = 2,
    JRD_INTEGER = 3,
    JRD_NIL = 4,
    JRD_STATUS = 5,
    JRD_ERROR = 6,
} jrd_type;

// Opens a connection within `timeout_ms`; NULL on failure, told in `error`.
jrd_connection *jrd_open(const char *host, int port, int timeout_ms, size_t reply_bytes_max,
                         size_t reply_elements_max, char error[128]);
void jrd_destroy(jrd_connection *connection);

int jrd_descriptor(jrd_connection *connection);

// What broke the connection.
const char *jrd_error(jrd_connection *connection);

// Adds a request of `count` parts to what is to be written: 0, or -1 when memory is short.
int jrd_append(jrd_connection *connection, const jrd_bytes *parts, int count);

// Writes what the socket takes: 0 when all is written, 1 when more is left, -1 when the connection is broken.
int jrd_write(jrd_connection *connection);

// Reads once: 1 if anything came, 0 if nothing is there, -1 when the connection is broken.
int jrd_read(jrd_connection *connection);

// Takes the next complete reply: 1 and the reply, 0 when there is none yet, -1 when what came is no reply.
int jrd_next(jrd_connection *connection, jrd_reply **reply);
void jrd_reply_free(jrd_reply *reply);

jrd_type jrd_reply_type(const jrd_reply *reply);
int64_t jrd_reply_integer(const jrd_reply *reply);
jrd_bytes jrd_reply_bytes(const jrd_reply *reply);
size_t jrd_reply_count(const jrd_reply *reply);
const jrd_reply *jrd_reply_element(const jrd_reply *reply, size_t index);
