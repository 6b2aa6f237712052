/* The delivery of one customer's events: log, announcements, hubs, replay, pruning, new epochs and failover.

Two processes follow the log for two clients. Whatever order the steps take, each client has received every event of the
log since the last answer that did not promise it more, in order and once, when everything has come to rest. docs/guarantees.md
describes what is modelled and what is not. Each macro NO_… puts a known fault back: the model must find it. */

#ifndef EVENTS
#define EVENTS 3
#endif
#ifndef DISCONNECTS
#define DISCONNECTS 1
#endif
#ifndef PUBLISHERS
#define PUBLISHERS 2
#endif
#ifndef QUEUE
#define QUEUE 2
#endif
#define SIZE 5 /* Numbers 1 to 4; 0 is the beginning of the log. */

/* --- The database --- */

byte last, floor, epoch = 1;
byte history = 1;    /* Raised by a failover: the same number is another event then. */
byte stored[SIZE];   /* The history of the event with this number; 0 if there is none. */
byte published;
#ifdef NO_ROW_LOCK
byte given;
#endif

/* --- The processes --- */

mtype = { closed, opening, open, away, replaying, live };

typedef Hub {
    mtype state = closed;
    bool joined;
    byte epoch, position, highest;
    byte seen[SIZE]   /* The history of each event that it knows, as the ids of a feed's mark. */
}
Hub hub[2];
chan wire[2] = [QUEUE] of { byte, byte, byte };   /* Number, history and epoch of an announcement. */

typedef Client {
    mtype state = away;
    bool process, has_cursor;
    byte epoch, seq;
    byte start;         /* The cursor of the last answer without `recovered: true`. */
    byte received[SIZE]
}
Client client[2];
byte disconnects;

/* --- What the steps share. All of them run within a step: nothing comes between. --- */

inline receive(c, n, h) {
    assert(n == client[c].seq + 1);   /* No event is skipped, repeated or out of order. */
    client[c].seq = n;
    client[c].received[n] = h
}

#ifdef NO_BUFFERING
#define TAKES(c, p) (client[c].process == p && client[c].state != away)
#else
#define TAKES(c, p) (client[c].process == p && client[c].state == live)
#endif

inline deliver(p, n, h) {
    hub[p].position = n;
    if :: TAKES(0, p) -> receive(0, n, h) :: else fi;
    if :: TAKES(1, p) -> receive(1, n, h) :: else fi
}

inline know(p, n, h) {   /* An event that was announced or read. */
    if :: n > hub[p].highest -> hub[p].highest = n :: else fi;
    if :: n > 0 && hub[p].seen[n] == 0 -> hub[p].seen[n] = h :: else fi
}

inline leave(c) {
    client[c].state = away;
    client[c].process = 0
}

inline drop(c, p) {
    if :: client[c].process == p && client[c].state != away -> leave(c) :: else fi
}

inline close_feed(p) {
    hub[p].state = closed;
    hub[p].epoch = 0; hub[p].position = 0; hub[p].highest = 0;
    hub[p].seen[1] = 0; hub[p].seen[2] = 0; hub[p].seen[3] = 0; hub[p].seen[4] = 0;
    drop(0, p);
    drop(1, p)
}

#ifdef NO_FAILOVER_CHECK
#define REWOUND(p) false
#else
#define DIFFERS(p, n) (hub[p].seen[n] && n > floor && hub[p].seen[n] != stored[n])
#define REWOUND(p) (hub[p].epoch == epoch && (last < hub[p].highest || \
    DIFFERS(p, 1) || DIFFERS(p, 2) || DIFFERS(p, 3) || DIFFERS(p, 4)))
#endif

inline announce(p, n, h, e) {   /* The layer may lose it, and has no memory. */
    if
    :: hub[p].joined && nfull(wire[p]) -> wire[p]!n, h, e
#ifdef LOSSLESS
    :: !hub[p].joined
#else
    :: true
#endif
    fi
}

/* --- Publishers, in any process --- */

active [PUBLISHERS] proctype Publisher() {
    byte n, h, e;
end:
    do
    :: atomic {
        published < EVENTS -> published++;
#ifdef NO_ROW_LOCK
        given++; n = given
       }
       atomic {   /* Numbers and commits have different orders. */
        if :: n > last -> last = n :: else fi;
#else
        last++; n = last;
#endif
        stored[n] = history; h = history; e = epoch;
        /* What is stored after an answer has a higher number than its cursor. */
        assert(history > 1 || n > client[0].start && n > client[1].start)
       }
       atomic { announce(0, n, h, e) }
       atomic { announce(1, n, h, e); n = 0; h = 0; e = 0 }
    od
}

/* --- A process: its feed of the customer's log --- */

inline read_head(p) {
    hub[p].epoch = epoch;
    hub[p].position = last;
    hub[p].highest = last;
    if :: last > 0 -> hub[p].seen[last] = stored[last] :: else fi
}

