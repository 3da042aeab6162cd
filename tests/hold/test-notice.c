/* SPDX-License-Identifier: MIT */
/* Notice: which lines of a notification mean something, and which names are good ones. */
#include "unit.h"

#include "hold/notice.h"

#include <stdio.h>

static Notice parse(const char *text) {
        Notice notice;

        notice_parse(&notice, text, strlen(text));
        return notice;
}

START_TEST(each_assignment_is_known_alone_and_among_others) {
        Notice notice = parse("READY=1");

        ck_assert(notice.is_ready && !notice.is_stopping && !notice.stores && !notice.removes);
        notice = parse("STATUS=all is well\nSTOPPING=1\nMAINPID=7\n");
        ck_assert(notice.is_stopping && !notice.is_ready);
        notice = parse("FDSTORE=1\nFDNAME=p17\nFDPOLL=0\n");
        ck_assert(notice.stores && !notice.removes);
        ck_assert_str_eq(notice.name, "p17");
        notice = parse("FDNAME=x\nFDSTOREREMOVE=1");
        ck_assert(notice.removes && !notice.stores);
        ck_assert_str_eq(notice.name, "x");
}
END_TEST

START_TEST(what_is_nearly_one_means_nothing) {
        Notice notice = parse("READY=0\nREADY=12\nREADY\nready=1\n READY=1\nXREADY=1\n\n=\nFDSTORE=\nSTOPPING= 1");

        ck_assert(!notice.is_ready && !notice.is_stopping && !notice.stores && !notice.removes);
        notice = parse("");
        ck_assert(!notice.is_ready);
        notice_parse(&notice, "READY=1\0\nSTOPPING=1", 19);
        ck_assert(!notice.is_ready && notice.is_stopping);
}
END_TEST

START_TEST(a_bad_name_is_no_name) {
        static const char *const bad[] = { "FDNAME=", "FDNAME=a:b", "FDNAME=a b", "FDNAME=a\tb", "FDNAME=\x80" };
        char text[600] = "FDNAME=";

        for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
                ck_assert_str_eq(parse(bad[i]).name, "stored");
        memset(text + 7, 'n', STORE_NAME_MAX);
        ck_assert_uint_eq(strlen(parse(text).name), STORE_NAME_MAX);
        text[7 + STORE_NAME_MAX] = 'n';
        ck_assert_str_eq(parse(text).name, "stored");
}
END_TEST

UNIT_MAIN("hold-notice", each_assignment_is_known_alone_and_among_others, what_is_nearly_one_means_nothing,
          a_bad_name_is_no_name)
