/* SPDX-License-Identifier: MIT */
/*
 * Slot: every arrow of the list in the layout, from every state, and the races between two arrows.
 */
#include "shm/slot.h"
#include "take.h"
#include "unit.h"

#include "shm/word.h"

#include <errno.h>
#include <signal.h>

#define GENERATION(n) ((uint32_t)(n) << SLOT_GENERATION_SHIFT)
#define FLAGS         (SLOT_ASLEEP | SLOT_UNBLOCK)

static ShmSlot slot; /* zeroed for each test: each has a process of its own */

static void put(uint32_t word) {
        word_store(&slot.word, word);
}

/* ---- arrows ---- */

typedef bool (*Arrow)(uint32_t generation);

static bool tell(uint32_t generation) {
        return slot_tell(&slot, generation);
}

static bool withdraw(uint32_t generation) {
        return slot_withdraw(&slot, generation);
}

static bool unblock(uint32_t generation) {
        return slot_unblock(&slot, generation, EINTR);
}

static bool abandon(uint32_t generation) {
        return slot_abandon(&slot, generation);
}

static bool receive(uint32_t generation) {
        uint32_t word;

        (void)generation;
        return slot_take(&slot, &word);
}

static bool reply(uint32_t generation) {
        return slot_reply(&slot, generation);
}

static bool release(uint32_t generation) {
        return slot_release(&slot, generation);
}

static bool server_dies(uint32_t generation) {
        uint32_t before = slot_state(slot_peek(&slot));

        (void)generation;
        slot_fail(&slot, ESRCH);
        return slot_state(slot_peek(&slot)) != before;
}

static const struct {
        const char *name;
        Arrow arrow;
        uint32_t from;
        uint32_t to;
        uint32_t kept; /* flags that survive */
        bool by_generation;
} arrows[] = {
        { "tell", tell, SLOT_SEND, SLOT_SEND, FLAGS | SLOT_TELL, true },
        { "withdraw", withdraw, SLOT_SEND, SLOT_IDLE, 0, true },
        { "unblock", unblock, SLOT_REPLY, SLOT_REPLY, FLAGS, true },
        { "abandon", abandon, SLOT_REPLY, SLOT_GONE, SLOT_UNBLOCK, true },
        { "receive", receive, SLOT_SEND, SLOT_REPLY, FLAGS, false },
        { "reply", reply, SLOT_REPLY, SLOT_DONE, 0, true },
        { "release", release, SLOT_GONE, SLOT_IDLE, 0, true },
        { "fail a waiting", server_dies, SLOT_SEND, SLOT_DONE, 0, false },
        { "fail a received", server_dies, SLOT_REPLY, SLOT_DONE, 0, false },
};
#define N_ARROWS (sizeof(arrows) / sizeof(arrows[0]))

START_TEST(each_arrow_leads_where_the_list_says) {
        for (unsigned i = 0; i < N_ARROWS; i++) {
                put(GENERATION(77) | arrows[i].from | FLAGS);
                ck_assert_msg(arrows[i].arrow(GENERATION(77)), "%s refused", arrows[i].name);
                ck_assert_msg(slot_peek(&slot) == (GENERATION(77) | arrows[i].to | arrows[i].kept),
                              "%s: word is %#x", arrows[i].name, slot_peek(&slot));
        }
}
END_TEST

static bool is_listed(Arrow arrow, uint32_t from) {
        for (unsigned i = 0; i < N_ARROWS; i++)
                if (arrows[i].arrow == arrow && arrows[i].from == from)
                        return true;
        return false;
}

START_TEST(each_arrow_is_refused_from_every_other_state) {
        for (unsigned i = 0; i < N_ARROWS; i++)
                for (uint32_t from = 0; from <= SLOT_STATE_MASK; from++) {
                        if (is_listed(arrows[i].arrow, from))
                                continue;
                        put(GENERATION(77) | from);
                        ck_assert_msg(!arrows[i].arrow(GENERATION(77)), "%s allowed from %u",
                                      arrows[i].name, from);
                        ck_assert_msg(slot_peek(&slot) == (GENERATION(77) | from),
                                      "%s changed the word from %u", arrows[i].name, from);
                }
}
END_TEST

START_TEST(arrows_with_a_stale_generation_are_refused) {
        static const uint32_t stale[] = { GENERATION(76), GENERATION(78), 0, SLOT_GENERATION_MASK };

        for (unsigned i = 0; i < N_ARROWS; i++) {
                if (!arrows[i].by_generation)
                        continue;
                for (unsigned g = 0; g < 4; g++) {
                        put(GENERATION(77) | arrows[i].from | FLAGS);
                        ck_assert(!arrows[i].arrow(stale[g]));
                        ck_assert_uint_eq(slot_peek(&slot), GENERATION(77) | arrows[i].from | FLAGS);
                }
        }
}
END_TEST

