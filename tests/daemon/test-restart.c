/* SPDX-License-Identifier: MIT */
/* A daemon that is killed and started again by whoever keeps its descriptors. */
#include "keeper.h"
#include "suite.h"
#include "wire.h"

#include <sys/socket.h>
#include <unistd.h>

START_TEST(who_connects_while_there_is_no_daemon_is_served_by_the_next) {
        Client client;
        int early;

        daemon_use_store();
        daemon_start(NULL);
        keeper_expect("READY=1");
        ck_assert_uint_eq(keeper_n_of("listen"), 1);
        ck_assert_uint_eq(keeper_n_of("lock"), 1);
        daemon_kill();
        early = wire_connect();
        ck_assert_int_ge(early, 0);
        daemon_start_again(NULL);
        keeper_expect("READY=1");
        client = client_start(0, 0);
        ck_assert_int_eq(channel_create(&client, 0), 1);
        client_kill(&client);
        close(early);
        daemon_expect_empty();
        daemon_stop();
}
END_TEST

SUITE_MAIN("restart", who_connects_while_there_is_no_daemon_is_served_by_the_next)
