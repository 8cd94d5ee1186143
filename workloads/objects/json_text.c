/* SPDX-License-Identifier: MIT
 * json_text.c - the reader: one look at each character, a bracket remembered for each open container. */
#include "json_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void json_begin(json_reader *r, const char *text) {
    memset(r, 0, sizeof *r);
    r->text = r->at = text;
}

static json_event json_refuse(json_reader *r, const char *wrong) {
    r->wrong = wrong;
    return JSON_ERROR;
}

static void json_skip_space(json_reader *r) { r->at += strspn(r->at, " \t\r\n"); }

static char json_escaped(char c) {
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *found = c != '\0' ? strchr(from, c) : NULL;
    return found != NULL ? to[found - from] : '\0';
}

/* Behind the opening quote: finds the end, and how many characters it is. */
static json_event json_read_string(json_reader *r, json_event event) {
    r->start = r->at;
    r->length = 0;
    for (; *r->at != '"'; r->at++, r->length++) {
        if ((unsigned char)*r->at < ' ' || (unsigned char)*r->at > '~') return json_refuse(r, "a string ends, or is not ASCII");
        if (*r->at == '\\' && json_escaped(*++r->at) == '\0') return json_refuse(r, "an escape that is not supported");
    }
    r->at++;
    return event;
}

void json_copy_string(const json_reader *r, char *to) {
    const char *from = r->start;
    for (size_t i = 0; i < r->length; i++, from++)
        to[i] = *from == '\\' ? json_escaped(*++from) : *from;
}

static json_event json_read_number(json_reader *r) {
    char *end;
    size_t digits = strspn(r->at + (*r->at == '-'), "0123456789");
    if (digits == 0) return json_refuse(r, "a value is missing");
    errno = 0;
    if (strchr(".eE", r->at[(*r->at == '-') + digits]) != NULL && r->at[(*r->at == '-') + digits] != '\0') {
        r->real = strtod(r->at, &end);
        r->at = end;
        return JSON_REAL;
    }
    r->integer = strtoll(r->at, &end, 10);
    if (errno != 0) return json_refuse(r, "an integer beyond 64 bits");
    r->at = end;
    return JSON_INTEGER;
}

static json_event json_read_word(json_reader *r) {
    static const struct { const char *text; json_event event; } words[] = {{"null", JSON_NULL}, {"true", JSON_TRUE}, {"false", JSON_FALSE}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strncmp(r->at, words[i].text, strlen(words[i].text)) == 0) {
            r->at += strlen(words[i].text);
            return words[i].event;
        }
    return json_read_number(r);
}

static json_event json_open(json_reader *r, char closes, json_event event) {
    if (r->depth == JSON_DEEPEST) return json_refuse(r, "it is nested too deep");
    r->at++;
    r->closes[r->depth++] = closes;
    r->state = JSON_WANTS_FIRST;
    return event;
}

static json_event json_close(json_reader *r) {
    r->at++;
    r->depth--;
    r->state = JSON_WANTS_MORE;
    return JSON_CLOSE;
}

static json_event json_read_value(json_reader *r) {
    if (*r->at == '{') return json_open(r, '}', JSON_OPEN_DICT);
    if (*r->at == '[') return json_open(r, ']', JSON_OPEN_LIST);
    r->state = JSON_WANTS_MORE;
    if (*r->at != '"') return json_read_word(r);
    r->at++;
    return json_read_string(r, JSON_STRING);
}

static bool json_in_dict(const json_reader *r) { return r->depth > 0 && r->closes[r->depth - 1] == '}'; }

/* A key or a value: what an item begins with. */
static json_event json_read_item(json_reader *r) {
    if (!json_in_dict(r)) return json_read_value(r);
    if (*r->at != '"') return json_refuse(r, "a key is missing");
    r->at++;
    r->state = JSON_WANTS_COLON;
    return json_read_string(r, JSON_KEY);
}

json_event json_next(json_reader *r) {
    json_skip_space(r);
    switch (r->state) {
    case JSON_WANTS_VALUE:
        return json_read_value(r);
    case JSON_WANTS_FIRST:
        return *r->at == r->closes[r->depth - 1] ? json_close(r) : json_read_item(r);
    case JSON_WANTS_COLON:
        if (*r->at++ != ':') return r->at--, json_refuse(r, "a colon is missing");
        json_skip_space(r);
        return json_read_value(r);
    case JSON_WANTS_MORE:
        if (r->depth == 0) return *r->at == '\0' ? JSON_END : json_refuse(r, "something follows the document");
        if (*r->at == r->closes[r->depth - 1]) return json_close(r);
        if (*r->at != ',') return json_refuse(r, "a comma or the end of a container is missing");
        r->at++;
        json_skip_space(r);
        return json_read_item(r);
    }
    return json_refuse(r, "the reader is lost");
}
