/* SPDX-License-Identifier: MIT */
/*
 * Receipt: an rcvid means one message and no other, and of all who want to end it one does.
 */
#include "runtime/receipt.h"
#include "take.h"
#include "unit.h"

#include "shm/slot.h"

#define MANY 200

static InLink from;
static InSlot slots[MANY];
static ShmSlot shared[MANY];

/* A message of slot @i, received; its receiver has looked at it. */
static Receipt *receive(unsigned i, int *ret_rcvid) {
        Receipt *receipt;
        uint32_t word;

        slot_send(&shared[i]);
        ck_assert(slot_take(&shared[i], &word));
        server_lock();
        receipt = receipt_new_locked(ret_rcvid);
        ck_assert_ptr_nonnull(receipt);
        receipt->link = &from;
        receipt->slot = &slots[i];
        receipt->shm = &shared[i];
        receipt->generation = slot_generation(word);
        slots[i].receipt = receipt;
        from.n_receipts++;
        server_unlock();
        receipt_done(receipt);
        return receipt;
}

/* As MsgReply ends: false when the client had gone. */
static bool answer(Receipt *receipt) {
        ShmSlot *shm = receipt->shm;
        bool told = slot_reply(shm, receipt->generation);

        if (told)
                slot_finish(shm);
        else
                slot_release(shm, receipt->generation);
        receipt_free(receipt);
        return told;
}

static void drop(Receipt *receipt) {
        server_lock();
        receipt_drop_locked(receipt);
        server_unlock();
}

static bool abandon(Receipt *receipt) {
        return slot_abandon(receipt->shm, receipt->generation);
}

static unsigned n_held(void) {
        unsigned n;

        server_lock();
        receipts_reclaim_locked();
        n = from.n_receipts;
        server_unlock();
        return n;
}

static void is_stale(int rcvid) {
        ck_assert_ptr_null(receipt_use(rcvid));
        ck_assert_ptr_null(receipt_take(rcvid));
}

START_TEST(an_rcvid_finds_its_receipt_until_it_is_answered) {
        int rcvid;
        Receipt *receipt = receive(0, &rcvid);

        ck_assert_int_gt(rcvid, 0);
        ck_assert_int_eq(receipt_rcvid(receipt), rcvid);
        ck_assert_ptr_eq(receipt_use(rcvid), receipt);
        ck_assert_ptr_eq(receipt_use(rcvid), receipt);
        receipt_done(receipt);
        receipt_done(receipt);
        ck_assert_ptr_eq(receipt_take(rcvid), receipt);
        is_stale(rcvid);
        ck_assert(answer(receipt));
        is_stale(rcvid);
        ck_assert_uint_eq(n_held(), 0);
        ck_assert_ptr_null(slots[0].receipt);
}
END_TEST

START_TEST(numbers_that_never_were_are_refused) {
        static const int wrong[] = { 0, -1, INT32_MIN, INT32_MAX, 1, 1 << RECEIPT_INDEX_BITS };
        int rcvid;

        for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
                is_stale(wrong[i]);
        receive(0, &rcvid);
        for (unsigned bit = 0; bit < 32; bit++)
                is_stale((int)((unsigned)rcvid ^ 1u << bit));
}
END_TEST

START_TEST(messages_held_have_different_numbers) {
        int rcvids[MANY];

        for (unsigned i = 0; i < MANY; i++) {
                receive(i, &rcvids[i]);
                for (unsigned k = 0; k < i; k++)
                        ck_assert_int_ne(rcvids[i], rcvids[k]);
        }
        ck_assert_uint_eq(n_held(), MANY);
        for (unsigned i = 0; i < MANY; i++)
                ck_assert(answer(receipt_take(rcvids[MANY - 1 - i])));
        ck_assert_uint_eq(n_held(), 0);
}
END_TEST

START_TEST(an_answered_number_stays_away_for_long) {
        int first, rcvid;

        receive(0, &first);
        answer(receipt_take(first));
        for (unsigned n = 0; n < unit_rounds(2000000); n++) {
                answer(receive(0, &rcvid));
                ck_assert_int_gt(rcvid, 0);
                ck_assert_int_ne(rcvid, first);
        }
        is_stale(first);
}
END_TEST

/* So many that each generation comes round: no number is 0 or negative, and each works. */
START_TEST(numbers_stay_positive_when_generations_wrap) {
        unsigned rounds = unit_rounds(RECEIPT_GENERATIONS * 140u);
        int rcvid;

        for (unsigned n = 0; n < rounds; n++) {
                Receipt *receipt = receive(0, &rcvid);

                ck_assert_int_gt(rcvid, 0);
                ck_assert_ptr_eq(receipt_take(rcvid), receipt);
                answer(receipt);
        }
        ck_assert_uint_eq(n_held(), 0);
}
END_TEST

