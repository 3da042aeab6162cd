/* SPDX-License-Identifier: MIT */
#include "dispatch/binding.h"

#include "dispatch/io.h"
#include "dispatch/public.h"
#include "runtime/file.h"

#include <stdlib.h>

#define BUCKETS 1024u

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static List buckets[BUCKETS];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void buckets_init(void) {
        for (unsigned i = 0; i < BUCKETS; i++)
                list_init(&buckets[i]);
}

static List *bucket_of(uint64_t file) {
        pthread_once(&once, buckets_init);
        return &buckets[file % BUCKETS];
}

static Binding *find_locked(const dispatch_t *dpp, uint64_t file) {
        Binding *binding;

        LIST_FOREACH(binding, bucket_of(file), Binding, link)
                if (binding->file == file && binding->dpp == dpp)
                        return binding;
        return NULL;
}

Binding *binding_get_file(dispatch_t *dpp, uint64_t file) {
        Binding *binding;

        pthread_mutex_lock(&mutex);
        binding = find_locked(dpp, file);
        if (binding)
                binding->users++;
        pthread_mutex_unlock(&mutex);
        return binding;
}

static Binding *temporary_of(resmgr_context_t *ctp) {
        Binding *binding = context_of(ctp)->temporary;

        if (binding) {
                pthread_mutex_lock(&mutex);
                binding->users++;
                pthread_mutex_unlock(&mutex);
        }
        return binding;
}

Binding *binding_get(resmgr_context_t *ctp) {
        uint64_t file;

        if (context_of(ctp)->temporary)
                return temporary_of(ctp);
        if (file_of_message(context_of(ctp)->rcvid, &file) < 0)
                return NULL;
        return binding_get_file(ctp->dpp, file);
}

static bool release(Binding *binding) {
        bool is_last;

        pthread_mutex_lock(&mutex);
        is_last = --binding->users == 0 && binding->is_gone;
        pthread_mutex_unlock(&mutex);
        return is_last;
}

void binding_put(resmgr_context_t *ctp, Binding *binding) {
        if (!release(binding))
                return;
        if (ctp && binding->ocb)
                io_close_ocb(ctp, binding);
        free(binding);
}

void binding_end(Binding *binding) {
        pthread_mutex_lock(&mutex);
        if (!binding->is_gone)
                list_unlink(&binding->link);
        binding->is_gone = true;
        pthread_mutex_unlock(&mutex);
}

/* ---- life ---- */

/* A combine message that closes again works on a binding of its own, which no other message can find. */
static void enter(Context *context, Binding *binding) {
        Binding *old;

        if (!context->opens_for_good) {
                binding->is_gone = true;
                binding->users = 1;
                context->temporary = binding;
                return;
        }
        pthread_mutex_lock(&mutex);
        old = find_locked(binding->dpp, binding->file);
        if (old) {
                list_unlink(&old->link);
                old->is_gone = true;
                old->ocb = NULL;
        }
        list_append(bucket_of(binding->file), &binding->link);
        pthread_mutex_unlock(&mutex);
        if (old && old->users == 0)
                free(old);
}

int binding_new(resmgr_context_t *ctp, void *ocb, const resmgr_io_funcs_t *io) {
        Context *context = context_of(ctp);
        Binding *binding;
        int r;

        binding = calloc(1, sizeof(*binding));
        if (!binding)
                return -ENOMEM;
        *binding = (Binding){ .dpp = ctp->dpp, .id = ctp->id, .info = ctp->info, .ocb = ocb, .io = io };
        list_init(&binding->link);
        if (context->opens_for_good) {
                r = file_of_message(context->rcvid, &binding->file);
                if (r < 0) {
                        free(binding);
                        return r;
                }
        }
        enter(context, binding);
        return 0;
}

int binding_forget(resmgr_context_t *ctp) {
        Binding *binding = binding_get(ctp);

        if (!binding)
                return -EINVAL;
        binding->ocb = NULL;
        binding_end(binding);
        binding_put(NULL, binding);
        return 0;
}

/* ---- the public side ---- */

PUBLIC int resmgr_open_bind(resmgr_context_t *ctp, void *ocb, const resmgr_io_funcs_t *io) {
        int r = binding_new(ctp, ocb, io);

        return r < 0 ? fail(-r) : 0;
}

PUBLIC int resmgr_unbind(resmgr_context_t *ctp) {
        int r = binding_forget(ctp);

        return r < 0 ? fail(-r) : 0;
}

PUBLIC void *resmgr_ocb(resmgr_context_t *ctp) {
        Binding *binding = binding_get(ctp);
        void *ocb;

        if (!binding)
                return NULL;
        ocb = binding->ocb;
        binding_put(ctp, binding);
        return ocb;
}

PUBLIC const resmgr_io_funcs_t *resmgr_iofuncs(resmgr_context_t *ctp, const resmgr_io_funcs_t *io) {
        Binding *binding = binding_get(ctp);
        const resmgr_io_funcs_t *before;

        if (!binding)
                return NULL;
        before = binding->io;
        if (io)
                binding->io = io;
        binding_put(ctp, binding);
        return before;
}
