/* SPDX-License-Identifier: MIT */
/*
 * Pool: threads that block, handle, and block again, as many as the water marks say.
 *
 *   none     -> BLOCKED   maker: fewer than lo_water are blocked, and fewer than maximum exist: increment more
 *   BLOCKED  -> HANDLING  itself: block_func has returned
 *   HANDLING -> BLOCKED   itself: handler_func has returned, and at most hi_water are blocked
 *   HANDLING -> gone      itself: more than hi_water are blocked, or the pool ends
 *
 * New threads are made by the thread that leaves block_func and so brings the number below lo_water: it is the
 * one that knows.
 */
#include "dispatch/handle.h"
#include "dispatch/public.h"

#include <stdlib.h>

struct _thread_pool {
        thread_pool_attr_t attr;
        unsigned flags;
        pthread_mutex_t mutex;
        pthread_cond_t changed; /* a thread was born, blocked or ended */
        unsigned n_threads;
        unsigned n_blocked;
        bool is_started, is_ending;
};

static bool marks_are_fine(const thread_pool_attr_t *attr) {
        return attr->lo_water <= attr->hi_water && attr->hi_water <= attr->maximum && attr->maximum > 0 &&
               (attr->increment > 0 || attr->lo_water == 0);
}

PUBLIC thread_pool_t *thread_pool_create(thread_pool_attr_t *attr, unsigned flags) {
        thread_pool_t *pool;

        if (!attr || !attr->block_func || !attr->handler_func || !attr->context_alloc || !marks_are_fine(attr))
                return fail_null(EINVAL);
        pool = calloc(1, sizeof(*pool));
        if (!pool)
                return fail_null(ENOMEM);
        pool->attr = *attr;
        pool->flags = flags;
        pthread_mutex_init(&pool->mutex, NULL);
        pthread_cond_init(&pool->changed, NULL);
        return pool;
}

/* ---- a thread's life ---- */

static void report(thread_pool_t *pool, THREAD_POOL_PARAM_T *ctp, int error, int where, unsigned flag) {
        if (pool->attr.error_func && (flag == 0 || pool->flags & flag))
                pool->attr.error_func(ctp, error, where);
}

static void *thread_main(void *data);

static int make_one(thread_pool_t *pool) {
        pthread_attr_t attr;
        pthread_t thread;
        int r;

        if (pool->attr.attr)
                return pthread_create(&thread, pool->attr.attr, thread_main, pool);
        pthread_attr_init(&attr);
        pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
        r = pthread_create(&thread, &attr, thread_main, pool);
        pthread_attr_destroy(&attr);
        return r;
}

/* Counted as blocked from birth, so that nobody makes more in their place meanwhile. */
static int make_locked(thread_pool_t *pool, unsigned n) {
        int r = 0;

        while (n-- > 0 && pool->n_threads < pool->attr.maximum && !pool->is_ending) {
                pool->n_threads++;
                pool->n_blocked++;
                r = make_one(pool);
                if (r == 0)
                        continue;
                pool->n_threads--;
                pool->n_blocked--;
                break;
        }
        pthread_cond_broadcast(&pool->changed);
        return r;
}

static void leave_block(thread_pool_t *pool) {
        pthread_mutex_lock(&pool->mutex);
        pool->n_blocked--;
        if (pool->n_blocked < pool->attr.lo_water)
                make_locked(pool, pool->attr.increment);
        pthread_mutex_unlock(&pool->mutex);
}

/* False: there are enough without this one. */
static bool may_block(thread_pool_t *pool) {
        bool may;

        pthread_mutex_lock(&pool->mutex);
        may = !pool->is_ending && pool->n_blocked < pool->attr.hi_water;
        if (may)
                pool->n_blocked++;
        pthread_cond_broadcast(&pool->changed);
        pthread_mutex_unlock(&pool->mutex);
        return may;
}

static void gone(thread_pool_t *pool) {
        pthread_mutex_lock(&pool->mutex);
        pool->n_threads--;
        pthread_cond_broadcast(&pool->changed);
        pthread_mutex_unlock(&pool->mutex);
}

