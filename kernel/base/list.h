/* SPDX-License-Identifier: MIT */
/*
 * List: doubly linked, intrusive, circular with a head. A member can leave without knowing its list,
 * and an unlinked member may leave again, so teardown needs no bookkeeping.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef struct List List;

struct List {
        List *next;
        List *previous;
};

#define LIST_INIT(list) { .next = &(list), .previous = &(list) }

/* The structure of @type around its @member that @link points to. */
#define LIST_ENTRY(link, type, member) ((type *)((char *)(link)-offsetof(type, member)))

/* Walks @list; the body may unlink or free @entry, but no other member. */
#define LIST_FOREACH(entry, list, type, member)                                                    \
        for (List *at_##entry = (list)->next, *after_##entry = at_##entry->next;                   \
             at_##entry != (list) && ((entry) = LIST_ENTRY(at_##entry, type, member), true);       \
             at_##entry = after_##entry, after_##entry = at_##entry->next)

static inline void list_init(List *list) {
        list->next = list->previous = list;
}

static inline bool list_is_empty(const List *list) {
        return list->next == list;
}

static inline void list_insert_before(List *where, List *link) {
        link->previous = where->previous;
        link->next = where;
        where->previous->next = link;
        where->previous = link;
}

static inline void list_append(List *list, List *link) {
        list_insert_before(list, link);
}

static inline void list_prepend(List *list, List *link) {
        list_insert_before(list->next, link);
}

static inline void list_unlink(List *link) {
        link->previous->next = link->next;
        link->next->previous = link->previous;
        list_init(link);
}

static inline List *list_first(List *list) {
        return list_is_empty(list) ? NULL : list->next;
}

static inline List *list_last(List *list) {
        return list_is_empty(list) ? NULL : list->previous;
}

#define LIST_FIRST(list, type, member)                                                             \
        (list_is_empty(list) ? NULL : LIST_ENTRY((list)->next, type, member))
