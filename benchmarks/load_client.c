/*
 * The load client: holds many WebSockets in one process, counts the events that arrive on them, and checks that they are
 * complete and in order on each. It costs a small part of any server under test (its own CPU is in each answer).
 *
 * Controlled by lines on standard input, each answered by one line of JSON, in no fixed order:
 *   open <file> <at once>       open the sockets described in the file; answers when all are ready or have failed
 *   drop <first> <count>        cut these sockets (numbers in order of opening) without a closing handshake
 *   until <mark> <milliseconds> answers when every open socket has received this mark, or the time is up
 *   total <count> <milliseconds> answers when this many marks have arrived in all
 *   record <0 or 1>             remember when each mark arrived on each socket, from now on or no more
 *   dump <file>                 write what was remembered: mark and nanoseconds of CLOCK_MONOTONIC, 8 bytes each
 *   stats                       answers at once
 *
 * The file: for each socket six fields, each a 4-byte little-endian length and as many bytes: source address, server
 * address ("127.0.0.1:8000"), handshake request, what to send after the 101, the text that shows that it is ready
 * (empty: at once), and the first mark that it must receive ("0": any, in rising order).
 *
 * A mark is "@@" and ten digits within what a server sends. Everything else is skipped.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MARK_LENGTH 12
#define BUFFER_BYTES (256 * 1024)
#define MAX_CONTROL 125

enum state { CONNECTING, HANDSHAKE, OPENING, OPEN, CLOSED };

struct field {
    const uint8_t *bytes;
    uint32_t length;
};

struct client {
    int fd;
    enum state state;
    int number;
    int sparse;
    uint64_t next;
    /* bytes of the awaited text that have been matched */
    uint32_t matched;
    char answer[16];
    /* whether the response is an event stream: text without frames */
    int is_stream;
    uint32_t answer_length;
    /* the frame that is being parsed */
    uint8_t header[14];
    uint8_t header_length;
    uint8_t opcode;
    uint64_t left;
    uint8_t control[MAX_CONTROL];
    uint8_t control_length;
    /* the end of the payload so far, in case a mark is cut there */
    uint8_t carry[MARK_LENGTH - 1];
    uint8_t carry_length;
    struct field source, server, request, first, ready;
};

struct arrival {
    uint64_t mark;
    uint64_t nanoseconds;
};

static struct client *clients;
static int client_count, opened_next, opening, at_once, open_count, failed_count, closed_count, open_pending;
static int epoll_fd;
static char first_failure[200];
static uint64_t open_started, deliveries, lost, disordered;
static uint64_t until_mark, until_deadline, total_wanted, total_deadline;
static int behind; /* open sockets that have not received until_mark */
static int recording;
static struct arrival *arrivals;
static size_t arrival_count, arrival_room;
static uint8_t buffer[BUFFER_BYTES];

static uint64_t now(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * 1000000000ull + time.tv_nsec;
}