START_TEST(send_counts_the_generation_and_clears_the_flags) {
        put(GENERATION(77) | SLOT_IDLE | FLAGS);
        ck_assert_uint_eq(slot_send(&slot), GENERATION(78));
        ck_assert_uint_eq(slot_peek(&slot), GENERATION(78) | SLOT_SEND);
}
END_TEST

START_TEST(the_generation_wraps_and_stays_out_of_the_state) {
        put(SLOT_GENERATION_MASK | SLOT_IDLE);
        ck_assert_uint_eq(slot_send(&slot), 0);
        ck_assert_uint_eq(slot_peek(&slot), SLOT_SEND);
        ck_assert(!slot_withdraw(&slot, SLOT_GENERATION_MASK));
        ck_assert(slot_withdraw(&slot, 0));
        ck_assert_uint_eq(slot_send(&slot), GENERATION(1));
}
END_TEST

START_TEST(receive_reports_the_generation_to_reply_with) {
        uint32_t generation = slot_send(&slot);
        uint32_t word;

        ck_assert(slot_take(&slot, &word));
        ck_assert_uint_eq(slot_state(word), SLOT_REPLY);
        ck_assert_uint_eq(slot_generation(word), generation);
        ck_assert(slot_reply(&slot, slot_generation(word)));
        ck_assert(!slot_reply(&slot, slot_generation(word)));
        slot_finish(&slot);
        ck_assert_uint_eq(slot_peek(&slot), generation | SLOT_IDLE);
}
END_TEST

START_TEST(a_late_reply_does_not_answer_the_next_message) {
        uint32_t first = slot_send(&slot);
        uint32_t word;

        ck_assert(slot_take(&slot, &word));
        ck_assert(slot_abandon(&slot, first));
        ck_assert(slot_release(&slot, first));
        slot_send(&slot);
        ck_assert(slot_take(&slot, &word));
        ck_assert(!slot_reply(&slot, first));
        ck_assert_uint_eq(slot_state(slot_peek(&slot)), SLOT_REPLY);
}
END_TEST

START_TEST(unblock_says_why) {
        uint32_t generation = slot_send(&slot);
        uint32_t word;

        ck_assert(slot_take(&slot, &word));
        ck_assert(slot_unblock(&slot, generation, ETIMEDOUT));
        ck_assert(slot_peek(&slot) & SLOT_UNBLOCK);
        ck_assert_uint_eq(slot.why, ETIMEDOUT);
        ck_assert(slot_reply(&slot, generation));
        ck_assert(!(slot_peek(&slot) & SLOT_UNBLOCK));
}
END_TEST

START_TEST(fail_leaves_the_error_behind) {
        slot_send(&slot);
        slot_fail(&slot, ESRCH);
        ck_assert_int_eq(slot.status, -ESRCH);
        ck_assert_uint_eq(slot.failed, SLOT_FAILED);
}
END_TEST

START_TEST(a_sleep_on_a_word_that_has_moved_is_refused) {
        uint32_t word = slot_send(&slot) | SLOT_SEND;
        uint32_t received;

        ck_assert(slot_take(&slot, &received));
        ck_assert(!slot_prepare_sleep(&slot, word));
        ck_assert(!(slot_peek(&slot) & SLOT_ASLEEP));
        slot_end_sleep(&slot);
        ck_assert_uint_eq(slot_peek(&slot), received);
}
END_TEST

static Deadline within(long milliseconds) {
        return (Deadline){ .set = true, .clock = CLOCK_MONOTONIC,
                           .at = unit_in(CLOCK_MONOTONIC, milliseconds) };
}

START_TEST(a_sleep_ends_with_its_time_or_with_a_nudge) {
        uint32_t word = slot_send(&slot) | SLOT_SEND;
        Deadline soon = within(10);
        Deadline late = within(60000);

        ck_assert(slot_prepare_sleep(&slot, word));
        ck_assert_int_eq(slot_sleep(&slot, word, &soon), -ETIMEDOUT);
        slot_end_sleep(&slot);
        ck_assert_uint_eq(slot_peek(&slot), word);
        ck_assert(slot_prepare_sleep(&slot, word));
        slot_nudge(&slot);
        ck_assert_int_eq(slot_sleep(&slot, word, &late), 0);
        ck_assert_uint_eq(slot_peek(&slot), word);
}
END_TEST

