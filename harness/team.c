/* SPDX-License-Identifier: MIT
 * team.c - a crew that waits for orders, runs one task at once, and is timed by its coordinator.
 *
 *     coordinator   order ------------------------------------- wait ---> ns
 *     thread 0            task .................. stamp
 *     thread 1            task ............................. stamp
 *                   ^ clock starts                               ^ clock ends: the last stamp
 *
 * The coordinator is the main thread and runs no task, except when one thread is all there is: then it runs
 * them itself, with nothing between the clock and the work.
 * A thread's stamp is its own, so that waking the coordinator is not part of the time.
 */
#include "team.h"

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "topology.h"

typedef struct team_member {
    pthread_t id;
    bool      ordered;              /* has a task to run */
    int       schedstat;            /* descriptor of its /proc/.../schedstat, or -1 */
} team_member;

static struct {
    unsigned        count;
    team_member     members[OPTIONS_MOST_THREADS];
    pthread_mutex_t lock;
    pthread_cond_t  orders, reports;
    team_task      *task;
    void           *context;
    unsigned        running;        /* members that have not ended the task */
    uint64_t        ended_ns;       /* the last stamp */
    bool            over;
    void          (*at_end)(void);
    unsigned        cores[CPU_SETSIZE];     /* in the order in which threads go to them */
    unsigned        core_count;
    bool            pins;           /* one thread alone stays where the OS or --cpu has it */
    bool            shares;         /* two threads, one physical core */
} team = { .lock = PTHREAD_MUTEX_INITIALIZER, .orders = PTHREAD_COND_INITIALIZER,
           .reports = PTHREAD_COND_INITIALIZER };

static uint64_t team_read_clock(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t team_clock_ns(void) { return team_read_clock(CLOCK_MONOTONIC); }
uint64_t team_cpu_ns(void)   { return team_read_clock(CLOCK_PROCESS_CPUTIME_ID); }

/* --- cores ---------------------------------------------------------------------------------------- */

void team_pin(unsigned index) {
    cpu_set_t one;
    if (team.core_count == 0)
        return;
    CPU_ZERO(&one);
    CPU_SET(team.cores[index % team.core_count], &one);
    pthread_setaffinity_np(pthread_self(), sizeof one, &one);
}

int team_core(unsigned index) { return team.pins ? (int)team.cores[index % team.core_count] : -1; }

bool team_shares_a_core(void) { return team.shares; }

static void team_choose_cores(const options *asked) {
    cpu_set_t allowed;
    if (asked->cpu_count) {
        memcpy(team.cores, asked->cpus, asked->cpu_count * sizeof *asked->cpus);
        team.core_count = asked->cpu_count;
    } else if (sched_getaffinity(0, sizeof allowed, &allowed) == 0)
        team.core_count = asked->threads > 1 ? topology_order("", &allowed, asked->threads, team.cores) : 0;
    if (asked->cpu >= 0 && team.core_count == 0)
        team.cores[team.core_count++] = (unsigned)asked->cpu;
    team.pins = team.core_count > 0 && (asked->threads > 1 || asked->cpu >= 0);
    team.shares = asked->threads > 1 && (asked->threads > team.core_count || topology_share_a_core("", team.cores, asked->threads));
}

/* --- run delay: the second number of schedstat (proc(5)) ------------------------------------------- */

static uint64_t team_read_delay(int descriptor) {
    char text[96];
    uint64_t delay = 0;
    ssize_t length = pread(descriptor, text, sizeof text - 1, 0);
    if (length > 0) {
        text[length] = '\0';
        sscanf(text, "%*u %" SCNu64, &delay);
    }
    return delay;
}

uint64_t team_run_delay_ns(void) {
    uint64_t delay = 0;
    for (unsigned i = 0; i < team.count; i++)
        delay += team_read_delay(team.members[i].schedstat);
    return delay;
}

/* --- the crew ------------------------------------------------------------------------------------- */

static void *team_live(void *argument) {
    unsigned self = (unsigned)(uintptr_t)argument;
    team_member *me = &team.members[self];
    team_pin(self);
    me->schedstat = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);

    pthread_mutex_lock(&team.lock);
    for (;;) {
        while (!me->ordered && !team.over)
            pthread_cond_wait(&team.orders, &team.lock);
        if (!me->ordered)
            break;
        pthread_mutex_unlock(&team.lock);
        team.task(team.context, self);
        uint64_t stamp_ns = team_clock_ns();
        pthread_mutex_lock(&team.lock);
        me->ordered = false;
        if (stamp_ns > team.ended_ns)
            team.ended_ns = stamp_ns;
        if (--team.running == 0)
            pthread_cond_signal(&team.reports);
    }
    pthread_mutex_unlock(&team.lock);
    if (team.at_end)
        team.at_end();
    return NULL;
}

bool team_start(unsigned count) {
    team.count = count;
    team.over = false;
    if (count == 1) {
        team.members[0].schedstat = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
        return true;
    }
    for (unsigned i = 0; i < count; i++)
        if (pthread_create(&team.members[i].id, NULL, team_live, (void *)(uintptr_t)i) != 0) {
            team.count = i;
            team_stop(NULL);
            return false;
        }
    return true;
}

uint64_t team_run(unsigned first, unsigned last, team_task *task, void *context) {
    if (team.count == 1) {
        uint64_t start_ns = team_clock_ns();
        task(context, 0);
        return team_clock_ns() - start_ns;
    }
    if (first == last)
        return 0;
    pthread_mutex_lock(&team.lock);
    team.task = task;
    team.context = context;
    team.running = last - first;
    team.ended_ns = 0;
    for (unsigned i = first; i < last; i++)
        team.members[i].ordered = true;
    uint64_t start_ns = team_clock_ns();
    pthread_cond_broadcast(&team.orders);
    while (team.running > 0)
        pthread_cond_wait(&team.reports, &team.lock);
    pthread_mutex_unlock(&team.lock);
    return team.ended_ns - start_ns;
}

void team_stop(void (*at_end)(void)) {
    bool crew = team.members[0].id != 0;
    pthread_mutex_lock(&team.lock);
    team.over = true;
    team.at_end = at_end;
    pthread_cond_broadcast(&team.orders);
    pthread_mutex_unlock(&team.lock);
    for (unsigned i = 0; crew && i < team.count; i++)
        pthread_join(team.members[i].id, NULL);
    for (unsigned i = 0; i < team.count; i++)
        close(team.members[i].schedstat);
    memset(team.members, 0, sizeof team.members);
}

static void *team_nothing(void *unused) { return unused; }

bool team_begin(const options *asked) {
    pthread_t thread;
    team_choose_cores(asked);
    return pthread_create(&thread, NULL, team_nothing, NULL) == 0 && pthread_join(thread, NULL) == 0;
}
