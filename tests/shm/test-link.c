/* SPDX-License-Identifier: MIT */
/*
 * Link: the words of a link's header, and the end of all conversations on it.
 */
#include "shm/link.h"
#include "take.h"
#include "unit.h"

#include "shm/ring.h"
#include "shm/slot.h"
#include "shm/word.h"

#include <errno.h>

static ShmLink shared;
static const uint8_t token[LINK_TOKEN_BYTES] = "fifteen letters";

START_TEST(a_new_link_is_ready_for_use) {
        uint32_t position = 0;
        RingPulse pulse = { .code = 5 };

        link_init(&shared, token);
        ck_assert_uint_eq(shared.magic, LAYOUT_MAGIC);
        ck_assert_uint_eq(shared.version, LAYOUT_VERSION);
        ck_assert_mem_eq(shared.token, token, LINK_TOKEN_BYTES);
        ck_assert(!link_server_is_gone(&shared));
        ck_assert(!link_client_is_gone(&shared));
        for (uint32_t i = 0; i < LINK_SLOTS; i++)
                ck_assert_uint_eq(slot_state(slot_peek(&shared.slots[i])), SLOT_IDLE);
        for (uint32_t i = 0; i < LINK_CONNECTIONS; i++)
                ck_assert(!link_connection_is_live(&shared, i));
        ck_assert(ring_put(&shared.ring, &pulse));
        ck_assert(ring_take(&shared.ring, &position, &pulse));
}
END_TEST

START_TEST(a_connection_is_live_when_it_is_said_to_be) {
        link_init(&shared, token);
        link_set_connection(&shared, LINK_CONNECTIONS - 1, CONNECTION_LIVE);
        ck_assert(link_connection_is_live(&shared, LINK_CONNECTIONS - 1));
        ck_assert(!link_connection_is_live(&shared, LINK_CONNECTIONS - 2));
        link_set_connection(&shared, LINK_CONNECTIONS - 1, CONNECTION_DEAD);
        ck_assert(!link_connection_is_live(&shared, LINK_CONNECTIONS - 1));
        link_set_connection(&shared, LINK_CONNECTIONS - 1, CONNECTION_FREE);
        ck_assert(!link_connection_is_live(&shared, LINK_CONNECTIONS - 1));
}
END_TEST

START_TEST(the_end_of_a_side_is_told_apart) {
        link_set_server_gone(&shared);
        ck_assert(link_server_is_gone(&shared));
        ck_assert(!link_client_is_gone(&shared));
        link_set_client_gone(&shared);
        ck_assert(link_client_is_gone(&shared));
}
END_TEST

START_TEST(all_waiting_slots_fail_and_no_others) {
        uint32_t word;

        for (unsigned i = 1; i <= 4; i++)
                slot_send(&shared.slots[i]);
        for (unsigned i = 2; i <= 4; i++)
                ck_assert(slot_take(&shared.slots[i], &word));
        ck_assert(slot_reply(&shared.slots[3], slot_generation(slot_peek(&shared.slots[3]))));
        ck_assert(slot_abandon(&shared.slots[4], slot_generation(slot_peek(&shared.slots[4]))));
        slot_send(&shared.slots[LINK_SLOTS - 1]);
        link_fail_slots(shared.slots, LINK_SLOTS - 1, ESRCH);
        ck_assert_uint_eq(slot_state(slot_peek(&shared.slots[0])), SLOT_IDLE);
        ck_assert_uint_eq(slot_state(slot_peek(&shared.slots[1])), SLOT_DONE);
        ck_assert_int_eq(shared.slots[1].status, -ESRCH);
        ck_assert_uint_eq(slot_state(slot_peek(&shared.slots[2])), SLOT_DONE);
        ck_assert_int_eq(shared.slots[2].status, -ESRCH);
        ck_assert_int_eq(shared.slots[3].status, 0);
        ck_assert_uint_eq(slot_state(slot_peek(&shared.slots[4])), SLOT_GONE);
        ck_assert_uint_eq(slot_state(slot_peek(&shared.slots[LINK_SLOTS - 1])), SLOT_SEND);
}
END_TEST

START_TEST(a_notice_counts_its_news) {
        static ShmNotice notice;

        notice_init(&notice);
        ck_assert_uint_eq(notice.magic, LAYOUT_MAGIC);
        ck_assert_uint_eq(notice.version, LAYOUT_VERSION);
        ck_assert_uint_eq(notice_news(&notice), 0);
        notice_count(&notice);
        notice_count(&notice);
        ck_assert_uint_eq(notice_news(&notice), 2);
}
END_TEST

UNIT_MAIN("link", a_new_link_is_ready_for_use, a_connection_is_live_when_it_is_said_to_be,
          the_end_of_a_side_is_told_apart, all_waiting_slots_fail_and_no_others,
          a_notice_counts_its_news)