/* ---- races: one arrow wins, the other one is told ---- */

typedef struct Race {
        uint32_t generation;
        bool left_won;
        bool right_won;
        unsigned left_wins;
} Race;

static void race(Pair pair, Race *outcome) {
        pair.state = outcome;
        if (pair.rounds == 0)
                pair.rounds = unit_rounds(100000);
        pair_run(&pair);
}

static void sent(void *state) {
        ((Race *)state)->generation = slot_send(&slot);
}

static void received(void *state) {
        uint32_t word;

        sent(state);
        ck_assert(slot_take(&slot, &word));
}

static void left_withdraws(void *state) {
        Race *r = state;

        r->left_won = slot_withdraw(&slot, r->generation);
}

static void left_abandons(void *state) {
        Race *r = state;

        r->left_won = slot_abandon(&slot, r->generation);
}

static void left_unblocks(void *state) {
        Race *r = state;

        r->left_won = slot_unblock(&slot, r->generation, EINTR);
}

static void right_receives(void *state) {
        uint32_t word;

        ((Race *)state)->right_won = slot_take(&slot, &word);
}

static void right_replies(void *state) {
        Race *r = state;

        slot.status = 4711;
        r->right_won = slot_reply(&slot, r->generation);
}

static void right_receives_and_replies(void *state) {
        Race *r = state;
        uint32_t word;

        r->right_won = slot_take(&slot, &word) && slot_reply(&slot, slot_generation(word));
}

static void right_fails(void *state) {
        slot_fail(&slot, ESRCH);
        ((Race *)state)->right_won = slot_state(slot_peek(&slot)) == SLOT_DONE;
}

static void exactly_one_won(void *state) {
        Race *r = state;
        uint32_t word = slot_peek(&slot);

        ck_assert(r->left_won != r->right_won);
        ck_assert_uint_eq(slot_generation(word), r->generation);
        if (slot_state(word) == SLOT_REPLY)
                ck_assert(r->right_won && slot_reply(&slot, r->generation));
        else if (slot_state(word) == SLOT_GONE)
                ck_assert(r->left_won && slot_release(&slot, r->generation));
        else
                ck_assert_uint_eq(slot_state(word), r->left_won ? SLOT_IDLE : SLOT_DONE);
        r->left_wins += r->left_won;
        slot_finish(&slot);
}

/* The request to unblock may come before the reply, never after. */
static void the_reply_won(void *state) {
        Race *r = state;

        ck_assert(r->right_won);
        ck_assert_uint_eq(slot_peek(&slot), r->generation | SLOT_DONE);
        slot_finish(&slot);
}

START_TEST(withdraw_against_receive) {
        race((Pair){ .prepare = sent, .left = left_withdraws, .right = right_receives,
                     .settle = exactly_one_won }, &(Race){ 0 });
}
END_TEST

START_TEST(withdraw_against_reply) {
        race((Pair){ .prepare = sent, .left = left_withdraws, .right = right_receives_and_replies,
                     .settle = exactly_one_won }, &(Race){ 0 });
}
END_TEST

START_TEST(withdraw_against_death_of_the_server) {
        race((Pair){ .prepare = sent, .left = left_withdraws, .right = right_fails,
                     .settle = exactly_one_won }, &(Race){ 0 });
}
END_TEST

static void left_receives(void *state) {
        uint32_t word;

        ((Race *)state)->left_won = slot_take(&slot, &word);
}

static void it_is_over(void *state) {
        ck_assert_uint_eq(slot_peek(&slot), ((Race *)state)->generation | SLOT_DONE);
        slot_finish(&slot);
}

/* A process that broke its session lives on and receives. */
START_TEST(receive_against_death_of_the_server) {
        race((Pair){ .prepare = sent, .left = left_receives, .right = right_fails,
                     .settle = it_is_over }, &(Race){ 0 });
}
END_TEST

START_TEST(abandon_against_reply) {
        race((Pair){ .prepare = received, .left = left_abandons, .right = right_replies,
                     .settle = exactly_one_won }, &(Race){ 0 });
}
END_TEST

START_TEST(unblock_against_reply) {
        race((Pair){ .prepare = received, .left = left_unblocks, .right = right_replies,
                     .settle = the_reply_won }, &(Race){ 0 });
}
END_TEST

/* ---- races: no wake is lost ---- */

/* Long past what any wake takes: to see it pass is to have lost one. */
#define LOST 20000

