/* SPDX-License-Identifier: MIT */
/*
 * Noise: from /proc/stat, less what our own processes used.
 */
#include "noise.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { USER, NICE, SYSTEM, IDLE, IOWAIT, IRQ, SOFTIRQ, STOLEN, N_FIELDS };

static uint64_t ticks_of(const struct timeval *tv) {
        return (uint64_t)(tv->tv_sec * 1000000 + tv->tv_usec) * (uint64_t)sysconf(_SC_CLK_TCK) / 1000000;
}

static void noise_read_stat(Noise *noise) {
        unsigned long field[N_FIELDS] = { 0 };
        FILE *f = fopen("/proc/stat", "re");

        if (!f)
                return;
        if (fscanf(f, "cpu %lu %lu %lu %lu %lu %lu %lu %lu", &field[USER], &field[NICE], &field[SYSTEM],
                   &field[IDLE], &field[IOWAIT], &field[IRQ], &field[SOFTIRQ], &field[STOLEN]) == N_FIELDS) {
                for (unsigned i = 0; i < N_FIELDS; i++)
                        noise->all += field[i];
                noise->stolen = field[STOLEN];
                noise->busy = noise->all - field[IDLE] - field[IOWAIT] - field[STOLEN];
        }
        fclose(f);
}

void noise_read(Noise *noise) {
        struct rusage usage;

        memset(noise, 0, sizeof(*noise));
        noise_read_stat(noise);
        getrusage(RUSAGE_CHILDREN, &usage);
        noise->own = ticks_of(&usage.ru_utime) + ticks_of(&usage.ru_stime);
}

static double percent(double part, const Noise *before, const Noise *after) {
        uint64_t all = after->all - before->all;

        return all && part > 0 ? 100 * part / (double)all : 0;
}

double noise_others(const Noise *before, const Noise *after) {
        return percent((double)(after->busy - before->busy) - (double)(after->own - before->own), before, after);
}

double noise_stolen(const Noise *before, const Noise *after) {
        return percent((double)(after->stolen - before->stolen), before, after);
}
