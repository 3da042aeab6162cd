/* SPDX-License-Identifier: MIT */
#include "cast.h"

#include "baseline.h"
#include "crew.h"
#include "server.h"
#include "stats.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/neutrino.h>
#include <time.h>
#include <unistd.h>

#define CAST_SECONDS 120u
#define WORK         1600u /* units, of about a microsecond */
#define UNIT         800u
#define HOG_COMES    (WORK / 4 * 3)
#define REST_NS      50000

/* ---- everybody ---- */

static int become(int priority) {
        const struct sched_param param = { .sched_priority = priority };
        struct sched_param kernel;

        if (SchedSet(0, 0, SCHED_FIFO, &param) < 0)
                return -errno;
        memset(&kernel, 0, sizeof(kernel));
        return pthread_getschedparam(pthread_self(), &(int){ 0 }, &kernel) ? -ESRCH : 0;
}

static void raise_word(volatile uint32_t *word) {
        ++*word;
        baseline_wake(word);
}

static void rest(void) {
        const struct timespec pause = { .tv_nsec = REST_NS };

        nanosleep(&pause, NULL);
}

static void work_unit(void) {
        for (volatile unsigned i = 0; i < UNIT; i++)
                ;
}

/* What the low one does with the prize. A quarter of the way it meets the hog; before, who waits falls asleep. */
static void work(Scene *scene, bool meets_hog) {
        if (meets_hog)
                SchedYield();
        for (scene->left = WORK; scene->left > 0; scene->left--) {
                if (meets_hog && scene->left == HOG_COMES)
                        raise_word(&scene->go_hog);
                work_unit();
        }
}

/* ---- the hog ---- */

static void play_hog(Scene *scene) {
        for (uint32_t seen = scene->go_hog;; seen++) {
                uint64_t end;

                baseline_wait(&scene->go_hog, seen);
                end = now_ns() + scene->hog_ns;
                scene->hog_runs = 1;
                while (!scene->hog_stop && now_ns() < end)
                        ;
                scene->hog_runs = 0;
        }
}

/* ---- servers ---- */

static void serve_one(Scene *scene, unsigned i, int next, int rcvid, char what) {
        if (what == 'L' && i > 0)
                MsgSend(next, &what, 1, NULL, 0);
        else if (what == 'L')
                work(scene, true);
        MsgReply(rcvid, 0, NULL, 0);
}

static void play_server(Scene *scene, unsigned i, int gate[2]) {
        int next = i > 0 ? server_attach(&scene->servers[i - 1]) : 0;
        int chid = ChannelCreate(scene->channel_flags);
        char what = 0;

        if (chid < 0 || next < 0)
                crew_exit(-errno);
        scene->servers[i] = (Address){ getpid(), chid };
        gate_write(gate, "", 1);
        for (;;) {
                int rcvid = MsgReceive(chid, &what, 1, NULL);

                if (rcvid > 0)
                        serve_one(scene, i, next, rcvid, what);
                else if (rcvid < 0 && errno != EINTR)
                        crew_exit(-errno);
        }
}

static void play_low_client(Scene *scene, int gate[2]) {
        int coid = server_attach(&scene->servers[scene->depth - 1]);

        if (coid < 0)
                crew_exit(coid);
        gate_write(gate, "", 1);
        for (uint32_t seen = scene->go_low;; seen++) {
                baseline_wait(&scene->go_low, seen);
                if (MsgSend(coid, "L", 1, NULL, 0) < 0)
                        crew_exit(-errno);
                scene->low_done++;
        }
}

/* ---- mutexes ---- */

static void make_mutexes(Scene *scene) {
        pthread_mutexattr_t inherit;

        pthread_mutexattr_init(&inherit);
        pthread_mutexattr_setprotocol(&inherit, PTHREAD_PRIO_INHERIT);
        pthread_mutexattr_setpshared(&inherit, PTHREAD_PROCESS_SHARED);
        for (unsigned i = 0; i < scene->depth; i++)
                pthread_mutex_init(&scene->mutexes[i], &inherit);
        pthread_mutexattr_destroy(&inherit);
}

/* Each takes its own, lets the next one come, and wants the one before. The first works when all are there. */
static void hold_mutex(Scene *scene, unsigned i) {
        bool is_last = i + 1 == scene->depth;
        uint32_t chained = scene->chained;

        pthread_mutex_lock(&scene->mutexes[i]);
        raise_word(is_last ? &scene->chained : &scene->go_chain[i + 1]);
        if (i > 0) {
                pthread_mutex_lock(&scene->mutexes[i - 1]);
                pthread_mutex_unlock(&scene->mutexes[i - 1]);
        } else {
                if (!is_last)
                        baseline_wait(&scene->chained, chained);
                work(scene, true);
        }
        pthread_mutex_unlock(&scene->mutexes[i]);
        if (is_last)
                scene->low_done++;
}

static void play_holder(Scene *scene, unsigned i, int gate[2]) {
        volatile uint32_t *go = i ? &scene->go_chain[i] : &scene->go_low;

        gate_write(gate, "", 1);
        for (uint32_t seen = *go;; seen++) {
                baseline_wait(go, seen);
                hold_mutex(scene, i);
        }
}

/* ---- the idle one of the baseline ---- */

static void play_pong(Scene *scene, int gate[2]) {
        gate_write(gate, "", 1);
        for (uint32_t seen = scene->ping;;) {
                baseline_wait(&scene->ping, seen);
                scene->pong = ++seen;
                baseline_wake(&scene->pong);
        }
}