/* The wait of a client, as in a send: false when it had to be given up. */
static bool await_done(Race *r, const Word *wants_out) {
        Deadline lost = within(LOST);

        for (;;) {
                uint32_t word = slot_peek(&slot);

                if (slot_state(word) == SLOT_DONE)
                        return true;
                if (wants_out && word_load(wants_out))
                        return !slot_withdraw(&slot, r->generation);
                if (slot_prepare_sleep(&slot, word) && !(wants_out && word_load(wants_out)))
                        ck_assert_int_ne(slot_sleep(&slot, word, &lost), -ETIMEDOUT);
                slot_end_sleep(&slot);
        }
}

static void left_waits(void *state) {
        ck_assert(await_done(state, NULL));
}

static void answer_is_there(void *state) {
        uint32_t generation = ((Race *)state)->generation;

        ck_assert_uint_eq(slot_peek(&slot), generation | SLOT_DONE);
        ck_assert_int_eq(slot.status, 4711);
        slot.status = 0;
        slot_finish(&slot);
}

START_TEST(no_wake_is_lost_between_sleep_and_reply) {
        race((Pair){ .prepare = received, .left = left_waits, .right = right_replies,
                     .settle = answer_is_there }, &(Race){ 0 });
}
END_TEST

static void right_receives_then_replies(void *state) {
        Race *r = state;
        uint32_t word;

        ck_assert(slot_take(&slot, &word));
        unit_dawdle(word % 512);
        right_replies(r);
}

START_TEST(no_wake_is_lost_between_sleep_and_receive_with_reply) {
        race((Pair){ .prepare = sent, .left = left_waits, .right = right_receives_then_replies,
                     .settle = answer_is_there }, &(Race){ 0 });
}
END_TEST

/* A client that wants to be told of the receive itself. */
static void left_asks_to_be_told(void *state) {
        Race *r = state;
        Deadline lost = within(LOST);

        for (;;) {
                uint32_t word = slot_peek(&slot);

                if (slot_state(word) == SLOT_REPLY)
                        return;
                if (!(word & SLOT_TELL) && !slot_tell(&slot, r->generation))
                        continue;
                word |= SLOT_TELL;
                if (slot_prepare_sleep(&slot, word))
                        ck_assert_int_ne(slot_sleep(&slot, word, &lost), -ETIMEDOUT);
                slot_end_sleep(&slot);
        }
}

static void was_told(void *state) {
        uint32_t generation = ((Race *)state)->generation;

        ck_assert_uint_eq(slot_peek(&slot) & ~SLOT_ASLEEP, generation | SLOT_REPLY);
        ck_assert(slot_reply(&slot, generation));
        slot_finish(&slot);
}

START_TEST(no_wake_is_lost_between_sleep_and_receive) {
        race((Pair){ .prepare = sent, .left = left_asks_to_be_told, .right = right_receives,
                     .settle = was_told }, &(Race){ 0 });
}
END_TEST

static void fail_only(void *state) {
        (void)state;
        slot_fail(&slot, ESRCH);
}

static void failure_is_there(void *state) {
        ck_assert_uint_eq(slot_peek(&slot), ((Race *)state)->generation | SLOT_DONE);
        ck_assert_int_eq(slot.status, -ESRCH);
        slot_finish(&slot);
}

START_TEST(no_wake_is_lost_between_sleep_and_death_of_the_server) {
        race((Pair){ .prepare = sent, .left = left_waits, .right = fail_only,
                     .settle = failure_is_there }, &(Race){ 0 });
}
END_TEST

/* A server that wrote nonsense and died: its client has gone to sleep on the nonsense. */
START_TEST(death_of_the_server_wakes_from_a_spoiled_word) {
        Deadline soon = within(LOST);
        uint32_t word = GENERATION(3) | SLOT_GONE;

        put(word);
        ck_assert(slot_prepare_sleep(&slot, word));
        slot_fail(&slot, ESRCH);
        ck_assert_int_eq(slot_sleep(&slot, word, &soon), 0);
        ck_assert_uint_eq(slot_peek(&slot), word);
}
END_TEST

static Word wants_out;
static pthread_t client;

static void sent_and_content(void *state) {
        word_store(&wants_out, 0);
        client = pthread_self();
        sent(state);
}

static void left_waits_or_leaves(void *state) {
        Race *r = state;

        r->left_won = !await_done(r, &wants_out);
}

static void right_kicks(void *state) {
        (void)state;
        word_store(&wants_out, 1);
        slot_kick(&slot);
}

