/* SPDX-License-Identifier: MIT
 * tick_gil.c - one semaphore. */
#include <errno.h>
#include <semaphore.h>

#include "../collector.h"
#include "../pause.h"

int64_t tick_gil_left;

static struct {
    sem_t    semaphore;
    mutator *last_holder;
    _Atomic uint64_t switches;
    int64_t  ticks;
} tick_gil;

void tick_gil_open(void) {
    sem_init(&tick_gil.semaphore, 0, 1);
    tick_gil.last_holder = NULL;
    tick_gil.switches = 0;
    tick_gil.ticks = tick_gil_left = collector_option_value("ticks");
}

static void tick_gil_wait(void) {
    pause_begin();
    while (sem_wait(&tick_gil.semaphore) != 0 && errno == EINTR) {}
    pause_end(PAUSE_GIL);
}

void tick_gil_take(mutator *m) {
    if (sem_trywait(&tick_gil.semaphore) != 0) tick_gil_wait();
    tick_gil.switches += tick_gil.last_holder != m;
    tick_gil.last_holder = m;
}

void tick_gil_drop(mutator *m) {
    (void)m;
    sem_post(&tick_gil.semaphore);
}

SLOW void tick_gil_yield(mutator *m) {
    tick_gil_left = tick_gil.ticks;
    tick_gil_drop(m);
    tick_gil_take(m);
}

uint64_t tick_gil_switches(void) { return tick_gil.switches; }