static void blocked_gone(thread_pool_t *pool) {
        pthread_mutex_lock(&pool->mutex);
        pool->n_blocked--;
        pthread_mutex_unlock(&pool->mutex);
        gone(pool);
}

/* A thread that a program cancels, or that ends in a handler, takes its context with it. */
typedef struct Life {
        thread_pool_t *pool;
        THREAD_POOL_PARAM_T *ctp;
        bool is_blocked;
} Life;

static void life_end(void *data) {
        Life *life = data;

        if (life->ctp && life->pool->attr.context_free)
                life->pool->attr.context_free(life->ctp);
        if (life->is_blocked)
                blocked_gone(life->pool);
        else
                gone(life->pool);
}

static void turn(Life *life) {
        thread_pool_t *pool = life->pool;
        THREAD_POOL_PARAM_T *ctp = pool->attr.block_func(life->ctp);
        int r;

        if (!ctp) {
                report(pool, life->ctp, errno, POOL_ERROR_BLOCK, POOL_FLAG_CALL_BLOCK_ERRF);
                leave_block(pool);
                return;
        }
        life->ctp = ctp;
        life->is_blocked = false;
        leave_block(pool);
        r = pool->attr.handler_func(ctp);
        if (r != 0)
                report(pool, ctp, r, POOL_ERROR_HANDLER, POOL_FLAG_CALL_HANDLE_ERRF);
}

static void live(Life *life) {
        thread_pool_t *pool = life->pool;

        life->ctp = pool->attr.context_alloc(pool->attr.handle);
        if (!life->ctp) {
                report(pool, NULL, errno, POOL_ERROR_CONTEXT, 0);
                return;
        }
        if (pool->attr.tid_name)
                pthread_setname_np(pthread_self(), pool->attr.tid_name);
        do {
                life->is_blocked = true;
                turn(life);
                life->is_blocked = false;
        } while (may_block(pool));
}

static void *thread_main(void *data) {
        Life life = { .pool = data, .is_blocked = true };

        pthread_cleanup_push(life_end, &life);
        live(&life);
        pthread_cleanup_pop(1);
        return NULL;
}

/* ---- start, end ---- */

/* The calling thread is one of them; it counts as blocked until it is. */
static void join_pool(thread_pool_t *pool) {
        pthread_mutex_lock(&pool->mutex);
        pool->n_threads++;
        pool->n_blocked++;
        pthread_mutex_unlock(&pool->mutex);
        thread_main(pool);
        pthread_mutex_lock(&pool->mutex);
        while (pool->n_threads > 0)
                pthread_cond_wait(&pool->changed, &pool->mutex);
        pthread_mutex_unlock(&pool->mutex);
}

PUBLIC int thread_pool_start(void *data) {
        thread_pool_t *pool = data;
        unsigned n;
        int r;

        if (!pool || pool->is_started)
                return fail(EINVAL);
        pool->is_started = true;
        pthread_mutex_lock(&pool->mutex);
        n = pool->attr.lo_water;
        if (pool->flags & POOL_FLAG_USE_SELF && n > 0)
                n--;
        r = make_locked(pool, n);
        pthread_mutex_unlock(&pool->mutex);
        if (r != 0 && pool->n_threads == 0)
                return fail(r);
        if (pool->flags & POOL_FLAG_EXIT_SELF)
                pthread_exit(NULL);
        if (pool->flags & POOL_FLAG_USE_SELF)
                join_pool(pool);
        return 0;
}

/* A wake-up may go to a thread that had just come back by itself: until all have gone, once more. */
static void end_locked(thread_pool_t *pool, THREAD_POOL_PARAM_T *ctp) {
        struct timespec soon;

        pool->is_ending = true;
        while (pool->n_threads > 0) {
                for (unsigned i = 0; i < pool->n_blocked && pool->attr.unblock_func && ctp; i++)
                        pool->attr.unblock_func(ctp);
                clock_gettime(CLOCK_REALTIME, &soon);
                soon.tv_nsec += 20000000;
                if (soon.tv_nsec >= 1000000000) {
                        soon.tv_sec++;
                        soon.tv_nsec -= 1000000000;
                }
                pthread_cond_timedwait(&pool->changed, &pool->mutex, &soon);
        }
}

