/* SPDX-License-Identifier: MIT
 * topology.c - the order of cores, from sysfs.
 *
 *     2 fast cores of 2 hyperthreads, 4 slow ones      0 1 | 2 3 | 4 | 5 | 6 | 7
 *     two threads: 0 2      three or four: 4 5 6 7      more: 0 2 4 5 6 7, then 1 3
 *
 * The same rule as scripts/topology.py, which says why; tests/test_topology.py holds the two against each other. The
 * runner says --cpus and this is not asked; it is for executables that are run by hand.
 * Files are read with read(2) into fixed tables: stdio would allocate before there is an allocator.
 */
#include "topology.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TOPOLOGY_TEXT = 4096, TOPOLOGY_PATH = 512, TOPOLOGY_NODES = 64 };
enum { TOPOLOGY_SAME_KIND = 90 };       /* percent: speeds that differ by less are one kind */

typedef struct topology_cpu {
    unsigned number, core;              /* core: the least number among its hyperthreads */
    unsigned socket, node, kind;        /* kind 0: the fastest */
    unsigned type;                      /* of an Intel hybrid: the place in topology_types */
    long     speed;                     /* 0: not told */
    bool     second;                    /* a lower number of the same physical core may be used too */
    bool     strange;                   /* not of the chosen kind */
    unsigned on_socket, on_node;        /* physical cores like it */
} topology_cpu;

static const char *const topology_types[] = { "cpu_core", "cpu_atom", "cpu_lowpower" };   /* the fastest first */
enum { TOPOLOGY_TYPES = sizeof topology_types / sizeof *topology_types };

static topology_cpu topology_cpus[CPU_SETSIZE];

/* --- sysfs ---------------------------------------------------------------------------------------- */

static const char *topology_read(const char *root, const char *path) {
    static char text[TOPOLOGY_TEXT];
    char whole[TOPOLOGY_PATH];
    snprintf(whole, sizeof whole, "%s/sys/devices/%s", root, path);
    int file = open(whole, O_RDONLY | O_CLOEXEC);
    ssize_t length = file < 0 ? 0 : read(file, text, sizeof text - 1);
    if (file >= 0)
        close(file);
    text[length > 0 ? length : 0] = '\0';
    return text;
}

static const char *topology_of(const char *root, unsigned cpu, const char *name) {
    char path[128];
    snprintf(path, sizeof path, "system/cpu/cpu%u/%s", cpu, name);
    return topology_read(root, path);
}

/* "0-3,8" as a set; what is no such list is empty. */
static void topology_list(const char *text, cpu_set_t *set) {
    CPU_ZERO(set);
    while (*text >= '0' && *text <= '9') {
        char *end;
        unsigned long first = strtoul(text, &end, 10), last = *end == '-' ? strtoul(end + 1, &end, 10) : first;
        for (; first <= last && first < CPU_SETSIZE; first++)
            CPU_SET(first, set);
        text = *end == ',' ? end + 1 : end;
    }
}

static unsigned topology_core(const char *root, unsigned cpu) {
    cpu_set_t siblings;
    unsigned least = 0;
    topology_list(topology_of(root, cpu, "topology/thread_siblings_list"), &siblings);
    if (!CPU_ISSET(cpu, &siblings))
        return cpu;
    while (!CPU_ISSET(least, &siblings))
        least++;
    return least;
}

static long topology_number(const char *root, unsigned cpu, const char *name) {
    const char *text = topology_of(root, cpu, name);
    return *text >= '0' && *text <= '9' ? strtol(text, NULL, 10) : -1;
}

static void topology_nodes(const char *root, topology_cpu *cpus, unsigned count) {
    cpu_set_t online, here;
    char path[64];
    topology_list(topology_read(root, "system/node/online"), &online);
    for (unsigned node = TOPOLOGY_NODES; node-- > 0; ) {        /* the least that has it, as in topology.py */
        if (!CPU_ISSET(node, &online))
            continue;
        snprintf(path, sizeof path, "system/node/node%u/cpulist", node);
        topology_list(topology_read(root, path), &here);
        for (unsigned i = 0; i < count; i++)
            if (CPU_ISSET(cpus[i].number, &here))
                cpus[i].node = node;
    }
}

static void topology_speeds(const char *root, topology_cpu *cpus, unsigned count) {
    static const char *const names[] = { "cpu_capacity", "cpufreq/cpuinfo_max_freq" };
    for (unsigned n = 0; n < 2; n++) {
        long least = LONG_MAX;
        for (unsigned i = 0; i < count; i++) {
            cpus[i].speed = topology_number(root, cpus[i].number, names[n]);
            least = cpus[i].speed < least ? cpus[i].speed : least;
        }
        if (least > 0)
            return;
    }
    for (unsigned i = 0; i < count; i++)
        cpus[i].speed = 0;                                      /* not every core tells */
}