static void die(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

static void answer(const char *what) {
    printf("{\"answer\": \"%s\", \"open\": %d, \"failed\": %d, \"closed\": %d, \"deliveries\": %llu, \"lost\": %llu, "
           "\"disordered\": %llu, \"cpu\": %llu, \"opening_took\": %llu, \"failure\": \"%s\"}\n",
           what, open_count, failed_count, closed_count, (unsigned long long)deliveries, (unsigned long long)lost,
           (unsigned long long)disordered, (unsigned long long)now(CLOCK_PROCESS_CPUTIME_ID),
           (unsigned long long)(open_started ? now(CLOCK_MONOTONIC) - open_started : 0), first_failure);
    fflush(stdout);
}

static void end_socket(struct client *client, const char *why) {
    if (client->state == CLOSED)
        return;
    if (client->state == OPEN) {
        open_count--;
        closed_count += why != NULL;
        if (until_mark && client->next <= until_mark)
            behind--;
    } else {
        failed_count++;
        opening--;
    }
    if (why && !first_failure[0]) {
        size_t length = 0;
        for (const char *from = why; *from && length < sizeof first_failure - 1; from++)
            first_failure[length++] = *from < ' ' || *from == '"' || *from == '\\' || *from > '~' ? ' ' : *from;
    }
    client->state = CLOSED;
    close(client->fd);
}

static void has_opened(struct client *client) {
    client->state = OPEN;
    open_count++;
    opening--;
    if (until_mark && client->next <= until_mark)
        behind++;
}

static void got_mark(struct client *client, const uint8_t *digits, uint64_t time) {
    uint64_t mark = 0;
    for (int place = 0; place < MARK_LENGTH - 2; place++)
        mark = mark * 10 + (digits[place] - '0');
    deliveries++;
    if (recording) {
        if (arrival_count == arrival_room) {
            arrival_room = arrival_room ? arrival_room * 2 : 1 << 16;
            arrivals = realloc(arrivals, arrival_room * sizeof *arrivals);
            if (!arrivals)
                die("no memory");
        }
        arrivals[arrival_count++] = (struct arrival){mark, time};
    }
    if (mark < client->next) {
        disordered++;
        return;
    }
    if (!client->sparse)
        lost += mark - client->next;
    if (client->state == OPEN && until_mark && client->next <= until_mark && mark >= until_mark)
        behind--;
    client->next = mark + 1;
}

static int is_mark(const uint8_t *at) {
    if (at[0] != '@' || at[1] != '@')
        return 0;
    for (int place = 2; place < MARK_LENGTH; place++)
        if (at[place] < '0' || at[place] > '9')
            return 0;
    return 1;
}

static void scan(struct client *client, const uint8_t *bytes, size_t length, uint64_t time) {
    if (client->state == OPENING) {
        const struct field *ready = &client->ready;
        for (size_t at = 0; at < length && client->matched < ready->length; at++) {
            /* Falling back by trying each shorter beginning: the text is short, and this is not the measured part. */
            uint32_t matched = client->matched;
            while (ready->bytes[matched] != bytes[at] && matched) {
                uint32_t shorter = matched - 1;
                while (shorter && memcmp(ready->bytes, ready->bytes + matched - shorter, shorter))
                    shorter--;
                matched = shorter;
            }
            client->matched = ready->bytes[matched] == bytes[at] ? matched + 1 : 0;
        }
        if (client->matched == ready->length)
            has_opened(client);
    }
    if (client->carry_length) {
        uint8_t joint[2 * MARK_LENGTH];
        size_t more = length < MARK_LENGTH - 1 ? length : MARK_LENGTH - 1;
        memcpy(joint, client->carry, client->carry_length);
        memcpy(joint + client->carry_length, bytes, more);
        for (size_t at = 0; at < client->carry_length && at + MARK_LENGTH <= client->carry_length + more; at++)
            if (is_mark(joint + at))
                got_mark(client, joint + at + 2, time);
    }
    const uint8_t *at = bytes, *end = bytes + length;
    while ((at = memchr(at, '@', end - at)) != NULL) {
        if (end - at < MARK_LENGTH)
            break;
        if (is_mark(at)) {
            got_mark(client, at + 2, time);
            at += MARK_LENGTH;
        } else {
            at++;
        }
    }
    if (length >= MARK_LENGTH - 1) {
        memcpy(client->carry, end - (MARK_LENGTH - 1), MARK_LENGTH - 1);
        client->carry_length = MARK_LENGTH - 1;
    } else {
        size_t keep = client->carry_length;
        if (keep + length > MARK_LENGTH - 1)
            keep = MARK_LENGTH - 1 - length;
        memmove(client->carry, client->carry + client->carry_length - keep, keep);
        memcpy(client->carry + keep, bytes, length);
        client->carry_length = keep + length;
    }
}

static void send_all(struct client *client, const void *bytes, size_t length) {
    if (length && send(client->fd, bytes, length, MSG_NOSIGNAL) != (ssize_t)length)
        end_socket(client, "the server does not take what the client sends");
}

static void control_frame(struct client *client) {
    if (client->opcode == 9) {
        uint8_t pong[MAX_CONTROL + 6] = {0x8a, 0x80 | client->control_length}; /* masked with zeros */
        memcpy(pong + 6, client->control, client->control_length);
        send_all(client, pong, client->control_length + 6);
    } else if (client->opcode == 8) {
        char why[160];
        int code = client->control_length >= 2 ? client->control[0] << 8 | client->control[1] : 0;
        int text = client->control_length > 2 ? client->control_length - 2 : 0;
        snprintf(why, sizeof why, "the server closed with %d %.*s", code, text, client->control + 2);
        end_socket(client, why);
    }
}

static void parse(struct client *client, const uint8_t *bytes, size_t length, uint64_t time) {
    const uint8_t *end = bytes + length;
    if (client->is_stream) {
        scan(client, bytes, length, time);
        return;
    }
    while (bytes < end && client->state != CLOSED) {
        if (!client->left) {
            client->header[client->header_length++] = *bytes++;
            if (client->header_length < 2)
                continue;
            uint8_t kind = client->header[1] & 0x7f;
            uint8_t needed = kind == 127 ? 10 : kind == 126 ? 4 : 2;
            if (client->header_length < needed)
                continue;
            if (client->header[0] & 0x70 || client->header[1] & 0x80) {
                end_socket(client, "what arrived is no frame of a server without extensions");
                return;
            }
            uint64_t size = kind;
            if (needed > 2) {
                size = 0;
                for (uint8_t at = 2; at < needed; at++)
                    size = size << 8 | client->header[at];
            }
            client->opcode = client->header[0] & 0x0f;
            client->left = size;
            client->header_length = 0;
            client->control_length = 0;
            if (client->opcode >= 8 && size > MAX_CONTROL) {
                end_socket(client, "a control frame is too long");
                return;
            }
            if (!size && client->opcode >= 8)
                control_frame(client);
            continue;
        }
        size_t part = (size_t)(end - bytes) < client->left ? (size_t)(end - bytes) : client->left;
        client->left -= part;
        if (client->opcode < 8) {
            scan(client, bytes, part, time);
        } else {
            memcpy(client->control + client->control_length, bytes, part);
            client->control_length += part;
            if (!client->left)
                control_frame(client);
        }
        bytes += part;
    }
}

static void handshake(struct client *client, const uint8_t *bytes, size_t length, uint64_t time) {
    static const char END[] = "\r\n\r\n";
    for (size_t at = 0; at < length; at++) {
        if (client->answer_length < sizeof client->answer - 1)
            client->answer[client->answer_length++] = bytes[at];
        client->matched = bytes[at] == END[client->matched] ? client->matched + 1 : bytes[at] == '\r';
        if (client->matched == 4) {
            /* Without frames of a WebSocket only where the client has none to send. */
            client->is_stream = !client->first.length && !memcmp(client->answer + 8, " 200", 4);
            if (client->answer_length < 12 || (!client->is_stream && memcmp(client->answer + 8, " 101", 4))) {
                char why[160];
                snprintf(why, sizeof why, "the handshake was answered with: %.*s", (int)client->answer_length,
                         client->answer);
                end_socket(client, why);
                return;
            }
            client->state = OPENING;
            client->matched = 0;
            send_all(client, client->first.bytes, client->first.length);
            if (!client->ready.length && client->state == OPENING)
                has_opened(client);
            parse(client, bytes + at + 1, length - at - 1, time);
            return;
        }
    }
}

static void readable(struct client *client) {
    ssize_t length = recv(client->fd, buffer, sizeof buffer, 0);
    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (length <= 0) {
        end_socket(client, length ? strerror(errno) : "the server ended the connection");
        return;
    }
    uint64_t time = now(CLOCK_MONOTONIC);
    if (client->state == HANDSHAKE)
        handshake(client, buffer, length, time);
    else
        parse(client, buffer, length, time);
}

static struct sockaddr_in address(const struct field *text, int with_port) {
    char copy[64], *port = NULL;
    if (text->length >= sizeof copy)
        die("an address is too long");
    memcpy(copy, text->bytes, text->length);
    copy[text->length] = 0;
    if (with_port && (port = strchr(copy, ':')))
        *port++ = 0;
    struct sockaddr_in found = {.sin_family = AF_INET, .sin_port = htons(port ? atoi(port) : 0)};
    if (inet_pton(AF_INET, copy, &found.sin_addr) != 1)
        die("no address: %s", copy);
    return found;
}

static void open_more(void) {
    while (opening < at_once && opened_next < client_count) {
        struct client *client = &clients[opened_next++];
        opening++;
        client->state = CONNECTING;
        client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (client->fd < 0)
            die("socket: %s", strerror(errno));
        int on = 1;
        setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        setsockopt(client->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
        struct sockaddr_in source = address(&client->source, 0), server = address(&client->server, 1);
        if (bind(client->fd, (struct sockaddr *)&source, sizeof source))
            die("bind: %s", strerror(errno));
        if (connect(client->fd, (struct sockaddr *)&server, sizeof server) && errno != EINPROGRESS) {
            end_socket(client, strerror(errno));
            continue;
        }
        struct epoll_event event = {.events = EPOLLOUT, .data.u32 = client->number + 1};
        if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, client->fd, &event))
            die("epoll_ctl: %s", strerror(errno));
    }
    if (open_pending && !opening && opened_next == client_count) {
        open_pending = 0;
        answer("open");
        open_started = 0;
    }
}

