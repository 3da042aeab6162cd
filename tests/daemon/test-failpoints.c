/* SPDX-License-Identifier: MIT */
/*
 * The daemon is killed at each fail-point that a busy day passes, and followed by another, which may be
 * killed again at each point that it passes while it begins: nobody must notice, and afterwards there must
 * be nothing that belongs to nobody.
 */
#include "day.h"
#include "keeper.h"
#include "suite.h"
#include "wire.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifdef NUNTIUS_FAILPOINTS

#define NAMES_MAX       200
#define HITS_MAX        40

static const char *const quiet[] = { "--log-level", "error", NULL };

typedef struct Names {
        char name[NAMES_MAX][64];
        unsigned n;
} Names;

/* One day that must end as if nothing had happened. Returns how often the daemon died. */
static unsigned day_with_deaths(const char *first, const char *then) {
        unsigned before = daemon_revivals();
        size_t n_at_rest = NOUNS_STORED + 2; /* the listening socket and its lock */
        bool began;

        daemon_use_store();
        daemon_fail_at(first);
        daemon_fail_again_at(then);
        daemon_start(quiet);
        began = daemon_revivals() == before; /* else there may have been nothing to go on with */
        busy_day();
        daemon_fail_at(NULL);
        daemon_fail_again_at(NULL);
        keeper_expect_n(n_at_rest);
        if (began)
                daemon_expect_no_clean_start(daemon_revivals() - before);
        daemon_stop();
        return daemon_revivals() - before;
}

/* ---- all points ---- */

static void names_read(const char *path, Names *names) {
        FILE *file = fopen(path, "r");
        char line[80];

        ck_assert_ptr_nonnull(file);
        while (fgets(line, sizeof(line), file)) {
                unsigned i = 0;

                line[strcspn(line, "\n")] = '\0';
                while (i < names->n && strcmp(names->name[i], line) != 0)
                        i++;
                ck_assert_uint_lt(i, NAMES_MAX);
                if (i == names->n && strncmp(line, "daemon-", 7) == 0)
                        strcpy(names->name[names->n++], line);
        }
        fclose(file);
        unlink(path);
}

static void list_names(const char *first, Names *names) {
        char path[64];

        snprintf(path, sizeof(path), "/tmp/nuntiusd-points-%d", (int)getpid());
        setenv("NUNTIUS_FAILPOINT_LIST", path, 1);
        day_with_deaths(first, NULL);
        unsetenv("NUNTIUS_FAILPOINT_LIST");
        names_read(path, names);
}

/* Shares the work among the tests, since each has a time-out: those with i % n == share. */
static void kill_everywhere(unsigned share, unsigned n_shares) {
        static const unsigned hits[] = { 1, 2, 3, 5, 9, 14, 21, 33 };
        static Names names;
        unsigned n_kills = 0;

        list_names(NULL, &names);
        ck_assert_uint_gt(names.n, 50);
        for (unsigned i = share; i < names.n; i += n_shares)
                for (unsigned k = 0; k < sizeof(hits) / sizeof(hits[0]); k++) {
                        char point[96];
                        unsigned n;

                        snprintf(point, sizeof(point), "%s:%u", names.name[i], hits[k]);
                        if (getenv("VERBOSE"))
                                printf("# %s\n", point), fflush(stdout);
                        n = day_with_deaths(point, NULL);
                        n_kills += n;
                        if (n == 0)
                                break;
                }
        printf("# share %u: %u kills at %u points\n", share, n_kills, names.n);
        fflush(stdout);
}

START_TEST(a_kill_at_each_point_is_noticed_by_nobody_0) {
        kill_everywhere(0, 4);
}
END_TEST

START_TEST(a_kill_at_each_point_is_noticed_by_nobody_1) {
        kill_everywhere(1, 4);
}
END_TEST

START_TEST(a_kill_at_each_point_is_noticed_by_nobody_2) {
        kill_everywhere(2, 4);
}
END_TEST

START_TEST(a_kill_at_each_point_is_noticed_by_nobody_3) {
        kill_everywhere(3, 4);
}
END_TEST

/* By hand: POINT=name:hit, THEN=name:hit. */
START_TEST(one_death) {
        printf("# %u kills\n", day_with_deaths(getenv("POINT"), getenv("THEN")));
        fflush(stdout);
}
END_TEST

/* Where the first dies in the middle of most, its successor dies at each point of its beginning. */
START_TEST(a_kill_at_each_point_of_the_recovery_is_noticed_by_nobody) {
        static const char *const firsts[] = { "daemon-attach-published:3", "daemon-greet-published:2",
                                              "daemon-channel-lanes-gone", "daemon-goodbye-slots-failed",
                                              "daemon-connection-retired", "daemon-journal-committed:9" };
        unsigned n_kills = 0;

        for (unsigned f = 0; f < sizeof(firsts) / sizeof(firsts[0]); f++) {
                static Names names;

                names.n = 0;
                list_names(firsts[f], &names);
                for (unsigned i = 0; i < names.n; i++) {
                        if (strncmp(names.name[i], "daemon-recover", 14) != 0)
                                continue;
                        if (getenv("VERBOSE"))
                                printf("# %s, %s\n", firsts[f], names.name[i]), fflush(stdout);
                        n_kills += day_with_deaths(firsts[f], names.name[i]);
                }
        }
        printf("# %u kills in recoveries\n", n_kills);
        fflush(stdout);
}
END_TEST

int main(void) {
        const TTest *const one[] = { one_death, NULL };
        const TTest *const tests[] = { a_kill_at_each_point_is_noticed_by_nobody_0,
                                       a_kill_at_each_point_is_noticed_by_nobody_1,
                                       a_kill_at_each_point_is_noticed_by_nobody_2,
                                       a_kill_at_each_point_is_noticed_by_nobody_3,
                                       a_kill_at_each_point_of_the_recovery_is_noticed_by_nobody, NULL };

        return suite_run("daemon-failpoints", getenv("POINT") ? one : tests, 300);
}

#else

int main(void) {
        puts("SKIPPED: this build has no fail-points; configure with -Dfailpoints=true for the crash tests");
        return 77;
}

#endif
