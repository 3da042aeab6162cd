/* SPDX-License-Identifier: MIT */
/* The system logger, with a socket in place of the journal's, and a pipe in place of standard error. */
#include "../harness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/slog.h>
#include <sys/slog2.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char path[64];
static char entry[8192];
static ssize_t n_entry;

static int journal_new(void) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        snprintf(path, sizeof(path), "/tmp/nuntius-test-journal-%d", (int)getpid());
        strcpy(address.sun_path, path);
        ck_assert_ok(bind(fd, (struct sockaddr *)&address, sizeof(address)));
        ck_assert_ok(setenv("NUNTIUS_JOURNAL", path, 1));
        return fd;
}

static void journal_free(int fd) {
        close(fd);
        unlink(path);
}

static void take(int fd) {
        n_entry = recv(fd, entry, sizeof(entry) - 1, MSG_DONTWAIT);
        ck_assert_msg(n_entry > 0, "no entry");
        entry[n_entry] = '\0';
}

static bool is_quiet(int fd) {
        return recv(fd, entry, sizeof(entry), MSG_DONTWAIT | MSG_PEEK) < 0;
}

/* The text is the last field: its name, eight bytes of length, itself, a newline. */
static const char *text_of_entry(size_t *ret_n) {
        char *at = memmem(entry, (size_t)n_entry, "MESSAGE\n", 8);
        uint64_t n;

        ck_assert_ptr_nonnull(at);
        memcpy(&n, at + 8, 8);
        ck_assert_int_eq(at + 16 + n + 1 - entry, n_entry);
        ck_assert_int_eq(at[16 + n], '\n');
        *ret_n = n;
        return at + 16;
}

static void expect(int fd, const char *fields, const char *text) {
        size_t n;
        const char *found;

        take(fd);
        ck_assert_msg(strncmp(entry, fields, strlen(fields)) == 0, "%s, not %s", entry, fields);
        found = text_of_entry(&n);
        ck_assert_msg(n == strlen(text) && memcmp(found, text, n) == 0, "%.*s, not %s", (int)n, found, text);
}

START_TEST(an_entry_has_its_severity_and_code) {
        static const int priorities[] = { 1, 2, 3, 4, 5, 6, 7, 7 };
        int fd = journal_new();
        char fields[100], text[40];

        for (int i = _SLOG_SHUTDOWN; i <= _SLOG_DEBUG2; i++) {
                errno = 4711;
                ck_assert_int_eq(slogf(_SLOG_SETCODE(_SLOGC_TEST, 3), i, "number %d\nof lines", i), 17);
                ck_assert_int_eq(errno, 4711);
                snprintf(fields, sizeof(fields),
                         "PRIORITY=%d\nSLOG_CODE=%d\nSLOG_SEVERITY=%d\nSYSLOG_IDENTIFIER=test-slog\n",
                         priorities[i], 0x103, i);
                snprintf(text, sizeof(text), "number %d\nof lines", i);
                expect(fd, fields, text);
        }
        journal_free(fd);
}
END_TEST

START_TEST(bytes_and_numbers_are_hexadecimal) {
        int fd = journal_new();

        ck_assert_int_eq(slogb(1, _SLOG_INFO, "\x01\xab\xff", 3), 3);
        expect(fd, "PRIORITY=6\nSLOG_CODE=1\n", "01 ab ff");
        ck_assert_int_eq(slogi(1, _SLOG_INFO, 2, 16, -1), 8);
        expect(fd, "PRIORITY=6\n", "0x10 0xffffffff");
        journal_free(fd);
}
END_TEST

START_TEST(a_long_entry_is_cut) {
        int fd = journal_new();
        char *text = malloc(10000);
        size_t n;

        memset(text, 'x', 9999);
        text[9999] = '\0';
        ck_assert_int_eq(slogf(1, _SLOG_INFO, "%s", text), _SLOG_MAXSIZE - 1);
        take(fd);
        text_of_entry(&n);
        ck_assert_uint_eq(n, _SLOG_MAXSIZE - 1);
        ck_assert_int_gt(slogb(1, _SLOG_INFO, text, 9999), 1000);
        free(text);
        journal_free(fd);
}
END_TEST

START_TEST(what_is_no_severity_is_refused) {
        ck_assert_fails(slogf(1, 8, "text"), EINVAL);
        ck_assert_fails(slogf(1, -1, "text"), EINVAL);
        ck_assert_fails(slogi(1, 1, 33), EINVAL);
        ck_assert_fails(slogb(1, 1, "x", -1), EINVAL);
}
END_TEST

START_TEST(without_a_journal_it_is_standard_error) {
        int ends[2], saved = dup(2);
        ssize_t n;

        ck_assert_ok(setenv("NUNTIUS_JOURNAL", "/nonexistent/socket", 1));
        ck_assert_ok(pipe(ends));
        dup2(ends[1], 2);
        ck_assert_int_eq(slogf(1, _SLOG_WARNING, "of %s", "mice"), 7);
        dup2(saved, 2);
        n = read(ends[0], entry, sizeof(entry) - 1);
        ck_assert_int_gt(n, 0);
        entry[n] = '\0';
        snprintf(path, sizeof(path), "test-slog[%d]: warning: of mice\n", (int)getpid());
        ck_assert_str_eq(entry, path);
        close(saved);
        close(ends[0]);
        close(ends[1]);
}
END_TEST