START_TEST(there_is_an_end_of_receipts_and_a_way_back) {
        int rcvid = 0, first;
        Receipt *receipt = NULL;

        receive(0, &first);
        server_lock();
        for (unsigned n = 1; n < RECEIPTS_MAX; n++) {
                receipt = receipt_new_locked(&rcvid);
                ck_assert_ptr_nonnull(receipt);
        }
        ck_assert_ptr_null(receipt_new_locked(&rcvid));
        server_unlock();
        answer(receipt_take(first));
        receive(1, &rcvid);
        is_stale(first);
        ck_assert_ptr_nonnull(receipt_take(rcvid));
}
END_TEST

/* ---- the client gives up ---- */

START_TEST(a_dropped_receipt_frees_its_slot) {
        int rcvid;
        Receipt *receipt = receive(0, &rcvid);

        ck_assert(abandon(receipt));
        drop(receipt);
        is_stale(rcvid);
        ck_assert_uint_eq(slot_state(slot_peek(&shared[0])), SLOT_IDLE);
        ck_assert_uint_eq(n_held(), 0);
        drop(receipt); /* the bit may have been rung twice */
        ck_assert_uint_eq(n_held(), 0);
}
END_TEST

START_TEST(a_dropped_receipt_in_use_stays_whole_until_the_last_has_left) {
        int rcvid;
        Receipt *receipt = receive(0, &rcvid);

        ck_assert_ptr_eq(receipt_use(rcvid), receipt);
        ck_assert_ptr_eq(receipt_use(rcvid), receipt);
        ck_assert(abandon(receipt));
        drop(receipt);
        is_stale(rcvid);
        receipt_done(receipt);
        ck_assert_uint_eq(slot_state(slot_peek(&shared[0])), SLOT_GONE);
        ck_assert_uint_eq(n_held(), 1);
        receipt_done(receipt);
        ck_assert_uint_eq(slot_state(slot_peek(&shared[0])), SLOT_IDLE);
        ck_assert_uint_eq(n_held(), 0);
}
END_TEST

START_TEST(what_is_being_answered_is_not_dropped) {
        int rcvid;
        Receipt *receipt = receive(0, &rcvid);

        ck_assert_ptr_eq(receipt_take(rcvid), receipt);
        ck_assert(abandon(receipt));
        drop(receipt);
        ck_assert_uint_eq(n_held(), 1);
        ck_assert(!answer(receipt));
        ck_assert_uint_eq(slot_state(slot_peek(&shared[0])), SLOT_IDLE);
        ck_assert_uint_eq(n_held(), 0);
}
END_TEST

static void fail_it(Receipt *receipt) {
        server_lock();
        receipt_fail_locked(receipt, ESRCH);
        server_unlock();
}

START_TEST(a_failed_receipt_answers_with_the_error_when_its_last_user_has_left) {
        int rcvid;
        Receipt *receipt = receive(0, &rcvid);

        ck_assert_ptr_eq(receipt_use(rcvid), receipt);
        fail_it(receipt);
        is_stale(rcvid);
        ck_assert_uint_eq(slot_state(slot_peek(&shared[0])), SLOT_REPLY);
        receipt_done(receipt);
        ck_assert_uint_eq(slot_state(slot_peek(&shared[0])), SLOT_DONE);
        ck_assert_int_eq(shared[0].status, -ESRCH);
        ck_assert_uint_eq(n_held(), 0);
}
END_TEST

/* Else its replier would write its answer over that of the client's next message. */
START_TEST(what_is_being_answered_is_not_failed) {
        int rcvid;
        Receipt *receipt = receive(0, &rcvid);

        ck_assert_ptr_eq(receipt_take(rcvid), receipt);
        fail_it(receipt);
        ck_assert_uint_eq(slot_state(slot_peek(&shared[0])), SLOT_REPLY);
        ck_assert(answer(receipt));
        ck_assert_uint_eq(n_held(), 0);
}
END_TEST

/* The client has sent again before the answered receipt came back into the line. */
START_TEST(an_answered_receipt_does_not_disturb_the_next_message) {
        int first, second;
        Receipt *answered = receive(0, &first);
        Receipt *next;

        answer(receipt_take(first));
        next = receive(0, &second);
        ck_assert_ptr_ne(next, answered);
        ck_assert_ptr_eq(slots[0].receipt, next);
        ck_assert_uint_eq(n_held(), 1);
        ck_assert_ptr_eq(slots[0].receipt, next);
}
END_TEST

/* ---- threads ---- */

typedef struct Race {
        int rcvid;
        Receipt *receipt;
        bool left_won;
        bool right_won;
        _Atomic unsigned users;
} Race;

static void race(Pair pair) {
        Race outcome = { 0 };

        pair.state = &outcome;
        pair.rounds = unit_rounds(100000);
        pair_run(&pair);
}

