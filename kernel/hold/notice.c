/* SPDX-License-Identifier: MIT */
#include "hold/notice.h"

#include <string.h>

static bool is_line(const char *line, size_t n, const char *wanted) {
        return n == strlen(wanted) && memcmp(line, wanted, n) == 0;
}

static void parse_line(Notice *notice, const char *line, size_t n) {
        static const char key[] = "FDNAME=";
        size_t n_key = strlen(key);

        notice->is_ready |= is_line(line, n, "READY=1");
        notice->is_stopping |= is_line(line, n, "STOPPING=1");
        notice->stores |= is_line(line, n, "FDSTORE=1");
        notice->removes |= is_line(line, n, "FDSTOREREMOVE=1");
        if (n <= n_key || memcmp(line, key, n_key) != 0 || !store_name_is_good(line + n_key, n - n_key))
                return;
        memcpy(notice->name, line + n_key, n - n_key);
        notice->name[n - n_key] = '\0';
}

void notice_parse(Notice *notice, const char *text, size_t n) {
        *notice = (Notice){ .name = "stored" };
        for (size_t at = 0; at < n;) {
                const char *end = memchr(text + at, '\n', n - at);
                size_t length = end ? (size_t)(end - text) - at : n - at;

                parse_line(notice, text + at, length);
                at += length + 1;
        }
}
