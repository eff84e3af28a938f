#include "CMailShim.h"

#include <curl/curl.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { GREETING_BYTES_MAX = 16 * 1024, SLICE_MS = 100 };

struct jmail {
    CURL *easy;
    CURLM *multi;
    curl_socket_t socket;
    atomic_int is_cancelled;
    size_t greeting_bytes;
    char greeting[GREETING_BYTES_MAX + 1];
    char error[CURL_ERROR_SIZE];
};

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void set_up(void) { curl_global_init(CURL_GLOBAL_DEFAULT); }

static int64_t now_ms(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static size_t take_header(char *bytes, size_t size, size_t count, void *context) {
    jmail *mail = context;
    size_t all = size * count, room = GREETING_BYTES_MAX - mail->greeting_bytes;
    size_t taken = all < room ? all : room;
    memcpy(mail->greeting + mail->greeting_bytes, bytes, taken);
    mail->greeting_bytes += taken;
    mail->greeting[mail->greeting_bytes] = 0;
    return all;
}

static size_t drop_body(char *bytes, size_t size, size_t count, void *context) {
    (void)bytes;
    (void)context;
    return size * count;
}

jmail *jmail_create(void) {
    pthread_once(&once, set_up);
    jmail *mail = calloc(1, sizeof *mail);
    if (!mail) return NULL;
    mail->socket = CURL_SOCKET_BAD;
    mail->easy = curl_easy_init();
    mail->multi = curl_multi_init();
    if (mail->easy && mail->multi) return mail;
    jmail_destroy(mail);
    return NULL;
}

void jmail_destroy(jmail *mail) {
    if (!mail) return;
    if (mail->easy && mail->multi) curl_multi_remove_handle(mail->multi, mail->easy);
    if (mail->easy) curl_easy_cleanup(mail->easy);
    if (mail->multi) curl_multi_cleanup(mail->multi);
    free(mail);
}

static int32_t code_of(CURLcode code) {
    switch (code) {
    case CURLE_OK: return JMAIL_OK;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT: return JMAIL_UNREACHABLE;
    case CURLE_OPERATION_TIMEDOUT: return JMAIL_TIMEOUT;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR: return JMAIL_UNTRUSTED;
    case CURLE_USE_SSL_FAILED:
    case CURLE_SSL_CONNECT_ERROR: return JMAIL_INSECURE;
    case CURLE_LOGIN_DENIED: return JMAIL_DENIED;
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_PARTIAL_FILE: return JMAIL_INTERRUPTED;
    default: return JMAIL_OTHER;
    }
}

static int set_options(jmail *mail, const jmail_request *request) {
    char url[512];
    int isImplicit = request->security == JMAIL_IMPLICIT_TLS;
    // An IPv6 address has colons of its own.
    const char *form = strchr(request->host, ':') ? "%s%s://[%s]:%d/" : "%s%s://%s:%d/";
    int bytes = snprintf(url, sizeof url, form, request->protocol, isImplicit ? "s" : "", request->host, request->port);
    if (bytes <= 0 || (size_t)bytes >= sizeof url) return CURLE_URL_MALFORMAT;
    CURL *easy = mail->easy;
    CURLcode code = CURLE_OK;
#define SET(option, value) \
    if (code == CURLE_OK) code = curl_easy_setopt(easy, option, value)
    SET(CURLOPT_URL, url);
    SET(CURLOPT_PROTOCOLS_STR, "smtp,smtps,imap,imaps");
    SET(CURLOPT_CONNECT_ONLY, 1L);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_ERRORBUFFER, mail->error);
    SET(CURLOPT_HEADERFUNCTION, take_header);
    SET(CURLOPT_HEADERDATA, (void *)mail);
    SET(CURLOPT_WRITEFUNCTION, drop_body);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_USE_SSL, (long)(request->security == JMAIL_PLAIN ? CURLUSESSL_NONE : CURLUSESSL_ALL));
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)request->timeout_ms);
    SET(CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)((request->timeout_ms + 999) / 1000));
    if (request->ca_file) SET(CURLOPT_CAINFO, request->ca_file);
    if (request->user) SET(CURLOPT_USERNAME, request->user);
    if (request->password) SET(CURLOPT_PASSWORD, request->password);
    if (request->token) SET(CURLOPT_XOAUTH2_BEARER, request->token);
