/* SPDX-License-Identifier: MIT */
#include "runtime/receipt.h"

#include "shm/futex.h"
#include "shm/slot.h"

#include <stdlib.h>
#include <string.h>

/*
 * word:  31 28 27        11  10       9  8    7    0
 *       +-----+------------+---------+------+-------+
 *       |  0  | generation | DROPPED | state| users |
 *       +-----+------------+---------+------+-------+
 */
#define USER_ONE         1u
#define USERS_MASK       0xffu
#define STATE_MASK       0x300u
#define HELD             0x100u
#define TAKEN            0x200u
#define DROPPED          0x400u
#define GENERATION_SHIFT 11

#define BLOCK     64u
/* A receipt is used again only when so many others wait behind it. */
#define LINE_SHORTEST 64u

static WordPointer blocks[RECEIPTS_MAX / BLOCK]; /* found without a lock, by whatever number */
static uint32_t n_receipts;
static Receipt *line_first, *line_last;
static uint32_t line_length;
static WordPointer returned; /* answered, not in the line yet */

static uint32_t generation_of(uint32_t word) {
        return word >> GENERATION_SHIFT;
}

static void line_append_locked(Receipt *receipt) {
        receipt->next = NULL;
        if (line_last)
                line_last->next = receipt;
        else
                line_first = receipt;
        line_last = receipt;
        line_length++;
}

static void grow_locked(void) {
        Receipt *block;

        if (n_receipts == RECEIPTS_MAX)
                return;
        block = calloc(BLOCK, sizeof(*block));
        if (!block)
                return;
        for (uint32_t i = 0; i < BLOCK; i++) {
                block[i].index = n_receipts + i;
                word_store(&block[i].word, 1u << GENERATION_SHIFT);
                line_append_locked(&block[i]);
        }
        word_pointer_store(&blocks[n_receipts / BLOCK], block);
        n_receipts += BLOCK;
}

Receipt *receipt_new_locked(int *ret_rcvid) {
        Receipt *receipt;

        receipts_reclaim_locked();
        if (line_length < LINE_SHORTEST)
                grow_locked();
        receipt = line_first;
        if (!receipt)
                return NULL;
        line_first = receipt->next;
        if (!line_first)
                line_last = NULL;
        line_length--;
        word_store_relaxed(&receipt->word,
                           (word_load_relaxed(&receipt->word) & ~STATE_MASK) | HELD | USER_ONE);
        *ret_rcvid = receipt_rcvid(receipt);
        receipt->error = 0;
        return receipt;
}

int receipt_rcvid(const Receipt *receipt) {
        uint32_t generation = generation_of(word_load_relaxed(&receipt->word));

        return (int)(generation << RECEIPT_INDEX_BITS | receipt->index);
}

/* The receipt an rcvid names, whatever its state. Blocks are never freed. */
static Receipt *find(int rcvid, uint32_t *ret_generation) {
        uint32_t index = (uint32_t)rcvid & (RECEIPTS_MAX - 1);
        Receipt *block = word_pointer_load(&blocks[index / BLOCK]);

        if (rcvid <= 0 || !block)
                return NULL;
        *ret_generation = (uint32_t)rcvid >> RECEIPT_INDEX_BITS;
        return &block[index % BLOCK];
}

static bool is_held(uint32_t word, uint32_t generation) {
        return generation_of(word) == generation && (word & STATE_MASK) == HELD && !(word & DROPPED);
}

Receipt *receipt_use(int rcvid) {
        uint32_t generation, word;
        Receipt *receipt = find(rcvid, &generation);

        if (!receipt)
                return NULL;
        word = word_load(&receipt->word);
        while (is_held(word, generation) && (word & USERS_MASK) != USERS_MASK)
                if (word_swap_if(&receipt->word, &word, word + USER_ONE))
                        return receipt;
        return NULL;
}

