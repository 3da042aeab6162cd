/* SPDX-License-Identifier: MIT */
/*
 * Input: what the fuzzer made up, taken byte by byte; past its end everything is 0.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct Input {
        const uint8_t *bytes;
        size_t left;
} Input;

static inline bool input_is_over(const Input *input) {
        return input->left == 0;
}

/* Copies what is there, at most @n bytes; the rest of @to is zeroed. */
static inline void input_take(Input *input, void *to, size_t n) {
        size_t here = n < input->left ? n : input->left;

        memset(to, 0, n);
        if (here == 0)
                return;
        memcpy(to, input->bytes, here);
        input->bytes += here;
        input->left -= here;
}

static inline uint8_t input_u8(Input *input) {
        uint8_t value;

        input_take(input, &value, sizeof(value));
        return value;
}

static inline uint32_t input_u32(Input *input) {
        uint32_t value;

        input_take(input, &value, sizeof(value));
        return value;
}

static inline uint64_t input_u64(Input *input) {
        uint64_t value;

        input_take(input, &value, sizeof(value));
        return value;
}
