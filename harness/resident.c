/* SPDX-License-Identifier: MIT
 * resident.c - prepared, warmed up, and asleep until it is handed a turn.
 *
 *     -> {"event":"ready", ...}          (results/README.md has the protocol)
 *     <- turn 20 4
 *     -> {"event":"turn", ...}
 *     <- quit
 *     -> {"event":"bye", ...}
 *
 * Configurations to be compared are such processes, one core, one turn at a time, so that the machine's drift
 * meets all alike. A command is read with read(2) into a fixed line: stdio would allocate.
 */
#include "resident.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "memory.h"

enum { RESIDENT_LINE = 128, RESIDENT_MOST_UNITS = 1000000000 };

/* The next line of standard input without its end; false: there is none. A line too long is cut: no command is
 * that long, so what is left is none either. */
static bool resident_read(char *line) {
    size_t length = 0;
    char next;
    for (;;) {
        ssize_t got = read(STDIN_FILENO, &next, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0 && length == 0)
            return false;
        if (got <= 0 || next == '\n')
            break;
        if (length < RESIDENT_LINE - 1)
            line[length++] = next;
    }
    line[length] = '\0';
    return true;
}

static bool resident_turn(session *s, const char *line, verdict *said) {
    int64_t units, lead_in;
    int end = 0;
    turn_figures taken;
    if (sscanf(line, "turn %" SCNd64 " %" SCNd64 "%n", &units, &lead_in, &end) != 2 || line[end] != '\0' ||
        units < 1 || lead_in < 0 || units > RESIDENT_MOST_UNITS || lead_in > RESIDENT_MOST_UNITS)
        return verdict_say(said, OUTCOME_BAD_INPUT, "standard input: unknown command '%s'; give 'turn UNITS LEAD_IN' "
                           "(1 to %d, 0 to %d) or 'quit'", line, RESIDENT_MOST_UNITS, RESIDENT_MOST_UNITS);
    if (!turn_take(s, (uint64_t)units, (uint64_t)lead_in, &taken, said))
        return false;
    json_t *event = report_round(&taken);
    json_object_set_new(event, "event", json_string("turn"));
    report_print(event);
    return true;
}

bool resident_serve(session *s, const report *about, verdict *said) {
    char line[RESIDENT_LINE];
    memory_take_stock();
    json_t *ready = report_invocation(about);
    json_object_set_new(ready, "event", json_string("ready"));
    report_print(ready);
    while (resident_read(line) && strcmp(line, "quit") != 0)
        if (!resident_turn(s, line, said))
            return false;
    return true;
}

void resident_leave(const report *about) {
    json_t *bye = report_invocation(about);
    json_object_set_new(bye, "event", json_string("bye"));
    report_print(bye);
}