/* From now on its rcvid is stale. */
static void end_generation(Receipt *receipt) {
        uint32_t generation = generation_of(word_load(&receipt->word)) + 1;

        if (generation == RECEIPT_GENERATIONS)
                generation = 1;
        word_store_release(&receipt->word, generation << GENERATION_SHIFT);
}

/* Back into the line; its slot, which may hold another message by now, knows it no longer. */
static void reclaim_locked(Receipt *receipt) {
        free(receipt->direct);
        receipt->direct = NULL;
        if (receipt->slot->receipt == receipt)
                receipt->slot->receipt = NULL;
        line_append_locked(receipt);
        inlink_put_receipt_locked(receipt->link);
}

static void free_locked(Receipt *receipt) {
        end_generation(receipt);
        reclaim_locked(receipt);
}

/* An answer costs no lock: the receipt waits on a stack until a receiver comes by. */
void receipt_free(Receipt *receipt) {
        void *top = word_pointer_load(&returned);

        end_generation(receipt);
        do
                receipt->next = top;
        while (!word_pointer_swap_if(&returned, &top, receipt));
}

void receipts_reclaim_locked(void) {
        Receipt *receipt, *next;

        if (!word_pointer_load(&returned))
                return;
        for (receipt = word_pointer_swap(&returned, NULL); receipt; receipt = next) {
                next = receipt->next;
                reclaim_locked(receipt);
        }
}

/* Where the message has ended otherwise, its generation is over, and neither arrow is there any more. */
static void finish_drop_locked(Receipt *receipt) {
        if (receipt->error) {
                slot_put_error(receipt->shm, receipt->error);
                slot_reply(receipt->shm, receipt->generation);
        }
        slot_release(receipt->shm, receipt->generation);
        free_locked(receipt);
}

/*
 * True when the caller was the last user of a receipt that has been dropped, and must free it. Its taker may
 * wait for us; it may have freed and used it again, too, by the time of the wake, which then means nothing.
 */
static bool leave(Receipt *receipt) {
        uint32_t word = word_sub(&receipt->word, USER_ONE);

        if ((word & (STATE_MASK | USERS_MASK)) == (TAKEN | USER_ONE))
                futex_wake(&receipt->word, 1);
        return (word & DROPPED) && (word & USERS_MASK) == USER_ONE;
}

void receipt_done_locked(Receipt *receipt) {
        if (leave(receipt))
                finish_drop_locked(receipt);
}

void receipt_done(Receipt *receipt) {
        if (!leave(receipt))
                return;
        server_lock();
        finish_drop_locked(receipt);
        server_unlock();
}

/* Nobody can begin to use it any more. A sleep, so that users of a lower priority than ours come to their end. */
static void wait_for_users(Receipt *receipt) {
        static const Deadline never;
        uint32_t word;

        while ((word = word_load(&receipt->word)) & USERS_MASK)
                futex_wait(&receipt->word, word, &never);
}

Receipt *receipt_take(int rcvid) {
        uint32_t generation, word;
        Receipt *receipt = find(rcvid, &generation);

        if (!receipt)
                return NULL;
        word = word_load(&receipt->word);
        do
                if (!is_held(word, generation))
                        return NULL;
        while (!word_swap_if(&receipt->word, &word, (word & ~STATE_MASK) | TAKEN));
        wait_for_users(receipt);
        return receipt;
}

void receipt_drop_locked(Receipt *receipt) {
        uint32_t word = word_load(&receipt->word);

        do
                if ((word & STATE_MASK) != HELD || (word & DROPPED))
                        return; /* its taker finds the slot GONE and releases it */
        while (!word_swap_if(&receipt->word, &word, word | DROPPED));
        if (!(word & USERS_MASK))
                finish_drop_locked(receipt);
}

void receipt_fail_locked(Receipt *receipt, int error) {
        receipt->error = error;
        receipt_drop_locked(receipt);
}

void receipts_after_fork(void) {
        memset((void *)blocks, 0, sizeof(blocks));
        n_receipts = line_length = 0;
        line_first = line_last = NULL;
        word_pointer_store(&returned, NULL);
}
