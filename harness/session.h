/* SPDX-License-Identifier: MIT
 * session.h - a workload on an opened backend, between whose units the harness does what it likes.
 *
 *     open -> prepare -> units ... units -> finish -> close
 *                ^           |
 *                +-- renew --+       (a backend that never frees)
 */
#ifndef REFARENA_SESSION_H
#define REFARENA_SESSION_H

#include "options.h"

typedef struct session {
    const options      *asked;
    const workload     *program;
    bool                objects;            /* the linked collector is in use */
    const allocator    *memory;
    bool                renews;             /* reset between units, because nothing else frees */
    workload_run        runs[OPTIONS_MOST_THREADS];
    bool                prepared[OPTIONS_MOST_THREADS];    /* prepare was called, finish was not */
    bool                refused[OPTIONS_MOST_THREADS];     /* its prepare or unit returned false */
    void               *shared;             /* the threads' common pointer */
    uint64_t            units;              /* ordered: how many units each thread runs at once */
    bool                measured;           /* they are the measured ones: callgrind counts their instructions */
    uint64_t            first_checksum[OPTIONS_MOST_THREADS];   /* of the first unit since session_expect */
    bool                expects[OPTIONS_MOST_THREADS];     /* there was one */
    bool                differs[OPTIONS_MOST_THREADS];     /* a later one had another */
} session;

/* Fill in what is asked for; nothing is opened. */
void session_describe(session *s, const options *asked);

/* The workload as declared for one unit of one thread. */
workload_operations session_declared(session *s);

/* Whether this collector and allocator can run it; false is outcome unsupported. */
bool session_supported(session *s, verdict *said);
bool session_reclaims(const session *s);

/* Start the threads, apply the memory limit, open allocator and collector. */
bool session_open(session *s, const char *spec, verdict *said);

bool session_prepare(session *s, verdict *said);

/* The workload's own step before a unit, on all threads; where it has one, units are run one by one. */
bool session_arranges(const session *s);
bool session_arrange(session *s, verdict *said);

/* Run units on all threads at once; wall_ns grows by the time it took. */
bool session_run(session *s, uint64_t units, uint64_t *wall_ns, verdict *said);

/* Checksums are compared from here on. */
void session_expect(session *s);
/* Of one unit, summed over threads; false: units differed. */
bool session_checksum(const session *s, uint64_t *checksum);

/* finish, reset the backend, prepare. */
bool session_renew(session *s, verdict *said);

void session_finish(session *s);        /* also after a refusal */
void session_close(session *s);         /* after session_finish */

#endif
