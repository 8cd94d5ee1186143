/* SPDX-License-Identifier: MIT
 * figures.c - a short list of names, each with how often, the sum, the least and the most.
 */
#include "figures.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

static struct {
    pthread_mutex_t lock;
    bool            watching;
    figure          said[FIGURES_MOST];
    unsigned        count;
} figures = { .lock = PTHREAD_MUTEX_INITIALIZER };

static figure *figures_find(const char *name) {
    for (unsigned i = 0; i < figures.count; i++)
        if (strcmp(figures.said[i].name, name) == 0)
            return &figures.said[i];
    assert(figures.count < FIGURES_MOST);
    figures.said[figures.count].name = name;
    return &figures.said[figures.count++];
}

void figures_watch(bool on) { figures.watching = on; }

void figures_say(workload_run *run, const char *name, double value) {
    (void)run;
    if (!figures.watching)
        return;
    pthread_mutex_lock(&figures.lock);
    figure *f = figures_find(name);
    f->least = f->count == 0 || value < f->least ? value : f->least;
    f->most = f->count == 0 || value > f->most ? value : f->most;
    f->sum += value;
    f->count++;
    pthread_mutex_unlock(&figures.lock);
}

const figure *figures_said(unsigned *count) {
    *count = figures.count;
    return figures.said;
}