static void client_left(void *state) {
        ck_assert(((Race *)state)->left_won);
        ck_assert_uint_eq(slot_peek(&slot), ((Race *)state)->generation | SLOT_IDLE);
}

START_TEST(no_kick_is_lost) {
        race((Pair){ .prepare = sent_and_content, .left = left_waits_or_leaves, .right = right_kicks,
                     .settle = client_left }, &(Race){ 0 });
}
END_TEST

/* With SA_RESTART the kernel would put the client back to sleep, if its word had not changed. */
static void on_signal(int signo) {
        (void)signo;
        word_store(&wants_out, 1);
        slot_nudge(&slot);
}

static void catch_signal(void) {
        struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

        ck_assert_int_eq(sigaction(SIGUSR1, &action, NULL), 0);
}

static void right_signals(void *state) {
        (void)state;
        pthread_kill(client, SIGUSR1);
}

/* The signal may still be on its way when the client has found another reason to leave. */
static void signal_has_come(void *state) {
        while (!word_load(&wants_out))
                sched_yield();
        (void)state;
}

static void client_left_by_signal(void *state) {
        signal_has_come(state);
        client_left(state);
}

START_TEST(no_nudge_of_a_signal_handler_is_lost) {
        catch_signal();
        race((Pair){ .prepare = sent_and_content, .left = left_waits_or_leaves,
                     .right = right_signals, .settle = client_left_by_signal,
                     .rounds = unit_rounds(20000) }, &(Race){ 0 });
}
END_TEST

static void right_signals_and_answers(void *state) {
        pthread_kill(client, SIGUSR1);
        right_receives_and_replies(state);
}

static void one_of_the_two(void *state) {
        signal_has_come(state);
        exactly_one_won(state);
}

START_TEST(a_nudge_against_a_reply) {
        catch_signal();
        race((Pair){ .prepare = sent_and_content, .left = left_waits_or_leaves,
                     .right = right_signals_and_answers, .settle = one_of_the_two,
                     .rounds = unit_rounds(20000) }, &(Race){ 0 });
}
END_TEST

/* A whole conversation: bytes written before an arrow are seen after it. */
static void client_speaks(void *state) {
        Race *r = state;

        slot.message_bytes = r->left_wins + 1;
        memset(slot.message, (int)r->left_wins, 64);
        sent(r);
        ck_assert(await_done(r, NULL));
        ck_assert_int_eq(slot.status, (int64_t)r->left_wins + 1);
        for (unsigned i = 0; i < 64; i++)
                ck_assert_uint_eq(slot.message[i], (uint8_t)~r->left_wins);
        slot_finish(&slot);
        r->left_wins++;
}

static void server_answers(void *state) {
        uint32_t word;

        (void)state;
        while (!slot_take(&slot, &word))
                sched_yield();
        for (unsigned i = 0; i < 64; i++)
                ck_assert_uint_eq(slot.message[i], (uint8_t)(slot.message_bytes - 1));
        memset(slot.message, ~slot.message[0], 64);
        slot.status = (int64_t)slot.message_bytes;
        ck_assert(slot_reply(&slot, slot_generation(word)));
}

START_TEST(bytes_travel_with_the_word) {
        Race r = { 0 };

        race((Pair){ .left = client_speaks, .right = server_answers }, &r);
        ck_assert_uint_eq(r.left_wins, unit_rounds(100000));
}
END_TEST

UNIT_MAIN("slot", each_arrow_leads_where_the_list_says, each_arrow_is_refused_from_every_other_state,
          arrows_with_a_stale_generation_are_refused, send_counts_the_generation_and_clears_the_flags,
          the_generation_wraps_and_stays_out_of_the_state, receive_reports_the_generation_to_reply_with,
          a_late_reply_does_not_answer_the_next_message, unblock_says_why, fail_leaves_the_error_behind,
          a_sleep_on_a_word_that_has_moved_is_refused, a_sleep_ends_with_its_time_or_with_a_nudge,
          withdraw_against_receive, withdraw_against_reply, withdraw_against_death_of_the_server,
          receive_against_death_of_the_server,
          abandon_against_reply, unblock_against_reply, no_wake_is_lost_between_sleep_and_reply,
          no_wake_is_lost_between_sleep_and_receive_with_reply, no_wake_is_lost_between_sleep_and_receive,
          no_wake_is_lost_between_sleep_and_death_of_the_server,
          death_of_the_server_wakes_from_a_spoiled_word, no_kick_is_lost,
          no_nudge_of_a_signal_handler_is_lost, a_nudge_against_a_reply, bytes_travel_with_the_word)