static void writable(struct client *client) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error) {
        end_socket(client, strerror(error));
        return;
    }
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = client->number + 1};
    epoll_ctl(epoll_fd, EPOLL_CTL_MOD, client->fd, &event);
    client->state = HANDSHAKE;
    send_all(client, client->request.bytes, client->request.length);
}

static uint8_t *take(uint8_t *at, uint8_t *end, struct field *field) {
    if (end - at < 4)
        die("the file of sockets is cut short");
    memcpy(&field->length, at, 4);
    at += 4;
    if ((size_t)(end - at) < field->length)
        die("the file of sockets is cut short");
    field->bytes = at;
    return at + field->length;
}

static void open_sockets(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file)
        die("%s: %s", path, strerror(errno));
    fseek(file, 0, SEEK_END);
    size_t size = ftell(file);
    rewind(file);
    uint8_t *content = malloc(size + 1); /* kept: the sockets' fields point into it */
    if (!content || fread(content, 1, size, file) != size)
        die("%s cannot be read", path);
    fclose(file);
    for (uint8_t *at = content, *end = content + size; at < end;) {
        clients = realloc(clients, (client_count + 1) * sizeof *clients);
        if (!clients)
            die("no memory");
        struct client *client = &clients[client_count];
        memset(client, 0, sizeof *client);
        client->number = client_count++;
        struct field start;
        at = take(at, end, &client->source);
        at = take(at, end, &client->server);
        at = take(at, end, &client->request);
        at = take(at, end, &client->first);
        at = take(at, end, &client->ready);
        at = take(at, end, &start);
        for (uint32_t digit = 0; digit < start.length; digit++)
            client->next = client->next * 10 + (start.bytes[digit] - '0');
        client->sparse = client->next == 0;
    }
    open_pending = 1;
    open_started = now(CLOCK_MONOTONIC);
    open_more();
}

