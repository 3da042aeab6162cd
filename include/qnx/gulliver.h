/* SPDX-License-Identifier: MIT */
/* <gulliver.h>: bytes in the other order, and words at odd addresses. */
#pragma once
#pragma GCC system_header

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

#define ENDIAN_RET16(x) __builtin_bswap16(x)
#define ENDIAN_RET32(x) __builtin_bswap32(x)
#define ENDIAN_RET64(x) __builtin_bswap64(x)

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#ifndef __LITTLEENDIAN__
#define __LITTLEENDIAN__ 1
#endif
#define ENDIAN_LE16(x) ((uint16_t)(x))
#define ENDIAN_LE32(x) ((uint32_t)(x))
#define ENDIAN_LE64(x) ((uint64_t)(x))
#define ENDIAN_BE16(x) ENDIAN_RET16(x)
#define ENDIAN_BE32(x) ENDIAN_RET32(x)
#define ENDIAN_BE64(x) ENDIAN_RET64(x)
#else
#ifndef __BIGENDIAN__
#define __BIGENDIAN__ 1
#endif
#define ENDIAN_LE16(x) ENDIAN_RET16(x)
#define ENDIAN_LE32(x) ENDIAN_RET32(x)
#define ENDIAN_LE64(x) ENDIAN_RET64(x)
#define ENDIAN_BE16(x) ((uint16_t)(x))
#define ENDIAN_BE32(x) ((uint32_t)(x))
#define ENDIAN_BE64(x) ((uint64_t)(x))
#endif

#define ENDIAN_SWAP16(at) ((void)(*(at) = ENDIAN_RET16(*(at))))
#define ENDIAN_SWAP32(at) ((void)(*(at) = ENDIAN_RET32(*(at))))
#define ENDIAN_SWAP64(at) ((void)(*(at) = ENDIAN_RET64(*(at))))

static inline uint16_t UNALIGNED_RET16(const void *at) {
        uint16_t word;

        memcpy(&word, at, sizeof(word));
        return word;
}

static inline uint32_t UNALIGNED_RET32(const void *at) {
        uint32_t word;

        memcpy(&word, at, sizeof(word));
        return word;
}

static inline uint64_t UNALIGNED_RET64(const void *at) {
        uint64_t word;

        memcpy(&word, at, sizeof(word));
        return word;
}

static inline void UNALIGNED_PUT16(void *at, uint16_t word) {
        memcpy(at, &word, sizeof(word));
}

static inline void UNALIGNED_PUT32(void *at, uint32_t word) {
        memcpy(at, &word, sizeof(word));
}

static inline void UNALIGNED_PUT64(void *at, uint64_t word) {
        memcpy(at, &word, sizeof(word));
}