static void received(void *state) {
        Race *r = state;

        r->receipt = receive(0, &r->rcvid);
        r->left_won = r->right_won = false;
}

static void received_and_abandoned(void *state) {
        received(state);
        ck_assert(abandon(((Race *)state)->receipt));
}

static bool take_and_answer(Race *r) {
        Receipt *receipt = receipt_take(r->rcvid);

        if (!receipt)
                return false;
        ck_assert_ptr_eq(receipt, r->receipt);
        ck_assert_uint_eq(atomic_load(&r->users), 0);
        answer(receipt);
        return true;
}

static void left_answers(void *state) {
        ((Race *)state)->left_won = take_and_answer(state);
}

static void right_answers(void *state) {
        ((Race *)state)->right_won = take_and_answer(state);
}

static void right_drops(void *state) {
        drop(((Race *)state)->receipt);
}

/* Uses it for a while, again and again until it is gone. */
static void right_uses(void *state) {
        Race *r = state;
        Receipt *receipt;

        while ((receipt = receipt_use(r->rcvid))) {
                ck_assert_ptr_eq(receipt, r->receipt);
                ck_assert_ptr_eq(receipt->shm, &shared[0]);
                atomic_fetch_add(&r->users, 1);
                unit_dawdle(20);
                atomic_fetch_sub(&r->users, 1);
                receipt_done(receipt);
        }
}

static void left_drops(void *state) {
        drop(((Race *)state)->receipt);
}

static void nothing_is_left(void *state) {
        is_stale(((Race *)state)->rcvid);
        ck_assert_uint_eq(n_held(), 0);
        ck_assert_uint_eq(slot_state(slot_peek(&shared[0])), SLOT_IDLE);
        ck_assert_ptr_null(slots[0].receipt);
}

static void one_answered(void *state) {
        Race *r = state;

        ck_assert(r->left_won != r->right_won);
        nothing_is_left(r);
}

static void left_answered(void *state) {
        ck_assert(((Race *)state)->left_won);
        nothing_is_left(state);
}

START_TEST(of_two_answers_one_counts) {
        race((Pair){ .prepare = received, .left = left_answers, .right = right_answers,
                     .settle = one_answered });
}
END_TEST

START_TEST(an_answer_waits_for_those_who_read) {
        race((Pair){ .prepare = received, .left = left_answers, .right = right_uses,
                     .settle = left_answered });
}
END_TEST

START_TEST(an_answer_against_a_drop) {
        race((Pair){ .prepare = received_and_abandoned, .left = left_answers, .right = right_drops,
                     .settle = nothing_is_left });
}
END_TEST

START_TEST(a_drop_against_those_who_read) {
        race((Pair){ .prepare = received_and_abandoned, .left = left_drops, .right = right_uses,
                     .settle = nothing_is_left });
}
END_TEST

/* Whatever anybody tries as an rcvid meanwhile, also in blocks that are just being made. */
static void *guess(void *argument) {
        const _Atomic unsigned *stop = argument;
        uint32_t seed = 77;

        while (!atomic_load(stop)) {
                Receipt *receipt = receipt_use((int)(unit_random(&seed) % (RECEIPTS_MAX * 4)));

                if (receipt)
                        receipt_done(receipt);
        }
        return NULL;
}

START_TEST(guessed_numbers_do_no_harm_while_receipts_are_made) {
        _Atomic unsigned stop = 0;
        pthread_t guesser;
        int rcvid;

        ck_assert_int_eq(pthread_create(&guesser, NULL, guess, &stop), 0);
        for (unsigned n = 0; n < MANY; n++)
                receive(n, &rcvid);
        server_lock();
        for (unsigned n = MANY; n < RECEIPTS_MAX; n++)
                ck_assert_ptr_nonnull(receipt_new_locked(&rcvid));
        server_unlock();
        atomic_store(&stop, 1);
        pthread_join(guesser, NULL);
        ck_assert_uint_eq(n_held(), MANY);
}
END_TEST

UNIT_MAIN("receipt", an_rcvid_finds_its_receipt_until_it_is_answered, numbers_that_never_were_are_refused,
          messages_held_have_different_numbers, an_answered_number_stays_away_for_long,
          numbers_stay_positive_when_generations_wrap, there_is_an_end_of_receipts_and_a_way_back,
          a_dropped_receipt_frees_its_slot,
          a_dropped_receipt_in_use_stays_whole_until_the_last_has_left,
          what_is_being_answered_is_not_dropped, what_is_being_answered_is_not_failed,
          a_failed_receipt_answers_with_the_error_when_its_last_user_has_left,
          an_answered_receipt_does_not_disturb_the_next_message,
          of_two_answers_one_counts, an_answer_waits_for_those_who_read, an_answer_against_a_drop,
          a_drop_against_those_who_read, guessed_numbers_do_no_harm_while_receipts_are_made)