static slog2_buffer_set_config_t two_buffers(void) {
        return (slog2_buffer_set_config_t){
                .num_buffers = 2,
                .buffer_set_name = "set",
                .verbosity_level = SLOG2_INFO,
                .buffer_config = { { "fast", 1 }, { "slow", 7 } },
        };
}

START_TEST(buffers_have_names_and_a_verbosity) {
        slog2_buffer_set_config_t config = two_buffers();
        slog2_buffer_t handles[2];
        int fd = journal_new();

        ck_assert_ok(slog2_register(&config, handles, 0));
        ck_assert_ok(slog2f(handles[0], 7, SLOG2_INFO, "%d", 42));
        expect(fd, "PRIORITY=6\nSLOG_CODE=7\nSLOG_SEVERITY=5\nSYSLOG_IDENTIFIER=set\nSLOG_BUFFER=fast\n", "42");
        ck_assert_ok(slog2f(handles[0], 7, SLOG2_DEBUG1, "too much"));
        ck_assert(is_quiet(fd));
        ck_assert_int_eq(slog2_get_verbosity(handles[1]), SLOG2_INFO);
        ck_assert_ok(slog2_set_verbosity(handles[1], SLOG2_DEBUG2));
        ck_assert_ok(slog2c(handles[1], 7, SLOG2_DEBUG2, "100% of it"));
        expect(fd, "PRIORITY=7\nSLOG_CODE=7\nSLOG_SEVERITY=7\nSYSLOG_IDENTIFIER=set\nSLOG_BUFFER=slow\n", "100% of it");
        ck_assert_ok(slog2f(handles[0], 7, SLOG2_DEBUG1, "still too much"));
        ck_assert(is_quiet(fd));
        ck_assert_ok(slog2_reset());
        journal_free(fd);
}
END_TEST

START_TEST(one_buffer_is_the_default) {
        slog2_buffer_set_config_t config = two_buffers();
        slog2_buffer_t handles[2];
        int fd = journal_new();

        ck_assert_ok(slog2_register(&config, handles, SLOG2_ALLOC_MALLOC));
        ck_assert_fails(slog2f(NULL, 1, SLOG2_ERROR, "nowhere"), EFAULT);
        ck_assert_ptr_null(slog2_set_default_buffer(handles[1]));
        ck_assert_ok(slog2f(NULL, 1, SLOG2_ERROR, "here"));
        expect(fd, "PRIORITY=3\nSLOG_CODE=1\nSLOG_SEVERITY=2\nSYSLOG_IDENTIFIER=set\nSLOG_BUFFER=slow\n", "here");
        ck_assert_ptr_eq(slog2_set_default_buffer(handles[0]), handles[1]);
        ck_assert_ok(slog2_reset());
        journal_free(fd);
}
END_TEST

START_TEST(who_has_not_registered_is_refused) {
        slog2_buffer_set_config_t config = two_buffers(), bad = two_buffers();
        slog2_buffer_t handles[2];

        ck_assert_fails(slog2f(NULL, 1, SLOG2_ERROR, "text"), EPERM);
        ck_assert_fails(slog2_set_verbosity(NULL, SLOG2_ERROR), EPERM);
        ck_assert_fails(slog2_reset(), EPERM);
        ck_assert_fails(slog2_register(NULL, handles, 0), EFAULT);
        ck_assert_fails(slog2_register(&config, handles, 0x1000), EINVAL);
        bad.num_buffers = 5;
        ck_assert_fails(slog2_register(&bad, handles, 0), EINVAL);
        bad = two_buffers();
        bad.buffer_config[1].buffer_name = NULL;
        ck_assert_fails(slog2_register(&bad, handles, 0), EINVAL);
        ck_assert_ok(slog2_register(&config, handles, 0));
        ck_assert_fails(slog2_register(&config, handles, 0), EBUSY);
        ck_assert_fails(slog2f((slog2_buffer_t)&config, 1, SLOG2_ERROR, "text"), EINVAL);
        ck_assert_fails(slog2f(handles[0], 1, 8, "text"), EINVAL);
        ck_assert_fails(slog2c(handles[0], 1, 1, NULL), EFAULT);
        ck_assert_fails(slog2_set_verbosity(handles[0], 8), EINVAL);
        ck_assert_ok(slog2_reset());
        ck_assert_fails(slog2_get_verbosity(handles[0]), EPERM);
}
END_TEST

HARNESS_MAIN("slog", an_entry_has_its_severity_and_code, bytes_and_numbers_are_hexadecimal,
             a_long_entry_is_cut, what_is_no_severity_is_refused, without_a_journal_it_is_standard_error,
             buffers_have_names_and_a_verbosity, one_buffer_is_the_default,
             who_has_not_registered_is_refused)
