/* SPDX-License-Identifier: MIT
 * resident.h - a process that waits for turns.
 */
#ifndef REFARENA_RESIDENT_H
#define REFARENA_RESIDENT_H

#include "report.h"

/* Serve standard input until `quit`, its end, or what makes going on impossible (false, and said). */
bool resident_serve(session *s, const report *about, verdict *said);

/* The last line: how it ended. */
void resident_leave(const report *about);

#endif