/* ---- the cast ---- */

typedef enum Role { ROLE_HOG, ROLE_SERVER, ROLE_LOW_CLIENT, ROLE_HOLDER, ROLE_PONG } Role;

static _Noreturn void play(Scene *scene, Role role, unsigned i, int gate[2]) {
        int r = become(role == ROLE_HOG ? PRIORITY_HOG : role == ROLE_PONG ? PRIORITY_HIGH : PRIORITY_LOW);

        if (r)
                crew_exit(r);
        if (role == ROLE_HOG) {
                gate_write(gate, "", 1);
                play_hog(scene);
        } else if (role == ROLE_SERVER) {
                play_server(scene, i, gate);
        } else if (role == ROLE_LOW_CLIENT) {
                play_low_client(scene, gate);
        } else if (role == ROLE_HOLDER) {
                play_holder(scene, i, gate);
        } else {
                play_pong(scene, gate);
        }
        crew_exit(-ECANCELED);
}

static int add(Cast *cast, Role role, unsigned i) {
        int gate[2];
        pid_t pid;
        int r = gate_new(gate);

        if (r)
                return r;
        pid = crew_fork(cast->core, CAST_SECONDS);
        if (pid == 0)
                play(cast->scene, role, i, gate);
        r = pid < 0 ? pid : crew_ready(&pid, gate, &(char){ 0 }, 1);
        if (pid > 0)
                cast->members[cast->n_members++] = pid;
        gate_free(gate);
        return r;
}

static int add_prize(Cast *cast) {
        Scene *scene = cast->scene;
        int r = 0;

        for (unsigned i = 0; !r && i < scene->depth; i++)
                r = add(cast, scene->prize == PRIZE_SERVER ? ROLE_SERVER : ROLE_HOLDER, i);
        if (!r && scene->prize == PRIZE_SERVER)
                r = add(cast, ROLE_LOW_CLIENT, 0);
        return r;
}

int cast_begin(Cast *cast, Scene *scene, int core) {
        int r;

        *cast = (Cast){ .scene = scene, .core = core };
        make_mutexes(scene);
        r = add(cast, ROLE_HOG, 0);
        if (!r)
                r = scene->prize == PRIZE_FUTEX ? add(cast, ROLE_PONG, 0) : add_prize(cast);
        if (r)
                cast_end(cast);
        return r;
}

void cast_end(Cast *cast) {
        while (cast->n_members > 0)
                crew_end(cast->members[--cast->n_members]);
}

/* ---- the high one ---- */

static void measure_unit(Scene *scene) {
        uint64_t begun = now_ns();

        work(scene, false);
        scene->unit_ns = (double)(now_ns() - begun) / WORK;
}

int high_begin(Scene *scene, int *ret_coid) {
        int r = become(PRIORITY_HIGH);

        *ret_coid = -1;
        if (r)
                return r;
        measure_unit(scene);
        measure_unit(scene); /* the first finds cold code */
        if (scene->prize != PRIZE_SERVER)
                return 0;
        *ret_coid = server_attach(&scene->servers[scene->depth - 1]);
        return *ret_coid < 0 ? *ret_coid : 0;
}

static int want_prize(Scene *scene, int coid) {
        pthread_mutex_t *mutex = &scene->mutexes[scene->depth ? scene->depth - 1 : 0];
        uint32_t last = scene->pong;

        switch (scene->prize) {
        case PRIZE_SERVER:
                return MsgSend(coid, "H", 1, NULL, 0) < 0 ? -errno : 0;
        case PRIZE_MUTEX:
                pthread_mutex_lock(mutex);
                pthread_mutex_unlock(mutex);
                return 0;
        case PRIZE_FUTEX:
                scene->ping = last + 1;
                baseline_wake(&scene->ping);
                baseline_wait(&scene->pong, last);
                return 0;
        }
        return -EINVAL;
}

static int measure(Scene *scene, int coid) {
        double remaining = scene->left * scene->unit_ns;
        uint64_t begun = now_ns();
        int r = want_prize(scene, coid);

        scene->delay_ns = (double)(now_ns() - begun);
        scene->over_ns = scene->delay_ns - remaining;
        scene->hog_stop = 1;
        return r;
}

/* While nothing but the low one is left; a rest for the ordinary threads of this core, too. */
static void let_low_end(const Scene *scene, uint32_t done) {
        do
                rest();
        while (scene->low_done != done + 1);
        rest();
}

int high_trial_busy(Scene *scene, int coid) {
        uint32_t done = scene->low_done;
        int r;

        scene->hog_stop = 0;
        raise_word(&scene->go_low);
        do
                rest();
        while (!scene->hog_runs);
        r = measure(scene, coid);
        let_low_end(scene, done);
        return r;
}

/* The server is low again when the low one has used it. */
static void calm(Scene *scene) {
        uint32_t done = scene->low_done;

        if (scene->prize != PRIZE_SERVER)
                return;
        scene->hog_stop = 1;
        raise_word(&scene->go_low);
        let_low_end(scene, done);
}

int high_trial_idle(Scene *scene, int coid) {
        int r;

        calm(scene);
        rest();
        scene->hog_stop = 0;
        raise_word(&scene->go_hog);
        do
                rest();
        while (!scene->hog_runs);
        r = measure(scene, coid);
        rest();
        return r;
}
