/* SPDX-License-Identifier: MIT */
#include "dispatch/attach.h"

#include "dispatch/public.h"
#include "runtime/pathname.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define ATTACHES_MAX 65536
#define DEVICE_MAJOR 0x3f0 /* of st_dev of what managers serve: no driver of Linux has it */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t unused = PTHREAD_COND_INITIALIZER;
static Attach **attaches; /* by id */
static int n_places;

/* ---- the table ---- */

static Attach *at_locked(int id) {
        return id >= 0 && id < n_places ? attaches[id] : NULL;
}

static int place_locked(Attach *attach) {
        Attach **more;
        int id = 0, n;

        while (id < n_places && attaches[id])
                id++;
        if (id == ATTACHES_MAX)
                return -EAGAIN;
        if (id == n_places) {
                n = n_places ? 2 * n_places : 16;
                more = realloc(attaches, (size_t)n * sizeof(*more));
                if (!more)
                        return -ENOMEM;
                memset(more + n_places, 0, (size_t)(n - n_places) * sizeof(*more));
                attaches = more;
                n_places = n;
        }
        attaches[id] = attach;
        attach->id = id;
        return id;
}

Attach *attach_get(dispatch_t *dpp, int id) {
        Attach *attach;

        pthread_mutex_lock(&mutex);
        attach = at_locked(id);
        if (attach && (attach->dpp != dpp || attach->is_going))
                attach = NULL;
        if (attach)
                attach->users++;
        pthread_mutex_unlock(&mutex);
        return attach;
}

Attach *attach_get_next(dispatch_t *dpp, int *id) {
        Attach *attach = NULL;

        for (; *id < n_places && !attach; ++*id)
                attach = attach_get(dpp, *id);
        if (attach)
                *id = attach->id;
        return attach;
}

void attach_put(Attach *attach) {
        pthread_mutex_lock(&mutex);
        if (--attach->users == 0)
                pthread_cond_broadcast(&unused);
        pthread_mutex_unlock(&mutex);
}

static void attach_free(Attach *attach) {
        free(attach->path);
        free(attach);
}

const resmgr_io_funcs_t *attach_io_funcs(const resmgr_context_t *ctp) {
        const resmgr_io_funcs_t *io;

        pthread_mutex_lock(&mutex);
        io = at_locked(ctp->id) ? at_locked(ctp->id)->io : NULL;
        pthread_mutex_unlock(&mutex);
        return io;
}

/* ---- resmgr_attach ---- */

static char *absolute(const char *path) {
        char directory[PATH_MAX];
        char *whole;

        if (path[0] == '/')
                return strdup(path);
        if (!getcwd(directory, sizeof(directory)))
                return NULL;
        return asprintf(&whole, "%s/%s", strcmp(directory, "/") == 0 ? "" : directory, path) < 0 ? NULL : whole;
}

static int prepare(dispatch_t *dpp, const resmgr_attr_t *attr) {
        int r = 0;

        dispatch_lock(dpp);
        if (attr)
                r = dispatch_fit_locked(dpp, attr->msg_max_size, attr->nparts_max);
        if (r == 0)
                r = dispatch_need_channel_locked(dpp);
        if (r == 0)
                dpp->serves_files = true;
        dispatch_unlock(dpp);
        return r;
}

static int attach_name(Attach *attach, const char *path, enum _file_type type, unsigned flags) {
        if (!path || (attach->attr && attach->attr->flags & RESMGR_FLAG_ATTACH_LOCAL))
                return 0;
        attach->path = absolute(path);
        if (!attach->path)
                return -ENOMEM;
        return pathname_attach(attach->path, attach->dpp->chid, (uint32_t)attach->id, type, flags,
                               &attach->path_id);
}

static void leave_place(Attach *attach) {
        pthread_mutex_lock(&mutex);
        attaches[attach->id] = NULL;
        pthread_mutex_unlock(&mutex);
}

static int attach_begin(Attach *attach, const char *path, enum _file_type type, unsigned flags) {
        int id, r;

        pthread_mutex_lock(&mutex);
        id = place_locked(attach);
        pthread_mutex_unlock(&mutex);
        if (id < 0)
                return id;
        r = attach_name(attach, path, type, flags);
        if (r == 0)
                return id;
        leave_place(attach);
        return r;
}