active [2] proctype Process() {
    byte p, n, h, e;
    p = _pid - PUBLISHERS;
end:
    do
#ifdef NO_JOIN_BEFORE_HEAD
    :: atomic { hub[p].state == closed -> hub[p].state = opening; read_head(p) }
    :: atomic { hub[p].state == opening -> hub[p].joined = true; hub[p].state = open }
#else
    :: atomic { hub[p].state == closed -> hub[p].state = opening; hub[p].joined = true }
    :: atomic { hub[p].state == opening -> read_head(p); hub[p].state = open }
#endif
    :: d_step {   /* An announcement. While the feed opens, it waits. */
        hub[p].state != opening && nempty(wire[p]) -> wire[p]?n, h, e;
        if
        :: hub[p].state == open && e == hub[p].epoch ->
            know(p, n, h);
            if
#ifdef NO_GAP_REPAIR
            :: n > hub[p].position -> deliver(p, n, h)
#else
            :: n == hub[p].position + 1 -> deliver(p, n, h)
#endif
            :: else
            fi
        :: else   /* Of another log, which the comparison finds. */
        fi;
        n = 0; h = 0; e = 0
       }
#ifndef NO_GAP_REPAIR
    :: d_step {   /* The gap, read from the log. */
        hub[p].state == open && hub[p].highest > hub[p].position &&
            (hub[p].position < floor || stored[hub[p].position + 1] || epoch != hub[p].epoch) ->
        if
        :: hub[p].position >= floor && stored[hub[p].position + 1] ->
            n = hub[p].position + 1;
            h = stored[n];
            know(p, n, h);
            deliver(p, n, h)
        :: else -> close_feed(p)
        fi;
        n = 0; h = 0
       }
#endif
#ifndef NO_COMPARISON
    :: d_step {   /* The comparison of numbers, every few seconds. */
        hub[p].state == open && (epoch != hub[p].epoch || last > hub[p].highest || REWOUND(p)) ->
        if
        :: REWOUND(p) -> epoch++; close_feed(p)
        :: else ->
            if
            :: epoch != hub[p].epoch -> close_feed(p)
            :: else -> hub[p].highest = last
            fi
        fi
       }
#endif
    od
}

/* --- A client, which resumes with its cursor on either process --- */

inline subscribe(c, p) {
    client[c].process = p;
    if
    :: client[c].has_cursor && client[c].epoch == hub[p].epoch && epoch == hub[p].epoch &&
            client[c].seq <= last && client[c].seq >= floor ->   /* recovered: true */
        client[c].state = replaying;
        if :: client[c].seq > hub[p].highest -> hub[p].highest = client[c].seq :: else fi
    :: else ->   /* From now on, or recovered: false: the client loads the state again. */
        client[c].state = live;
        client[c].has_cursor = true;
        client[c].epoch = hub[p].epoch;
        client[c].seq = hub[p].position;
        client[c].start = hub[p].position
    fi
}

inline connect(c, p) {
    if
    :: REWOUND(p) -> epoch++; close_feed(p)
    :: else -> subscribe(c, p)
    fi
}

active [2] proctype Subscriber() {
    byte c, n;
    c = _pid - PUBLISHERS - 2;
end:
    do
    :: atomic { client[c].state == away && hub[0].state == open -> connect(c, 0) }
    :: atomic { client[c].state == away && hub[1].state == open -> connect(c, 1) }
    :: atomic {
        client[c].state != away && disconnects < DISCONNECTS ->
        disconnects++;
        leave(c)
       }
    :: d_step {   /* One page of the replay, or its end: the rest arrives live. */
        client[c].state == replaying && client[c].seq <= hub[client[c].process].position ->
        if
        :: client[c].seq == hub[client[c].process].position -> client[c].state = live
        :: else ->
            n = client[c].seq + 1;
            if
            :: n > floor && stored[n] -> receive(c, n, stored[n])
            :: else -> leave(c)   /* Pruned meanwhile: it is notified when it comes back. */
            fi;
            n = 0
        fi
       }
    od
}

/* --- What an operator, or an accident, does to the database --- */

active proctype Accidents() {
    bool pruned, renewed, failed;
end:
    do
    :: false -> skip   /* If there are none. */
#ifdef PRUNING
    :: atomic { !pruned && last > 1 -> pruned = true; floor = last - 1; stored[1] = 0; stored[floor] = 0 }
#endif
#ifdef RENEWAL
    :: atomic { !renewed -> renewed = true; epoch++ }
#endif
#ifdef FAILOVER
    :: atomic {   /* To a standby that lacks the last event or the last two. */
        !failed && last > floor -> failed = true;
        history++;
        stored[last] = 0; last--;
        if :: last > floor -> stored[last] = 0; last-- :: true fi
       }
#endif
    od
}

/* --- The promise --- */

#define HAS(c, n) (n <= client[c].start || n > last || client[c].received[n] == stored[n] || n <= floor)

inline judge(c) {
    assert(client[c].state == live && client[c].epoch == epoch && client[c].seq == last);
    assert(HAS(c, 1) && HAS(c, 2) && HAS(c, 3) && HAS(c, 4))
}

active proctype Judge() {
    timeout -> atomic { judge(0); judge(1) }   /* Nothing can happen any more. */
}
