/* SPDX-License-Identifier: MIT */
#include "shm/link.h"

#include "shm/slot.h"
#include "shm/word.h"

#include <string.h>

void link_init(ShmLink *link, const uint8_t token[LINK_TOKEN_BYTES]) {
        link->magic = LAYOUT_MAGIC;
        link->version = LAYOUT_VERSION;
        memcpy(link->token, token, LINK_TOKEN_BYTES);
        for (uint32_t i = 0; i < RING_CELLS; i++)
                word_store_relaxed(&link->ring.cells[i].sequence, i);
}

void link_set_connection(ShmLink *link, uint32_t index, uint32_t state) {
        word_store(&link->connections[index], state);
}

uint32_t link_connection(const ShmLink *link, uint32_t index) {
        return word_load(&link->connections[index]);
}

bool link_connection_is_live(const ShmLink *link, uint32_t index) {
        return word_load(&link->connections[index]) == CONNECTION_LIVE;
}

void link_set_server_gone(ShmLink *link) {
        word_store(&link->server_gone, 1);
}

void link_set_client_gone(ShmLink *link) {
        word_store(&link->client_gone, 1);
}

bool link_server_is_gone(const ShmLink *link) {
        return word_load(&link->server_gone) != 0;
}

bool link_client_is_gone(const ShmLink *link) {
        return word_load(&link->client_gone) != 0;
}

void link_fail_slots(ShmSlot *slots, unsigned n, int error) {
        for (unsigned i = 0; i < n; i++)
                slot_fail(&slots[i], error);
}

void notice_init(ShmNotice *notice) {
        notice->magic = LAYOUT_MAGIC;
        notice->version = LAYOUT_VERSION;
}

void notice_count(ShmNotice *notice) {
        word_add(&notice->news, 1);
}

void notice_count_boost(ShmNotice *notice) {
        word_add(&notice->boosts, 1);
}

uint32_t notice_news(const ShmNotice *notice) {
        return word_load(&notice->news);
}