PUBLIC int thread_pool_destroy(thread_pool_t *pool) {
        THREAD_POOL_PARAM_T *ctp;

        if (!pool)
                return fail(EINVAL);
        ctp = pool->attr.context_alloc(pool->attr.handle); /* for unblock_func, which wants one */
        pthread_mutex_lock(&pool->mutex);
        end_locked(pool, ctp);
        pthread_mutex_unlock(&pool->mutex);
        if (ctp && pool->attr.context_free)
                pool->attr.context_free(ctp);
        pthread_cond_destroy(&pool->changed);
        pthread_mutex_destroy(&pool->mutex);
        free(pool);
        return 0;
}

/* ---- marks ---- */

static int set_marks_locked(thread_pool_t *pool, const thread_pool_attr_t *marks) {
        if (!marks_are_fine(marks))
                return EINVAL;
        pool->attr.lo_water = marks->lo_water;
        pool->attr.hi_water = marks->hi_water;
        pool->attr.maximum = marks->maximum;
        pool->attr.increment = marks->increment;
        if (pool->is_started && pool->n_blocked < pool->attr.lo_water)
                return make_locked(pool, pool->attr.lo_water - pool->n_blocked);
        return 0;
}

PUBLIC int thread_pool_limits(thread_pool_t *pool, int lowater, int hiwater, int maximum, int increment,
                              unsigned flags) {
        thread_pool_attr_t marks;
        int r;

        (void)flags; /* nothing here waits */
        if (!pool)
                return fail(EINVAL);
        pthread_mutex_lock(&pool->mutex);
        marks = pool->attr;
        marks.lo_water = lowater < 0 ? marks.lo_water : (unsigned short)lowater;
        marks.hi_water = hiwater < 0 ? marks.hi_water : (unsigned short)hiwater;
        marks.maximum = maximum < 0 ? marks.maximum : (unsigned short)maximum;
        marks.increment = increment < 0 ? marks.increment : (unsigned short)increment;
        r = set_marks_locked(pool, &marks);
        pthread_mutex_unlock(&pool->mutex);
        return r ? fail(r) : 0;
}

/* How many threads there are, where the program wants to be told: between lower and upper. */
static bool is_between(const thread_pool_t *pool, uint16_t lower, uint16_t upper) {
        return pool->n_threads >= lower && pool->n_threads <= upper;
}

PUBLIC int thread_pool_control(thread_pool_t *pool, thread_pool_attr_t *attr, uint16_t lower, uint16_t upper,
                               unsigned flags) {
        thread_pool_attr_t marks;
        int r;

        if (!pool || !attr || lower > upper)
                return fail(EINVAL);
        pthread_mutex_lock(&pool->mutex);
        marks = pool->attr;
        if (flags & THREAD_POOL_CONTROL_LOWATER)
                marks.lo_water = attr->lo_water;
        if (flags & THREAD_POOL_CONTROL_HIWATER)
                marks.hi_water = attr->hi_water;
        if (flags & THREAD_POOL_CONTROL_MAXIMUM)
                marks.maximum = attr->maximum;
        if (flags & THREAD_POOL_CONTROL_INCREMENT)
                marks.increment = attr->increment;
        r = set_marks_locked(pool, &marks);
        if (r == 0 && flags & THREAD_POOL_CONTROL_NONBLOCK && !is_between(pool, lower, upper))
                r = EAGAIN;
        while (r == 0 && !is_between(pool, lower, upper) && !pool->is_ending)
                pthread_cond_wait(&pool->changed, &pool->mutex);
        pthread_mutex_unlock(&pool->mutex);
        return r ? fail(r) : 0;
}