static void topology_type(const char *root, topology_cpu *cpus, unsigned count) {
    for (unsigned type = TOPOLOGY_TYPES; type-- > 0; ) {
        cpu_set_t here;
        char path[64];
        snprintf(path, sizeof path, "%s/cpus", topology_types[type]);
        topology_list(topology_read(root, path), &here);
        for (unsigned i = 0; i < count; i++)
            if (CPU_ISSET(cpus[i].number, &here))
                cpus[i].type = type;
    }
}

/* --- the rule ------------------------------------------------------------------------------------- */

static int topology_compare(long a, long b) { return a < b ? -1 : a > b; }

/* insertion sort, which is stable and allocates nothing; glibc's qsort does for large tables */
static void topology_sort(topology_cpu *cpus, unsigned count, int (*compare)(const topology_cpu *, const topology_cpu *)) {
    for (unsigned i = 1; i < count; i++) {
        topology_cpu moved = cpus[i];
        unsigned at = i;
        for (; at > 0 && compare(&moved, &cpus[at - 1]) < 0; at--)
            cpus[at] = cpus[at - 1];
        cpus[at] = moved;
    }
}

static int topology_by_speed(const topology_cpu *a, const topology_cpu *b) {
    return a->type != b->type ? topology_compare(a->type, b->type) : topology_compare(b->speed, a->speed);
}

/* Numbers the kinds from the fastest on: one ends where a core is slower than 90 % of its fastest. */
static unsigned topology_kinds(topology_cpu *cpus, unsigned count) {
    const topology_cpu *top = &cpus[0];
    topology_sort(cpus, count, topology_by_speed);
    for (unsigned i = 0; i < count; i++) {
        bool starts = cpus[i].type != top->type || 100 * cpus[i].speed < TOPOLOGY_SAME_KIND * top->speed;
        cpus[i].kind = i == 0 ? 0 : cpus[i - 1].kind + starts;
        top = i == 0 || starts ? &cpus[i] : top;
    }
    return cpus[count - 1].kind + 1;
}

/* Marks second hyperthreads, and counts the physical cores of each kind, on each socket and node. */
static void topology_count(topology_cpu *cpus, unsigned count) {
    for (unsigned i = 0; i < count; i++)
        for (unsigned other = 0; other < count; other++)
            cpus[i].second |= cpus[other].core == cpus[i].core && cpus[other].number < cpus[i].number;
    for (unsigned i = 0; i < count; i++)
        for (unsigned other = 0; other < count; other++) {
            bool like = !cpus[other].second && cpus[other].kind == cpus[i].kind && cpus[other].socket == cpus[i].socket;
            cpus[i].on_socket += like;
            cpus[i].on_node += like && cpus[other].node == cpus[i].node;
        }
}

/* The fastest kind with so many physical cores; `kinds` where none has. */
static unsigned topology_choose(const topology_cpu *cpus, unsigned count, unsigned kinds, unsigned threads) {
    for (unsigned kind = 0; kind < kinds; kind++) {
        unsigned cores = 0;
        for (unsigned i = 0; i < count; i++)
            cores += cpus[i].kind == kind && !cpus[i].second;
        if (cores >= threads)
            return kind;
    }
    return kinds;
}

static int topology_by_rule(const topology_cpu *a, const topology_cpu *b) {
    const long left[]  = { a->second, a->strange, a->kind, -(long)a->on_socket, a->socket, -(long)a->on_node, a->node, a->number };
    const long right[] = { b->second, b->strange, b->kind, -(long)b->on_socket, b->socket, -(long)b->on_node, b->node, b->number };
    for (unsigned i = 0; i < sizeof left / sizeof *left; i++)
        if (left[i] != right[i])
            return topology_compare(left[i], right[i]);
    return 0;
}

unsigned topology_order(const char *root, const cpu_set_t *allowed, unsigned threads, unsigned *order) {
    topology_cpu *cpus = topology_cpus;
    unsigned count = 0;
    memset(cpus, 0, sizeof topology_cpus);
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, allowed)) {
            long socket = topology_number(root, cpu, "topology/physical_package_id");
            cpus[count].number = cpu;
            cpus[count].core = topology_core(root, cpu);
            cpus[count++].socket = socket > 0 ? (unsigned)socket : 0;
        }
    if (count == 0)
        return 0;
    topology_nodes(root, cpus, count);
    topology_speeds(root, cpus, count);
    topology_type(root, cpus, count);
    unsigned kinds = topology_kinds(cpus, count);
    topology_count(cpus, count);
    unsigned chosen = topology_choose(cpus, count, kinds, threads);
    for (unsigned i = 0; i < count; i++)
        cpus[i].strange = cpus[i].kind != chosen;
    topology_sort(cpus, count, topology_by_rule);
    for (unsigned i = 0; i < count; i++)
        order[i] = cpus[i].number;
    return count;
}

bool topology_share_a_core(const char *root, const unsigned *cpus, unsigned count) {
    cpu_set_t taken;
    CPU_ZERO(&taken);
    for (unsigned i = 0; i < count; i++) {
        unsigned core = topology_core(root, cpus[i]);
        if (CPU_ISSET(core, &taken))
            return true;
        CPU_SET(core, &taken);
    }
    return false;
}
