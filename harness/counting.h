/* SPDX-License-Identifier: MIT
 * counting.h - the untimed pass that proves the work was not deleted by the compiler.
 */
#ifndef REFARENA_COUNTING_H
#define REFARENA_COUNTING_H

#include "session.h"

typedef struct counting_figures {
    bool     known;                     /* the allocator sees each object of this collector */
    uint64_t allocations, bytes;        /* of one unit of all threads; resizes count as allocations */
    uint64_t requested_peak_bytes;      /* asked for and not released, prepare included */
    bool     peak_known;                /* all releases said how many bytes */
} counting_figures;

/* One unit on counted:<allocator> in a child process: nothing of it stays in this one. False where the
 * workload made fewer allocations or bytes than it declares, or could not run. */
bool counting_pass(const options *asked, counting_figures *seen, verdict *said);

#endif
