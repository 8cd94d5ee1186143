/* SPDX-License-Identifier: MIT
 * threads.c - a crew that waits for orders, runs one task at once, and is timed by its coordinator.
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
#include "threads.h"

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "options.h"

typedef struct threads_member {
    pthread_t id;
    bool      ordered;              /* has a task to run */
    int       schedstat;            /* descriptor of its /proc/.../schedstat, or -1 */
} threads_member;

static struct {
    unsigned        count;
    threads_member  members[OPTIONS_MOST_THREADS];
    pthread_mutex_t lock;
    pthread_cond_t  orders, reports;
    threads_task   *task;
    void           *context;
    unsigned        running;        /* members that have not ended the task */
    uint64_t        ended_ns;       /* the last stamp */
    bool            over;
    void          (*at_end)(void);
    cpu_set_t       allowed;        /* cores, by threads_begin */
} threads = { .lock = PTHREAD_MUTEX_INITIALIZER, .orders = PTHREAD_COND_INITIALIZER,
              .reports = PTHREAD_COND_INITIALIZER };

static uint64_t threads_read_clock(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t threads_clock_ns(void) { return threads_read_clock(CLOCK_MONOTONIC); }
uint64_t threads_cpu_ns(void)   { return threads_read_clock(CLOCK_PROCESS_CPUTIME_ID); }

/* --- cores ---------------------------------------------------------------------------------------- */

void threads_pin(unsigned index) {
    unsigned wanted = index % (unsigned)CPU_COUNT(&threads.allowed);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &threads.allowed) && wanted-- == 0) {
            cpu_set_t one;
            CPU_ZERO(&one);
            CPU_SET(cpu, &one);
            pthread_setaffinity_np(pthread_self(), sizeof one, &one);
            return;
        }
}

/* --- run delay: the second number of schedstat (proc(5)) ------------------------------------------- */

static uint64_t threads_read_delay(int descriptor) {
    char text[96];
    uint64_t delay = 0;
    ssize_t length = pread(descriptor, text, sizeof text - 1, 0);
    if (length > 0) {
        text[length] = '\0';
        sscanf(text, "%*u %" SCNu64, &delay);
    }
    return delay;
}

uint64_t threads_run_delay_ns(void) {
    uint64_t delay = 0;
    for (unsigned i = 0; i < threads.count; i++)
        delay += threads_read_delay(threads.members[i].schedstat);
    return delay;
}

/* --- the crew ------------------------------------------------------------------------------------- */

static void *threads_live(void *argument) {
    unsigned self = (unsigned)(uintptr_t)argument;
    threads_member *me = &threads.members[self];
    threads_pin(self);
    me->schedstat = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);

    pthread_mutex_lock(&threads.lock);
    for (;;) {
        while (!me->ordered && !threads.over)
            pthread_cond_wait(&threads.orders, &threads.lock);
        if (!me->ordered)
            break;
        pthread_mutex_unlock(&threads.lock);
        threads.task(threads.context, self);
        uint64_t stamp_ns = threads_clock_ns();
        pthread_mutex_lock(&threads.lock);
        me->ordered = false;
        if (stamp_ns > threads.ended_ns)
            threads.ended_ns = stamp_ns;
        if (--threads.running == 0)
            pthread_cond_signal(&threads.reports);
    }
    pthread_mutex_unlock(&threads.lock);
    if (threads.at_end)
        threads.at_end();
    return NULL;
}

bool threads_start(unsigned count) {
    threads.count = count;
    threads.over = false;
    if (count == 1) {
        threads.members[0].schedstat = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
        return true;
    }
    for (unsigned i = 0; i < count; i++)
        if (pthread_create(&threads.members[i].id, NULL, threads_live, (void *)(uintptr_t)i) != 0) {
            threads.count = i;
            threads_stop(NULL);
            return false;
        }
    return true;
}

uint64_t threads_run(unsigned first, unsigned last, threads_task *task, void *context) {
    if (threads.count == 1) {
        uint64_t start_ns = threads_clock_ns();
        task(context, 0);
        return threads_clock_ns() - start_ns;
    }
    if (first == last)
        return 0;
    pthread_mutex_lock(&threads.lock);
    threads.task = task;
    threads.context = context;
    threads.running = last - first;
    threads.ended_ns = 0;
    for (unsigned i = first; i < last; i++)
        threads.members[i].ordered = true;
    uint64_t start_ns = threads_clock_ns();
    pthread_cond_broadcast(&threads.orders);
    while (threads.running > 0)
        pthread_cond_wait(&threads.reports, &threads.lock);
    pthread_mutex_unlock(&threads.lock);
    return threads.ended_ns - start_ns;
}

void threads_stop(void (*at_end)(void)) {
    bool crew = threads.members[0].id != 0;
    pthread_mutex_lock(&threads.lock);
    threads.over = true;
    threads.at_end = at_end;
    pthread_cond_broadcast(&threads.orders);
    pthread_mutex_unlock(&threads.lock);
    for (unsigned i = 0; crew && i < threads.count; i++)
        pthread_join(threads.members[i].id, NULL);
    for (unsigned i = 0; i < threads.count; i++)
        close(threads.members[i].schedstat);
    memset(threads.members, 0, sizeof threads.members);
}

static void *threads_nothing(void *unused) { return unused; }

bool threads_begin(void) {
    pthread_t thread;
    CPU_ZERO(&threads.allowed);
    sched_getaffinity(0, sizeof threads.allowed, &threads.allowed);
    return pthread_create(&thread, NULL, threads_nothing, NULL) == 0 && pthread_join(thread, NULL) == 0;
}
