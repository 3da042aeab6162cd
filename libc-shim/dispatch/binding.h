/* SPDX-License-Identifier: MIT */
/*
 * Binding: an OCB, tied to a file that clients have open.
 *
 * A file is what open() made: all descriptors that were duplicated, inherited or passed on stand for the same
 * one, and the daemon knows when the last of them is closed. So a link count is not needed for dup and fork; the
 * binding ends with the file.
 *
 *   FREE  -> BOUND  connect handler  resmgr_open_bind                          binding_new
 *   BOUND -> GONE   a thread         _IO_CLOSE, or the file was closed         binding_end
 *   GONE  -> FREE   last user        no handler works on it any more           binding_put
 *
 * close_ocb is called by the last user: a handler that is at work is not overtaken by the close.
 */
#pragma once

#include "dispatch/handle.h"

struct Binding {
        List link;       /* in its bucket */
        uint64_t file;   /* the daemon's number; 0: of one combine message */
        dispatch_t *dpp;
        int id;          /* of the attach */
        struct _msg_info info; /* of the open: whose close it is */
        void *ocb;
        const resmgr_io_funcs_t *io;
        unsigned users;
        bool is_gone;
};

/* Binds the message's file; an older binding of it is forgotten. 0 or -errno. */
int binding_new(resmgr_context_t *ctp, void *ocb, const resmgr_io_funcs_t *io);

/* Of the file that the message came on; NULL if nothing is bound. Then binding_put(). */
Binding *binding_get(resmgr_context_t *ctp);
/* By number. */
Binding *binding_get_file(dispatch_t *dpp, uint64_t file);
/* @ctp: for close_ocb, if this was the last user of one that is gone. */
void binding_put(resmgr_context_t *ctp, Binding *binding);

/* No message finds it any more. */
void binding_end(Binding *binding);

/* Without close_ocb. */
int binding_forget(resmgr_context_t *ctp);
