/* HTTP clients that cost little: load PORT PATH CLIENTS MILLISECONDS kept|fresh
 * One thread, epoll. Each client asks again as soon as it is answered; every answer must be 200 with the body "hello\n".
 * Prints how many whole answers came within the time; ends with 1 and says why at the first that is none. A server may close a kept
 * connection before it has heard the next request: then another is taken, as every client does. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { ROOM = 4096 };

struct client {
    int socket, connected, used;
    size_t length;
    char answer[ROOM + 1];
};

static struct sockaddr_in server;
static char request[512];
static size_t request_length;
static int poll_set, kept;

static void fail(const char *what, ...) {
    va_list words;
    va_start(words, what);
    vfprintf(stderr, what, words);
    fputc('\n', stderr);
    exit(1);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

static void ask(struct client *client) {
    client->length = 0;
    ssize_t sent = send(client->socket, request, request_length, MSG_NOSIGNAL);
    if (sent != (ssize_t)request_length && !(sent < 0 && client->used && (errno == EPIPE || errno == ECONNRESET)))
        fail("send: %s", strerror(errno));
}

static void connect_again(struct client *client) {
    const int one = 1;
    if (client->socket >= 0)
        close(client->socket);
    client->used = 0;
    client->connected = 0;
    client->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    setsockopt(client->socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    if (connect(client->socket, (struct sockaddr *)&server, sizeof server) != 0) {
        if (errno != EINPROGRESS)
            fail("connect: %s", strerror(errno));
        event.events = EPOLLOUT; /* the server's queue is full, perhaps: the others go on */
        epoll_ctl(poll_set, EPOLL_CTL_ADD, client->socket, &event);
        return;
    }

    epoll_ctl(poll_set, EPOLL_CTL_ADD, client->socket, &event);
    client->connected = 1;
    ask(client);
}

static void connected(struct client *client) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(client->socket, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error)
        fail("connect: %s", strerror(error));
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    epoll_ctl(poll_set, EPOLL_CTL_MOD, client->socket, &event);
    client->connected = 1;
    ask(client);
}

/* 1: it is whole; 0: more is to come. */
static int check(struct client *client, int *closes) {
    char *head_end = strstr(client->answer, "\r\n\r\n"), *length;
    if (!head_end)
        return 0;
    if (strncmp(client->answer, "HTTP/1.1 200", 12) != 0)
        fail("not the answer: %s", client->answer);
    char after = head_end[2];
    head_end[2] = 0;
    length = strcasestr(client->answer, "\r\ncontent-length: ");
    *closes = strcasestr(client->answer, "\r\nconnection: close") != NULL;
    head_end[2] = after;
    if (!length || atoi(length + 18) != 6)
        fail("not the length of the answer: %s", client->answer);
    if (client->length < (size_t)(head_end + 4 - client->answer) + 6)
        return 0;
    if (strcmp(head_end + 4, "hello\n") != 0)
        fail("not the answer: %s", client->answer);
    return 1;
}

int main(int count, char **words) {
    if (count != 6)
        fail("load PORT PATH CLIENTS MILLISECONDS kept|fresh");
    int clients = atoi(words[3]);
    kept = strcmp(words[5], "kept") == 0;
    server = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(atoi(words[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    request_length = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: bench\r\n%s\r\n", words[2], kept ? "" : "Connection: close\r\n");
    poll_set = epoll_create1(EPOLL_CLOEXEC);
    struct client *all = calloc(clients, sizeof *all);
    double ends = now() + atoi(words[4]);
    long answered = 0;
    for (int i = 0; i < clients; i++) {
        all[i].socket = -1;
        connect_again(&all[i]);
    }

    for (double left; (left = ends - now()) > 0;) {
        struct epoll_event events[64];
        int ready = epoll_wait(poll_set, events, 64, (int)left + 1);
        if (now() >= ends)
            break;
        for (int i = 0; i < ready; i++) {
            struct client *client = events[i].data.ptr;
            if (!client->connected) {
                connected(client);
                continue;
            }

            ssize_t got = recv(client->socket, client->answer + client->length, ROOM - client->length, 0);
            if (got <= 0) {
                if (!client->used || client->length > 0)
                    fail("the connection ended after %zu bytes of an answer: %s", client->length, got < 0 ? strerror(errno) : "closed");
                connect_again(client);
                continue;
            }

            int closes = 0;
            client->answer[client->length += got] = 0;
            if (!check(client, &closes))
                continue;
            answered++;
            client->used = 1;
            if (closes || !kept)
                connect_again(client);
            else
                ask(client);
        }
    }

    printf("%ld\n", answered);
    return 0;
}