static void command(char *line) {
    char *name = strtok(line, " "), *one = strtok(NULL, " "), *two = strtok(NULL, " ");
    if (!name)
        return;
    if (!strcmp(name, "open") && one && two) {
        at_once = atoi(two);
        open_sockets(one);
    } else if (!strcmp(name, "drop") && one && two) {
        for (int number = atoi(one), end = number + atoi(two); number < end && number < client_count; number++)
            end_socket(&clients[number], NULL);
        answer("drop");
    } else if (!strcmp(name, "until") && one && two) {
        until_mark = strtoull(one, NULL, 10);
        until_deadline = now(CLOCK_MONOTONIC) + strtoull(two, NULL, 10) * 1000000ull;
        behind = 0;
        for (int number = 0; number < client_count; number++)
            behind += clients[number].state == OPEN && clients[number].next <= until_mark;
    } else if (!strcmp(name, "total") && one && two) {
        total_wanted = strtoull(one, NULL, 10);
        total_deadline = now(CLOCK_MONOTONIC) + strtoull(two, NULL, 10) * 1000000ull;
    } else if (!strcmp(name, "record") && one) {
        recording = atoi(one);
        arrival_count = 0;
        answer("record");
    } else if (!strcmp(name, "dump") && one) {
        FILE *file = fopen(one, "wb");
        if (!file || fwrite(arrivals, sizeof *arrivals, arrival_count, file) != arrival_count || fclose(file))
            die("%s cannot be written", one);
        answer("dump");
    } else if (!strcmp(name, "stats")) {
        answer("stats");
    } else {
        die("no such command: %s", name);
    }
}

static int commands(void) {
    static char lines[8192];
    static size_t held;
    ssize_t length = read(0, lines + held, sizeof lines - held - 1);
    if (length <= 0)
        return 0;
    held += length;
    char *newline;
    while ((newline = memchr(lines, '\n', held))) {
        *newline = 0;
        command(lines);
        held -= newline + 1 - lines;
        memmove(lines, newline + 1, held);
    }
    return 1;
}

static void conditions(void) {
    if (until_mark) {
        int done = behind == 0;
        if (done || now(CLOCK_MONOTONIC) > until_deadline) {
            answer(done ? "until" : "late");
            until_mark = 0;
        }
    }
    if (total_wanted) {
        int done = deliveries >= total_wanted;
        if (done || now(CLOCK_MONOTONIC) > total_deadline) {
            answer(done ? "total" : "late");
            total_wanted = 0;
        }
    }
}

int main(void) {
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event input = {.events = EPOLLIN, .data.u32 = 0}, events[512];
    if (epoll_fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, 0, &input))
        die("epoll: %s", strerror(errno));
    for (;;) {
        int count = epoll_wait(epoll_fd, events, 512, until_mark || total_wanted ? 100 : -1);
        for (int at = 0; at < count; at++) {
            if (!events[at].data.u32) {
                if (!commands())
                    return 0;
                continue;
            }
            struct client *client = &clients[events[at].data.u32 - 1];
            if (client->state == CONNECTING)
                writable(client);
            else if (client->state != CLOSED)
                readable(client);
        }
        open_more();
        conditions();
    }
}
