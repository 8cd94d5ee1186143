/* SPDX-License-Identifier: MIT
 * json_text.h - a JSON text as a row of events: what opens, what closes, what is in between.
 *
 * Source of the grammar: RFC 8259. Characters beyond ASCII are refused, written as \u or not: a string is one byte a
 * character here.
 */
#ifndef REFARENA_JSON_TEXT_H
#define REFARENA_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JSON_DEEPEST = 500 };

typedef enum json_event {
    JSON_OPEN_DICT, JSON_OPEN_LIST, JSON_CLOSE, JSON_KEY, JSON_STRING, JSON_INTEGER, JSON_REAL, JSON_NULL, JSON_TRUE, JSON_FALSE,
    JSON_END, JSON_ERROR,
} json_event;

typedef struct json_reader {
    const char *text, *at;          /* at: what is read next */
    unsigned    depth;              /* containers open */
    char        closes[JSON_DEEPEST];           /* of each open one: its bracket */
    enum { JSON_WANTS_VALUE, JSON_WANTS_FIRST, JSON_WANTS_COLON, JSON_WANTS_MORE } state;
    const char *start;              /* of a string or key, behind its quote */
    size_t      length;             /* of it, with escapes resolved */
    int64_t     integer;
    double      real;
    const char *wrong;              /* what is wrong at `at`, after JSON_ERROR */
} json_reader;

/* `text` ends in 0. */
void json_begin(json_reader *r, const char *text);

/* The next event, with its value in the reader; after JSON_END or JSON_ERROR there is none. */
json_event json_next(json_reader *r);

/* The `length` characters of the string or key that was read last. */
void json_copy_string(const json_reader *r, char *to);

#endif