#undef SET
    return code;
}

int32_t jmail_connect(jmail *mail, const jmail_request *request) {
    int code = set_options(mail, request);
    if (code != CURLE_OK) return JMAIL_OTHER;
    if (curl_multi_add_handle(mail->multi, mail->easy) != CURLM_OK) return JMAIL_OTHER;
    int64_t deadline = now_ms() + request->timeout_ms;
    int running = 1;
    while (running) {
        if (atomic_load(&mail->is_cancelled)) return JMAIL_CANCELLED;
        if (now_ms() >= deadline) return JMAIL_TIMEOUT;
        if (curl_multi_perform(mail->multi, &running) != CURLM_OK) return JMAIL_OTHER;
        if (running && curl_multi_poll(mail->multi, NULL, 0, SLICE_MS, NULL) != CURLM_OK) return JMAIL_OTHER;
    }
    int count;
    CURLMsg *message = curl_multi_info_read(mail->multi, &count);
    if (!message || message->msg != CURLMSG_DONE) return JMAIL_OTHER;
    if (message->data.result != CURLE_OK) return code_of(message->data.result);
    // The handle stays in the multi: taken out, it could neither send nor receive.
    if (curl_easy_getinfo(mail->easy, CURLINFO_ACTIVESOCKET, &mail->socket) != CURLE_OK ||
        mail->socket == CURL_SOCKET_BAD) {
        return JMAIL_INTERRUPTED;
    }
    return JMAIL_OK;
}

const char *jmail_error(const jmail *mail) { return mail->error; }

const char *jmail_greeting(const jmail *mail) { return mail->greeting; }

/// Waits for the socket in slices; 0, or a code.
static int32_t wait_for(jmail *mail, short events, int64_t deadline) {
    for (;;) {
        if (atomic_load(&mail->is_cancelled)) return JMAIL_CANCELLED;
        int64_t left = deadline - now_ms();
        if (left <= 0) return JMAIL_TIMEOUT;
        struct pollfd descriptor = {.fd = mail->socket, .events = events};
        int ready = poll(&descriptor, 1, (int)(left < SLICE_MS ? left : SLICE_MS));
        if (ready > 0) return JMAIL_OK;
        if (ready < 0 && errno != EINTR) return JMAIL_INTERRUPTED;
    }
}

int32_t jmail_send(jmail *mail, const uint8_t *bytes, size_t count, int64_t timeout_ms) {
    int64_t deadline = now_ms() + timeout_ms;
    size_t sent = 0;
    while (sent < count) {
        if (atomic_load(&mail->is_cancelled)) return JMAIL_CANCELLED;
        size_t now = 0;
        CURLcode code = curl_easy_send(mail->easy, bytes + sent, count - sent, &now);
        sent += now;
        if (code == CURLE_AGAIN) {
            int32_t waited = wait_for(mail, POLLOUT, deadline);
            if (waited != JMAIL_OK) return waited;
        } else if (code != CURLE_OK) {
            return JMAIL_INTERRUPTED;
        }
    }
    return JMAIL_OK;
}

int64_t jmail_receive(jmail *mail, uint8_t *buffer, size_t capacity, int64_t timeout_ms) {
    int64_t deadline = now_ms() + timeout_ms;
    for (;;) {
        if (atomic_load(&mail->is_cancelled)) return -JMAIL_CANCELLED;
        size_t count = 0;
        // First without waiting: TLS may hold bytes that the socket no longer has.
        CURLcode code = curl_easy_recv(mail->easy, buffer, capacity, &count);
        if (code == CURLE_OK) return count > 0 ? (int64_t)count : -JMAIL_CLOSED;
        if (code != CURLE_AGAIN) return -JMAIL_INTERRUPTED;
        int32_t waited = wait_for(mail, POLLIN, deadline);
        if (waited != JMAIL_OK) return -waited;
    }
}

void jmail_cancel(jmail *mail) { atomic_store(&mail->is_cancelled, 1); }
