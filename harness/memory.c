/* SPDX-License-Identifier: MIT
 * memory.c - the resident set and its peak, by the kernel's word, beside what is live.
 *
 * Never ru_maxrss: a child inherits its parent's peak through exec. VmHWM is reset by writing 5 to
 * /proc/self/clear_refs (proc(5)); smaps_rollup walks the page tables, about 10 ms a gigabyte, and is read at
 * the ends of phases only. All tables are mapped and touched before the baseline is read.
 *
 * To know what is live, the oracle marks the heap and needs memory for that: the peak is saved before it is
 * asked and reset after, so the question is not part of the answer.
 * (I1) peak_rss == max(saved peaks, VmHWM now).
 */
#include "memory.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../workloads/kernel.h"
#include "map.h"
#include "own.h"
#include "sampler.h"
#include "team.h"

static struct {
    const session  *of;                     /* NULL: not in use */
    memory_figures  figures;
    memory_point   *points;
    unsigned        point_count;
    bool            watching;
    size_t          mapped_before;          /* workload_mapped_bytes at the baseline */
    uint64_t        start_ns, moment_ns;
} memory;

/* --- reading the kernel's word ----------------------------------------------------------------------- */

uint64_t memory_status(const char *name) {
    uint64_t bytes;
    kernel_read("/proc/self/status", &name, &bytes, 1);
    return bytes;
}

static void memory_rollup(int64_t *pss, int64_t *uss, int64_t *lazyfree) {
    static const char *const names[] = { "\nPss:", "\nPrivate_Clean:", "\nPrivate_Dirty:", "\nLazyFree:" };
    uint64_t bytes[4];
    kernel_read("/proc/self/smaps_rollup", names, bytes, 4);
    *pss = (int64_t)bytes[0];
    *uss = (int64_t)(bytes[1] + bytes[2]);
    *lazyfree = (int64_t)bytes[3];
}

static int64_t memory_rss(void) { return (int64_t)memory_status("VmRSS:"); }

static void memory_save_peak(void) {
    int64_t peak = (int64_t)memory_status("VmHWM:");
    if (peak > memory.figures.peak_rss)
        memory.figures.peak_rss = peak;
}

static void memory_reset_peak(void) {
    int file = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
    if (file < 0 || write(file, "5", 1) != 1)
        perror("harness: resetting the peak through /proc/self/clear_refs");
    if (file >= 0)
        close(file);
}

/* --- moments --------------------------------------------------------------------------------------- */

/* Live bytes and objects, or MEMORY_UNKNOWN: the oracle must not run beside other mutators. */
static void memory_live(const workload_run *run, bool alone, int64_t *bytes, int64_t *objects) {
    uint64_t live_objects, live_bytes;
    *bytes = *objects = MEMORY_UNKNOWN;
    if (!alone)
        return;
    if (!memory.of->objects) {
        *bytes = (int64_t)run->live_bytes;
        return;
    }
    memory_save_peak();
    if (linked_collector.reachable(&live_objects, &live_bytes)) {
        *bytes = (int64_t)live_bytes;
        *objects = (int64_t)live_objects;
    }
    memory_reset_peak();
}

static void memory_record(const workload_run *run, const char *label, bool alone) {
    memory_point point = { .ns = (int64_t)(team_clock_ns() - memory.start_ns), .rss = memory_rss() };
    snprintf(point.label, sizeof point.label, "%s", label);
    point.has_areas = memory.of->asked->areas && areas_read(memory.of, &point.areas);     /* before the oracle's own */
    memory_live(run, alone, &point.live_bytes, &point.live_objects);
    if (point.live_bytes > memory.figures.live_bytes)
        memory.figures.live_bytes = point.live_bytes;
    map_moment(label);
    if (memory.point_count < MEMORY_MOMENTS)
        memory.points[memory.point_count++] = point;
}

void memory_watch(bool on) { memory.watching = on && memory.of; }

void memory_moment(workload_run *run, const char *label) {
    if (!memory.watching || run->thread != 0)
        return;
    uint64_t start_ns = team_clock_ns();
    memory_record(run, label, run->threads == 1);
    memory.moment_ns += team_clock_ns() - start_ns;
}

uint64_t memory_moment_ns(void) { return memory.moment_ns; }

void memory_at_rest(const char *label) {
    workload_run all = { .live_bytes = 0 };
    if (!memory.of)
        return;
    for (unsigned i = 0; i < memory.of->asked->threads; i++)
        all.live_bytes += memory.of->runs[i].live_bytes;
    memory_record(&all, label, true);
}

/* --- phases ---------------------------------------------------------------------------------------- */

static void memory_ask_allocator(void) {
    allocator_stats stats;
    if (!memory.of->memory->stats(&stats))
        return;
    if (stats.known & ALLOCATOR_KNOWS_HELD)
        memory.figures.held_bytes = (int64_t)stats.held_bytes;
    if (stats.known & ALLOCATOR_KNOWS_USED)
        memory.figures.used_bytes = (int64_t)stats.used_bytes;
}

void memory_take_stock(void) {
    if (!memory.of)
        return;
    memory.figures.end_rss = memory_rss();
    memory_rollup(&memory.figures.end_pss, &memory.figures.end_uss, &memory.figures.end_lazyfree);
    memory_ask_allocator();
    memory.figures.workload_bytes = (int64_t)workload_mapped_bytes() - (int64_t)memory.mapped_before;
    memory_save_peak();
}

void memory_begin(const session *s, unsigned sample_ms) {
    int64_t unused;
    memory.points = own_table(MEMORY_MOMENTS * sizeof *memory.points);
    memory.of = s;
    memory.start_ns = team_clock_ns();
    if (sample_ms)
        sampler_start(sample_ms);
    memory_take_stock();                                        /* touches what reading needs */
    memset(&memory.figures, 0xff, sizeof memory.figures);       /* all MEMORY_UNKNOWN */
    memory.mapped_before = workload_mapped_bytes();
    memory_reset_peak();
    memory.figures.baseline_rss = memory_rss();
    memory_rollup(&unused, &memory.figures.baseline_uss, &unused);
    memory_reset_peak();
}

void memory_end(void) {
    memory_take_stock();
    memory_at_rest("end");
}

void memory_finished(void) {
    if (!memory.of)
        return;
    sampler_stop();
    memory.figures.finished_rss = memory_rss();
    nanosleep(&(struct timespec){ .tv_nsec = 200000000 }, NULL);    /* allocators that purge by the clock */
    memory.figures.finished_after_200ms_rss = memory_rss();
    memory.of->memory->trim();
    memory.figures.finished_trimmed_rss = memory_rss();
}

void memory_forget(void) { memory.of = NULL; }

const memory_figures *memory_get(void) { return memory.of ? &memory.figures : NULL; }

const memory_point *memory_points(unsigned *count) {
    *count = memory.point_count;
    return memory.points;
}
