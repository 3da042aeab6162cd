/* SPDX-License-Identifier: MIT */
/*
 * Stats: medians, because one preempted round must not decide a figure.
 */
#include "stats.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

uint64_t now_ns(void) {
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

void sleep_until(uint64_t when_ns) {
        struct timespec ts = { (time_t)(when_ns / NSEC_PER_SEC), (long)(when_ns % NSEC_PER_SEC) };

        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
                ;
}

void samples_add(Samples *samples, double value) {
        if (samples->n < SAMPLES_MAX)
                samples->values[samples->n++] = value;
}

static int compare(const void *a, const void *b) {
        double x = *(const double *)a, y = *(const double *)b;

        return (x > y) - (x < y);
}

double samples_median(const Samples *samples) {
        double sorted[SAMPLES_MAX];
        unsigned n = samples->n;

        if (!n)
                return 0;
        memcpy(sorted, samples->values, n * sizeof(double));
        qsort(sorted, n, sizeof(double), compare);
        return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

double samples_percentile(const Samples *samples, unsigned percent) {
        double sorted[SAMPLES_MAX];
        unsigned n = samples->n;

        if (!n)
                return 0;
        memcpy(sorted, samples->values, n * sizeof(double));
        qsort(sorted, n, sizeof(double), compare);
        return sorted[(n * percent + 99) / 100 - 1];
}

static unsigned samples_below(const Samples *samples, unsigned which) {
        unsigned n = 0;

        for (unsigned i = 0; i < samples->n; i++) {
                double difference = samples->values[i] - samples->values[which];

                n += difference < 0 || (difference == 0 && i < which);
        }
        return n;
}

unsigned samples_middle(const Samples *samples) {
        unsigned which = 0;

        while (samples_below(samples, which) != samples->n / 2)
                which++;
        return which;
}

double samples_min(const Samples *samples) {
        double least = samples->n ? samples->values[0] : 0;

        for (unsigned i = 1; i < samples->n; i++)
                if (samples->values[i] < least)
                        least = samples->values[i];
        return least;
}

double samples_max(const Samples *samples) {
        double most = samples->n ? samples->values[0] : 0;

        for (unsigned i = 1; i < samples->n; i++)
                if (samples->values[i] > most)
                        most = samples->values[i];
        return most;
}
