/* SPDX-License-Identifier: MIT
 * topology_subject.c - the harness's order of cores on a machine that is made of files: ROOT ALLOWED THREADS, as in /tmp/x 0,1,4 2. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../harness/topology.h"

int main(int count, char **arguments) {
    static unsigned order[CPU_SETSIZE];
    cpu_set_t allowed;
    if (count != 4)
        return 2;
    CPU_ZERO(&allowed);
    for (char *word = strtok(arguments[2], ","); word; word = strtok(NULL, ","))
        CPU_SET(atoi(word), &allowed);
    unsigned threads = (unsigned)atoi(arguments[3]), cores = topology_order(arguments[1], &allowed, threads, order);
    for (unsigned i = 0; i < cores; i++)
        printf("%u ", order[i]);
    puts(topology_share_a_core(arguments[1], order, threads < cores ? threads : cores) ? "shared" : "apart");
    return 0;
}