PUBLIC int resmgr_attach(dispatch_t *dpp, resmgr_attr_t *attr, const char *path, enum _file_type type,
                         unsigned flags, const resmgr_connect_funcs_t *connect, const resmgr_io_funcs_t *io,
                         RESMGR_HANDLE_T *handle) {
        Attach *attach;
        int r;

        if (!dpp || flags & ~(unsigned)(_RESMGR_FLAG_MASK | _RESMGR_FLAG_DETACH_CTP))
                return fail(EINVAL);
        attach = calloc(1, sizeof(*attach));
        if (!attach)
                return fail(ENOMEM);
        *attach = (Attach){ .dpp = dpp, .attr = attr, .connect = connect, .io = io, .handle = handle };
        r = prepare(dpp, attr);
        if (r < 0) {
                free(attach);
                return fail(-r);
        }
        r = attach_begin(attach, path, type, flags);
        if (r >= 0)
                return r;
        attach_free(attach);
        return fail(-r);
}

PUBLIC int secpol_resmgr_attach(void *policy, dispatch_t *dpp, resmgr_attr_t *attr, const char *path,
                                enum _file_type type, unsigned flags, const resmgr_connect_funcs_t *connect,
                                const resmgr_io_funcs_t *io, RESMGR_HANDLE_T *handle, int *how) {
        (void)policy;
        if (how)
                *how = 0;
        return resmgr_attach(dpp, attr, path, type, flags, connect, io, handle);
}

/* ---- resmgr_detach ---- */

/* From here on no connect function can begin; those that run are waited for. */
static Attach *take_out(dispatch_t *dpp, int id) {
        Attach *attach;

        pthread_mutex_lock(&mutex);
        attach = at_locked(id);
        if (attach && (attach->dpp != dpp || attach->is_going))
                attach = NULL;
        if (attach)
                attach->is_going = true;
        pthread_mutex_unlock(&mutex);
        return attach;
}

static void wait_unused(Attach *attach) {
        pthread_mutex_lock(&mutex);
        while (attach->users > 0)
                pthread_cond_wait(&unused, &mutex);
        attaches[attach->id] = NULL;
        pthread_mutex_unlock(&mutex);
}

static void attach_end(Attach *attach) {
        if (attach->path_id)
                pathname_detach(attach->path_id);
        wait_unused(attach);
        attach_free(attach);
}

PUBLIC int resmgr_detach(dispatch_t *dpp, int id, unsigned flags) {
        Attach *attach = dpp ? take_out(dpp, id) : NULL;

        (void)flags; /* files that are open go on either way: their tables are bound to them */
        if (!attach)
                return fail(EINVAL);
        attach_end(attach);
        return 0;
}

void attach_end_all(dispatch_t *dpp) {
        for (int id = 0; id < n_places; id++) {
                Attach *attach = take_out(dpp, id);

                if (attach)
                        attach_end(attach);
        }
}

/* ---- queries ---- */

PUBLIC int resmgr_pathname(int id, unsigned flags, char *path, int maxbuf) {
        const Attach *attach;
        int length = -1;

        (void)flags;
        pthread_mutex_lock(&mutex);
        attach = at_locked(id);
        if (attach && attach->path)
                length = (int)strlen(attach->path);
        if (length >= 0 && path && maxbuf > length)
                strcpy(path, attach->path);
        pthread_mutex_unlock(&mutex);
        if (length < 0)
                return fail(EINVAL);
        return path && maxbuf <= length ? fail(ERANGE) : length;
}

PUBLIC int resmgr_devino(int id, dev_t *pdevno, ino_t *pino) {
        bool exists;

        pthread_mutex_lock(&mutex);
        exists = at_locked(id) != NULL;
        pthread_mutex_unlock(&mutex);
        if (!exists)
                return fail(EINVAL);
        if (pdevno)
                *pdevno = makedev(DEVICE_MAJOR, (unsigned)getpid() & 0xfffff);
        if (pino)
                *pino = (ino_t)id + 1;
        return 0;
}
