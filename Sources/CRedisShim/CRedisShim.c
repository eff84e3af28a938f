#include "CRedisShim.h"

#include <errno.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

struct jrd_connection {
    redisContext *context;
    redisReplyObjectFunctions functions;
    void *(*create_array)(const redisReadTask *, int);
    size_t bytes_max;
    size_t elements_max;
    // Of the reply that is being read.
    size_t bytes;
    size_t elements;
    int is_too_large;
};

// Makes room for the elements an array announces, unless there are too many of them. The announcement costs a peer ten
// bytes, the room eight for each element.
static void *create_array(const redisReadTask *task, int count) {
    jrd_connection *connection = task->privdata;
    if (count < 0 || (size_t)count > connection->elements_max - connection->elements) {
        connection->is_too_large = 1;
        return NULL;
    }
    connection->elements += (size_t)count;
    return connection->create_array(task, count);
}

jrd_connection *jrd_open(const char *host, int port, int timeout_ms, size_t reply_bytes_max,
                         size_t reply_elements_max, char error[128]) {
    struct timeval timeout = {.tv_sec = timeout_ms / 1000, .tv_usec = (timeout_ms % 1000) * 1000};
    error[0] = 0;
    jrd_connection *connection = calloc(1, sizeof *connection);
    redisContext *context = connection ? redisConnectWithTimeout(host, port, timeout) : NULL;
    if (!context) {
        strcpy(error, "out of memory");
        free(connection);
        return NULL;
    }
    if (context->err == 0) {
        redisEnableKeepAlive(context);
        context->flags &= ~REDIS_BLOCK;
        fcntl(context->fd, F_SETFD, FD_CLOEXEC);
        if (fcntl(context->fd, F_SETFL, fcntl(context->fd, F_GETFL) | O_NONBLOCK) != 0) context->err = REDIS_ERR_IO;
    }
    if (context->err != 0) {
        strncpy(error, context->errstr[0] ? context->errstr : strerror(errno), 127);
        error[127] = 0;
        redisFree(context);
        free(connection);
        return NULL;
    }
    connection->context = context;
    connection->bytes_max = reply_bytes_max;
    connection->elements_max = reply_elements_max;
    connection->functions = *context->reader->fn;
    connection->create_array = connection->functions.createArray;
    connection->functions.createArray = create_array;
    context->reader->fn = &connection->functions;
    context->reader->privdata = connection;
    return connection;
}

void jrd_destroy(jrd_connection *connection) {
    if (!connection) return;
    redisFree(connection->context);
    free(connection);
}

int jrd_descriptor(jrd_connection *connection) { return connection->context->fd; }

const char *jrd_error(jrd_connection *connection) {
    if (connection->is_too_large) return "the reply is larger than allowed";
    return connection->context->errstr[0] ? connection->context->errstr : "the connection is broken";
}

int jrd_append(jrd_connection *connection, const jrd_bytes *parts, int count) {
    const char **starts = malloc(sizeof *starts * (size_t)count);
    size_t *lengths = malloc(sizeof *lengths * (size_t)count);
    int status = REDIS_ERR;
    if (starts && lengths) {
        for (int index = 0; index < count; index++) {
            starts[index] = (const char *)parts[index].bytes;
            lengths[index] = parts[index].count;
        }
        status = redisAppendCommandArgv(connection->context, count, starts, lengths);
    }
    free(starts);
    free(lengths);
    return status == REDIS_OK ? 0 : -1;
}

int jrd_write(jrd_connection *connection) {
    int is_done = 0;
    if (redisBufferWrite(connection->context, &is_done) != REDIS_OK) return -1;
    return is_done ? 0 : 1;
}

int jrd_read(jrd_connection *connection) {
    size_t before = connection->context->reader->len;
    if (redisBufferRead(connection->context) != REDIS_OK) return -1;
    size_t read = connection->context->reader->len - before;
    connection->bytes += read;
    if (connection->bytes > connection->bytes_max) {
        connection->is_too_large = 1;
        return -1;
    }
    return read > 0 ? 1 : 0;
}

int jrd_next(jrd_connection *connection, jrd_reply **reply) {
    void *next = NULL;
    if (redisGetReplyFromReader(connection->context, &next) != REDIS_OK) return -1;
    if (!next) return 0;
    connection->bytes = 0;
    connection->elements = 0;
    *reply = next;
    return 1;
}

void jrd_reply_free(jrd_reply *reply) { freeReplyObject(reply); }

static const redisReply *inside(const jrd_reply *reply) { return (const redisReply *)reply; }

jrd_type jrd_reply_type(const jrd_reply *reply) { return (jrd_type)inside(reply)->type; }
int64_t jrd_reply_integer(const jrd_reply *reply) { return inside(reply)->integer; }

jrd_bytes jrd_reply_bytes(const jrd_reply *reply) {
    jrd_bytes bytes = {.bytes = (const uint8_t *)inside(reply)->str, .count = inside(reply)->len};
    return bytes;
}

size_t jrd_reply_count(const jrd_reply *reply) { return inside(reply)->elements; }

const jrd_reply *jrd_reply_element(const jrd_reply *reply, size_t index) {
    return (const jrd_reply *)inside(reply)->element[index];
}
