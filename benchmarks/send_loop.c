/*
 * The upper bound: for each event, one send() to each WebSocket, and nothing else. Prints its port.
 *
 * Usage: send_loop. A connection that begins with "GET " gets a handshake answered and then every event as a text frame;
 * one that begins with "PUB " publishes: each event is a 4-byte little-endian length and as many bytes.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_FDS 65536
#define MAX_EVENT 65535

enum kind { NEW, SOCKET, PUBLISHER };

static enum kind kinds[MAX_FDS];
static int sockets[MAX_FDS], socket_count;
static uint8_t published[4 * 1024 * 1024];
static size_t held;

/* The client does not check the accept key, and computing it is not part of the measurement. */
static const char ANSWER[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             "Sec-WebSocket-Accept: none\r\n\r\n";

static void send_to_all(const uint8_t *event, uint32_t length) {
    static uint8_t frame[MAX_EVENT + 4];
    size_t head;
    frame[0] = 0x81;
    if (length < 126) {
        frame[1] = length;
        head = 2;
    } else {
        frame[1] = 126;
        frame[2] = length >> 8;
        frame[3] = length & 0xff;
        head = 4;
    }
    memcpy(frame + head, event, length);
    for (int at = 0; at < socket_count; at++) {
        size_t sent = 0;
        while (sent < head + length) {
            /* Blocking: send() waits for a full socket, so that nothing is lost. */
            ssize_t done = send(sockets[at], frame + sent, head + length - sent, MSG_NOSIGNAL);
            if (done < 0)
                break;
            sent += done;
        }
    }
}

static void publish(void) {
    size_t at = 0;
    while (held - at >= 4) {
        uint32_t length;
        memcpy(&length, published + at, 4);
        if (length > MAX_EVENT)
            exit(1);
        if (held - at - 4 < length)
            break;
        send_to_all(published + at + 4, length);
        at += 4 + length;
    }
    held -= at;
    memmove(published, published + at, held);
}

static void end(int fd) {
    for (int at = 0; at < socket_count; at++)
        if (sockets[at] == fd)
            sockets[at] = sockets[--socket_count];
    kinds[fd] = NEW;
    close(fd);
}

int main(void) {
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max < MAX_FDS ? files.rlim_max : MAX_FDS;
    setrlimit(RLIMIT_NOFILE, &files);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 2048) ||
        getsockname(listener, (struct sockaddr *)&address, &size)) {
        perror("listen");
        return 1;
    }
    printf("Listening on port %d\n", ntohs(address.sin_port));
    fflush(stdout);
    int poll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[256];
    epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int count = epoll_wait(poll, events, 256, -1);
        for (int at = 0; at < count; at++) {
            int fd = events[at].data.fd;
            if (fd == listener) {
                int accepted = accept(listener, NULL, NULL), on = 1;
                if (accepted < 0 || accepted >= MAX_FDS)
                    continue;
                setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                event.data.fd = accepted;
                epoll_ctl(poll, EPOLL_CTL_ADD, accepted, &event);
            } else if (kinds[fd] == PUBLISHER) {
                ssize_t length = recv(fd, published + held, sizeof published - held, 0);
                if (length <= 0) {
                    end(fd);
                    continue;
                }
                held += length;
                publish();
            } else {
                char text[4096];
                ssize_t length = recv(fd, text, sizeof text, 0);
                if (length <= 0) {
                    end(fd);
                } else if (kinds[fd] == NEW && !strncmp(text, "PUB ", 4)) {
                    kinds[fd] = PUBLISHER;
                    memcpy(published, text + 4, held = length - 4);
                    publish();
                } else if (kinds[fd] == NEW && !strncmp(text, "GET ", 4)) {
                    kinds[fd] = SOCKET;
                    sockets[socket_count++] = fd;
                    send(fd, ANSWER, sizeof ANSWER - 1, MSG_NOSIGNAL);
                }
            }
        }
    }
}
