/* SPDX-License-Identifier: MIT
 * sampler.c - a thread that reads /proc/self/statm at intervals: 0.8 microseconds a sample on a kept descriptor.
 *
 * The table is fixed and touched beforehand. When it is full, every second sample is dropped and the interval
 * doubles, so that a run of any length is covered evenly.
 */
#include "sampler.h"

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "../allocators/counted.h"
#include "../allocators/os_page.h"
#include "own.h"
#include "team.h"

enum { SAMPLER_SAMPLES = 8192, SAMPLER_STACK_BYTES = 256 << 10 };

static struct {
    pthread_t       thread;
    atomic_bool     running, ready;         /* ready: the first sample is taken */
    int             statm;
    uint64_t        interval_ns, start_ns;
    sampler_sample *samples;
    unsigned        count;
} sampler;

static int64_t sampler_rss(void) {
    char text[128];
    int64_t pages = 0;
    ssize_t length = pread(sampler.statm, text, sizeof text - 1, 0);
    if (length > 0) {
        text[length] = '\0';
        sscanf(text, "%*d %" SCNd64, &pages);
    }
    return pages * (int64_t)os_page_bytes();
}

static void sampler_thin_out(void) {
    for (unsigned i = 0; i < SAMPLER_SAMPLES / 2; i++)
        sampler.samples[i] = sampler.samples[2 * i];
    sampler.count = SAMPLER_SAMPLES / 2;
    sampler.interval_ns *= 2;
}

static void sampler_take(void) {
    if (sampler.count == SAMPLER_SAMPLES)
        sampler_thin_out();
    sampler.samples[sampler.count++] =
        (sampler_sample){ (int64_t)(team_clock_ns() - sampler.start_ns), sampler_rss(),
                          (int64_t)counted_read().live_bytes };
}

static void *sampler_live(void *unused) {
    uint64_t next_ns = sampler.start_ns;
    while (atomic_load(&sampler.running)) {
        sampler_take();
        atomic_store(&sampler.ready, true);
        next_ns += sampler.interval_ns;
        struct timespec next = { (time_t)(next_ns / 1000000000), (long)(next_ns % 1000000000) };
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
    }
    return unused;
}

void sampler_start(unsigned interval_ms) {
    pthread_attr_t attributes;
    sampler.samples = own_table(SAMPLER_SAMPLES * sizeof *sampler.samples);
    sampler.statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    sampler.interval_ns = interval_ms * UINT64_C(1000000);
    sampler.start_ns = team_clock_ns();
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, SAMPLER_STACK_BYTES);
    atomic_store(&sampler.running, true);
    if (pthread_create(&sampler.thread, &attributes, sampler_live, NULL) != 0) {
        perror("harness: starting the sampler");
        atomic_store(&sampler.running, false);
    }
    pthread_attr_destroy(&attributes);
    while (atomic_load(&sampler.running) && !atomic_load(&sampler.ready))
        sched_yield();                  /* its stack and all else it touches belong to the baseline */
}

void sampler_stop(void) {
    if (!atomic_exchange(&sampler.running, false))
        return;
    pthread_join(sampler.thread, NULL);
    close(sampler.statm);
}

const sampler_sample *sampler_series(unsigned *count) {
    *count = sampler.count;
    return sampler.samples;
}
