/* SPDX-License-Identifier: MIT
 * list.h - what this executable has: for people (--help, --list) and for programs (--list=json).
 */
#ifndef REFARENA_LIST_H
#define REFARENA_LIST_H

void list_help(const char *executable);
void list_text(void);
void list_json(void);

#endif
