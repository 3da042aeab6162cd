/* SPDX-License-Identifier: MIT */
/*
 * Attach: one resmgr_attach(): tables, handle, and the name that the daemon keeps for it.
 *
 * ids are small numbers, unique in the process, and stand in the connect messages of clients. A connect function that
 * runs holds its attach; resmgr_detach() waits for it.
 */
#pragma once

#include "dispatch/handle.h"

typedef struct Attach {
        int id;
        dispatch_t *dpp;
        const resmgr_attr_t *attr; /* may be NULL */
        const resmgr_connect_funcs_t *connect;
        const resmgr_io_funcs_t *io;
        RESMGR_HANDLE_T *handle;
        char *path;       /* NULL: no name */
        uint32_t path_id; /* the daemon's, 0 = none */
        unsigned users;   /* connect functions that run */
        bool is_going;    /* somebody detaches it */
} Attach;

/* NULL: there is none of @dpp. Then attach_put(). */
Attach *attach_get(dispatch_t *dpp, int id);
/* The first of @dpp with an id >= *id, which becomes its id. */
Attach *attach_get_next(dispatch_t *dpp, int *id);
void attach_put(Attach *attach);

/* The io functions of the attach that the message at hand is for. */
const resmgr_io_funcs_t *attach_io_funcs(const resmgr_context_t *ctp);

/* Detaches all of @dpp. */
void attach_end_all(dispatch_t *dpp);
