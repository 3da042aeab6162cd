/* SPDX-License-Identifier: MIT */
#include "shm/copy.h"

#include "shm/word.h"

#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <ucontext.h>

/*
 * The handler runs with its signal unblocked (SA_NODEFER), so no mask needs to be saved or restored.
 * The compiler's own setjmp is three stores; sanitizers must see the jump, so they get libc's. The thread
 * sanitizer blocks all signals in every handler, so there the mask counts after all.
 */
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
typedef void *CopyPlace[5];
#define PLACE_SET(place)  __builtin_setjmp(place)
#define PLACE_JUMP(place) __builtin_longjmp(place, 1)
#else
typedef sigjmp_buf CopyPlace;
#ifdef __SANITIZE_THREAD__
#define PLACE_SET(place)  sigsetjmp(place, 1)
#else
#define PLACE_SET(place)  sigsetjmp(place, 0)
#endif
#define PLACE_JUMP(place) siglongjmp(place, 1)
#endif

typedef struct Recovery {
        volatile bool armed;
        CopyPlace place;
} Recovery;

static __thread Recovery recovery __attribute__((tls_model("initial-exec")));

__attribute__((noinline)) bool copy_run(void (*body)(void *), void *argument) {
        if (PLACE_SET(recovery.place) != 0) {
                recovery.armed = false;
                return false;
        }
        recovery.armed = true;
        word_signal_fence();
        body(argument);
        word_signal_fence();
        recovery.armed = false;
        return true;
}

typedef struct Bytes {
        void *to;
        const void *from;
        size_t n;
} Bytes;

/* NULL is a bad address like any other here: it faults, and is reported. */
__attribute__((no_sanitize("nonnull-attribute"))) static void copy_body(void *argument) {
        const Bytes *bytes = argument;

        memcpy(bytes->to, bytes->from, bytes->n);
}

bool copy_bytes(void *to, const void *from, size_t n) {
        Bytes bytes = { to, from, n };

        if (n == 0)
                return true;
        return n <= COPY_SMALL_MAX ? copy_small(to, from, n) : copy_run(copy_body, &bytes);
}

#if COPY_SMALL_MAX > 0
/*
 * All is read before anything is written, in pieces that overlap in the middle. It touches neither the stack nor
 * a register that the caller keeps: wherever it faults, going on at copy_failed() returns for it.
 */
#define COPY_SMALL_CODE 192 /* bytes of it, filled up; where faults are ours */
__attribute__((naked, noinline)) bool copy_small(void *to, const void *from, size_t n) {
        __asm__("1:     cmp $8, %rdx\n"
                "       jb 3f\n"
                "       cmp $16, %rdx\n"
                "       ja 2f\n"
                "       mov (%rsi), %rax\n"
                "       mov -8(%rsi, %rdx), %rcx\n"
                "       mov %rax, (%rdi)\n"
                "       mov %rcx, -8(%rdi, %rdx)\n"
                "       mov $1, %eax\n"
                "       ret\n"
                "2:     cmp $32, %rdx\n"
                "       ja 4f\n"
                "       movups (%rsi), %xmm0\n"
                "       movups -16(%rsi, %rdx), %xmm1\n"
                "       movups %xmm0, (%rdi)\n"
                "       movups %xmm1, -16(%rdi, %rdx)\n"
                "       mov $1, %eax\n"
                "       ret\n"
                "3:     cmp $4, %rdx\n"
                "       jb 5f\n"
                "       mov (%rsi), %eax\n"
                "       mov -4(%rsi, %rdx), %ecx\n"
                "       mov %eax, (%rdi)\n"
                "       mov %ecx, -4(%rdi, %rdx)\n"
                "       mov $1, %eax\n"
                "       ret\n"
                "4:     movups (%rsi), %xmm0\n"
                "       movups 16(%rsi), %xmm1\n"
                "       movups -32(%rsi, %rdx), %xmm2\n"
                "       movups -16(%rsi, %rdx), %xmm3\n"
                "       movups %xmm0, (%rdi)\n"
                "       movups %xmm1, 16(%rdi)\n"
                "       movups %xmm2, -32(%rdi, %rdx)\n"
                "       movups %xmm3, -16(%rdi, %rdx)\n"
                "       mov $1, %eax\n"
                "       ret\n"
                "5:     test %rdx, %rdx\n"
                "       jz 6f\n"
                "       mov %rdx, %r8\n"
                "       shr $1, %r8\n"
                "       movzbl (%rsi), %eax\n"
                "       movzbl (%rsi, %r8), %ecx\n"
                "       movzbl -1(%rsi, %rdx), %r9d\n"
                "       mov %al, (%rdi)\n"
                "       mov %cl, (%rdi, %r8)\n"
                "       mov %r9b, -1(%rdi, %rdx)\n"
                "6:     mov $1, %eax\n"
                "       ret\n"
                "       .fill 192 - (. - 1b), 1, 0xcc\n");
}

__attribute__((noinline)) static bool copy_failed(void) {
        return false;
}

static bool recover_small(ucontext_t *context) {
        greg_t *at = &context->uc_mcontext.gregs[REG_RIP];

        if ((uintptr_t)*at - (uintptr_t)copy_small >= COPY_SMALL_CODE)
                return false;
        *at = (greg_t)(uintptr_t)copy_failed;
        return true;
}
#else
bool copy_small(void *to, const void *from, size_t n) {
        return copy_bytes(to, from, n);
}

static bool recover_small(ucontext_t *context) {
        (void)context;
        return false;
}
#endif

__attribute__((noinline)) bool copy_recover(void *context) {
        if (recover_small(context))
                return true;
        if (recovery.armed)
                PLACE_JUMP(recovery.place);
        return false;
}
